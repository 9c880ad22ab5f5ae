"""All detectors together: what leaves for whom, and that nothing of others does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import msgspec
import pytest

from appliance.messages import ActivitySeen, CollectionMask, Observation, SignalSeen, Talk, TalksCounted, encode
from appliance.sensor.facts import AnswerHeard, Fact, FlowBegan
from appliance.sensor.frame import Tap
from appliance.sensor.home import Home
from appliance.sensor.packet import dns
from appliance.sensor.signals.desk import Desk, detectors
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.signals.resolvers import Resolvers
from appliance.sensor.signals.told import Told
from appliance.signals import Signal

CANARY = "canary-of-a-third-party"
Mask = Callable[..., CollectionMask]


class Recorder(Detector):
    """Says what it hears."""

    hears_wan: ClassVar[bool] = False

    def __init__(self) -> None:
        self.heard: list[Fact] = []
        self.ticks: list[float] = []

    @property
    def overflow(self) -> int:
        return 5

    def take(self, fact: Fact) -> Iterable[Noticed]:
        self.heard.append(fact)
        return [Noticed(ts=fact.ts, mac=fact.mac or "", signal=Signal.TTL, value="64/64")] if fact.mac else []

    def counted(self, counted: TalksCounted) -> Iterable[Noticed]:
        return [Noticed(ts=counted.ts, mac=talk.mac, signal=Signal.BUSY, value="tcp") for talk in counted.talks]

    def tick(self, ts: float) -> Iterable[Noticed]:
        self.ticks.append(ts)
        return ()


class WanRecorder(Recorder):
    hears_all: ClassVar[bool] = True
    hears_wan: ClassVar[bool] = True


class Picky(Recorder):
    hears = (FlowBegan, AnswerHeard)


def everything(facts: Any, mac: str, ts: float = 1000.0) -> list[Fact]:
    """A bit of all that is seen, with a word in every name that must not be seen elsewhere."""
    return [
        facts.ask(f"{CANARY}.dns.nextdns.io", mac=mac, ts=ts),
        facts.ask(f"{CANARY}.example", mac=mac, to="203.0.113.53", ts=ts),
        facts.ask("_dns.resolver.arpa", mac=mac, qtype=dns.SVCB, ts=ts),
        *(facts.ask(f"{CANARY}{number}.t.example", mac=mac, qtype=10, ts=ts) for number in range(9)),
        facts.told(f"{CANARY}.example", facts.alias(f"{CANARY}.example", f"{CANARY}.cdn.example"), mac=mac, ts=ts),
        facts.began("203.0.113.53", 853, mac=mac, ts=ts),
        facts.began("203.0.113.77", 443, mac=mac, ts=ts),
        facts.hello(f"{CANARY}.onion", mac=mac, ts=ts),
        facts.hello(None, mac=mac, dst="203.0.113.78", ts=ts),
    ]


def test_every_detector_starts_quiet(home: Home) -> None:
    assert len(detectors(home, Told())) >= 5
    assert Desk(home).overflow == 0


@pytest.mark.req("N2", "R67")
def test_of_a_third_party_nothing_leaves_and_of_nobody_a_name(home: Home, facts: Any, mask: Mask) -> None:
    desk = Desk(home)
    desk.set_mask(mask(facts.laptop), 0.0)
    told: list[Observation] = []
    for mac in (facts.phone, facts.laptop):
        for fact in everything(facts, mac):
            told += desk.take(fact, 1.0)
    talks = tuple(
        Talk(mac=mac, server="203.0.113.79", protocol=6, port=443, up=9, down=9) for mac in (facts.phone, facts.laptop)
    )
    told += desk.counted(TalksCounted(ts=1001.0, seconds=60.0, talks=talks), 1.0)
    told += desk.tick(1400.0, 1.0)
    assert {one.mac for one in told if isinstance(one, SignalSeen | ActivitySeen)} == {facts.laptop}
    assert len(told) == sum(isinstance(one, SignalSeen | ActivitySeen) for one in told)
    sent = encode(told).decode()
    assert CANARY not in sent
    assert facts.phone not in sent
    signals = {one.signal for one in told if isinstance(one, SignalSeen)}
    assert {
        Signal.RESOLVER_NAMED,
        Signal.OTHER_RESOLVER,
        Signal.DISCOVERY,
        Signal.DNS_TUNNEL,
        Signal.DOT,
        Signal.TOR_NAMED,
        Signal.NO_SNI,
    } <= signals
    (activity,) = [one for one in told if isinstance(one, ActivitySeen)]
    assert (activity.flows, activity.octets, activity.generation) == (2, 18, 3)


@pytest.mark.req("N2")
def test_without_leave_nothing_leaves_at_all(home: Home, facts: Any, mask: Mask) -> None:
    desk = Desk(home)
    assert [one for fact in everything(facts, facts.laptop) for one in desk.take(fact, 0.0)] == []
    desk.set_mask(mask(facts.laptop, lease=30.0), 0.0)
    assert [one for fact in everything(facts, facts.laptop, 2000.0) for one in desk.take(fact, 30.0)] == []
    assert desk.tick(3000.0, 31.0) == []


def test_a_flood_of_one_device_hides_no_signal_of_another(home: Home, facts: Any, mask: Mask) -> None:
    desk = Desk(home)
    desk.set_mask(mask(facts.laptop, facts.phone), 0.0)
    for number in range(3000):
        name, address = f"n{number}.x{number}.example", f"203.0.{number % 250}.{number // 250}"
        desk.take(facts.ask(name, mac=facts.phone, to=address, ts=1000.0 + number / 1000), 1.0)
        desk.take(facts.hello(name, mac=facts.phone, dst=address, ts=1000.0 + number / 1000), 1.0)
    assert desk.overflow > 0
    told = [one for fact in everything(facts, facts.laptop, 1004.0) for one in desk.take(fact, 1.0)]
    assert {Signal.RESOLVER_NAMED, Signal.OTHER_RESOLVER, Signal.DNS_TUNNEL, Signal.DOT} <= {
        one.signal for one in told if isinstance(one, SignalSeen) and one.mac == facts.laptop
    }


@pytest.mark.req("N11", "R11")
def test_a_flood_between_two_looks_hides_nothing_that_takes_time_to_see(home: Home, facts: Any, mask: Mask) -> None:
    """A tunnel, a QUIC connection without a hello, and another network's address: each is seen by its second look."""
    desk = Desk(home)
    desk.set_mask(mask(facts.laptop, facts.phone, lease=1e9), 0.0)
    foreign = msgspec.structs.replace(facts.began(), src="10.9.9.9")
    first = [facts.began("203.0.113.9", 443, protocol=17), foreign, facts.began("203.0.113.53", 53, sport=7777)]
    told = [one for fact in first for one in desk.take(fact, 1.0)]
    tunnel = Talk(mac=facts.laptop, server="203.0.113.8", protocol=6, port=22, up=10**6, down=10**6)
    for minute in range(6):
        ts = 1000.0 + minute * 60
        told += desk.counted(TalksCounted(ts=ts, seconds=60.0, talks=(tunnel,)), 1.0)
        for number in range(2500):
            address = f"203.{minute}.{number % 250}.{number // 250}"
            said = facts.began(address, 443, mac=facts.phone, protocol=17, ts=ts, sport=number)
            desk.take(msgspec.structs.replace(said, src=f"10.{minute}.{number % 250}.{number // 250}"), 1.0)
            desk.take(facts.began(address, 53, mac=facts.phone, ts=ts, sport=number), 1.0)
            desk.take(facts.hello(None, mac=facts.phone, dst=address, ts=ts), 1.0)
            talk = Talk(mac=facts.phone, server=address, protocol=17, port=number, up=10**5, down=10**5)
            desk.counted(TalksCounted(ts=ts, seconds=60.0, talks=(talk,)), 1.0)
        if minute == 0:
            told += desk.take(facts.ask("a.example", to="203.0.113.53", sport=7777, ts=1001.0), 1.0)
        told += desk.take(msgspec.structs.replace(foreign, ts=ts + 1), 1.0)
        told += desk.tick(ts + 6, 1.0)
    seen = {(one.signal, one.value) for one in told if isinstance(one, SignalSeen) and one.mac == facts.laptop}
    assert seen >= {
        (Signal.BUSY, "tcp"),
        (Signal.QUIC_UNNAMED, "hidden"),
        (Signal.TETHER, "10.9.9.0/24"),
        (Signal.OTHER_RESOLVER, "tcp"),
    }
    assert desk.overflow > 0


