"""What a machine wrote to its disk, in order, and the disk as a cut of the power at any moment of that may leave it.

QEMU's `blklogwrites` keeps the log, in the format of Linux's dm-log-writes: a superblock, then for each write a sector
with where and how much, and what was written. A disk promises to keep what came before the last flush. Of what came after
it keeps, here, each write or not as by lot, and of some only their beginning: what a card with a cache does, and more than
killing QEMU shows, whose writes the host keeps.

Bounded: `MAX_ENTRIES` of a log; a replay writes what the log has.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.host import LabError

MAX_ENTRIES = 2_000_000
SECTOR = 512
"""Octets of one; what QEMU is told to log by. A disk writes a sector or does not."""
_MAGIC = 0x6A736677736872
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")
_FLUSH, _FUA, _DISCARD = 1, 2, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One entry of a log."""

    start: int
    """Octets from the disk's start."""
    size: int
    """Octets; 0 for a flush alone."""
    at: int
    """Where its octets are in the log; where the entry ends, for what has none."""
    flush: bool
    """All that came before it is kept for good."""
    at_once: bool
    """It is itself kept for good when the disk says it is done (FUA)."""


def read(log: Path) -> list[Write]:
    """The entries of a log, discarded ranges left out: a disk may keep what was there.

    Raises:
        LabError: it is no log, it is of other sectors, or it has too many entries. A last entry that is not whole is left out.
    """
    with log.open("rb") as file:
        head = file.read(_SUPER.size)
        if len(head) < _SUPER.size or _SUPER.unpack(head)[0] != _MAGIC:
            raise LabError(f"{log}: no log of writes")
        if _SUPER.unpack(head)[3] != SECTOR:
            raise LabError(f"{log}: its sectors have {_SUPER.unpack(head)[3]} octets, not {SECTOR}")
        return list(_entries(file.fileno(), file.seek(0, os.SEEK_END)))


def _entries(file: int, end: int) -> Iterator[Write]:
    offset, number = SECTOR, 0
    while offset + SECTOR <= end:
        sector, sectors, flags, _ = _ENTRY.unpack(os.pread(file, _ENTRY.size, offset))
        offset += SECTOR
        # QEMU says no length of data: it is what was written, and a discard has none.
        size = 0 if flags & _DISCARD else sectors * SECTOR
        if offset + size > end:
            return
        if not flags & _DISCARD:
            flush, at_once = bool(flags & _FLUSH), bool(flags & _FUA)
            yield Write(start=sector * SECTOR, size=size, at=offset, flush=flush, at_once=at_once)
        offset += size
        number += 1
        if number > MAX_ENTRIES:
            raise LabError(f"more than {MAX_ENTRIES} writes")


class Replay:
    """A raw disk that is taken through a log; it only goes forward.

    Args:
        disk: as it was when the log began; written to.
        log: the log.
        entries: of it, by `read`.
    """

    def __init__(self, disk: Path, log: Path, entries: Sequence[Write]) -> None:
        self.disk = disk
        self._log, self._entries = log, entries
        self._done = 0

    def keep_until(self, moment: int) -> list[Write]:
        """Bring the disk to what it kept for good when entry number `moment` was done; the writes that were not yet so.

        Raises:
            ValueError: it is beyond that already.
        """
        done = range(moment + 1)
        kept = next((number for number in reversed(done) if self._entries[number].flush), -1) + 1
        if kept < self._done:
            raise ValueError(f"entry {moment} lies before what was replayed")
        put(self.disk, self._log, self._entries[self._done : kept])
        self._done = kept
        return [write for write in self._entries[kept : moment + 1] if write.size]


def put(disk: Path, log: Path, writes: Sequence[Write]) -> None:
    """Write to a raw disk what a log says, in this order."""
    with disk.open("r+b") as target, log.open("rb") as source:
        for write in writes:
            os.pwrite(target.fileno(), os.pread(source.fileno(), write.size, write.at), write.start)


def by_lot(writes: Sequence[Write], luck: random.Random) -> list[Write]:
    """Which of the writes a disk has kept that had promised none of them: whole, the beginning only, or not at all."""
    return [write for one in writes if (write := _kept(one, luck)).size]


def _kept(write: Write, luck: random.Random) -> Write:
    if write.at_once or luck.random() < 0.5:
        return write
    part = luck.randrange(write.size // SECTOR) * SECTOR if luck.random() < 0.5 else 0
    return Write(start=write.start, size=part, at=write.at, flush=write.flush, at_once=write.at_once)
