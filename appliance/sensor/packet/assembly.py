"""Pieces of a byte stream put in order.

Enters: pieces with their offsets, in any order, repeated or overlapping. Leaves: runs without a gap.
Bounded: `limit` octets, `MAX_GAPS` gaps; what goes over is refused. Where pieces overlap with
different content the first heard stays, as most receivers do.
"""

from __future__ import annotations

MAX_GAPS = 32
"""Gaps between runs; more are refused, an orderly sender leaves one or two."""


class Assembly:
    """Octets of a stream from its offset 0."""

    __slots__ = ("_buffer", "_limit", "_runs")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._runs: list[tuple[int, int]] = []

    def add(self, offset: int, piece: bytes) -> bool:
        """Add a piece; False, and nothing kept, if it would go over a bound."""
        end = offset + len(piece)
        if offset < 0 or end > self._limit:
            return False
        if not piece:
            return True
        merged_start, merged_end = offset, end
        apart: list[tuple[int, int]] = []
        known: list[tuple[int, int]] = []
        for run in self._runs:
            if run[1] < offset or run[0] > end:
                apart.append(run)
            else:
                known.append(run)
                merged_start, merged_end = min(merged_start, run[0]), max(merged_end, run[1])
        if len(apart) > MAX_GAPS:
            return False
        if end > len(self._buffer):
            self._buffer.extend(bytes(end - len(self._buffer)))
        heard = [(start, bytes(self._buffer[start:stop])) for start, stop in known]
        self._buffer[offset:end] = piece
        for start, content in heard:
            self._buffer[start : start + len(content)] = content
        self._runs = sorted([*apart, (merged_start, merged_end)])
        return True

    def run(self, offset: int) -> bytes:
        """Octets without a gap from `offset` on; empty if that octet is not known."""
        for start, end in self._runs:
            if start <= offset < end:
                return bytes(self._buffer[offset:end])
        return b""

    @property
    def whole_to(self) -> int | None:
        """The end, if all octets up to the last one known are there; else None."""
        if len(self._runs) == 1 and self._runs[0][0] == 0:
            return self._runs[0][1]
        return None
