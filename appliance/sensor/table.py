"""A table that cannot grow without bound and forgets by packet time.

Enters: keys, values and the time they were put. Leaves: values that are neither too old nor pushed
out. Bounded: `bound` entries; one pushed out before its age is counted in `overflow`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class AgedTable(Generic[K, V]):
    """Entries in the order they were last put; the longest unput goes first."""

    __slots__ = ("_age", "_bound", "_entries", "overflow")

    def __init__(self, *, bound: int, age: float) -> None:
        """Hold at most `bound` entries, none longer than about `age` seconds of packet time."""
        self._bound = bound
        self._age = age
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self.overflow = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K, ts: float) -> V | None:
        """The value put under `key` within `age` seconds of `ts`; also after the clock was set back."""
        entry = self._entries.get(key)
        if entry is None or abs(ts - entry[0]) > self._age:
            return None
        return entry[1]

    def values(self, ts: float) -> list[V]:
        """All that was put within `age` seconds of `ts`, the longest unput first."""
        return [value for put, value in self._entries.values() if abs(ts - put) <= self._age]

    def put(self, key: K, value: V, ts: float) -> None:
        """Put or replace; the entry counts as fresh."""
        entries = self._entries
        if key in entries:
            entries[key] = (ts, value)
            entries.move_to_end(key)
            return
        if entries:
            # One stale entry leaves for each that comes: that alone keeps the table from silting up.
            oldest = next(iter(entries))
            if abs(ts - entries[oldest][0]) > self._age:
                del entries[oldest]
            elif len(entries) >= self._bound:
                del entries[oldest]
                self.overflow += 1
        entries[key] = (ts, value)

    def older(self, ts: float) -> list[K]:
        """Keys that were last put before `ts`, the longest unput first."""
        found: list[K] = []
        for key, (put, _) in self._entries.items():
            if put >= ts:
                break
            found.append(key)
        return found

    def drop(self, key: K) -> None:
        """Forget a key, known or not."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