def test_packet_time_goes_on_with_facts_and_by_itself(home: Home, facts: Any) -> None:
    recorder = Recorder()
    desk = Desk(home, [recorder])
    for ts in (1000.0, 1000.5, 1001.0, 1003.0, 900.0):
        desk.take(facts.began(ts=ts), 0.0)
    desk.tick(1004.0, 0.0)
    assert recorder.ticks == [1000.0, 1001.0, 1003.0, 900.0, 1004.0]
    assert desk.overflow == 5


def test_a_detector_is_shown_only_what_it_hears(home: Home, facts: Any, mask: Mask) -> None:
    recorder = Picky()
    desk = Desk(home, [recorder])
    desk.set_mask(mask(facts.laptop), 0.0)
    shown = [facts.began(), facts.told("a.example")]
    for fact in [facts.ask("a.example"), *shown, facts.hello(None), facts.lease()]:
        desk.take(fact, 0.0)
    assert recorder.heard == shown


def test_the_providers_side_is_shown_only_to_who_asks(home: Home, facts: Any, mask: Mask) -> None:
    inside, outside = Recorder(), WanRecorder()
    desk = Desk(home, [inside, outside])
    desk.set_mask(mask(facts.laptop), 0.0)
    fact = msgspec.structs.replace(facts.began(), tap=Tap.WAN)
    (told,) = desk.take(fact, 1.0)
    assert isinstance(told, SignalSeen)
    assert (inside.heard, outside.heard) == ([], [fact])


