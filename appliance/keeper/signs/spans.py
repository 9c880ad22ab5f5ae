"""Hours, days and how long something lasted, counted in packet time and said in plain words. Pure.

In: Unix seconds. Out: numbers of hours and days since 1970 (UTC), and short texts. No time zone is known
here: what depends on the time of day is told against the device's own habit, never against a clock on the
wall, and a change to summer time moves a habit by one hour, which `baseline` allows for.
"""

from __future__ import annotations

HOUR = 3600.0
"""Seconds."""
DAY = 24 * HOUR
HOURS_A_WEEK = 168

_MINUTE = 60.0
_LONG_HOURS = 48
"""From here on days say more than hours."""


def hour_of(ts: float) -> int:
    """Number of the hour that a moment is in."""
    return int(ts // HOUR)


def day_of(hour: int) -> int:
    """Number of the day that an hour is in."""
    return hour // 24


def covered(spans: tuple[tuple[float, float], ...], first: int, last: int) -> frozenset[int]:
    """Hours from `first` up to and without `last` that these spans touch."""
    found: set[int] = set()
    for start, end in spans:
        low, high = max(hour_of(start), first), min(hour_of(max(end, start)), last - 1)
        found.update(range(low, high + 1))
    return frozenset(found)


def lasted(seconds: float) -> str:
    """How long, in words: `40 minutes`, `1 hour`, `5 days`."""
    if seconds < HOUR:
        return counted(max(1, round(seconds / _MINUTE)), "minute")
    if seconds < _LONG_HOURS * HOUR:
        return counted(round(seconds / HOUR), "hour")
    return counted(round(seconds / DAY), "day")


def begun(since: float, ts: float) -> float:
    """When something began that is told at `ts`: a begin that cannot be, such as no number, is none."""
    return since if ts - DAY <= since <= ts else ts


def counted(number: int, thing: str) -> str:
    """A number of things: `1 day`, `3 days`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
