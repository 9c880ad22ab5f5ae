from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.keeper.household.crowd import (
    AGAIN_SECONDS,
    ALLOWANCE,
    CALM_SECONDS,
    MAX_HEARD,
    REFILL_SECONDS,
    Crowd,
)
from wire.findings import FindingKind

NOW = 1_800_000_000.0


def mac(number: int) -> str:
    return (0x02_00_00_00_00_00 + number).to_bytes(6).hex(":")


def flooded(at: float = NOW, count: int = 1000) -> Crowd:
    crowd = Crowd()
    for number in range(count):
        crowd.admit(mac(number), at)
    return crowd


def test_a_household_and_its_visitors_are_taken_in_at_once() -> None:
    crowd = Crowd()

    assert all(crowd.admit(mac(number), NOW) for number in range(ALLOWANCE))
    assert crowd.news(NOW) == (None, False)


def test_the_allowance_comes_back_with_time() -> None:
    crowd = Crowd()
    for number in range(ALLOWANCE):
        crowd.admit(mac(number), NOW)

    assert crowd.admit(mac(99), NOW + REFILL_SECONDS)
    assert not crowd.admit(mac(98), NOW + REFILL_SECONDS)


@pytest.mark.req("N4", "R28")
def test_a_flood_of_made_up_addresses_is_one_sign_that_says_how_many() -> None:
    crowd = flooded(count=10_000)

    sign, over = crowd.news(NOW + 1)

    assert crowd.turned_away == 10_000 - ALLOWANCE
    assert not over
    assert sign is not None
    assert sign.kind is FindingKind.MANY_ADDRESSES
    assert sign.device_id is None
    assert str(10_000 - ALLOWANCE) in sign.reasons[0]
    assert sign.count == 10_000 - ALLOWANCE
    assert crowd.news(NOW + 2) == (None, False), "nothing new to say"


@pytest.mark.req("R11")
def test_a_device_that_joins_under_cover_of_a_flood_is_taken_in_when_it_is_heard_again() -> None:
    crowd = flooded()

    assert not crowd.admit("02:00:5e:00:53:01", NOW)
    assert not crowd.admit("02:00:5e:00:53:01", NOW + AGAIN_SECONDS - 1)
    assert not crowd.admit("02:00:5e:00:53:02", NOW + REFILL_SECONDS), "heard for the first time"
    assert crowd.admit("02:00:5e:00:53:01", NOW + REFILL_SECONDS)


def test_who_says_thousands_of_addresses_again_and_again_is_taken_in_for_a_few() -> None:
    crowd = flooded()
    taken = sum(
        crowd.admit(mac(number), NOW + seconds) for seconds in range(1, 61) for number in range(ALLOWANCE, 1000)
    )

    assert taken <= 60 / REFILL_SECONDS


def test_when_it_is_calm_again_it_is_over_and_new_devices_are_taken_in_at_once() -> None:
    crowd = flooded()
    crowd.news(NOW)

    assert crowd.news(NOW + CALM_SECONDS) == (None, True)
    assert not crowd.crowded
    assert crowd.admit("02:00:5e:00:53:01", NOW + CALM_SECONDS)


@settings(deadline=None, max_examples=30)  # each begins with a flood that fills the table
@given(st.lists(st.tuples(st.integers(0, 20_000), st.floats(0, 60)), max_size=300))
def test_what_is_remembered_is_bounded_and_everyone_is_taken_in_or_counted(heard: list[tuple[int, float]]) -> None:
    crowd = flooded(count=2 * MAX_HEARD)
    before, taken, at = crowd.turned_away, 0, NOW

    for number, later in heard:
        at += later
        taken += crowd.admit(mac(number), at)

    assert len(crowd._heard) <= MAX_HEARD
    assert crowd.turned_away - before + taken == len(heard)
