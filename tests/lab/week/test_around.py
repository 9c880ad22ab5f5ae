"""Ways round the box are frames that the real sensor reads for what they are, and everyday uses are not."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address

import pytest

from appliance import messages as m
from appliance.sensor.dissect import Dissector
from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.observe import Observer
from appliance.signals import Signal
from lab import personas
from lab.week.around import around
from lab.week.box import HOME
from lab.week.household import Life, Use, Way
from lab.week.plot import rolls
from lab.week.speech import ROUTER, ROUTER_MAC, Speaker, Spoken
from lab.week.uses import Device, Done

BEGAN, ENDED = 100_000.0, 103_600.0
SITES = ("www.news.example", "www.shop.example")


def device(persona: str = "registered-laptop", *, elsewhere: bool = False) -> Device:
    spoken, dice = personas.load(persona), rolls(1, persona)
    speaker = Speaker(persona=spoken, device="one", mac=spoken.mac, ip4=IPv4Address("192.0.2.30"), dice=dice)
    life = Life(member="one", sites=SITES, asks=("relay", "designated", "encrypted-here", "calls"))
    return Device(
        speaker=speaker,
        life=life,
        dice=dice,
        online=lambda _ts: True,
        resolver=lambda ts: None if elsewhere and ts >= BEGAN else ROUTER,
    )


def signals(one: Device, done: Iterable[Done]) -> set[tuple[Signal, str]]:
    """What the sensor tells of it, after the device has joined."""
    dissector, observer, router = Dissector(), Observer(HOME), bytes.fromhex(ROUTER_MAC.replace(":", ""))
    observer.set_mask(m.CollectionMask(generation=1, names=(), signs=(one.speaker.mac,), lease=1e6), 0.0)
    told: list[m.Observation] = []
    said = [item for item in (*one.speaker.join(BEGAN - 60), *done) if isinstance(item, Spoken)]
    for ts, data in sorted(said):
        if data[6:12] != router:
            frame = Frame(ts=ts, tap=Tap.FILE, link=LinkType.ETHERNET, data=data)
        elif data[34:36] == b"\0\x35":
            frame = Frame(ts=ts, tap=Tap.DNS, link=LinkType.RAW_IP, data=data[14:])
        else:
            continue
        for fact in dissector.feed(frame):
            told += observer.take(fact, 1.0)
    return {(item.signal, item.value) for item in told if isinstance(item, m.SignalSeen)}


@pytest.mark.req("R25")
@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        ("tunnel", {(Signal.WIREGUARD, "initiation")}),
        ("tor", {(Signal.TOR_NAMED, "project"), (Signal.TOR, "guard")}),
        ("behind", {(Signal.TTL, "63/64"), (Signal.SYSTEM, "apple/syn")}),
        (
            "encrypted-names",
            {(Signal.CANARY, "firefox"), (Signal.RESOLVER_NAMED, "cloudflare"), (Signal.DOH, "unasked")},
        ),
    ],
)
def test_a_way_round_shows_its_signals(way: Way, wanted: set[tuple[Signal, str]]) -> None:
    one = device(elsewhere=way == "encrypted-names")
    assert wanted <= signals(one, around(way, one, BEGAN, ENDED))


@pytest.mark.parametrize("kind", ["pages", "film", "game", "call"])
def test_an_everyday_use_shows_none(kind: str) -> None:
    one = device()
    use = Use.model_validate({"kind": kind, "hours": (18.0, 19.0)})
    shown = signals(one, one.use(use, BEGAN, ENDED))
    assert {signal for signal, _value in shown} <= {Signal.SYSTEM, Signal.TTL, Signal.ECH}


def test_what_a_phone_does_by_itself_is_told_apart() -> None:
    one = device("iphone")
    shown = {signal for signal, _value in signals(one, one.joined(BEGAN))}
    assert {Signal.RELAY, Signal.DISCOVERY, Signal.IKE} <= shown
    assert Signal.DOT not in shown, "it asked the box itself"
