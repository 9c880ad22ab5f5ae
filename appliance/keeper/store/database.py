"""The keeper's database: one file, one process, one connection, one transaction owner.

WAL with `synchronous=FULL`: what was committed survives a power cut. Only this connection writes
and checkpoints (SQLite before 3.51.3 can corrupt a WAL when two do at once), which a lock file
beside the database enforces. `secure_delete` overwrites what is deleted.

A failed transaction rolls back and raises; the keeper then ends and starts again from what is
committed, so memory and file never disagree.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from appliance.keeper.devices.model import Address, Device
from appliance.keeper.store.gaps import Gaps
from appliance.keeper.store.outbox import MAX_OUTBOX, Outbox
from appliance.keeper.store.schema import migrations
from wire.base import Standing
from wire.models import Finding, LooksLike

MAX_EVIDENCE = 64
MAX_NAMES = 20_000
MAX_COMMANDS = 1024
MAX_FINDINGS = 50_000
_EPOCH_OCTETS = 4
_STATUS_BLOCK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """A finding with what the keeper needs to know about its reporting."""

    finding: Finding
    subject: str
    """What it is about beside the device, such as a list and its entry; empty when nothing."""
    reported_at: float
    """When a revision was last put in the outbox."""
    dirty: bool
    """Whether repeats were counted since."""


class StoreError(ValueError):
    """The database cannot be used; the text says why and what to do."""


_PRAGMAS = (
    "journal_mode=wal",
    "synchronous=full",
    "foreign_keys=on",
    "secure_delete=on",
    "mmap_size=0",
    "trusted_schema=off",
)


class Store:
    """All of what the keeper remembers."""

    def __init__(self, path: Path, *, outbox_limit: int = MAX_OUTBOX, findings_limit: int = MAX_FINDINGS) -> None:
        """Open (or create) the database at `path`.

        Raises:
            StoreError: another process has it open, the folder is not writable, or it is no database.
        """
        self._lock = _lock(path)
        self._erased = False
        """Something was erased: the log of the database must not keep it either."""
        with ExitStack() as undo:
            undo.callback(os.close, self._lock)
            try:
                connection = undo.enter_context(closing(sqlite3.connect(path)))
                self._db = Database(connection, execute_plugins=False)
                for pragma in _PRAGMAS:
                    self._db.execute(f"pragma {pragma}")
                path.chmod(0o600)
                migrations.apply(self._db)
            except (sqlite3.Error, OSError) as error:
                raise StoreError(f"{path}: cannot be used as the keeper's database ({error})") from error
            undo.pop_all()
        self.epoch = self._first("epoch", secrets.token_hex(_EPOCH_OCTETS))
        self.blinding_key = bytes.fromhex(self._first("blinding_key", secrets.token_hex(32)))
        """Key of the hashes that stand for announced names of devices that are not registered."""
        self.gaps = Gaps(self._db)
        self.outbox = Outbox(self._db, epoch=self.epoch, limit=outbox_limit)
        self.evidence_overflow = 0
        self.names_overflow = 0
        self.findings_overflow = 0
        self._findings_limit = findings_limit
        self._status_next = 0
        self._status_end = 0

    def close(self) -> None:
        """Close the connection and give the lock back."""
        self._db.close()
        os.close(self._lock)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together, or nothing of it."""
        try:
            with self._db.atomic():
                yield
        except Exception:
            self.outbox.recount()  # what was added inside is gone again
            raise
        if self._erased and not self._db.conn.in_transaction:
            self._erased = False
            self._db.execute("pragma wal_checkpoint(truncate)").fetchall()

    # --- meta -------------------------------------------------------------------------------

    def get(self, key: str) -> str | None:
        """A value of the meta table."""
        row = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Set a value of the meta table."""
        self._db.execute("insert or replace into meta (key, value) values (?, ?)", (key, value))

    def _first(self, key: str, value: str) -> str:
        """The stored value; on a new database, `value` becomes it."""
        with self.transaction():
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

    # --- devices ----------------------------------------------------------------------------

    def devices(self) -> list[Device]:
        """All devices."""
        addresses: dict[str, list[Address]] = {}
        for mac, device_id, first, last in self._db.execute(
            "select mac, device_id, first_seen, last_seen from address order by first_seen"
        ):
            addresses.setdefault(device_id, []).append(Address(mac=mac, first_seen=first, last_seen=last))
        rows = self._db.execute(
            "select device_id, revision, standing, label, looks_like, guest_until, quarantined, "
            "first_seen, last_seen, reported_at from device"
        )
        return [
            Device(
                device_id=row[0],
                revision=row[1],
                standing=Standing(row[2]),
                label=row[3],
                looks_like=None if row[4] is None else LooksLike.model_validate_json(row[4]),
                guest_until=row[5],
                quarantined=bool(row[6]),
                first_seen=row[7],
                last_seen=row[8],
                reported_at=row[9],
                addresses=tuple(addresses.get(row[0], ())),
            )
            for row in rows
        ]

    def put_device(self, device: Device) -> None:
        """Write a device and its addresses."""
        self._db.execute(
            "insert into device (device_id, revision, standing, label, looks_like, guest_until, quarantined, "
            "first_seen, last_seen, reported_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "on conflict (device_id) do update set revision = excluded.revision, standing = excluded.standing, "
            "label = excluded.label, looks_like = excluded.looks_like, guest_until = excluded.guest_until, "
            "quarantined = excluded.quarantined, first_seen = excluded.first_seen, last_seen = excluded.last_seen, "
            "reported_at = excluded.reported_at",
            (
                device.device_id,
                device.revision,
                device.standing.value,
                device.label,
                None if device.looks_like is None else device.looks_like.model_dump_json(),
                device.guest_until,
                int(device.quarantined),
                device.first_seen,
                device.last_seen,
                device.reported_at,
            ),
        )
        for address in device.addresses:
            self._db.execute(
                "insert into address (mac, device_id, first_seen, last_seen) values (?, ?, ?, ?) "
                "on conflict (mac) do update set first_seen = excluded.first_seen, last_seen = excluded.last_seen",
                (address.mac, device.device_id, address.first_seen, address.last_seen),
            )

    def remove_device(self, device_id: str) -> None:
        """Forget a device and everything that hangs on it, but not its findings."""
        for statement in (
            "delete from evidence where device_id = ?",
            "delete from name_visit where device_id = ?",
            "delete from address where device_id = ?",
            "delete from device where device_id = ?",
        ):
            self._db.execute(statement, (device_id,))
        self._erased = True

    def erase_names(self, device_id: str) -> None:
        """Erase the names that a device asked for."""
        self._erase("delete from name_visit where device_id = ?", device_id)

    def erase_announced(self, device_id: str) -> None:
        """Erase what a device calls itself; the keyed hashes stay."""
        self._erase(
            "delete from evidence where device_id = ? and source in ('dhcp-host-name', 'dhcp-client-id') "
            "and value not like 'blind-%'",
            device_id,
        )

    def _erase(self, statement: str, device_id: str) -> None:
        self._erased |= self._db.execute(statement, (device_id,)).rowcount > 0

    def add_evidence(self, device_id: str, source: str, value: str, ts: float) -> bool:
        """Count one piece of evidence; true when it is new. At most MAX_EVIDENCE a device."""
        changed = self._db.execute(
            "update evidence set count = count + 1, last_seen = max(last_seen, ?) "
            "where device_id = ? and source = ? and value = ?",
            (ts, device_id, source, value),
        ).rowcount
        if changed:
            return False
        if self._rows("evidence", device_id) >= MAX_EVIDENCE:
            self.evidence_overflow += 1
            return False
        self._db.execute(
            "insert into evidence (device_id, source, value, first_seen, last_seen, count) values (?, ?, ?, ?, ?, 1)",
            (device_id, source, value, ts, ts),
        )
        return True

    def evidence(self, device_id: str) -> list[tuple[str, str]]:
        """Source and value of what supports a device, oldest first. Seen empty is an empty value."""
        rows = self._db.execute(
            "select source, value from evidence where device_id = ? order by first_seen, source", (device_id,)
        )
        return [(source, value) for source, value in rows]

    def add_name(
        self, device_id: str, name: str, *, authority_id: str, authority_number: int, clause: str, ts: float
    ) -> None:
        """Count one look-up of a name, under a clause. At most MAX_NAMES a device."""
        changed = self._db.execute(
            "update name_visit set count = count + 1, last_seen = max(last_seen, ?) where device_id = ? and name = ?",
            (ts, device_id, name),
        ).rowcount
        if changed:
            return
        if self._rows("name_visit", device_id) >= MAX_NAMES:
            self.names_overflow += 1
            return
        self._db.execute(
            "insert into name_visit (device_id, name, authority_id, authority_number, clause, first_seen, last_seen, "
            "count) values (?, ?, ?, ?, ?, ?, ?, 1)",
            (device_id, name, authority_id, authority_number, clause, ts, ts),
        )

    def names(self, device_id: str) -> dict[str, int]:
        """Names a device asked for, with their counts."""
        rows = self._db.execute("select name, count from name_visit where device_id = ?", (device_id,))
        return dict(rows.fetchall())

    def _rows(self, table: str, device_id: str) -> int:
        statement = f"select count(*) from {table} where device_id = ?"  # noqa: S608 - table is one of ours
        return int(self._db.execute(statement, (device_id,)).fetchone()[0])

    # --- findings ---------------------------------------------------------------------------

    def open_finding(self, device_id: str, kind: str, subject: str) -> StoredFinding | None:
        """The open finding of this kind about this device and subject."""
        return self._stored("device_id = ? and kind = ? and subject = ? and state = 'open'", device_id, kind, subject)

    def open_findings_of(self, device_id: str) -> list[StoredFinding]:
        """All open findings about a device."""
        return self._all_stored("device_id = ? and state = 'open'", device_id)

    def unreported_findings(self, before: float) -> list[StoredFinding]:
        """Findings with repeats not yet reported whose last report is older than `before`."""
        return self._all_stored("dirty = 1 and reported_at <= ? order by reported_at limit 64", before)

    def open_count(self) -> int:
        """How many findings are open."""
        return int(self._db.execute("select count(*) from finding where state = 'open'").fetchone()[0])

    def has_room(self) -> bool:
        """Make room for one more finding by forgetting the oldest closed one; false when all are open."""
        count = int(self._db.execute("select count(*) from finding").fetchone()[0])
        if count < self._findings_limit:
            return True
        closed = self._db.execute(
            "delete from finding where finding_id = "
            "(select finding_id from finding where state = 'closed' order by reported_at limit 1)"
        ).rowcount
        self.findings_overflow += 0 if closed else 1
        return closed > 0

    def put_finding(self, stored: StoredFinding) -> None:
        """Write a finding as it now stands."""
        finding = stored.finding
        self._db.execute(
            "insert or replace into finding (finding_id, device_id, kind, subject, state, payload, reported_at, dirty) "
            "values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                finding.finding_id,
                finding.device_id,
                finding.kind.value,
                stored.subject,
                finding.state,
                finding.model_dump_json(),
                stored.reported_at,
                int(stored.dirty),
            ),
        )

    def _stored(self, where: str, *parameters: str) -> StoredFinding | None:
        return next(iter(self._all_stored(where, *parameters)), None)

    def _all_stored(self, where: str, *parameters: str | float) -> list[StoredFinding]:
        statement = f"select subject, reported_at, dirty, payload from finding where {where}"  # noqa: S608 - ours
        return [
            StoredFinding(
                subject=subject, reported_at=at, dirty=bool(dirty), finding=Finding.model_validate_json(payload)
            )
            for subject, at, dirty, payload in self._db.execute(statement, parameters)
        ]

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


def _lock(path: Path) -> int:
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{lock}: cannot be opened ({error.strerror})") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreError(f"{path}: another keeper has this database open; stop it first") from None
    return descriptor
