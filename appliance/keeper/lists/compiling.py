"""Entries into a table: hashed, spilled by their first bits, sorted piece by piece, written and renamed.

In: what `formats.parse` gives. Out: a file of `table`, and a `Tally` of what the list held and what of it
was not taken. Bounded memory: `SPILL` hashes wait in memory, the rest in unnamed temporary files beside the
table; a piece that is sorted holds one 64th of the list. Line numbers of the first `FIRST` faults of a kind.

The file is complete and on the disk before it gets its name: a power cut leaves the old table or the new.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import eq
from pathlib import Path
from typing import BinaryIO

from appliance.keeper.lists.entries import Entry, Fault, Item, Reach, Why, joined
from appliance.keeper.lists.table import (
    HEADER,
    MAX_INDEX_BITS,
    MAX_NAMES,
    NARROW,
    WIDE,
    Table,
    body_digest,
    digests,
    header,
)

SPILL = 1_000_000
MAX_IN_MEMORY = 1_000_000
"""Entries of a table without a file."""
FIRST = 100
AT_ONCE = 4096
"""Entries that are hashed together."""
_PIECE_BITS = 6
_TEMPORARY = ".gatehouse-list-"


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a list held: counts, and the first lines at fault."""

    entries: int = 0
    """Names that are in the table."""
    networks: int = 0
    """Addresses and networks; they are not in the table."""
    duplicates: int = 0
    """Names that were there already."""
    overflow: int = 0
    """Names left out because the table was full."""
    faults: dict[Why, int] = field(default_factory=lambda: dict.fromkeys(Why, 0))
    lines: dict[Why, list[int]] = field(default_factory=lambda: {why: [] for why in Why})
    """Numbers of the first `FIRST` lines at fault, from 1."""

    def fault(self, fault: Fault) -> None:
        """Count a line that is no entry."""
        self.faults[fault.why] += 1
        if len(self.lines[fault.why]) < FIRST:
            self.lines[fault.why].append(fault.line)


def compile_table(
    items: Iterable[Item],
    path: Path,
    *,
    key: bytes,
    source: bytes,
    confidential: bool = False,
    limit: int = MAX_NAMES,
) -> Tally:
    """Write the table of a list to `path`, at once and whole; `source` is SHA-256 of the list's bytes.

    Raises:
        OSError: the disk is full, or the folder not writable. What stood at `path` is as it was.
    """
    handle, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "w+b", buffering=1 << 20) as file:
            tally = _write(items, file, folder=path.parent, key=key, source=source, wide=confidential, limit=limit)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    _sync_folder(path.parent)
    return tally


def in_memory(
    items: Iterable[Item], *, key: bytes = b"", source: bytes = bytes(32), confidential: bool = False
) -> tuple[Table, Tally]:
    """A small table without a file. It is never stored, so it needs no key unless its hashes are told."""
    file = io.BytesIO()
    tally = _write(items, file, folder=None, key=key, source=source, wide=confidential, limit=MAX_IN_MEMORY)
    return Table(file.getvalue(), key=key), tally


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(
    items: Iterable[Item], file: BinaryIO, *, folder: Path | None, key: bytes, source: bytes, wide: bool, limit: int
) -> Tally:
    tally = Tally()
    with contextlib.closing(_Pieces(folder, wide=wide)) as pieces:
        for some in _some(items, tally):
            room = max(0, limit - len(pieces))
            tally.overflow += max(0, len(some) - room)
            pieces.add(digests(key, (item.name for item in some[:room])), [item.reach for item in some[:room]])
        width = WIDE if wide else NARROW
        # One part of the index for some 150 hashes: few steps to search, few octets to keep.
        bits = min(MAX_INDEX_BITS, max(0, len(pieces).bit_length() - 7))
        index = array("I", [0])
        padding = bytes(-(HEADER + 4 * ((1 << bits) + 1)) % width)
        start = HEADER + 4 * ((1 << bits) + 1) + len(padding)
        file.seek(start)
        count = 0
        for piece, hashes in enumerate(pieces.sorted()):
            _count_parts(index, hashes, piece, bits=bits, width=width, before=count)
            file.write(_packed(hashes, wide=wide))
            count += len(hashes)
        while len(index) < (1 << bits) + 1:  # fewer parts than pieces
            index.append(count)
        index[-1] = count
        tally.entries = count
        tally.duplicates = len(pieces) - count
    file.seek(HEADER)
    file.write(index.tobytes() + padding)
    file.flush()
    body = body_digest()
    file.seek(HEADER)
    while chunk := file.read(1 << 20):
        body.update(chunk)
    file.seek(0)
    file.write(header(width=width, bits=bits, count=count, key=key, source=source, body=body.digest()))
    return tally


