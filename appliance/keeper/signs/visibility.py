"""How much of what a device did in a day the box could put a name to. Pure (N10).

In: counts by hour. Out: shares of connections and octets by day. A share is a figure, not a judgement; what
is unusual for a device `hidden` tells against its own earlier days.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from appliance.keeper.signs.spans import day_of

LEAST_CONNECTIONS = 30
"""A day with fewer gives no share that could be compared."""
LEAST_DAYS = 7
"""Earlier days that must be there before a day can be unusual."""
MOST = 2**53 - 1
"""A day's sum stays what travels (`wire.base.Count`)."""


class Counts(Protocol):
    """What is known of one hour."""

    @property
    def hour(self) -> int:
        """Its number."""

    @property
    def flows(self) -> int:
        """Connections begun."""

    @property
    def unnamed(self) -> int:
        """Of them, to addresses that nothing named."""

    @property
    def octets(self) -> int:
        """Both ways; 0 where volumes may not be kept."""

    @property
    def unnamed_octets(self) -> int:
        """Of them, from and to such addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShare:
    """One day of one device."""

    day: int
    """Its number, UTC."""
    connections: int
    unnamed: int
    octets: int
    unnamed_octets: int

    @property
    def named(self) -> float:
        """Share of the connections that something named; 1 where there were none."""
        return 1.0 if not self.connections else 1.0 - min(self.unnamed, self.connections) / self.connections

    @property
    def octets_named(self) -> float | None:
        """The same of the octets; None where none were counted."""
        return None if not self.octets else 1.0 - min(self.unnamed_octets, self.octets) / self.octets


def shares(hours: Iterable[Counts]) -> tuple[DayShare, ...]:
    """Shares of each day with any connection, oldest first."""
    sums: dict[int, list[int]] = {}
    for hour in hours:
        if hour.flows:
            total = sums.setdefault(day_of(hour.hour), [0, 0, 0, 0])
            for place, count in enumerate((hour.flows, hour.unnamed, hour.octets, hour.unnamed_octets)):
                total[place] = min(total[place] + count, MOST)
    return tuple(
        DayShare(day=day, connections=flows, unnamed=unnamed, octets=octets, unnamed_octets=unnamed_octets)
        for day, (flows, unnamed, octets, unnamed_octets) in sorted(sums.items())
    )
