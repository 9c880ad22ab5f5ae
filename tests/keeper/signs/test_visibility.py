from __future__ import annotations

import pytest

from appliance.keeper.signs.visibility import DayShare, shares
from appliance.keeper.store.activity import HourOf


def day(number: int, unnamed: int, connections: int = 100) -> DayShare:
    return DayShare(day=number, connections=connections, unnamed=unnamed, octets=0, unnamed_octets=0)


@pytest.mark.req("N10")
def test_shares_are_those_of_whole_days() -> None:
    found = shares(
        [
            HourOf(hour=0, flows=10, unnamed=1, octets=1000, unnamed_octets=250),
            HourOf(hour=23, flows=10, unnamed=4, octets=1000, unnamed_octets=250),
            HourOf(hour=24, flows=4, unnamed=4),
            HourOf(hour=48),
        ]
    )
    assert [share.day for share in found] == [0, 1]
    assert found[0].named == pytest.approx(0.75)
    assert found[0].octets_named == pytest.approx(0.75)
    assert found[1].named == 0.0
    assert found[1].octets_named is None, "volumes that may not be kept are not zero"


def test_a_day_without_connections_hides_nothing() -> None:
    assert day(1, 0, 0).named == 1.0
    assert DayShare(day=1, connections=5, unnamed=9, octets=0, unnamed_octets=0).named == 0.0


def test_sums_of_a_day_stay_what_travels() -> None:
    (full,) = shares([HourOf(hour=hour, flows=2**53 - 1, unnamed=2**53 - 1) for hour in range(24)])
    assert (full.connections, full.named) == (2**53 - 1, 0.0)