def _some(items: Iterable[Item], tally: Tally) -> Iterator[list[Entry]]:
    """The entries, some thousand at a time; all else is counted."""
    entries = list[Entry]()
    for item in items:
        if isinstance(item, Entry):
            entries.append(item)
            if len(entries) >= AT_ONCE:
                yield entries
                entries = []
        elif isinstance(item, Fault):
            tally.fault(item)
        else:
            tally.networks += 1
    yield entries


def _count_parts(index: array[int], hashes: list[int], piece: int, *, bits: int, width: int, before: int) -> None:
    """Where each part of the index that begins in this piece begins: all hashes below its first bits."""
    shift = 8 * width - bits
    last = ((piece + 1) << bits) >> _PIECE_BITS
    for part in range(len(index), last + 1):
        index.append(before + bisect_left(hashes, part << shift))


def _packed(hashes: list[int], *, wide: bool) -> bytes:
    if wide:
        return b"".join(value.to_bytes(WIDE, "big") for value in hashes)
    return array("Q", hashes).tobytes()


class _Pieces:
    """Hashes by their first bits: in memory while they are few, else in temporary files without a name."""

    def __init__(self, folder: Path | None, *, wide: bool) -> None:
        self._folder = folder
        self._wide = wide
        self._waiting = [array("Q") for _ in range(1 << _PIECE_BITS)]
        self._files: list[BinaryIO] = []
        self._count = self._spilt = 0

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        for file in self._files:
            file.close()

    def add(self, hashes: Iterable[bytes], reaches: list[Reach]) -> None:
        numbers = array("Q", b"".join(hashes))
        if sys.byteorder == "little":
            numbers.byteswap()
        shift = 64 - _PIECE_BITS
        if self._wide:
            for high, low, reach in zip(numbers[::2], numbers[1::2], reaches, strict=True):
                self._waiting[high >> shift].extend((high, low & ~3 | reach))
        else:
            append = [waiting.append for waiting in self._waiting]
            for high, reach in zip(numbers[::2], reaches, strict=True):
                append[high >> shift](high & ~3 | reach)
        self._count += len(reaches)
        if self._folder is not None and self._count - self._spilt >= SPILL:
            self._spill()

    def _spill(self) -> None:
        self._spilt = self._count
        if not self._files:
            for _ in self._waiting:
                self._files.append(tempfile.TemporaryFile(dir=self._folder, buffering=0))  # noqa: SIM115 - `close` does
        for waiting, file in zip(self._waiting, self._files, strict=True):
            file.write(waiting.tobytes())
            del waiting[:]

    def sorted(self) -> Iterator[list[int]]:
        """The pieces in order, each sorted, each name once."""
        for number, waiting in enumerate(self._waiting):
            values = array("Q")
            if self._files:
                file = self._files[number]
                file.seek(0)
                values.frombytes(file.read())
            values.extend(waiting)
            del waiting[:]
            yield _once(self._numbers(values))

    def _numbers(self, values: array[int]) -> Iterable[int]:
        if not self._wide:
            return values
        return (high << 64 | low for high, low in zip(values[::2], values[1::2], strict=True))


def _once(values: Iterable[int]) -> list[int]:
    """In order; a name that is there more than once, once with all its reaches."""
    ordered = sorted(values)
    names = [value >> 2 for value in ordered]
    if not any(map(eq, names, islice(names, 1, None))):
        return ordered
    kept: list[int] = []
    for value in ordered:
        if kept and kept[-1] >> 2 == value >> 2:
            kept[-1] = value & ~3 | joined(Reach(kept[-1] & 3), Reach(value & 3))
        else:
            kept.append(value)
    return kept
