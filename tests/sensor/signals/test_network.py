"""Routers, servers of addresses and neighbours upstream that are not the box's."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest

from appliance.sensor.dissect import Dissector
from appliance.sensor.frame import Tap
from appliance.sensor.signals.network import MAX_PROVIDERS, Network
from appliance.signals import Signal

GIVES = bytes((192, 168, 7, 20))


def dhcp(build: Any, kind: int, *, operation: int = 2, your: bytes = GIVES) -> bytes:
    data = bytearray(build.dhcp(b"\x35\x01" + bytes((kind,)) + b"\xff", operation=operation))
    data[16:20] = your
    ports = (67, 68) if operation == 2 else (68, 67)
    packet = build.ipv4(build.udp(bytes(data), sport=ports[0], dport=ports[1]), protocol=17, dst="255.255.255.255")
    made: bytes = build.ethernet(packet)
    return made


def advertisement(build: Any, *, lifetime: int = 1800, options: bytes = b"") -> bytes:
    message = pack("!BBHBBHII", 134, 0, 0, 64, 0, lifetime, 0, 0) + options
    made: bytes = build.ethernet(build.ipv6(message, protocol=58, src="fe80::9", dst="ff02::1"), ethertype=0x86DD)
    return made


def six(build: Any, kind: int, port: int) -> bytes:
    message = bytes((kind, 1, 2, 3)) + pack("!HH", 2, 10) + pack("!HH", 3, 1) + bytes.fromhex("00005e005309")
    packet = build.ipv6(build.udp(message, sport=1113 - port, dport=port), protocol=17, src="fe80::9", dst="ff02::1:2")
    made: bytes = build.ethernet(packet, ethertype=0x86DD)
    return made


def seen(build: Any, network: Network, *frames: bytes, tap: Tap = Tap.CHATTER) -> list[tuple[str, str]]:
    dissector = Dissector()
    facts = [fact for frame in frames for fact in dissector.feed(build.chatter(frame, tap=tap))]
    noticed = [one for fact in facts for one in network.take(fact)]
    assert {one.mac for one in noticed} <= {build.phone.hex(":")}
    return [(one.signal, one.value) for one in noticed]


@pytest.mark.req("R14", "N11")
def test_another_server_of_addresses_is_told(build: Any) -> None:
    frames = [dhcp(build, 2), dhcp(build, 5), six(build, 2, 546), six(build, 7, 546)]
    assert seen(build, Network(), *frames) == [(Signal.DHCP_SERVER, "4")] * 2 + [(Signal.DHCP_SERVER, "6")] * 2


@pytest.mark.req("N4")
def test_clients_refusals_and_answers_without_an_address_are_not_servers(build: Any) -> None:
    frames = [
        dhcp(build, 1, operation=1),
        dhcp(build, 3, operation=1),
        dhcp(build, 6),
        dhcp(build, 5, your=bytes(4)),
        six(build, 1, 547),
        six(build, 11, 547),
    ]
    assert seen(build, Network(), *frames) == []


@pytest.mark.req("N11")
def test_another_router_is_told_and_a_hub_that_routes_nothing_is_not(build: Any) -> None:
    assert seen(build, Network(), advertisement(build)) == [(Signal.ROUTER, "advertisement")]
    assert seen(build, Network(), advertisement(build, lifetime=0)) == []
    resolvers = pack("!BBHI", 25, 3, 0, 600) + bytes.fromhex("20010db8000000000000000000000053")
    assert seen(build, Network(), advertisement(build, lifetime=0, options=resolvers)) == [
        (Signal.ROUTER, "advertisement")
    ]


@pytest.mark.req("N11")
def test_who_is_upstream_is_told_by_how_it_was_heard(build: Any) -> None:
    mdns = build.ethernet(
        build.ipv4(build.udp(build.question(), sport=5353, dport=5353), protocol=17, dst="224.0.0.251")
    )
    frames = [build.ethernet(build.arp(), ethertype=0x0806), dhcp(build, 1, operation=1), mdns]
    assert seen(build, Network(), *frames, tap=Tap.WAN) == [(Signal.UPSTREAM, how) for how in ("arp", "dhcp", "mdns")]
    assert seen(build, Network(), frames[0], frames[2]) == [], "in the household that is everyday"


@pytest.mark.req("N4")
def test_the_provider_s_router_is_not_told_once_it_answered_as_one(build: Any) -> None:
    network = Network()
    frames = [dhcp(build, 2), build.ethernet(build.arp(), ethertype=0x0806)]
    assert seen(build, network, *frames, tap=Tap.WAN) == []


def test_many_servers_upstream_are_bounded(build: Any) -> None:
    network = Network()
    for number in range(MAX_PROVIDERS + 3):
        frame = bytearray(dhcp(build, 2))
        frame[11] = number
        for fact in Dissector().feed(build.chatter(bytes(frame), tap=Tap.WAN)):
            assert not list(network.take(fact))
    assert network.overflow == 3
