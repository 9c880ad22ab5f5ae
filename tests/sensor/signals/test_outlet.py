"""What leaves, for whom, how often, and what a flood cannot do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import CollectionMask, SignalSeen, encode
from appliance.sensor.signals import outlet
from appliance.sensor.signals.detector import Noticed
from appliance.sensor.signals.outlet import Outlet
from appliance.signals import NETWORK, Signal

LAPTOP, PHONE = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
Mask = Callable[..., CollectionMask]


def noticed(mac: str = LAPTOP, *, ts: float = 1000.0, signal: Signal = Signal.DOT, **more: Any) -> Noticed:
    what: dict[str, Any] = {"value": "hello", "server": "198.51.100.9", "port": 853} | more
    return Noticed(ts=ts, mac=mac, signal=signal, **what)


@pytest.fixture
def open_outlet(mask: Mask) -> Outlet:
    made = Outlet()
    made.set_mask(mask(LAPTOP), 0.0)
    return made


@pytest.mark.req("R18")
def test_the_first_leaves_at_once_and_says_all(open_outlet: Outlet) -> None:
    assert open_outlet.take([noticed(octets=5)], 1.0) == [
        SignalSeen(
            ts=1000.0,
            since=1000.0,
            mac=LAPTOP,
            signal=Signal.DOT,
            value="hello",
            generation=3,
            server="198.51.100.9",
            port=853,
            octets=5,
        )
    ]


def test_repeats_are_counted_and_told_together(open_outlet: Outlet) -> None:
    told = [one for ts in range(0, 121, 5) for one in open_outlet.take([noticed(ts=1000.0 + ts, octets=2)], 1.0)]
    assert [(one.count, one.since, one.ts, one.octets) for one in told] == [
        (1, 1000.0, 1000.0, 2),
        (12, 1005.0, 1060.0, 24),
        (12, 1065.0, 1120.0, 24),
    ]


def test_repeats_are_told_when_time_passes_without_another(open_outlet: Outlet) -> None:
    open_outlet.take([noticed(), noticed(ts=1003.0)], 1.0)
    assert open_outlet.tick(1059.0, 1.0) == []
    (told,) = open_outlet.tick(1060.0, 1.0)
    assert (told.count, told.since, told.ts) == (1, 1003.0, 1003.0)
    assert open_outlet.tick(1120.0, 1.0) == []
    assert len(open_outlet) == 0
    assert open_outlet.take([noticed(ts=1121.0)], 1.0)[0].count == 1, "forgotten, and so at once again"


def test_each_kind_is_told_apart(open_outlet: Outlet) -> None:
    kinds = [
        noticed(),
        noticed(value="syn"),
        noticed(server="198.51.100.10"),
        noticed(port=443),
        noticed(signal=Signal.DOQ),
        noticed(server=None, port=None),
    ]
    assert len(open_outlet.take(kinds, 1.0)) == len(kinds)
    assert open_outlet.take(kinds, 1.0) == []


@pytest.mark.req("N2", "R67")
def test_nothing_leaves_without_leave(mask: Mask) -> None:
    made = Outlet()
    assert made.take([noticed()], 0.0) == []
    made.set_mask(mask(LAPTOP, lease=30.0), 0.0)
    assert made.take([noticed(PHONE)], 1.0) == []
    assert made.take([noticed()], 29.9)
    assert made.take([noticed(ts=1100.0)], 30.0) == [], "the mask has lapsed"
    assert made.told_of(30.0) == frozenset()
    assert made.tick(1200.0, 30.0) == []
    assert len(made) == 0


def test_what_was_not_told_under_a_mask_is_not_told_under_the_next(open_outlet: Outlet, mask: Mask) -> None:
    open_outlet.take([noticed(), noticed()], 1.0)
    open_outlet.set_mask(mask(LAPTOP, generation=4), 2.0)
    assert open_outlet.tick(1100.0, 3.0) == []
    (told,) = open_outlet.take([noticed(ts=1101.0)], 3.0)
    assert (told.count, told.generation) == (1, 4)


def test_the_same_mask_again_forgets_nothing(open_outlet: Outlet, mask: Mask) -> None:
    open_outlet.take([noticed()], 1.0)
    open_outlet.set_mask(mask(LAPTOP), 2.0)
    assert open_outlet.take([noticed()], 3.0) == []


@pytest.mark.parametrize("signal", sorted(NETWORK))
def test_signals_about_the_network_have_their_own_leave(mask: Mask, signal: Signal) -> None:
    made = Outlet()
    made.set_mask(mask(LAPTOP), 0.0)
    assert made.take([noticed(PHONE, signal=signal), noticed(LAPTOP, signal=signal)], 1.0) == []
    made.set_mask(mask(network=True), 1.0)
    assert len(made.take([noticed(PHONE, signal=signal)], 2.0)) == 1
    assert made.take([noticed(PHONE)], 2.0) == []


@pytest.mark.parametrize("mac", ["01:00:5e:00:00:fb", "33:33:00:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"])
def test_an_address_that_is_nobodys_own_tells_nothing(mask: Mask, mac: str) -> None:
    made = Outlet()
    made.set_mask(mask(mac, network=True), 0.0)
    assert made.take([noticed(mac), noticed(mac, signal=Signal.ROUTER)], 1.0) == []


def test_who_invents_servers_fills_its_own_rows_only(open_outlet: Outlet, mask: Mask) -> None:
    open_outlet.set_mask(mask(LAPTOP, PHONE), 0.0)
    flood = [noticed(server=f"198.51.100.{number}", port=number) for number in range(250)]
    told = open_outlet.take(flood, 1.0)
    assert len(told) == outlet.MAX_KINDS + 1
    assert (told[-1].server, told[-1].port) == (None, None), "the rest is told without servers"
    assert len(open_outlet) == outlet.MAX_KINDS + 1
    assert open_outlet.overflow == 0
    values = [noticed(value=f"v{number}") for number in range(250)]
    open_outlet.take(values, 1.0)
    assert len(open_outlet) == 2 * outlet.MAX_KINDS
    assert open_outlet.overflow > 0
    assert open_outlet.take([noticed(PHONE), noticed(signal=Signal.DOQ)], 1.0), "others, and other signals, are heard"


@pytest.mark.req("N2")
def test_what_waits_of_a_device_that_left_the_mask_does_not_leave(mask: Mask) -> None:
    made = Outlet()
    made.set_mask(mask(LAPTOP, PHONE, network=True), 0.0)
    for _ in range(2):
        assert made.take([noticed(LAPTOP), noticed(PHONE), noticed(PHONE, signal=Signal.ROUTER)], 1.0) is not None
    made.set_mask(mask(PHONE), 2.0)
    assert [one.mac for one in made.tick(2000.0, 3.0)] == [PHONE]


def test_strangers_are_bounded(mask: Mask) -> None:
    made = Outlet()
    made.set_mask(mask(LAPTOP, network=True), 0.0)
    strangers = [f"02:00:5e:10:{number // 256:02x}:{number % 256:02x}" for number in range(outlet.MAX_STRANGERS + 5)]
    told = made.take([noticed(mac, signal=Signal.UPSTREAM) for mac in strangers], 1.0)
    assert len(told) == outlet.MAX_STRANGERS
    assert made.overflow == 5
    assert made.take([noticed(LAPTOP, signal=Signal.UPSTREAM)], 1.0), "a device of the mask is no stranger"
    assert made.take([noticed(strangers[-1], signal=Signal.DHCP_SERVER)], 1.0), "nor do they hide what another does"
    made.tick(1100.0, 1.0)
    assert made.take([noticed(strangers[-1], ts=1100.0, signal=Signal.UPSTREAM)], 1.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from((LAPTOP, PHONE)),
            st.floats(0, 1e6),
            st.sampled_from((Signal.DOT, Signal.ECH, Signal.ROUTER)),
            st.text(max_size=200),
        ),
        max_size=80,
    )
)
def test_no_count_is_lost_or_told_twice(seen: list[tuple[str, float, Signal, str]]) -> None:
    made = Outlet()
    made.set_mask(CollectionMask(generation=1, names=(), signs=(LAPTOP,), lease=9.0), 0.0)
    told: list[SignalSeen] = []
    for mac, ts, signal, value in seen:
        told += made.take([noticed(mac, ts=ts, signal=signal, value=value)], 1.0)
    told += made.tick(1e7, 1.0)
    wanted = sum(mac == LAPTOP and signal is not Signal.ROUTER for mac, _, signal, _ in seen)
    assert sum(one.count for one in told) == wanted - made.overflow
    assert all(one.mac == LAPTOP and one.since <= one.ts for one in told)
    for one in told:
        encode([one])
