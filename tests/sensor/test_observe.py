from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import (
    CollectionMask,
    How,
    NameClassSeen,
    NameLookedUp,
    Observation,
    Side,
    Sighting,
    TraitSeen,
    Via,
    encode,
)
from appliance.sensor import observe
from appliance.sensor.facts import Fact, Heard, Kind, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.observe import Observer
from appliance.sensor.packet import dns, http, tls
from appliance.traits import Trait

LAPTOP, PHONE = "00:00:5e:00:53:10", "00:00:5e:00:53:01"


def heard(
    *,
    mac: str | None = PHONE,
    ts: float = 1000.0,
    via: Via = Via.ARP,
    src: str | None = "192.0.2.7",
    tap: Tap = Tap.CHATTER,
) -> Heard:
    return Heard(ts=ts, tap=tap, mac=mac, via=via, src=src)


def question(
    *names: str,
    mac: str | None = PHONE,
    ts: float = 1000.0,
    response: bool = False,
    via: Via = Via.DNS,
    tap: Tap = Tap.DNS,
) -> MessageHeard:
    message = dns.Message(
        id=1,
        response=response,
        opcode=0,
        rcode=0,
        questions=tuple(dns.Question(name=name, qtype=1) for name in names),
        answers=(),
        complete=True,
    )
    return MessageHeard(
        ts=ts,
        tap=tap,
        mac=mac,
        via=via,
        src="192.0.2.7",
        sport=4000,
        dst="192.0.2.1",
        dport=53,
        kind=Kind(via.value),
        message=message,
    )


def hello(
    name: str | None, *, mac: str | None = PHONE, ts: float = 1000.0, how: How = How.TLS, tap: Tap = Tap.FLOW
) -> MessageHeard:
    said = tls.ClientHello(legacy_version=771, ciphers=(), extensions=(0,), server_name=name.encode() if name else None)
    return MessageHeard(
        ts=ts,
        tap=tap,
        mac=mac,
        via=Via.FLOW,
        src="192.0.2.7",
        sport=4000,
        dst="198.51.100.9",
        dport=443,
        kind={How.TLS: Kind.TLS_CLIENT_HELLO, How.QUIC: Kind.QUIC_CLIENT_HELLO}[how],
        message=said,
    )


def request(host: str, *, mac: str | None = PHONE, ts: float = 1000.0, agent: str | None = None) -> MessageHeard:
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
        message=http.Request(method="GET", host=host, user_agent=agent, version="1.1"),
    )


def mask(*macs: str, generation: int = 3, lease: float = 30.0) -> CollectionMask:
    return CollectionMask(generation=generation, names=macs, lease=lease)


def traits(observations: list[Observation]) -> list[tuple[Trait, str]]:
    return [(said.trait, said.value) for said in observations if isinstance(said, TraitSeen)]


def names(observations: list[Observation]) -> list[NameLookedUp]:
    return [said for said in observations if isinstance(said, NameLookedUp)]


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.mark.req("R11", "R12")
def test_the_first_frame_is_a_sighting_at_once(observer: Observer) -> None:
    assert observer.take(heard(), 0.0) == [
        Sighting(ts=1000.0, mac=PHONE, via=Via.ARP, side=Side.LAN, ip="192.0.2.7"),
    ]


def test_the_same_sighting_comes_once_in_ten_seconds_of_packet_time(observer: Observer) -> None:
    said = [ts for ts in range(1000, 1040) if observer.take(heard(ts=float(ts)), 0.0)]
    assert said == [1000, 1011, 1022, 1033]


def test_another_address_or_kind_of_frame_is_another_sighting(observer: Observer) -> None:
    observer.take(heard(), 0.0)
    assert observer.take(heard(src="192.0.2.8"), 0.0)
    assert observer.take(heard(via=Via.MDNS), 0.0)
    assert observer.take(heard(src=None), 0.0)
    assert not observer.take(heard(), 0.0)


def test_remembered_sightings_are_bounded(observer: Observer) -> None:
    for number in range(observe.MAX_SIGHTINGS + 5):
        assert observer.take(heard(src=f"192.0.{number // 256}.{number % 256}"), 0.0)
    assert observer.overflow == 5
    assert len(observer._sightings) == observe.MAX_SIGHTINGS


def test_remembered_names_are_bounded(observer: Observer) -> None:
    observer.set_mask(mask(PHONE), 0.0)
    for number in range(observe.MAX_REPEATS + 5):
        observer.take(question(f"n{number}.example"), 1.0)
    assert len(observer._names) == observe.MAX_REPEATS
    assert observer._names.overflow == 5
    assert observer.overflow >= 5


