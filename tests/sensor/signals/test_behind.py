"""Hop limits, habits and addresses that do not fit one device."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from appliance.messages import Via
from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import ArpHeard, FlowBegan, Heard, Kind, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.home import Home
from appliance.sensor.packet import http, syn, tcp, tls
from appliance.sensor.signals.behind import HABIT_SECONDS, MAX_SAID, Behind, by_agent, hops_of
from appliance.signals import Signal

LAPTOP = "02:00:5e:00:53:0a"
LINUX, APPLE, WINDOWS = (2, 4, 8, 1, 3), (2, 1, 3, 1, 1, 8, 4, 0), (2, 1, 3, 1, 1, 4)


def syn_heard(facts: Any, options: tuple[int, ...], ttl: int) -> MessageHeard:
    heard: MessageHeard = facts.request("shop.example")
    message = syn.Syn(version=4, ttl=ttl, window=64240, mss=1460, scale=7, options=options)
    return msgspec.structs.replace(heard, kind=Kind.TCP_SYN, message=message)


def spoke(src: str, ts: float, *, arp: bool = False) -> Heard:
    if arp:
        return ArpHeard(
            ts=ts, tap=Tap.CHATTER, mac=LAPTOP, via=Via.ARP, src=src,
            operation=1, sender_mac=LAPTOP, sender_ip=src, target_ip="192.0.2.1",
        )  # fmt: skip
    return Heard(ts=ts, tap=Tap.CHATTER, mac=LAPTOP, via=Via.MDNS, src=src)


def seen(behind: Behind, *said: Any) -> list[tuple[str, str]]:
    return [(one.signal, one.value) for fact in said for one in behind.take(fact)]


@pytest.mark.req("N11")
@pytest.mark.parametrize(
    ("hops", "said"),
    [(64, "64/64"), (63, "63/64"), (127, "127/128"), (128, "128/128"), (254, "254/255"), (61, "61/64"), (60, None), (1, None), (30, None), (200, None), (0, None)],
)  # fmt: skip
def test_a_hop_limit_points_to_its_start(hops: int, said: str | None) -> None:
    assert hops_of(hops) == said


@pytest.mark.req("N11")
def test_drops_are_counted_and_habits_told_now_and_then(facts: Any, home: Home) -> None:
    behind = Behind(home)
    began: FlowBegan = facts.began()
    dropped = msgspec.structs.replace(began, hops=63)
    assert seen(behind, began, began, dropped, dropped) == [
        (Signal.TTL, "64/64"),
        (Signal.TTL, "63/64"),
        (Signal.TTL, "63/64"),
    ]
    later = msgspec.structs.replace(began, ts=began.ts + HABIT_SECONDS + 1)
    assert seen(behind, later) == [(Signal.TTL, "64/64")]


@pytest.mark.req("N11")
def test_the_router_s_own_step_is_not_taken_for_another_s(build: Any, home: Home) -> None:
    """As the kernel shows a forwarded packet of a device that is alone: one less than it sent."""
    header = bytearray(build.ipv4(build.tcp(flags=tcp.SYN), protocol=6))
    said = []
    for ttl in (63, 62):
        header[8] = ttl
        said += [one.value for fact in Dissector().feed(build.frame(bytes(header))) for one in Behind(home).take(fact)]
    assert said == ["64/64", "63/64"]


@pytest.mark.req("N11")
@pytest.mark.parametrize(
    ("options", "ttl", "said"),
    [
        (LINUX, 63, "linux/syn"),
        (APPLE, 63, "apple/syn"),
        (WINDOWS, 127, "windows/syn"),
        (WINDOWS, 126, "windows/syn"),
        (WINDOWS, 63, None),
        (LINUX, 128, None),
        ((2,), 255, None),
    ],
)
def test_systems_by_their_syn(facts: Any, home: Home, options: tuple[int, ...], ttl: int, said: str | None) -> None:
    assert seen(Behind(home), syn_heard(facts, options, ttl)) == ([(Signal.SYSTEM, said)] if said else [])


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Example/1", "windows"),
        ("Mozilla/5.0 (Linux; Android 14; Example) Example/1", "android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "apple"),
        ("Mozilla/5.0 (X11; Linux x86_64) Example/1", "linux"),
        ("curl/8.5.0", None),
        ("", None),
    ],
)
def test_systems_by_their_agent(agent: str, family: str | None) -> None:
    assert by_agent(agent) == family


@pytest.mark.req("N11")
def test_systems_by_request_hello_and_lease(build: Any, facts: Any, home: Home) -> None:
    request: MessageHeard = facts.request("shop.example")
    agent = http.Request(method="GET", host=None, user_agent="Dalvik/2.1.0 (Linux; U; Android 14)", version="1.1")
    hello: MessageHeard = facts.hello("shop.example")
    assert isinstance(hello.message, tls.ClientHello)
    of_windows = msgspec.structs.replace(hello.message, ciphers=(0xC02C, 0xC02B, 0xC030, 0xC02F, 0x9F, 0x9E, 0xC024))
    of_apple = msgspec.structs.replace(hello.message, ciphers=(0x3A3A, 0x1301, 0x35, 0x2F, 0xC008, 0xC012, 0x000A))
    data = build.dhcp(b"\x35\x01\x01\x3c\x08MSFT 5.0\xff")
    lease = build.chatter(build.ethernet(build.ipv4(build.udp(data, sport=68, dport=67), protocol=17, src="0.0.0.0")))  # noqa: S104 - as clients without an address send
    said = [
        msgspec.structs.replace(request, message=agent),
        *(msgspec.structs.replace(hello, message=message) for message in (hello.message, of_windows, of_apple)),
        *Dissector().feed(lease),
    ]
    behind = Behind(home)
    expected = ["android/agent", "windows/tls", "apple/tls", "windows/dhcp"]
    assert seen(behind, *said) == [(Signal.SYSTEM, value) for value in expected]
    assert seen(behind, *said) == [], "a habit is told once in a while"


@pytest.mark.req("N11")
def test_addresses_of_another_network(home: Home) -> None:
    behind = Behind(home)
    own = ["192.0.2.7", "169.254.3.4", "fe80::1", "2001:db8:9::1", "239.1.1.1"]
    assert seen(behind, *(spoke(address, 1000.0) for address in own)) == []
    twice = [spoke(address, ts) for ts in (1000.0, 1030.0) for address in ("192.168.43.17", "192.168.43.18")]
    assert seen(behind, *twice) == [(Signal.TETHER, "192.168.43.0/24")]
    assert seen(Behind(Home()), spoke("198.51.100.7", 1000.0)) == [], "which networks are the household's is not known"


@pytest.mark.req("N11", "N4")
def test_a_device_that_looks_for_its_last_network_is_not_told(home: Home) -> None:
    """RFC 4436: after joining, a few probes with the address it had elsewhere."""
    behind = Behind(home)
    assert seen(behind, *(spoke("192.168.1.20", 1000.0 + at, arp=True) for at in (0, 1, 2, 3))) == []
    assert seen(behind, spoke("192.168.1.20", 1030.0, arp=True)) == [(Signal.TETHER, "192.168.1.0/24")]


@pytest.mark.req("N11")
def test_a_phone_that_comes_from_the_mobile_network_is_not_told(home: Home) -> None:
    """Its programs close what they had open there, from the address they had there."""
    behind = Behind(home)
    assert seen(behind, *(spoke("100.64.7.9", 1000.0 + at) for at in (0, 0.2, 1, 3, 9))) == []
    assert seen(behind, *(spoke("192.0.2.7", 1000.0 + at) for at in range(60))) == []


def test_a_device_that_invents_addresses_and_systems_is_bounded(facts: Any, home: Home) -> None:
    behind = Behind(home)
    for number in range(MAX_SAID + 9):
        list(behind.take(facts.began(mac=f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}")))
        list(behind.take(spoke(f"10.{number >> 8}.{number & 255}.9", 1000.0, arp=True)))
    assert behind.overflow > 9
