"""The keeper's database: one file, one process, one connection, one transaction owner.

What is kept of the household is in the parts: `devices`, `evidence`, `findings`, `kinship`, `stays`,
`records`, `quiet`, `outbox` and `gaps`, each with its tables and bounds. Here: how the file is opened, transactions,
values of the keeper itself (`meta`), answered commands and the collection mask.

WAL with `synchronous=FULL`: what was committed survives a power cut. Only this connection writes
and checkpoints (SQLite before 3.51.3 can corrupt a WAL when two do at once), which a lock file
beside the database enforces. `secure_delete` overwrites what is deleted, but pages that were divided
keep stale copies: where names were erased, the working tables are written anew and the log cut. That is
noted in the same transaction, so that a power cut in between does not forget it.

A failed transaction rolls back and raises; the keeper then starts again from what is committed, so
memory and file never disagree. Where there was no room, it makes some first (`relieve`, `room`).
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from sqlite_utils import Database

from appliance.keeper.ledger.book import Ledger
from appliance.keeper.store.activity import Activity
from appliance.keeper.store.anew import write_anew
from appliance.keeper.store.away import Aways
from appliance.keeper.store.blinding import blind
from appliance.keeper.store.bundles import Bundles
from appliance.keeper.store.categories import Categories
from appliance.keeper.store.devices import Devices
from appliance.keeper.store.dropped import say_dropped
from appliance.keeper.store.evidence import Evidence
from appliance.keeper.store.findings import MAX_FINDINGS, Findings
from appliance.keeper.store.gaps import Gaps
from appliance.keeper.store.holds import Holds
from appliance.keeper.store.household_side import HouseholdSide
from appliance.keeper.store.kinship import Kinship
from appliance.keeper.store.law import Law
from appliance.keeper.store.ledger import Log
from appliance.keeper.store.outbox import MAX_OCTETS, MAX_OUTBOX, PORTION_ROWS, Outbox
from appliance.keeper.store.purge import Purge
from appliance.keeper.store.quiet import Quiets
from appliance.keeper.store.records import Records
from appliance.keeper.store.room import MAX_SHARE, Room, StoreFullError, is_full
from appliance.keeper.store.schema import migrations
from appliance.keeper.store.sealed import Sealed
from appliance.keeper.store.stays import Stays
from appliance.keeper.store.vault import Vault, VaultError
from appliance.keeper.store.watch import Watched

MAX_COMMANDS = 1024
CLEAN_COMMITS = 512
"""Before it is tried again to write the tables anew where there was no room: each try copies them. Some minutes."""
_EPOCH_OCTETS = 4
_STATUS_BLOCK = 256
_ERASING = "erasing"
"""Key in `meta`: the file is still to be written anew."""
_RELIEVED = "relieved"
"""Key in `meta`: how often room had to be made; that it can be written shows that there is room."""


_log = logging.getLogger(__name__)


class StoreError(ValueError):
    """The database cannot be used; the text says why and what to do."""


_PRAGMAS = (
    # Every page that a commit touches goes to the log whole, and rows are small: pages of half the usual size make
    # 62 MB of a busy day's 105. Only a new file takes it; after the journal mode is set it would be too late.
    "page_size=2048",
    "journal_mode=wal",
    "wal_autocheckpoint=2000",
    "synchronous=full",
    "foreign_keys=on",
    "secure_delete=on",
    "mmap_size=0",
    "trusted_schema=off",
)


class Store:
    """All of what the keeper remembers."""

    def __init__(  # noqa: PLR0915 - one line a part
        self,
        path: Path,
        *,
        outbox_limit: int = MAX_OUTBOX,
        outbox_octets: int = MAX_OCTETS,
        findings_limit: int = MAX_FINDINGS,
        vault_key: Path | None = None,
        share: int = MAX_SHARE,
        ballast: int = 0,
    ) -> None:
        """Open (or create) the database at `path`; the file that wraps its keys is `vault.key` beside it, or elsewhere.

        `share` and `ballast`: octets, see `room`.

        Raises:
            StoreError: another process has it open, the folder is not writable, or it is no database.
        """
        self._lock = _lock(path)
        self._cut = False
        """Something was deleted: the log of the database must not keep it either."""
        self._erasing = False
        """Names were erased, and the tables are not written anew yet."""
        self._clean_from = 0
        """Not before so many commits: at the last time there was no room."""
        self.committed = 0
        """Transactions that were committed, since start."""
        with ExitStack() as undo:
            undo.callback(os.close, self._lock)
            try:
                connection = undo.enter_context(closing(sqlite3.connect(path)))
                self._db = Database(connection, execute_plugins=False)
                for pragma in _PRAGMAS:
                    self._db.execute(f"pragma {pragma}")
                path.chmod(0o600)
                migrations.apply(self._db)
                self.room = Room(self._db, path, share=share, ballast=ballast)
                self.vault = Vault(self._db, vault_key or path.with_name("vault.key"))
                self.epoch = self._first("epoch", secrets.token_hex(_EPOCH_OCTETS))
                self.blinding_key = bytes.fromhex(self._first("blinding_key", secrets.token_hex(32)))
                """Key of the hashes that stand for names and identifiers (see `blinding`)."""
                self.devices = Devices(self._db, deleted=self._note_deleted, erased=self._note_erased)
                self.evidence = Evidence(self._db, erased=self._note_erased)
                self.findings = Findings(self._db, limit=findings_limit)
                self.kinship = Kinship(self._db)
                self.stays = Stays(self._db)
                self.activity = Activity(self._db)
                self.away = Aways(self._db)
                self.gaps = Gaps(self._db)
                self.records = Records(self._db, erased=self._note_erased)
                self.quiets = Quiets(self._db)
                self.watched = Watched(self._db)
                self.law = Law(self._db)
                self.household_side = HouseholdSide(self._db)
                self.sealed = Sealed(self._db)
                self.categories = Categories(self._db, erased=self._note_erased)
                self.outbox = Outbox(
                    self._db, epoch=self.epoch, limit=outbox_limit, octets=outbox_octets, spares=self.room.spares
                )
                self.ledger = Ledger(Log(self._db), self.vault, epoch=self.epoch, overwritten=self._note_deleted)
                self.bundles = Bundles(self._db, path.with_name("bundles"))
                self.holds = Holds(self._db)
                self.purge = Purge(self._db, self.vault)
                self._status_next = 0
                self._status_end = 0
                self._erasing = self.get(_ERASING) == "1"
                self._clean()
            except VaultError as error:
                raise StoreError(str(error)) from error
            except (sqlite3.Error, OSError) as error:
                raise StoreError(wrong_with(path, error)) from error
            undo.pop_all()

    def close(self) -> None:
        """Close the connection and give the lock back."""
        self._db.close()
        os.close(self._lock)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together, or nothing of it.

        Raises:
            StoreFullError: there is no room; nothing of it was written.
        """
        waiting, skipped, erasing, cut = self.outbox.mark(), self.room.mark(), self._erasing, self._cut
        try:
            with self._db.atomic():
                yield
        except Exception as error:
            self.vault.rolled_back()
            self.outbox.restore(waiting)  # what was added inside is gone again
            self.room.restore(skipped)
            self.records.recount()
            self.ledger.rolled_back()
            self.sealed.recount()
            self._erasing, self._cut = erasing, cut  # and what was erased inside is there again
            self._status_next = self._status_end = 0  # numbers reserved inside are not
            if is_full(error):
                raise StoreFullError(str(error)) from error
            raise
        if not self._db.conn.in_transaction:
            self.committed += 1
            self.vault.settle()
            self._clean()

    def relieve(self) -> bool:
        """After `StoreFullError`: give the ballast up and drop the lowest class; whether the database can be written."""
        self.room.give_up()
        with suppress(sqlite3.Error):  # the log's room is the database's
            self._db.execute("pragma wal_checkpoint(truncate)").fetchall()
        for rows in (PORTION_ROWS, PORTION_ROWS // 16, PORTION_ROWS // 256):  # deleting needs room too
            try:
                with self.transaction():
                    self.outbox.shed(rows)
                    say_dropped(self, cause="storage-full")
                    self.set(_RELIEVED, str(int(self.get(_RELIEVED) or "0") + 1))
            except StoreFullError:
                continue
            return True
        return False

    def _clean(self) -> None:
        """Let the file hold nothing of what was erased; where there is no room for that, later."""
        if self.committed < self._clean_from:
            return
        try:
            self._write_anew()
        except sqlite3.Error as error:
            if not is_full(error):
                raise
            self._clean_from = self.committed + CLEAN_COMMITS
            self.room.give_up()

    def _write_anew(self) -> None:
        if self._erasing:
            if unwritten := write_anew(self._db):
                _log.warning("too long to be written anew after erasing: %s", ", ".join(unwritten))
            self._erasing, self._cut = False, True
            with self._db.atomic():
                self.set(_ERASING, "")
        if self._cut:
            self._cut = False
            self._db.execute("pragma wal_checkpoint(truncate)").fetchall()

    def _note_deleted(self) -> None:
        self._cut = True

    def _note_erased(self) -> None:
        """Names are gone that may not be kept any more."""
        if not self._erasing:
            self._erasing = True
            self.set(_ERASING, "1")

    def note_deleted(self) -> None:
        """Rows are gone whose octets the database's log must not keep either."""
        self._note_deleted()

    def note_erased(self) -> None:
        """Rows with names in them are gone: the file is written anew when the transaction is committed."""
        self._note_erased()

    def overflow(self) -> int:
        """All that went over a bound, since start."""
        evidence = self.evidence
        traits = evidence.traits_overflow + evidence.hits_overflow + evidence.names_overflow
        rows = self.findings.overflow + self.kinship.overflow + self.stays.overflow + self.records.overflow
        return traits + rows + self.categories.overflow + self.activity.overflow + self.ledger.overflow

    def blind(self, text: str) -> str:
        """The keyed hash that stands for a text."""
        return blind(self.blinding_key, text)

    # --- meta -------------------------------------------------------------------------------

    def get(self, key: str) -> str | None:
        """A value of the meta table."""
        row = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Set a value of the meta table."""
        self._db.execute(
            "insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
            (key, value),
        )

    def _first(self, key: str, value: str) -> str:
        """The stored value; on a new database, `value` becomes it."""
        with self._db.atomic():  # before the parts are there
            self._db.execute("insert or ignore into meta (key, value) values (?, ?)", (key, value))
        found = self.get(key)
        assert found is not None  # noqa: S101 - inserted in the line above
        return found

    def next_status_number(self) -> int:
        """A number for a message outside the outbox, never given twice; reserved in blocks."""
        if self._status_next >= self._status_end:
            with self.transaction():
                self._status_next = int(self.get("status_number") or "1")
                self._status_end = self._status_next + _STATUS_BLOCK
                self.set("status_number", str(self._status_end))
        self._status_next += 1
        return self._status_next - 1

    # --- commands, mask ---------------------------------------------------------------------

    def command(self, command_id: str) -> tuple[str, str, float] | None:
        """Outcome, detail and time of a command that was answered."""
        row = self._db.execute("select outcome, detail, at from command where command_id = ?", (command_id,)).fetchone()
        return None if row is None else (str(row[0]), str(row[1]), float(row[2]))

    def put_command(self, command_id: str, *, sequence: int, outcome: str, detail: str, at: float) -> None:
        """Remember the answer to a command; the oldest beyond MAX_COMMANDS go."""
        self._db.execute(
            "insert into command (command_id, sequence, outcome, detail, at) values (?, ?, ?, ?, ?)",
            (command_id, sequence, outcome, detail, at),
        )
        self._db.execute("delete from command where rowid <= (select max(rowid) from command) - ?", (MAX_COMMANDS,))

    def mask(self) -> dict[str, int]:
        """MACs whose looked-up names may leave the sensor, each with the generation that first said so."""
        return dict(self._db.execute("select mac, since from mask").fetchall())

    def put_mask(self, mask: dict[str, int], generation: int) -> None:
        """Replace the mask."""
        self._db.execute("delete from mask")
        self._db.conn.executemany("insert into mask (mac, since) values (?, ?)", mask.items())
        self.set("mask_generation", str(generation))


def wrong_with(path: Path, error: Exception) -> str:
    """Why a database cannot be used, for whoever reads the journal of the box."""
    code = getattr(error, "sqlite_errorcode", None)
    # The low octet is the kind, the rest says more (https://sqlite.org/rescode.html).
    if code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"{path}: is damaged ({error}). What to do: docs/engineers.md, 'A damaged database'"
    return f"{path}: cannot be used as the keeper's database ({error}). What was committed is kept"


def _lock(path: Path) -> int:
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{lock}: cannot be opened ({error.strerror})") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise StoreError(f"{path}: another keeper has this database open; stop it first") from None
        raise StoreError(f"{lock}: cannot be locked ({error.strerror})") from error
    return descriptor