@pytest.mark.parametrize(
    "mac", [None, "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:00:00:00:01"]
)
def test_group_and_empty_addresses_are_nobody(observer: Observer, mac: str | None) -> None:
    observer.set_mask(mask(mac or ""), 0.0)
    assert observer.take(heard(mac=mac), 1.0) == []
    assert observer.take(question("news.example", mac=mac), 1.0) == []


def test_a_randomised_address_is_somebody(observer: Observer) -> None:
    assert observer.take(heard(mac="02:00:00:00:00:07"), 0.0)


def test_the_wan_side_gives_sightings_only(observer: Observer) -> None:
    observer.set_mask(mask(PHONE), 0.0)
    assert [
        said
        for fact in (heard(tap=Tap.WAN), question("news.example", tap=Tap.WAN))
        for said in observer.take(fact, 1.0)
    ] == [
        Sighting(ts=1000.0, mac=PHONE, via=Via.ARP, side=Side.WAN, ip="192.0.2.7"),
        Sighting(ts=1000.0, mac=PHONE, via=Via.DNS, side=Side.WAN, ip="192.0.2.7"),
    ]


def test_names_of_a_device_in_the_mask(observer: Observer) -> None:
    observer.set_mask(mask(LAPTOP, generation=8), 5.0)
    assert names(observer.take(question("news.example", mac=LAPTOP), 6.0)) == [
        NameLookedUp(ts=1000.0, mac=LAPTOP, name="news.example", how=How.DNS, generation=8, server="192.0.2.1")
    ]
    assert [said.how for said in names(observer.take(hello("News.example.", mac=LAPTOP), 6.0))] == [How.TLS]
    assert [said.name for said in names(observer.take(hello("news.example", mac=LAPTOP, how=How.QUIC), 6.0))] == [
        "news.example"
    ]


def test_a_class_is_no_substitute_where_the_name_may_be_kept(observer: Observer) -> None:
    observer.set_mask(mask(PHONE), 0.0)
    said = observer.take(question("captive.apple.com"), 1.0)
    assert [item.name for item in names(said)] == ["captive.apple.com"]
    assert not any(isinstance(item, NameClassSeen) for item in said)


def test_questions_for_several_types_are_one_name(observer: Observer) -> None:
    observer.set_mask(mask(PHONE), 0.0)
    said = [observer.take(question("news.example", ts=1000.0 + step / 4), 1.0) for step in range(8)]
    assert [len(names(item)) for item in said] == [1, 0, 0, 0, 0, 1, 0, 0]


def test_answers_multicast_and_empty_names_are_no_lookup(observer: Observer) -> None:
    observer.set_mask(mask(PHONE), 0.0)
    for fact in (
        question("news.example", response=True),
        question("tv.local", via=Via.MDNS),
        question(""),
        hello(None),
    ):
        assert names(observer.take(fact, 1.0)) == []


@pytest.mark.req("R55", "N2")
def test_a_lapsed_mask_lets_nothing_out(observer: Observer) -> None:
    observer.set_mask(mask(PHONE, lease=30.0), 100.0)
    assert names(observer.take(question("a.example"), 129.9))
    assert not names(observer.take(question("b.example"), 130.0))
    observer.set_mask(mask(PHONE, lease=30.0), 140.0)
    assert names(observer.take(question("b.example"), 141.0))


@pytest.mark.req("R55", "N2")
def test_a_new_mask_takes_the_place_of_the_old(observer: Observer) -> None:
    observer.set_mask(mask(PHONE, generation=1), 0.0)
    assert names(observer.take(question("a.example"), 1.0))
    observer.set_mask(mask(LAPTOP, generation=2), 1.0)
    assert not names(observer.take(question("b.example"), 2.0))
    (said,) = names(observer.take(question("a.example", mac=LAPTOP), 2.0))
    assert said.generation == 2


def test_a_name_is_said_again_under_a_new_generation(observer: Observer) -> None:
    observer.set_mask(mask(PHONE, generation=1), 0.0)
    assert names(observer.take(question("a.example"), 1.0))
    observer.set_mask(mask(PHONE, generation=1), 1.0)
    assert not names(observer.take(question("a.example"), 2.0))
    observer.set_mask(mask(PHONE, generation=2), 2.0)
    assert names(observer.take(question("a.example"), 2.0))


