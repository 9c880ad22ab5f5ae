"""The weekly rhythm of one device, by robust statistics over its own past. Pure (N5, R16).

In: use by hour, and the hours that the box could see. Out: a `Baseline`, or why there is none yet. Use is
look-ups of no closed class and connections that nothing named: what a device does in the background counts
only where it is usual for this device. Medians and median deviations, so that a holiday or one long night
moves nothing; the hours beside each hour of the week count with it, so that a change to summer time, or
somebody who comes home an hour late, is no change of habit.
Bounded: at most `MAX_HOURS` hours are looked at, the latest.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from appliance.keeper.signs.spans import HOURS_A_WEEK, day_of

MAX_HOURS = 63 * 24
"""Nine weeks: enough that each hour of the week was there several times, short enough to follow a new habit."""

LEAST_DAYS = 14
"""Each hour of the week must have been there twice before anything is said of it."""

LEAST_USED_DAYS = 5
"""A device used on fewer days has no rhythm that silence could break."""

QUIET_SHARE = 0.1
"""Where use and background are not told apart, an hour with less than this share of the usual counts as quiet."""

APART = 0.8
"""Share of the variance (of logarithms) that two groups must explain; of one even group two explain 0.75 at most."""
APART_TIMES = 4.0
"""And the upper group's middle is so many times the lower's."""
LEAST_SHARE = 0.02
"""And at least this share of the hours is in the upper group: half an hour a day."""

MAX_STRETCHES = 8

_MAD_TO_DEVIATION = 1.4826
"""Of a normal distribution (Rousseeuw and Croux 1993)."""


class NotYet(StrEnum):
    """Why there is no baseline."""

    FEW_DAYS = "The box has not watched the device for 14 days yet, so it cannot say what is usual."
    SELDOM_USED = "The device is used too seldom to say what is usual."


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What is usual of one figure."""

    median: float
    deviation: float
    """Median deviation, scaled so that it reads as a standard deviation."""
    count: int

    def score(self, value: float) -> float:
        """How many deviations a value is from usual; a tenth of the median is the least deviation."""
        return (value - self.median) / max(self.deviation, self.median / 10, 1.0)


def level(values: Collection[float]) -> Level | None:
    """What is usual among values; None of none."""
    if not values:
        return None
    middle = median(values)
    spread = median(abs(value - middle) for value in values)
    return Level(median=middle, deviation=spread * _MAD_TO_DEVIATION, count=len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is usual for one device."""

    first: int
    """Number of the first hour it rests on."""
    last: int
    """The hour after the last."""
    days: int
    """Days on which the box saw."""
    rate: tuple[float, ...]
    """How likely use is, by hour of the week from the epoch on, 0 to 1."""
    floor: int
    """Use in an hour from which on the hour counts as used."""
    busy: float
    """Use of a usual used hour."""
    stretches: tuple[float, ...]
    """The longest quiet stretches, in hours in which use was likely, longest first."""

    @property
    def usual_day(self) -> float:
        """Hours of likely use in a day."""
        return sum(self.rate) / 7

    def likely(self, hours: Collection[int]) -> float:
        """How many of these hours would usually be used."""
        return sum(self.rate[hour % HOURS_A_WEEK] for hour in hours)

    def used(self, use: int) -> bool:
        """Whether an hour with this much use counts as used."""
        return use >= self.floor

    @property
    def longest(self) -> float:
        """The longest quiet stretch but one: one holiday that nobody told the box of does not count."""
        return self.stretches[1] if len(self.stretches) > 1 else 0.0

    def own_night(self) -> frozenset[int]:
        """Hours of the day (UTC) of the six in a row in which this device is used least: its own night."""
        by_hour = [sum(self.rate[hour + 24 * day] for day in range(7)) for hour in range(24)]
        start = min(range(24), key=lambda hour: (sum(by_hour[(hour + step) % 24] for step in range(6)), hour))
        return frozenset((start + step) % 24 for step in range(6))


def baseline(use: Mapping[int, int], seen: Collection[int], *, until: int) -> Baseline | NotYet:
    """What is usual before the hour `until`.

    Args:
        use: by number of the hour; an hour without use need not be there.
        seen: hours in which the box could see the device and nobody had said that it would be away.
        until: the first hour that does not count, such as the one in which a silence began.
    """
    hours = sorted(hour for hour in seen if until - MAX_HOURS <= hour < until)
    if not hours or until - hours[0] < LEAST_DAYS * 24 or len(hours) < LEAST_DAYS * 12:
        return NotYet.FEW_DAYS
    amounts = [amount for hour in hours if (amount := use.get(hour, 0)) > 0]
    by_day: dict[int, int] = {}
    for hour in hours:
        by_day[day_of(hour)] = by_day.get(day_of(hour), 0) + use.get(hour, 0)
    if sum(1 for amount in by_day.values() if amount > 0) < LEAST_USED_DAYS:
        return NotYet.SELDOM_USED
    busy, floor = _use(amounts)
    used = {hour for hour in hours if use.get(hour, 0) >= floor}
    rate = _rate(hours, used)
    return Baseline(
        first=hours[0],
        last=until,
        days=len(by_day),
        rate=rate,
        floor=floor,
        busy=busy,
        stretches=_stretches(hours, used, rate),
    )


def _use(amounts: list[int]) -> tuple[float, int]:
    """Use of a usual used hour, and use from which on an hour counts as used.

    What programs do by themselves fills more hours than people do, and with little. Where the hours fall
    into two groups, the split that explains most of the variance (Otsu 1979) tells them apart.
    """
    logs = sorted(math.log(amount) for amount in amounts)
    count, total = len(logs), sum(logs)
    spread = sum((log - total / count) ** 2 for log in logs)
    below = 0.0
    best: tuple[float, int, float, float] = (0.0, 0, 0.0, 0.0)
    for place in range(1, count):
        below += logs[place - 1]
        low, high = below / place, (total - below) / (count - place)
        best = max(best, (place * (count - place) / count * (high - low) ** 2, place, low, high))
    between, place, low, high = best
    apart = spread > 0 and between >= APART * spread and high - low >= math.log(APART_TIMES)
    if apart and count - place >= LEAST_SHARE * count:
        return math.exp(high), max(1, round(math.exp((low + high) / 2)))
    busy = median(amounts)
    return busy, max(1, round(busy * QUIET_SHARE))


def _rate(hours: list[int], used: set[int]) -> tuple[float, ...]:
    """Share of used hours at each hour of the week, the hours beside it with it."""
    there, taken = [0] * HOURS_A_WEEK, [0] * HOURS_A_WEEK
    for hour in hours:
        there[hour % HOURS_A_WEEK] += 1
        taken[hour % HOURS_A_WEEK] += hour in used
    rates: list[float] = []
    for hour in range(HOURS_A_WEEK):
        beside = [(hour + step) % HOURS_A_WEEK for step in (-1, 0, 1)]
        total = sum(there[other] for other in beside)
        rates.append(sum(taken[other] for other in beside) / total if total else 0.0)
    return tuple(rates)


def _stretches(hours: list[int], used: set[int], rate: tuple[float, ...]) -> tuple[float, ...]:
    found: list[float] = []
    missed = 0.0
    for hour in hours:
        if hour in used:
            found.append(missed)
            missed = 0.0
        else:
            missed += rate[hour % HOURS_A_WEEK]
    return tuple(sorted(found, reverse=True)[:MAX_STRETCHES])