def test_a_new_keeper_is_told_all_again(home: Home, facts: Any, mask: Mask) -> None:
    desk = Desk(home, [Resolvers(home)])
    desk.set_mask(mask(facts.laptop), 0.0)
    fact = facts.began("203.0.113.53", 853)
    assert [len(desk.take(fact, 1.0)) for _ in range(2)] == [1, 0]
    desk.forget()
    assert len(desk.take(fact, 1.0)) == 1


@pytest.mark.req("N2")
def test_detectors_are_shown_watched_devices_only_but_for_those_of_the_network(
    home: Home, facts: Any, mask: Mask
) -> None:
    recorder, every = Recorder(), WanRecorder()
    desk = Desk(home, [recorder, every])
    said = [facts.began(ts=1000.0 + number, mac=mac) for number, mac in enumerate((facts.phone, facts.laptop))]
    for fact in said:
        desk.take(fact, 0.0)
    assert (recorder.heard, every.heard) == ([], said)
    desk.set_mask(mask(facts.laptop), 0.0)
    for fact in said:
        desk.take(fact, 1000.0)
    assert recorder.heard == said[1:], "also while the mask has lapsed"
    desk.set_mask(mask(facts.phone), 1000.0)
    for fact in said:
        desk.take(fact, 1000.0)
    assert recorder.heard == [said[1], said[0]]


@pytest.mark.req("N2", "N11")
def test_invented_devices_fill_no_table_and_hide_nothing_of_a_watched_one(home: Home, facts: Any, mask: Mask) -> None:
    desk = Desk(home)
    desk.set_mask(mask(facts.laptop, network=True), 0.0)
    told: list[Observation] = []
    for number in range(12):
        told += desk.take(facts.ask(f"{number:x}ab4.t.example", qtype=10, ts=1000.0 + number), 1.0)
        for other in range(400):
            mac = f"02:00:5e:{number:02x}:{other // 256:02x}:{other % 256:02x}"
            for fact in everything(facts, mac, 1000.0 + number)[::4]:
                desk.take(fact, 1.0)
            talk = Talk(mac=mac, server="203.0.113.79", protocol=6, port=other, up=9**6, down=9**6)
            desk.counted(TalksCounted(ts=1000.0 + number, seconds=60.0, talks=(talk,)), 1.0)
    assert [one.value for one in told if isinstance(one, SignalSeen) and one.signal is Signal.DNS_TUNNEL]
    assert desk.overflow == desk._told.overflow, "only what was kept of devices that may be watched soon"
    assert desk._told.knows_name(facts.laptop, "0ab4.t.example", 1012.0)
