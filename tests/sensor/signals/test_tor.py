"""Hellos that a real tor 0.4.7 made towards a listener of its own machine, and hellos that only look like them."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.packet import tls
from appliance.sensor.signals.told import Told
from appliance.sensor.signals.tor import DIRECTORIES, MAX_RECENT, Tor, is_made_up
from appliance.signals import Signal

FIRST = bytes.fromhex(
    "1603010200010001fc0303b692e97572f8d9ef84f659d2352effa182524339c643a73db65e30ac075f2ef120ee83168d07fc"
    "74e3490397c88fbfbe6f2adae449f5700183881e3d0c77bcfc290024130113031302c02bc02fcca9cca8c02cc030c00ac009"
    "c013c014009c009d002f003500ff0100018f0000001800160000137777772e6d747071357836377a71712e636f6d000b0004"
    "03000102000a000800060017001d0015002300000016000000170000000d002a0028040305030603080708080809080a080b"
    "080408050806040105010601030303010302040205020602002b00050403040303002d000201010033004700450017004104"
    "e8a4b5b1398274f8e389bcd52d899aa0c909b3e512c0c32f282360748a772889a9e9e7488fb6807b32502b9d10dec5503019"
    "6f6c231715e60d58a06e2ceb660e001500c7"
).ljust(517, b"\0")
SECOND = bytes.fromhex(
    "1603010200010001fc03032139619a8d1af6dde26fbd0f1b8da5ef2cebfb2e3ddcf62371471b12e61ba42b20ec0a7c7e2419"
    "4b07b04301754f47fd56a47b4474376926a9042ecdc7ae7804a60024130113031302c02bc02fcca9cca8c02cc030c00ac009"
    "c013c014009c009d002f003500ff0100018f00000022002000001d7777772e737175767a797974367777757a796b376a7861"
    "616e2e636f6d000b000403000102000a000800060017001d0015002300000016000000170000000d002a0028040305030603"
    "080708080809080a080b080408050806040105010601030303010302040205020602002b00050403040303002d0002010100"
    "33004700450017004104135b5ac0884e957a3ce678ed0f3af6b7b5d65100ee3d55fa544f44ad40ead1d15ff9dd46889b100e"
    "1bf690c96abcf5c40f1f2de090a0fdf263a74a5fdbb574aa001500bd"
).ljust(517, b"\0")


def heard(
    build: Any, tor: Tor, hello: bytes, *, dport: int = 443, dst: str = "198.51.100.9", ts: float = 1000.0
) -> list[tuple[str, str]]:
    frame = build.frame(build.ipv4(build.tcp(hello, sequence=101, dport=dport), protocol=6, dst=dst), ts=ts)
    facts = Dissector().feed(frame)
    assert any(isinstance(fact, MessageHeard) and fact.kind is Kind.TLS_CLIENT_HELLO for fact in facts)
    return [(one.signal, one.value) for fact in facts for one in tor.take(fact)]


@pytest.mark.req("R11", "S5")
@pytest.mark.parametrize("hello", [FIRST, SECOND])
@pytest.mark.parametrize("dport", [443, 9001, 12345])
def test_a_hello_of_tor_is_known_on_any_port(build: Any, home: Home, hello: bytes, dport: int) -> None:
    assert heard(build, Tor(home, Told()), hello, dport=dport) == [(Signal.TOR, "guard")]
    assert heard(build, Tor(home, Told()), hello, dport=dport, dst="192.0.2.77") == []


@pytest.mark.req("N4")
def test_a_name_that_was_asked_for_is_nobody_s_invention(build: Any, facts: Any, home: Home) -> None:
    message, _ = tls.read_stream(FIRST) or (None, 0)
    assert message is not None
    assert message.sni is not None
    told = Told()
    told.take(facts.ask(message.sni, mac=build.phone.hex(":")))
    assert heard(build, Tor(home, told), FIRST) == []


@pytest.mark.req("N4")
@pytest.mark.parametrize(
    ("name", "alpn"),
    [
        ("www.mtpq5x67zqq.com", (b"h2", b"http/1.1")),  # a browser
        ("www.search.com", ()),  # a word, by a plain program whose question was not heard
        ("mtpq5x67zqq.com", ()),
        ("www.mtpq5x67zqq.example", ()),
        ("www.a.b.com", ()),
        (None, ()),
    ],
)
def test_other_hellos_are_not_tor_s(facts: Any, home: Home, name: str | None, alpn: tuple[bytes, ...]) -> None:
    tor = Tor(home, Told())
    assert not [one for _ in range(2) for one in tor.take(facts.hello(name, alpn=alpn))]


@pytest.mark.req("R11")
def test_several_such_names_at_once_add_to_a_weak_one(facts: Any, home: Home) -> None:
    tor = Tor(home, Told())
    assert not list(tor.take(facts.hello("www.garden.com", alpn=())))
    (one,) = tor.take(facts.hello("www.window.com", alpn=(), dst="203.0.113.5"))
    assert (one.value, one.server) == ("guard", "203.0.113.5")


@pytest.mark.req("R11")
def test_directories_are_known_by_address_and_port(facts: Any, home: Home) -> None:
    tor = Tor(home, Told())
    assert ("193.23.244.244", 80) in DIRECTORIES
    assert len(DIRECTORIES) >= 18
    (one,) = tor.take(facts.began("193.23.244.244", 80))
    assert (one.signal, one.value) == (Signal.TOR, "directory")
    assert not list(tor.take(facts.began("193.23.244.244", 8080)))


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("mtpq5x67zqq", True),
        ("squvzyyt6wwuzyk7jxaan", True),
        ("google", False),
        ("bbc", True),
        ("channel4", False),
        ("web2", False),
        ("xkcdfgtr", True),
    ],
)
def test_what_is_made_up(label: str, said: bool) -> None:
    assert is_made_up(label) is said


def test_many_devices_that_look_so_are_bounded(facts: Any, home: Home) -> None:
    tor = Tor(home, Told())
    for number in range(MAX_RECENT + 5):
        tor.take(facts.hello("www.garden.com", alpn=(), mac=f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"))
    assert tor.overflow == 5
