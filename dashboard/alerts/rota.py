"""Who is on duty: weekly shifts and hand-overs in, people and holes out (R38, R39).

Pure. Shifts are kept in minutes of the local day, so that a shift from 22:00 begins at 22:00 in summer and in winter.
Bounded by what is handed in: `dashboard.store.alerting` reads at most `MOST_SHIFTS` shifts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

DAY = 24 * 60
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A weekly duty."""

    account_id: str
    weekday: int
    """0 is Monday."""
    starts: int
    """Minute of the local day."""
    ends: int
    """Not after `starts`: of the next day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Somebody's duty is another's for a while (Unix seconds)."""

    account_id: str
    to_account: str
    since: float
    until: float


def minute_of_week(at: float, zone: tzinfo) -> int:
    """Minute since Monday 00:00 of the local week."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return local.weekday() * DAY + local.hour * 60 + local.minute


def on_duty(shifts: Sequence[Shift], handovers: Sequence[Handover], *, at: float, zone: tzinfo) -> tuple[str, ...]:
    """Accounts on duty at a moment (Unix seconds), each once; who handed over is not."""
    minute = minute_of_week(at, zone)
    found = (shift.account_id for shift in shifts if _runs(shift, minute))
    return _after_handover(found, handovers, at)


def next_on_duty(shifts: Sequence[Shift], handovers: Sequence[Handover], *, at: float, zone: tzinfo) -> tuple[str, ...]:
    """Everybody else of the rota, who is on soonest first: whom to ask when those on duty do not answer."""
    minute = minute_of_week(at, zone)
    present = set(on_duty(shifts, handovers, at=at, zone=zone))
    order = sorted(shifts, key=lambda shift: ((_begin(shift) - minute) % WEEK, shift.account_id))
    later = _after_handover((shift.account_id for shift in order), handovers, at)
    return tuple(name for name in later if name not in present)


def holes(shifts: Sequence[Shift]) -> tuple[tuple[int, int], ...]:
    """Stretches of the local week in which nobody is on duty: (first minute, minute after the last), in order.

    One that passes from Sunday into Monday is two. Nothing where there is no rota at all.
    """
    if not shifts:
        return ()
    covered: list[tuple[int, int]] = []
    for shift in shifts:
        begin = _begin(shift)
        end = begin + _length(shift)
        covered.append((begin, min(end, WEEK)))
        if end > WEEK:
            covered.append((0, end - WEEK))
    found, reached = [], 0
    for begin, end in sorted(covered):
        if begin > reached:
            found.append((reached, begin))
        reached = max(reached, end)
    if reached < WEEK:
        found.append((reached, WEEK))
    return tuple(found)


def hole_soon(shifts: Sequence[Shift], *, at: float, zone: tzinfo, within: int = DAY) -> bool:
    """Whether nobody is on duty at some minute of the next `within` minutes."""
    first = minute_of_week(at, zone)
    for begin, end in holes(shifts):
        for turn in (0, WEEK):
            if begin + turn < first + within and end + turn > first:
                return True
    return False


def _after_handover(found: Iterable[str], handovers: Sequence[Handover], at: float) -> tuple[str, ...]:
    given = {item.account_id: item.to_account for item in handovers if item.since <= at < item.until}
    # One step alone: two who hand over to each other have changed places, and a circle ends.
    return tuple(dict.fromkeys(given.get(name, name) for name in found))


def _begin(shift: Shift) -> int:
    return shift.weekday * DAY + shift.starts


def _length(shift: Shift) -> int:
    return (shift.ends - shift.starts) % DAY or DAY


def _runs(shift: Shift, minute: int) -> bool:
    return (minute - _begin(shift)) % WEEK < _length(shift)
