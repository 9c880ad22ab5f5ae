"""QUIC that shows no name: hidden, unknown, moved; and the everyday that only seems so."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.messages import Via
from appliance.sensor.facts import Fact, Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.packet.handshake import Handshake
from appliance.sensor.signals.quic_unnamed import MAX_WAITING, WAIT_SECONDS, QuicUnnamed
from appliance.sensor.signals.told import Told
from appliance.signals import Signal

OTHER_VERSION = b"\xc0\xfa\xce\xb0\x02" + bytes(1300)
SHORT = b"\x45" + bytes(60)


def seen(detector: QuicUnnamed, *said: Fact, wait: float = WAIT_SECONDS + 1) -> list[tuple[str, str]]:
    noticed = [one for fact in said for one in detector.take(fact)]
    noticed += detector.tick(max(fact.ts for fact in said) + wait)
    return [(one.signal, one.value) for one in noticed]


@pytest.fixture
def detector(home: Home) -> QuicUnnamed:
    return QuicUnnamed(home, Told())


@pytest.mark.req("R11")
def test_a_hello_that_never_comes_is_told_once(detector: QuicUnnamed, facts: Any) -> None:
    assert seen(detector, facts.began(protocol=17), wait=1) == []
    assert seen(detector, facts.began(protocol=17)) == [(Signal.QUIC_UNNAMED, "hidden")]
    assert list(detector.tick(2000.0)) == []


@pytest.mark.req("R11")
def test_a_hello_without_a_name_is_told_as_such(detector: QuicUnnamed, facts: Any) -> None:
    hello = facts.hello(None, kind=Kind.QUIC_CLIENT_HELLO)
    assert seen(detector, facts.began(protocol=17), hello) == [(Signal.NO_SNI, "quic")]


@pytest.mark.req("R11")
@pytest.mark.parametrize(("first", "value"), [(OTHER_VERSION, "version"), (SHORT, "moved")])
def test_other_versions_and_connections_that_go_on(detector: QuicUnnamed, facts: Any, first: bytes, value: str) -> None:
    assert seen(detector, facts.began(protocol=17), facts.opened(first)) == [(Signal.QUIC_UNNAMED, value)]


@pytest.mark.req("N4")
def test_everyday_connections_are_not_told(facts: Any, home: Home) -> None:
    hello = facts.hello("shop.example", kind=Kind.QUIC_CLIENT_HELLO)
    stun = MessageHeard(
        ts=1000.0, tap=hello.tap, mac=hello.mac, via=Via.FLOW, src=None, sport=4000, dst=hello.dst, dport=443,
        kind=Kind.HANDSHAKE, message=Handshake(protocol="stun"),
    )  # fmt: skip
    began = facts.began(protocol=17)
    for said in (
        (began, hello),
        (began, hello, began, facts.opened(SHORT)),  # it rested, and goes on
        (began, stun),
        (began, facts.opened(b"\xc0\0\0\0\0" + bytes(1300))),  # version 0: nobody's first words
        (began, facts.opened(b"\x01short")),
        (facts.began(protocol=6),),
        (facts.began(protocol=17, dport=4433),),
        (facts.began("192.0.2.9", protocol=17),),
    ):
        assert seen(QuicUnnamed(home, Told()), *said) == []


@pytest.mark.req("N4")
def test_an_address_that_the_device_was_told_is_passed_over(facts: Any, home: Home) -> None:
    told = Told()
    told.take(facts.told("shop.example", facts.address("shop.example", "198.51.100.9")))
    assert seen(QuicUnnamed(home, told), facts.began(protocol=17)) == []
    assert seen(QuicUnnamed(home, told), facts.began(protocol=17), facts.opened(SHORT)) == []


def test_connections_that_wait_are_bounded_and_counted(detector: QuicUnnamed, facts: Any) -> None:
    for number in range(MAX_WAITING + 7):
        list(detector.take(facts.began(protocol=17, sport=number)))
    assert detector.overflow == 7
    assert len(list(detector.tick(1000.0 + WAIT_SECONDS + 1))) == MAX_WAITING
