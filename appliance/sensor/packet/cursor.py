"""Bounded cursor: the one way a parser takes bytes of a packet.

Enters: a byte string and the range a parser may read. Leaves: integers and byte strings, or
`ParseError` when a read would cross the end of the range. Bounded by the range itself: nothing
is ever read outside it, and no length from the packet is trusted before it is checked.
"""

from __future__ import annotations

from struct import Struct, unpack_from
from typing import Any


class ParseError(ValueError):
    """Bytes that are not what their protocol says; the only exception a parser raises."""


class Cursor:
    """Reads forward through `data[start:end]`, big-endian (network order) throughout."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        """Read `data` from `start` up to `end` (default: its length); a wrong range is empty, not wider."""
        self.data = data
        size = len(data)
        self.end = end = size if end is None or end > size else end
        self.position = start if start < end else end  # noqa: FURB136 - min() costs four times as much, and every parser begins here

    @property
    def remaining(self) -> int:
        """Octets left; never negative."""
        return self.end - self.position

    def skip(self, count: int) -> int:
        """Pass over `count` octets; returns the position where they began."""
        start = self.position
        after = start + count
        if count < 0 or after > self.end:
            raise ParseError(f"{count} octets wanted at {start}, {self.remaining} left")
        self.position = after
        return start

    def take(self, count: int) -> bytes:
        """The next `count` octets."""
        start = self.skip(count)
        return self.data[start : self.position]

    def rest(self) -> bytes:
        """All octets that are left."""
        return self.take(self.remaining)

    def sub(self, count: int) -> Cursor:
        """A cursor over the next `count` octets only; this one passes over them."""
        start = self.skip(count)
        return Cursor(self.data, start, self.position)

    def u8(self) -> int:
        """One octet."""
        return self.data[self.skip(1)]

    def u16(self) -> int:
        """Two octets."""
        return int.from_bytes(self.take(2), "big")

    def u24(self) -> int:
        """Three octets."""
        return int.from_bytes(self.take(3), "big")

    def u32(self) -> int:
        """Four octets."""
        return int.from_bytes(self.take(4), "big")

    def u16s(self, count: int) -> tuple[int, ...]:
        """`count` numbers of two octets."""
        return unpack_from(f"!{count}H", self.data, self.skip(2 * count))

    def unpack(self, layout: Struct) -> tuple[Any, ...]:
        """Fields of a fixed header, all at once."""
        return layout.unpack_from(self.data, self.skip(layout.size))
