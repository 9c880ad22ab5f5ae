"""What devices show of themselves, as the keeper is told it: when it is said, and when said again."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.messages import CollectionMask, Observation, Sighting, TraitSeen, Via
from appliance.sensor import observe
from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import Heard, Kind, MessageHeard, NeighbourHeard
from appliance.sensor.frame import Tap
from appliance.sensor.observe import Observer
from appliance.sensor.packet import handshake, http, icmp6
from appliance.traits import Trait

LAPTOP, PHONE = "00:00:5e:00:53:10", "00:00:5e:00:53:01"


def said_over_http(agent: str, *, mac: str = PHONE, ts: float = 1000.0) -> MessageHeard:
    """A request to nowhere in particular that shows a User-Agent."""
    return MessageHeard(
        ts=ts,
        tap=Tap.FLOW,
        mac=mac,
        via=Via.FLOW,
        src="192.0.2.7",
        sport=4000,
        dst="198.51.100.9",
        dport=80,
        kind=Kind.HTTP_REQUEST,
        message=http.Request(method="GET", host=None, user_agent=agent, version="1.1"),
    )


def mask(*macs: str, generation: int) -> CollectionMask:
    return CollectionMask(generation=generation, names=macs, lease=30.0)


def traits(observations: list[Observation]) -> list[tuple[Trait, str]]:
    return [(said.trait, said.value) for said in observations if isinstance(said, TraitSeen)]


def fields(fact: MessageHeard) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in fact.__struct_fields__}


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.mark.req("R12")
def test_what_a_device_announces(build: Any) -> None:
    options = b"\x35\x01\x03\x0c\x02tv\x3c\x03abc\x37\x02\x01\x03\xff"
    packet = build.ipv4(build.udp(build.dhcp(options), dport=67), protocol=17, src="0.0.0.0")  # noqa: S104 (an address in a packet)
    observer, dissector = Observer(), Dissector()
    (fact,) = dissector.feed(build.chatter(build.ethernet(packet)))
    first, *rest = observer.take(fact, 0.0)
    assert first == Sighting(ts=1000.0, mac=PHONE, via=Via.DHCP)
    assert {said.mac for said in rest if isinstance(said, TraitSeen)} == {PHONE}
    assert dict(traits(rest)) == {
        Trait.DHCP4_PARAMETERS: "1,3",
        Trait.DHCP4_OPTIONS: "53,12,60,55",
        Trait.DHCP4_VENDOR_CLASS: "abc",
        Trait.DHCP4_HOST_NAME: "tv",
    }


@pytest.mark.parametrize(
    ("inner", "speaks_of"),
    [("02000000000a", "02:00:00:00:00:0a"), ("000000000000", PHONE), ("ffffffffffff", PHONE)],
)
def test_a_repeater_speaks_for_the_device_behind_it(build: Any, inner: str, speaks_of: str) -> None:
    packet = build.ipv4(build.udp(build.dhcp(b"\x35\x01\x01\xff", mac=bytes.fromhex(inner)), dport=67), protocol=17)
    (fact,) = Dissector().feed(build.chatter(build.ethernet(packet)))
    sighting, trait = Observer().take(fact, 0.0)
    assert isinstance(sighting, Sighting)
    assert isinstance(trait, TraitSeen)
    assert (sighting.mac, trait.mac) == (PHONE, speaks_of)


@pytest.mark.parametrize("invented", ["devices", "names"])
def test_one_that_passes_on_invented_words_is_not_heard_out(build: Any, observer: Observer, invented: str) -> None:
    """On Wi-Fi nobody chooses the address a frame comes from, but the one inside a DHCP message anybody may."""
    victim = bytes.fromhex("020000000109")

    def heard(name: bytes, client: bytes, source: bytes, ts: float = 1000.0) -> list[tuple[Trait, str]]:
        data = build.dhcp(b"\x35\x01\x01\x0c" + bytes((len(name),)) + name + b"\xff", mac=client)
        packet = build.ipv4(build.udp(data, dport=67), protocol=17)
        (fact,) = Dissector().feed(build.chatter(build.ethernet(packet, source=source), ts=ts))
        return [said for said in traits(observer.take(fact, 0.0)) if said[0] is Trait.DHCP4_HOST_NAME]

    def forged(number: int) -> list[tuple[Trait, str]]:
        if invented == "devices":
            return heard(b"tv", b"\x02\0\0\0\x02" + bytes((number,)), build.phone)
        return heard(b"tv%d" % number, victim, build.phone)

    told = [forged(number) for number in range(observe.MAX_VALUES + 9)]
    assert all(told[: observe.MAX_VALUES])
    assert not any(told[observe.MAX_VALUES :])
    assert observer.overflow >= 9
    assert heard(b"study", victim, victim) == [(Trait.DHCP4_HOST_NAME, "study")], "nobody else is made to pay"


def test_a_servers_dhcp_message_announces_nothing(build: Any) -> None:
    packet = build.ipv4(build.udp(build.dhcp(b"\x35\x01\x02\xff", operation=2), sport=67, dport=68), protocol=17)
    (fact,) = Dissector().feed(build.chatter(build.ethernet(packet)))
    assert [type(said) for said in Observer().take(fact, 0.0)] == [Sighting]


def test_a_trait_is_said_once_in_ten_minutes_of_packet_time(observer: Observer) -> None:
    said = [ts for ts in range(1000, 2801, 60) if traits(observer.take(said_over_http("curl/1", ts=ts), 0.0))]
    assert said == [1000, 1660, 2320]
    assert traits(observer.take(said_over_http("curl/2"), 0.0))


def test_a_device_that_invents_values_is_not_heard_out(observer: Observer) -> None:
    def heard_of(agent: str, ts: float, mac: str = PHONE) -> bool:
        return bool(traits(observer.take(said_over_http(agent, ts=ts, mac=mac), 0.0)))

    said = [heard_of(f"curl/{number}", 1000.0 + number / 10) for number in range(observe.MAX_VALUES + 36)]
    assert said == [True] * observe.MAX_VALUES + [False] * 36
    assert observer.overflow == 36
    assert heard_of("curl/1", 1000.0, mac=LAPTOP), "another device is not made to pay"
    banner = handshake.Handshake(protocol="ssh", detail=(("software", "Example_1"),))
    other = MessageHeard(**(fields(said_over_http("", ts=1010.0)) | {"kind": Kind.HANDSHAKE, "message": banner}))
    assert traits(observer.take(other, 0.0)), "nor another trait"
    assert not heard_of("curl/0", 1590.0), "what was said is still said"
    assert heard_of("curl/new", 1601.0)


def test_remembered_traits_are_bounded(observer: Observer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer._traits, "_bound", 8)
    monkeypatch.setattr(observer._values, "_bound", 8)
    for number in range(11):
        observer.take(said_over_http("curl/1", mac=f"02:00:00:00:00:{number:02x}"), 0.0)
    assert (len(observer._traits), len(observer._values), observer.overflow) == (8, 8, 6)
    assert observe.MAX_TRAITS >= 8 * observe.MAX_VALUES


def test_traits_are_said_again_under_a_new_generation(observer: Observer) -> None:
    fact = said_over_http("curl/1")
    observer.set_mask(mask(generation=1), 0.0)
    assert [bool(traits(observer.take(fact, 1.0))) for _ in range(2)] == [True, False]
    observer.set_mask(mask(generation=1), 1.0)
    assert not traits(observer.take(fact, 1.0))
    observer.set_mask(mask(generation=2), 1.0)
    assert traits(observer.take(fact, 1.0))
    observer.forget_traits()
    assert traits(observer.take(fact, 1.0))


def test_a_router_and_an_interface_id(observer: Observer) -> None:
    message = icmp6.Message(kind=134, target=None)
    said = NeighbourHeard(
        ts=1.0, tap=Tap.CHATTER, mac=PHONE, via=Via.ND, src="fe80::7", kind=134, target=None, message=message
    )
    assert traits(observer.take(said, 0.0)) == [
        (Trait.IP6_INTERFACE_ID, "0000000000000007"),
        (Trait.ND_ROUTER, "advertises"),
    ]


def test_the_wan_side_shows_no_traits(observer: Observer) -> None:
    assert traits(observer.take(Heard(ts=1.0, tap=Tap.WAN, mac=PHONE, via=Via.ND, src="fe80::7"), 0.0)) == []


@pytest.mark.req("R55", "N2")
def test_an_application_is_named_only_where_names_may_leave(observer: Observer) -> None:
    agent = "Courtship/14.2 CFNetwork/1485 Darwin/23.1.0"
    assert traits(observer.take(said_over_http(agent), 0.0)) == [(Trait.HTTP_USER_AGENT, agent.partition(" ")[2])]
    assert traits(observer.take(said_over_http("Courtship"), 0.0)) == []
    observer.set_mask(mask(PHONE, generation=1), 0.0)
    assert traits(observer.take(said_over_http(agent), 1.0)) == [(Trait.HTTP_USER_AGENT, agent)]
    assert traits(observer.take(said_over_http(agent, ts=1700.0), 31.0)) == [
        (Trait.HTTP_USER_AGENT, "CFNetwork/1485 Darwin/23.1.0")
    ], "a mask that has lapsed"
