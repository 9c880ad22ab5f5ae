"""Tables that cannot grow without bound and forget by packet time.

Enters: keys, values and the time they were put. Leaves: values that are neither too old nor pushed
out. Bounded: `bound` entries; one pushed out before its age is counted in `overflow`. A `FairTable` is of
several devices, and who fills it pushes out its own.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
Owned = TypeVar("Owned", bound=tuple[Any, ...])


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

    def shed(self, ts: float) -> bool:
        """Drop the longest unput, if there is one; whether it went before its age."""
        if not self._entries:
            return False
        _, (put, _) = self._entries.popitem(last=False)
        return abs(ts - put) <= self._age

    def is_stale(self, ts: float) -> bool:
        """Whether nothing here is younger than its age."""
        return not self._entries or abs(ts - self._entries[next(reversed(self._entries))][0]) > self._age

    def drop(self, key: K) -> None:
        """Forget a key, known or not."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()


class FairTable(Generic[Owned, V]):
    """Entries of several owners, the first part of each key; over the bound goes what the greediest put first."""

    __slots__ = ("_age", "_all", "_bound", "_of", "overflow")

    def __init__(self, *, bound: int, age: float) -> None:
        """Hold at most `bound` entries in all, none longer than about `age` seconds of packet time."""
        self._bound = bound
        self._age = age
        self._of: OrderedDict[Any, AgedTable[Owned, V]] = OrderedDict()
        """By owner, the longest silent first."""
        self._all = 0
        self.overflow = 0

    def __len__(self) -> int:
        return self._all

    def get(self, key: Owned, ts: float) -> V | None:
        """As `AgedTable.get`."""
        mine = self._of.get(key[0])
        return mine.get(key, ts) if mine is not None else None

    def put(self, key: Owned, value: V, ts: float) -> None:
        """As `AgedTable.put`; an owner all of whose entries are stale leaves for each that comes."""
        owner = key[0]
        mine = self._of.get(owner)
        if mine is None:
            mine = self._of[owner] = AgedTable(bound=self._bound + 1, age=self._age)
        self._of.move_to_end(owner)
        before = len(mine)
        mine.put(key, value, ts)
        self._all += len(mine) - before
        silent = next(iter(self._of))
        if self._of[silent].is_stale(ts):
            self._all -= len(self._of.pop(silent))
        if self._all > self._bound:
            is_greedy = len(mine) > self._bound // len(self._of)
            loser = owner if is_greedy else max(self._of, key=lambda each: len(self._of[each]))
            self.overflow += self._of[loser].shed(ts)
            self._all -= 1
            if not len(self._of[loser]):
                del self._of[loser]

    def older(self, ts: float) -> list[Owned]:
        """As `AgedTable.older`, owner by owner."""
        return [key for table in self._of.values() for key in table.older(ts)]

    def drop(self, key: Owned) -> None:
        """Forget a key, known or not."""
        mine = self._of.get(key[0])
        if mine is not None:
            before = len(mine)
            mine.drop(key)
            self._all -= before - len(mine)
            if not len(mine):
                del self._of[key[0]]
