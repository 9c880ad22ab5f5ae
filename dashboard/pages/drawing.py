"""Geometry of the strips: spans of time in, bars and ticks out. Pure.

A strip is `WIDTH` units wide whatever the screen; what would be too thin to be seen is `LEAST` wide.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo

from dashboard.pages import typed, words
from dashboard.pages.contexts_drawn import Bar, Tick

WIDTH = 1000.0
LEAST = 2.0


def place(at: float, since: float, until: float) -> float:
    """Where a moment lies on a strip; outside of it at its end."""
    return round(min(1.0, max(0.0, (at - since) / (until - since))) * WIDTH, 1)


def bars(spans: Iterable[tuple[float, float]], since: float, until: float, kind: str) -> tuple[Bar, ...]:
    """Spans that touch a strip's time, as bars; the others are left out."""
    made = []
    for started, ended in spans:
        if ended < since or started > until:
            continue
        x = place(started, since, until)
        width = max(LEAST, round(place(ended, since, until) - x, 1))
        made.append(Bar(x=min(x, WIDTH - LEAST), width=width, kind=kind))
    return tuple(made)


def days(since: float, until: float, zone: tzinfo) -> tuple[date, ...]:
    """The days of a span there; at most 400."""
    first = datetime.fromtimestamp(since, UTC).astimezone(zone).date()
    found: list[date] = []
    while len(found) < 400 and typed.begin(first, zone).timestamp() < until:
        found.append(first)
        first += timedelta(days=1)
    return tuple(found)


def ticks(since: float, until: float, zone: tzinfo) -> tuple[Tick, ...]:
    """Marks of an axis: hours for a day or two, days for a week, some days for more."""
    shown = days(since, until, zone)
    if len(shown) <= 2:
        six = [typed.begin(day, zone) + timedelta(hours=hour) for day in shown for hour in (0, 6, 12, 18)]
        moments = [at for at in six if since <= at.timestamp() < until]
        return tuple(Tick(x=place(at.timestamp(), since, until), text=f"{at.astimezone(zone):%H:%M}") for at in moments)
    every = 1 if len(shown) <= 8 else 7
    made = []
    for day in shown[::every]:
        at = typed.begin(day, zone).timestamp()
        if at >= since:
            made.append(Tick(x=place(at, since, until), text=words.date(at, zone).rsplit(" ", 1)[0]))
    return tuple(made)
