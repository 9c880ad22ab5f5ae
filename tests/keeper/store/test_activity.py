from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.keeper.store import activity as module
from appliance.keeper.store.activity import KEEP_HOURS, HourOf
from appliance.keeper.store.database import Store

ONE, TWO = "00:00:5e:00:53:01", "00:00:5e:00:53:02"


@pytest.fixture
def kept(store: Store, make_device: Callable[..., Any]) -> Store:
    with store.transaction():
        store.devices.put(make_device("d-1", ONE))
        store.devices.put(make_device("d-2", TWO))
    return store


def test_counts_of_an_hour_add_up_over_a_device_s_addresses(kept: Store) -> None:
    with kept.transaction():
        kept.activity.add(ONE, HourOf(hour=5, flows=1, others=2))
        kept.activity.add(ONE, HourOf(hour=5, flows=1, unnamed=1))
        kept.activity.add(TWO, HourOf(hour=5, flows=10))
        kept.activity.add(TWO, HourOf(hour=7, flows=3, chatter=2, pushes=1))
    both = kept.activity.hours([ONE, TWO], first=5, last=8)
    assert both == [HourOf(hour=5, flows=12, unnamed=1, others=2), HourOf(hour=7, flows=3, chatter=2, pushes=1)]
    assert both[0].use == 3
    assert kept.activity.use([ONE, TWO], first=5, last=8) == {5: 3}, "an hour without use is not there"
    assert kept.activity.use([ONE], first=6, last=8) == {}
    assert kept.activity.hours([ONE], first=6, last=8) == []
    assert kept.activity.hours([], first=0, last=10) == []
    assert (kept.activity.first([TWO, ONE]), kept.activity.first([])) == (5, None)


@pytest.mark.req("R61")
def test_rows_go_with_their_address_or_with_the_leave(kept: Store) -> None:
    with kept.transaction():
        for mac in (ONE, TWO):
            kept.activity.add(mac, HourOf(hour=5, flows=1))
        kept.devices.remove_address(ONE)
    assert kept.activity.addresses() == [TWO]
    with kept.transaction():
        kept.activity.forget([TWO])
    assert kept.activity.addresses() == []


def test_watched_seconds_of_an_hour_are_an_hour_at_most(kept: Store) -> None:
    with kept.transaction():
        kept.activity.watch(3, 1700.0)
        kept.activity.watch(4, 3000.0)
        kept.activity.watch(4, 3000.0)
    assert kept.activity.watched(first=0, last=10, least=1800.0) == [4]
    assert kept.activity.watched(first=0, last=10, least=1.0) == [3, 4]
    assert kept.activity.watched(first=0, last=10, least=3600.5) == []


def test_what_is_old_goes_uncounted_and_what_is_too_much_counted(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HOURS", 10)
    monkeypatch.setattr(module, "MAX_ROWS", 12)
    with kept.transaction():
        for hour in range(5, 15):
            kept.activity.add(ONE, HourOf(hour=hour, flows=1))
        kept.activity.watch(5, 100.0)
        kept.activity.prune(KEEP_HOURS + 7)
    assert kept.activity.first([ONE]) == 7
    assert (kept.activity.watched(first=0, last=99, least=0.0), kept.activity.overflow) == ([], 0)
    with kept.transaction():
        for hour in range(100, 112):
            kept.activity.add(ONE, HourOf(hour=hour, flows=1))
        kept.activity.prune(112)
    assert len(kept.activity.hours([ONE], first=0, last=999)) == 10
    assert kept.activity.overflow == 10
    with kept.transaction():
        for hour in range(90, 95):
            kept.activity.add(TWO, HourOf(hour=hour, flows=1))
        kept.activity.prune(112)
    assert kept._db.table("activity").count == 12
    assert kept.activity.first([TWO]) == 93, "the oldest go, whoever's they are"
    assert kept.activity.overflow == 13


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.integers(0, 2**53 - 1), max_size=6))
def test_sums_stay_what_can_travel(kept: Store, counts: list[int]) -> None:
    with kept.transaction():
        kept.activity.forget([ONE, TWO])
        for count in counts:
            kept.activity.add(ONE, HourOf(hour=1, flows=count))
            kept.activity.add(TWO, HourOf(hour=1, flows=count))
    found = kept.activity.hours([ONE, TWO], first=0, last=2)
    assert [hour.flows for hour in found] == ([min(2 * sum(counts), 2**53 - 1)] if counts else [])
