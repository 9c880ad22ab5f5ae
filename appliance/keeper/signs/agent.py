"""What software on a device says of its use, beside what the box saw. Pure (N7).

In: the times that the software reports, and hours of use as the box counted them. Out: what agrees and what
does not, and signs of it. Only whole hours are compared, which the software says it covers and the box could
see. Clocks may differ: use within `SKEW_SECONDS` of a reported time counts as reported, an hour beside use of
the network is no disagreement, and where all times fit when moved by whole hours the clock or its time zone
is taken to be wrong, which is said.
Bounded: by the order (512 times), and `MAX_HOURS` hours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.spans import HOUR, counted, covered, hour_of
from wire.findings import FindingKind, Grade

MAX_HOURS = 63 * 24
SKEW_SECONDS = 900.0
"""Clocks of devices that set themselves differ by seconds; one that was never set, by minutes."""
LEAST_USE = 5
"""Look-ups and unnamed connections in an hour; programs that work by themselves stay below."""
MEDIUM_HOURS = 2
"""Hours of use that the software does not know of; one alone may be a program working by itself."""
MEDIUM_SHARE = 0.2
"""And of all hours of use; below it the software sees nearly everything."""

SHIFTS = (*range(-12, 0), *range(1, 15))
"""Whole hours by which clocks are off where a time zone is wrong (UTC-12 to UTC+14)."""
SHIFT_HOURS = 8
SHIFT_POOR = 0.4
SHIFT_GOOD = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A report; Unix seconds."""

    device_id: str
    source: str
    covers_from: float
    covers_to: float
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of it, in numbers of hours."""

    compared: int
    both: tuple[int, ...]
    network_only: tuple[int, ...]
    agent_only: tuple[int, ...]
    shift: int
    """Whole hours that were added to the reported times."""


def compare(
    reported: Reported, use: Mapping[int, int], seen: Collection[int], *, floor: int, before: int
) -> Comparison:
    """Compare a report with what the box saw.

    Args:
        reported: what the software says.
        use: use by number of the hour.
        seen: hours that the box could see.
        floor: use from which on an hour counts as used, of the device's baseline; `LEAST_USE` at least.
        before: the hour that is not over; it and later ones are not compared.
    """
    first = -int(-reported.covers_from // HOUR)
    last = min(hour_of(reported.covers_to), before)
    first = max(first, last - MAX_HOURS)
    hours = frozenset(hour for hour in seen if first <= hour < last)
    least = max(LEAST_USE, floor)
    used = frozenset(hour for hour in hours if use.get(hour, 0) >= least)
    alive = frozenset(hour for hour in use if use[hour] > 0)
    shift = _shift(reported.spans, used, hours, first=first, last=last)
    moved = tuple((start + shift * HOUR, end + shift * HOUR) for start, end in reported.spans)
    said = covered(moved, first, last) & hours
    nearly = covered(tuple((start - SKEW_SECONDS, end + SKEW_SECONDS) for start, end in moved), first, last)
    beside = {hour + step for hour in alive for step in (-1, 0, 1)}
    return Comparison(
        compared=len(hours),
        both=tuple(sorted(used & nearly)),
        network_only=tuple(sorted(used - nearly)),
        agent_only=tuple(sorted(said - beside)),
        shift=shift,
    )


def _shift(
    spans: Sequence[tuple[float, float]], used: frozenset[int], hours: frozenset[int], *, first: int, last: int
) -> int:
    """By how many whole hours the reported times are off; 0 where they fit, or fit nowhere."""
    if len(used) < SHIFT_HOURS:
        return 0

    def agreement(shift: int) -> float:
        moved = tuple((start + shift * HOUR, end + shift * HOUR) for start, end in spans)
        said = covered(moved, first, last) & hours
        return len(said & used) / max(1, len(said | used))

    if agreement(0) > SHIFT_POOR:
        return 0
    best = max(SHIFTS, key=lambda shift: (agreement(shift), -abs(shift)))
    return best if agreement(best) >= SHIFT_GOOD else 0


def disagreements(reported: Reported, found: Comparison) -> tuple[Sign, ...]:
    """Signs of what does not agree; none where everything does, or nothing could be compared."""
    signs: list[Sign] = []
    compared = f"{counted(found.compared, 'hour')} could be compared."
    clock = (
        ()
        if not found.shift
        else (f"Its times fit only when moved by {counted(abs(found.shift), 'hour')}, so its clock looks wrong.",)
    )
    if found.network_only:
        total = len(found.network_only) + len(found.both)
        much = len(found.network_only) >= MEDIUM_HOURS and len(found.network_only) >= total * MEDIUM_SHARE
        signs.append(
            Sign(
                kind=FindingKind.AGENT_DISAGREES,
                device_id=reported.device_id,
                subject=f"network without {reported.source}",
                grade=Grade.MEDIUM if much else Grade.LOW,
                confidence=0.6 if much else 0.4,
                reasons=(
                    (
                        f"Looks like {reported.source} did not see all use: in {counted(len(found.network_only), 'hour')}"
                        f" of {total} with use of the network it reports none."
                    ),
                    compared,
                    *clock,
                    "This rests on one signal only.",
                ),
                alternatives=(
                    "The software may have been stopped by an update, by saving power, or by a fault.",
                    "Programs that work by themselves, such as backups, use the network without anybody there.",
                    "Something else may use the internet through this device.",
                ),
                cause=f"agent-{reported.device_id}",
                since=found.network_only[0] * HOUR,
                ts=(found.network_only[-1] + 1) * HOUR,
                count=len(found.network_only),
            )
        )
    if found.agent_only:
        signs.append(
            Sign(
                kind=FindingKind.AGENT_DISAGREES,
                device_id=reported.device_id,
                subject=f"{reported.source} without network",
                grade=Grade.LOW,
                confidence=0.4,
                reasons=(
                    (
                        f"Looks like the device was used elsewhere: in {counted(len(found.agent_only), 'hour')} "
                        f"{reported.source} reports use, and the box saw none."
                    ),
                    compared,
                    *clock,
                    "This rests on one signal only.",
                ),
                alternatives=(
                    "The device may have been used without the internet.",
                    "It may have been used on mobile data or on another network: the box cannot see that.",
                ),
                cause=f"agent-{reported.device_id}",
                since=found.agent_only[0] * HOUR,
                ts=(found.agent_only[-1] + 1) * HOUR,
                count=len(found.agent_only),
            )
        )
    return tuple(signs)
