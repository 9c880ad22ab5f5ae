from __future__ import annotations

import pytest

from appliance.keeper.signs.visibility import LEAST_DAYS, DayShare, shares, unusual
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


@pytest.mark.req("N10")
def test_a_day_is_unusual_against_the_device_s_own_days() -> None:
    usual = [day(number, 20 + number % 3) for number in range(10)]
    assert unusual(day(20, 60), usual) is True
    assert unusual(day(20, 24), usual) is False
    always = [day(number, 60) for number in range(10)]
    assert unusual(day(20, 60), always) is False, "a device that always is so has not changed"


def test_what_cannot_be_told_is_not_told() -> None:
    assert unusual(day(20, 90), [day(number, 10) for number in range(LEAST_DAYS - 1)]) is None
    assert unusual(day(20, 9, 10), [day(number, 10) for number in range(20)]) is None
    assert unusual(day(5, 90), [day(number, 10) for number in range(6, 30)]) is None, "only earlier days count"
