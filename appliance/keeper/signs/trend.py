"""Trends: use of the last weeks against the device's own time before. Pure (R16, R32).

In: figures by day (use, use in the device's own night, visits to one category), and the days on which the box
could see. Out: signs. A trend is never more than medium: that somebody uses a device more, or otherwise, says
nothing of what for. Sites that are lawful for adults show here as a trend only, never name by name (R32).
Bounded: `MAX_DAYS` days before the recent ones are looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import median

from appliance.keeper.signs.baseline import level
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.spans import DAY, counted
from wire.findings import FindingKind, Grade

RECENT_DAYS = 21
"""Three weeks, as officers are told of trends (R16)."""
RATIO = 3.0
"""So many times as much as before, or as little."""
STRONG_RATIO = 6.0
MAX_DAYS = 180
LEAST_BEFORE = 14
"""Days on which the box saw, before the recent ones."""
LEAST_RECENT = 14
"""Of the recent days, on so many the box must have seen."""
DEVIATIONS = 3.0
"""And the recent middle must lie so many of the device's own deviations from before."""

_GROWN = "A new hobby, home working, a longer illness, school holidays, a visitor or a new program can explain it."
_SHRUNK = "Work, travel, another device in its place, or less time at home can explain it."
_PROGRAM = "A program that works by itself, such as a backup or a new update service, can do the same."


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a device by day."""

    device_id: str
    subject: str
    """`use`, `night`, or `category ` and its name."""
    words: str
    """What it counts, as in: use of the device."""
    by_day: Mapping[int, int]
    """By number of the day; a day without any need not be there."""
    least: float
    """Middle of a day, recent or before, below which a change means nothing."""


def trend(figure: Figure, seen: Collection[int], *, today: int) -> Sign | None:
    """Whether the days before `today` differ from those before them.

    Args:
        figure: what is compared.
        seen: days of which the box saw most, without away times.
        today: number of the day that is not over.
    """
    recent_days = [day for day in seen if today - RECENT_DAYS <= day < today]
    before_days = [day for day in seen if today - RECENT_DAYS - MAX_DAYS <= day < today - RECENT_DAYS]
    if len(recent_days) < LEAST_RECENT or len(before_days) < LEAST_BEFORE:
        return None
    before = level([figure.by_day.get(day, 0) for day in before_days])
    recent = median(figure.by_day.get(day, 0) for day in recent_days)
    if before is None or max(recent, before.median) < figure.least:
        return None
    more = recent > before.median
    high, low = (recent, before.median) if more else (before.median, recent)
    ratio = high / max(low, figure.least / RATIO)  # from nothing to a little is no trend
    if ratio < RATIO or abs(before.score(recent)) < DEVIATIONS:
        return None
    grade = Grade.MEDIUM if ratio >= STRONG_RATIO and more else Grade.LOW
    change = f"about {ratio:.0f} times as much as before" if more else f"about {1 / ratio:.0%} of what it was before"
    return Sign(
        kind=FindingKind.TREND,
        device_id=figure.device_id,
        subject=figure.subject,
        grade=grade,
        confidence=0.6,
        reasons=(
            f"Looks like {figure.words} has changed: {change} on a usual day.",
            (
                f"Compared are the last {counted(RECENT_DAYS, 'day')} with {counted(len(before_days), 'day')} "
                "before them, of this device alone."
            ),
            "This rests on one signal only: how much there was.",
        ),
        alternatives=(_GROWN if more else _SHRUNK, _PROGRAM)
        if more
        else (_SHRUNK, "It may be used on mobile data or on another network: the box cannot see that."),
        cause=f"use-{figure.device_id}",
        since=(today - RECENT_DAYS) * DAY,
        ts=today * DAY,
    )
