"""A compiled list: one file of sorted keyed hashes, mapped into memory, that says the reach of a name.

A name stands in it as the first 62 bits of its keyed BLAKE2b-128 and two bits of reach; in a table for a
confidential list as the first 126 bits, so that nobody without the key can even say whether a name is in
it. Where a name could be guessed, whoever has the key can find out: the key keeps names out of sight, it is
no secrecy against the box (see `docs/lists.md`).

File, native byte order, all of one machine: header (magic, version, width, how many, check of the key,
digest of the source, digest of the rest, digest of the header), an index by the first bits, the sorted hashes.
`open_table` reads all of it once and refuses what is cut short, foreign or damaged; of one that its maker has just
checked it reads header and index only, so that ten million names are swapped in a moment. After that no look-up
raises, whatever the hashes are. A file is never changed in place, only replaced by rename, so a mapped one stays whole.

Bounded: `MAX_NAMES` entries a table; a look-up touches one page of the index and one or two of the hashes.
How one is made, in bounded memory: `compiling`.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from appliance.keeper.lists.entries import Reach

MAX_NAMES = 32_000_000
MAX_INDEX_BITS = 16
NARROW, WIDE = 8, 16
"""Octets of a hash in a plain table, and in one of a confidential list."""

MAGIC = b"GHLIST\r\n"
VERSION = 1
_ORDER = 1 if sys.byteorder == "little" else 2
_FIELDS = struct.Struct("<8sBBBBI8s32s32s")
_CHECK = 16
HEADER = 112
"""Octets; a multiple of both widths, so that the hashes can be read as numbers where they lie."""
_REACH = tuple(Reach)


class TableError(ValueError):
    """A file that is no usable table; the text says why."""


def digest(key: bytes, name: str) -> bytes:
    """The keyed hash of a name, 16 octets. `key` has at most 64."""
    return next(digests(key, (name,)))


def digests(key: bytes, names: Iterable[str]) -> Iterator[bytes]:
    """The keyed hashes of names; a copy of the keyed state is quicker than a new one."""
    fresh = hashlib.blake2b(digest_size=WIDE, key=key, person=b"gh-list").copy
    for name in names:
        hashed = fresh()
        hashed.update(name.encode())
        yield hashed.digest()


def key_check(key: bytes) -> bytes:
    """What tells that a table was made with this key."""
    return hashlib.blake2b(b"", digest_size=8, key=key, person=b"gh-list-key").digest()


def header(*, width: int, bits: int, count: int, key: bytes, source: bytes, body: bytes) -> bytes:
    """The first `HEADER` octets of a table; `source` is SHA-256 of the list, `body` BLAKE2b-256 of what follows."""
    fields = _FIELDS.pack(MAGIC, VERSION, _ORDER, width, bits, count, key_check(key), source, body)
    check = hashlib.blake2b(fields, digest_size=_CHECK).digest()
    return (fields + check).ljust(HEADER, b"\0")


def body_digest() -> hashlib.blake2b:
    """A new digest of what follows the header."""
    return hashlib.blake2b(digest_size=32)


class Table:
    """Entries of one list. Shared by readers as it is; it never changes."""

    def __init__(self, data: bytes | mmap.mmap, *, key: bytes, checked: bool = False) -> None:
        """Check `data` and read it where it lies; the hashes not again where they were `checked` before.

        Raises:
            TableError: cut short, foreign, damaged, or made with another key.
        """
        width, bits, count, source = _read_header(data, key)
        if not checked:
            _check_body(data)
        self.key = key
        self.source = source
        """SHA-256 of the list it was made from."""
        self.width = width
        self._count = count
        self._shift = 8 * width - bits
        self._data = data
        view = memoryview(data)
        start = HEADER + 4 * ((1 << bits) + 1)
        start += -start % width
        self._index = view[HEADER : HEADER + 4 * ((1 << bits) + 1)].cast("I")
        self._hashes: Sequence[int] = view[start:].cast("Q") if width == NARROW else _Wide(view[start:], count)
        if not _rises(self._index, count):
            raise TableError("the index of the table does not fit its entries; compile the list again")

    def __len__(self) -> int:
        return self._count

    @property
    def confidential(self) -> bool:
        """Whether it holds whole hashes, for a list whose names may not be said."""
        return self.width == WIDE

    def reach(self, hashed: bytes) -> Reach | None:
        """Reach of the entry with this `digest`; None where there is none."""
        wanted = int.from_bytes(hashed[: self.width], "big") & ~3
        first = wanted >> self._shift
        low, high = self._index[first], self._index[first + 1]
        place = bisect_left(self._hashes, wanted, low, high)
        if place < high and (found := self._hashes[place]) ^ wanted < 4:
            return _REACH[found & 3]
        return None


class _Wide(Sequence[int]):
    """Hashes of 16 octets as numbers."""

    def __init__(self, view: memoryview, count: int) -> None:
        self._view = view
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> int:  # type: ignore[override]  # bisect asks for one at a time
        return int.from_bytes(self._view[WIDE * place : WIDE * place + WIDE], "big")


def _read_header(data: bytes | mmap.mmap, key: bytes) -> tuple[int, int, int, bytes]:
    if len(data) < HEADER or data[: len(MAGIC)] != MAGIC:
        raise TableError("this is no table of a list")
    _magic, version, order, width, bits, count, made_with, source, _body = _FIELDS.unpack(data[: _FIELDS.size])
    check = data[_FIELDS.size : _FIELDS.size + _CHECK]
    if hashlib.blake2b(data[: _FIELDS.size], digest_size=_CHECK).digest() != check:
        raise TableError("the header of the table is damaged; compile the list again")
    if version != VERSION or order != _ORDER or width not in (NARROW, WIDE) or bits > MAX_INDEX_BITS:
        raise TableError("the table was made by another version or kind of machine; compile the list again")
    if made_with != key_check(key):
        raise TableError("the table was made with another key; compile the list again")
    if len(data) != size_of(count, bits=bits, width=width):
        raise TableError(f"the table is cut short or too long ({len(data)} bytes); compile the list again")
    return width, bits, count, source


def _check_body(data: bytes | mmap.mmap) -> None:
    whole = body_digest()
    with memoryview(data) as view, view[HEADER:] as rest:
        whole.update(rest)
    if whole.digest() != _FIELDS.unpack(data[: _FIELDS.size])[-1] or any(data[_FIELDS.size + _CHECK : HEADER]):
        raise TableError("the table is damaged; compile the list again")


def size_of(count: int, *, bits: int, width: int) -> int:
    """Octets of a table."""
    start = HEADER + 4 * ((1 << bits) + 1)
    return start + -start % width + count * width


def _rises(index: Sequence[int], count: int) -> bool:
    """Whether each part begins where the one before ends; a look-up relies on it."""
    values = list(index)
    return values[0] == 0 and values[-1] == count and all(one <= two for one, two in pairwise(values))


def open_table(path: Path, key: bytes, *, checked: bool = False) -> Table:
    """Map a table into memory; `checked` as `Table` has it.

    Raises:
        TableError: no such file, not readable, or one that `Table` refuses.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise TableError(f"{path}: cannot be read as a table ({error})") from None
    try:
        return Table(data, key=key, checked=checked)
    except TableError as error:
        raise TableError(f"{path}: {error}") from None
