"""Whether another device may be in use than the one declared: inferred, graded, never asserted. Pure (N6).

In: days and hours of a declared device, and hours of devices that nobody declared. Out: at most one sign for a
declared device. One signal is low, two are medium, and it takes all three for high (S5). Each signal brings
what else could explain it.
Bounded: the last `DAYS` days for what a device does, `HOURS` hours for what two devices do by turns, and at
most `MAX_OTHERS` others, those that are active most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.keeper.signs.baseline import Baseline
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.spans import DAY, HOURS_A_WEEK, counted, day_of
from wire.findings import FindingKind, Grade

DAYS = 7
HOURS = 14 * 24
MAX_OTHERS = 16

JOINED_HOURS = 4
"""A phone that is at home for less of a day may simply not be needed there."""
USED_SHARE = 0.1
"""Used in at most this share of the hours that are usual: idle."""
IDLE_DAYS = 3
PUSHES = 3
"""A phone that is switched on is reached by its maker's service so often in a day, and far oftener."""
PUSH_DAYS = 5

TURN_DAYS = 5
"""On fewer days, two devices may take turns by chance."""
TURN_HOURS = 15
TURN_EXPECTED = 0.4
"""Share of the other's hours in which the declared device would usually be used; below it there is nothing to miss."""
TURN_OVERLAP = 0.1
TURN_DEVIATIONS = 4.0
"""Of a binomial count: by chance once in some 30,000 pairs, and a household has few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredDay:
    """One whole day of a declared device."""

    day: int
    hours: tuple[int, ...]
    """Hours that the box could see, without away times."""
    joined_hours: int
    used_hours: int
    """Above what it does in the background."""
    use: int
    """Look-ups of no closed class, and connections that nothing named."""
    pushes: int
    chatter: int
    """Look-ups of closed classes: push, captive check, time, update."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A registered device that a person carries."""

    device_id: str
    baseline: Baseline | None
    days: tuple[DeclaredDay, ...]
    """The latest whole days, oldest first."""
    used: frozenset[int]
    """Hours in which it was used."""
    seen: frozenset[int]
    """Hours that the box could see, without away times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A device that nobody declared."""

    device_id: str
    active: frozenset[int]
    """Hours in which it was used; where that may not be kept, hours in which it was there."""
    by_presence: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signal:
    reason: str
    alternative: str


def unseen_use(declared: Declared, others: Sequence[Other], *, today: int) -> Sign | None:
    """The sign that a declared device and those beside it give, if any."""
    days = [day for day in declared.days if today - DAYS <= day.day < today]
    signals = [
        signal
        for signal in (_idle(declared, days), _pushed(days), _turns(declared, others, today))
        if signal is not None
    ]
    if not signals:
        return None
    reasons = ["Looks like another device may be used than the one declared.", *(signal.reason for signal in signals)]
    if len(signals) == 1:
        reasons.append("This rests on one signal only.")
    return Sign(
        kind=FindingKind.UNSEEN_USE,
        device_id=declared.device_id,
        subject="",
        grade=(Grade.LOW, Grade.MEDIUM, Grade.HIGH)[len(signals) - 1],
        confidence=(0.3, 0.5, 0.7)[len(signals) - 1],
        reasons=tuple(reasons),
        alternatives=(
            *(signal.alternative for signal in signals),
            "It may be used on mobile data: the box cannot see that.",
        ),
        cause=f"use-{declared.device_id}",
        since=(today - DAYS) * DAY,
        ts=today * DAY,
        signals=len(signals),
    )


def _idle(declared: Declared, days: Sequence[DeclaredDay]) -> _Signal | None:
    usual = declared.baseline
    if usual is None:
        return None
    idle = [
        day
        for day in days
        if day.joined_hours >= JOINED_HOURS
        and (likely := usual.likely(day.hours)) >= max(2.0, usual.usual_day / 2)
        and day.used_hours <= likely * USED_SHARE
    ]
    if len(idle) < IDLE_DAYS:
        return None
    return _Signal(
        reason=f"On {counted(len(idle), 'day')} of the last {DAYS} the device was joined to the network and idle, "
        "where its own rhythm says use.",
        alternative="Its user may be busy, ill or resting, or may use a computer or television instead.",
    )


def _pushed(days: Sequence[DeclaredDay]) -> _Signal | None:
    """Needs no baseline: a device that was never used for anything shows it too."""
    pushed = [day for day in days if day.pushes >= PUSHES and day.chatter >= day.pushes and day.use == 0]
    if len(pushed) < PUSH_DAYS:
        return None
    return _Signal(
        reason=f"On {counted(len(pushed), 'day')} of the last {DAYS} it was reached by messages of its maker and asked "
        "for nothing else.",
        alternative="A second phone, a work phone, or one kept only for calls does the same.",
    )


def _turns(declared: Declared, others: Sequence[Other], today: int) -> _Signal | None:
    usual = declared.baseline
    if usual is None:
        return None
    seen = frozenset(hour for hour in declared.seen if today * 24 - HOURS <= hour < today * 24)
    looked = sorted(others, key=lambda other: (-len(other.active & seen), other.device_id))[:MAX_OTHERS]
    found = [other for other in looked if takes_turns(usual.rate, declared.used, other.active & seen)]
    if not found:
        return None
    what = "was there" if found[0].by_presence else "was used"
    more = f" {counted(len(found) - 1, 'more')} did the same." if len(found) > 1 else ""
    return _Signal(
        reason=f"A device that is not registered ({found[0].device_id}) {what} mostly when this one, against its rhythm, "
        f"was not.{more}",
        alternative="A visitor or another member of the household may use their own device while this one rests.",
    )


def takes_turns(rate: Sequence[float], used: frozenset[int], active: frozenset[int]) -> bool:
    """Whether a device is active just when another, whose usual `rate` by hour of the week is known, is not.

    Two people in one home are mostly up at the same hours, so their devices overlap; the share of
    overlap is compared with what the rate leads to expect in just these hours.
    """
    if len(active) < TURN_HOURS or len({day_of(hour) for hour in active}) < TURN_DAYS:
        return False
    expected = sum(rate[hour % HOURS_A_WEEK] for hour in active) / len(active)
    overlap = len(active & used) / len(active)
    if expected < TURN_EXPECTED or overlap > TURN_OVERLAP:
        return False
    deviation = math.sqrt(max(expected * (1 - expected), 0.01) / len(active))
    return (expected - overlap) / deviation >= TURN_DEVIATIONS