def test_without_leave_only_a_closed_class(observer: Observer) -> None:
    def said(name: str, ts: float = 1000.0) -> list[NameClassSeen]:
        return [item for item in observer.take(hello(name, ts=ts), 0.0) if isinstance(item, NameClassSeen)]

    assert said("1-courier.push.apple.com") == [NameClassSeen(ts=1000.0, mac=PHONE, name_class="push")]
    assert said("2-courier.push.apple.com", 1001.0) == []
    assert said("2-courier.push.apple.com", 1011.0) == [NameClassSeen(ts=1011.0, mac=PHONE, name_class="push")]


@pytest.mark.req("R55", "N2")
@pytest.mark.parametrize("fact", [question("a.logs.roku.com"), hello("a.logs.roku.com"), request("a.logs.roku.com")])
def test_of_a_makers_cloud_only_the_word_leaves(observer: Observer, fact: MessageHeard) -> None:
    said = observer.take(fact, 0.0)
    assert (Trait.PLATFORM, "roku") in traits(said)
    assert b"roku.com" not in encode(said)


def test_a_host_of_http_is_a_looked_up_name(observer: Observer) -> None:
    assert names(observer.take(request("news.example"), 0.0)) == []
    observer.set_mask(mask(PHONE), 0.0)
    (said,) = names(observer.take(request("news.example"), 1.0))
    assert (said.name, said.how, said.server) == ("news.example", How.HTTP, "198.51.100.9")
    assert names(observer.take(request("192.0.2.1"), 1.0)) == []


MACS = st.sampled_from([LAPTOP, PHONE, "02:00:00:00:00:07"])
CANARY = "canary-name"
LABELS = st.lists(st.sampled_from(["www", "cdn", "push", "apple", "com", "example"]), max_size=4)
NAMES = LABELS.map(lambda labels: ".".join([CANARY, *labels]))
FACTS = st.one_of(
    st.builds(lambda mac, name, ts: question(name, mac=mac, ts=ts), MACS, NAMES, st.floats(0, 100)),
    st.builds(
        lambda mac, name, ts, how: hello(name, mac=mac, ts=ts, how=how),
        MACS,
        NAMES,
        st.floats(0, 100),
        st.sampled_from([How.TLS, How.QUIC]),
    ),
    st.builds(lambda mac, name: request(name, mac=mac), MACS, NAMES),
    st.builds(lambda mac, name: question(name, mac=mac, via=Via.MDNS), MACS, NAMES),
    st.builds(lambda mac, name: question(name, mac=mac, tap=Tap.WAN), MACS, NAMES),
    st.builds(lambda mac, name: question(name, name, mac=mac, response=True), MACS, NAMES),
)


@pytest.mark.req("R55", "N2")
@given(facts=st.lists(FACTS, max_size=30), lapsed=st.booleans(), late=st.floats(30, 1e6))
def test_without_an_unlapsed_mask_no_looked_up_name_ever_leaves(facts: list[Fact], lapsed: bool, late: float) -> None:
    observer = Observer()
    if lapsed:
        observer.set_mask(mask(LAPTOP, PHONE, lease=30.0), 0.0)
    said = [item for fact in facts for item in observer.take(fact, late)]
    assert CANARY.encode() not in encode(said)
    assert not names(said)


@pytest.mark.req("R55", "N2")
@given(
    steps=st.lists(
        st.one_of(
            FACTS.map(lambda fact: ("fact", fact)),
            st.tuples(st.just("mask"), st.tuples(st.sets(MACS), st.integers(1, 5), st.floats(0, 40))),
            st.tuples(st.just("wait"), st.floats(0, 20)),
        ),
        max_size=40,
    )
)
def test_a_name_leaves_only_under_the_mask_in_force(steps: list[tuple[str, Any]]) -> None:
    observer, clock = Observer(), 0.0
    allowed: frozenset[str] = frozenset()
    generation, until = 0, 0.0
    for what, value in steps:
        if what == "wait":
            clock += value
        elif what == "mask":
            macs, generation, lease = value
            allowed, until = frozenset(macs), clock + lease
            observer.set_mask(mask(*macs, generation=generation, lease=lease), clock)
        else:
            said = observer.take(value, clock)
            for item in names(said):
                assert clock < until
                assert item.mac in allowed
                assert item.generation == generation
            rest = [item for item in said if not isinstance(item, NameLookedUp)]
            assert CANARY.encode() not in encode(rest)
