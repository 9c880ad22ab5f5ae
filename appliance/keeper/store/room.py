"""Room for the database: its own share of the disk, and a ballast that is given up so that a full disk can be mended.

SQLite needs room to delete (a log is written first), so a full disk cannot be emptied by deleting. Therefore a file of
real blocks lies beside the database. When the disk or the share is full it is given up, the share is widened by as
much, and the store is narrow: what can be missed is not written (states and bulk for the server, how busy devices are)
until there is room again; then the ballast is made anew. Findings, answers, authority, the ledger, and the records and
names that findings rest on are written on: they are small.

In: where the database lies, and sizes in octets. Out: `narrow`, and what it skipped (`take_skipped`).
Bounded: one file; the share, beyond it `ballast` octets while it is narrow.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from collections import Counter
from contextlib import suppress
from pathlib import Path

from sqlite_utils import Database

MAX_SHARE = 8 * 1024**3
BALLAST = 32 * 1024**2
WELL = 0.95
"""Of the share: below it there is room again."""

_FULL = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)
"""What SQLite says when the file system has no room: most often FULL; the others where a delayed allocation fails."""

_log = logging.getLogger(__name__)


class StoreFullError(Exception):
    """Nothing was written, because there is no room; what was committed is kept. `Store.relieve` makes room."""


def is_full(error: BaseException) -> bool:
    """Whether it says, or comes of one that says, that there is no room."""
    if isinstance(error, StoreFullError):
        return True
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in _FULL
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return error.__cause__ is not None and is_full(error.__cause__)


def discard(database: Path) -> bool:
    """Give the ballast of a database up that cannot even be opened; whether there was one."""
    try:
        _ballast_of(database).unlink()
    except FileNotFoundError:
        return False
    return True


def _ballast_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.ballast")


class Room:
    """The ballast and the share of one database."""

    def __init__(self, db: Database, path: Path, *, share: int = MAX_SHARE, ballast: int = 0) -> None:
        """`path` of the database; `share` it may take; `ballast` 0: none, as in scripts."""
        self._db = db
        self._file = _ballast_of(path)
        self._folder = path.parent
        self._share = share
        self._ballast = ballast
        self._skipped: Counter[str] = Counter()
        self._page = int(db.execute("pragma page_size").fetchone()[0])
        self.narrow = False
        """Whether what can be missed is not written."""
        self.given_up = 0
        """How often the ballast was needed, since start."""
        self._limit(share)
        if ballast and not (self._made() or self._make()):
            self.narrow = True
            self._limit(share + ballast)

    # --- use --------------------------------------------------------------------------------

    def spares(self, what: str) -> bool:
        """Whether `what`, which can be missed, is not to be written now; counted."""
        if self.narrow:
            self.missed(what)
        return self.narrow

    def missed(self, what: str) -> None:
        """Count what is not written."""
        self._skipped[what] += 1

    def take_skipped(self) -> dict[str, int]:
        """What was not written while it was narrow, by what it is, since the last call; to be said in this transaction."""
        skipped = dict(self._skipped)
        self._skipped.clear()
        return skipped

    def mark(self) -> dict[str, int]:
        """What was not written and is not said yet, for `restore`."""
        return dict(self._skipped)

    def restore(self, skipped: dict[str, int]) -> None:
        """A transaction that began when it was so was rolled back."""
        self._skipped = Counter(skipped)

    # --- full and well ----------------------------------------------------------------------

    def give_up(self) -> None:
        """Give the ballast up; from now on it is narrow. No transaction may be open."""
        if not self.narrow:
            self.given_up += 1
            _log.error("no room for the database: the ballast is given up, only what is needed is written")
        self.narrow = True
        with suppress(FileNotFoundError):
            self._file.unlink()
        self._limit(self._share + self._ballast)

    def recover(self) -> bool:
        """Whether there is room again: the ballast is made anew, everything is written again."""
        if not self.narrow:
            return True
        pages, free = (
            int(self._db.execute(f"pragma {name}").fetchone()[0]) for name in ("page_count", "freelist_count")
        )
        if (pages - free) * self._page > WELL * self._share or (self._ballast and not self._make()):
            return False
        self._limit(self._share)
        self.narrow = False
        _log.info("there is room for the database again")
        return True

    def _limit(self, octets: int) -> None:
        # Never below what the file has already: SQLite sees to that.
        self._db.execute(f"pragma max_page_count = {max(octets // self._page, 1)}").fetchone()

    def _made(self) -> bool:
        try:
            return self._file.stat().st_size == self._ballast
        except FileNotFoundError:
            return False

    def _make(self) -> bool:
        """Make the ballast, if half as much is left beside it: it must not be what fills the disk."""
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < self._ballast * 3 // 2:
            return False
        try:
            file = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, self._ballast)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            _log.warning("%s cannot be made: %s", self._file, error.strerror)
            with suppress(OSError):
                self._file.unlink()
            return False
        return True
