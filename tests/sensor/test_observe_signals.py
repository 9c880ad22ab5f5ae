"""Names of answers, signals and activity: what leaves of them, and for whom."""

from __future__ import annotations

import pytest

from appliance.messages import ActivitySeen, CollectionMask, How, NameLookedUp, Observation, SignalSeen, TraitSeen, Via
from appliance.sensor.facts import Kind, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.observe import Observer
from appliance.sensor.packet import dns
from appliance.traits import Trait

LAPTOP, PHONE = "00:00:5e:00:53:10", "00:00:5e:00:53:01"


def question(*names: str, ts: float = 1000.0) -> MessageHeard:
    message = dns.Message(
        id=1,
        response=False,
        opcode=0,
        rcode=0,
        questions=tuple(dns.Question(name=name, qtype=1) for name in names),
        answers=(),
        complete=True,
    )
    return MessageHeard(
        ts=ts,
        tap=Tap.DNS,
        mac=PHONE,
        via=Via.DNS,
        src="192.0.2.7",
        sport=4000,
        dst="192.0.2.1",
        dport=53,
        kind=Kind.DNS,
        message=message,
    )


def mask(*macs: str, generation: int = 3, lease: float = 30.0) -> CollectionMask:
    return CollectionMask(generation=generation, names=macs, lease=lease)


def names(observations: list[Observation]) -> list[NameLookedUp]:
    return [said for said in observations if isinstance(said, NameLookedUp)]


@pytest.fixture
def observer() -> Observer:
    return Observer()


def answered(name: str, *aliases: str, ts: float = 1000.5, mac: str | None = None) -> MessageHeard:
    """The answer to `question(name)`, as the tap behind the resolver shows it: without a hardware address."""
    chain = (name, *aliases)
    message = dns.Message(
        id=1,
        response=True,
        opcode=0,
        rcode=0,
        questions=(dns.Question(name=name, qtype=1),),
        answers=tuple(
            dns.Answer(name=at, rtype=dns.CNAME, ttl=60, value=to) for at, to in zip(chain, aliases, strict=False)
        ),
        complete=True,
    )
    return MessageHeard(
        ts=ts,
        tap=Tap.DNS,
        mac=mac,
        via=Via.DNS,
        src="192.0.2.1",
        sport=53,
        dst="192.0.2.7",
        dport=4000,
        kind=Kind.DNS,
        message=message,
    )


@pytest.mark.req("R24")
def test_names_of_an_answer_are_its_askers(observer: Observer) -> None:
    observer.set_mask(mask(PHONE), 0.0)
    observer.take(question("a.example"), 1.0)
    said = observer.take(answered("a.example", "b.example", "c.test"), 1.0)
    assert said == [
        NameLookedUp(
            ts=1000.5,
            mac=PHONE,
            name=name,
            how=How.ANSWER,
            generation=3,
            server="192.0.2.1",
            asked="a.example",
        )
        for name in ("b.example", "c.test")
    ], "and it shows nobody to be there"


@pytest.mark.req("R24", "R26")
def test_the_same_alias_again_at_once_is_one(observer: Observer) -> None:
    observer.set_mask(mask(PHONE), 0.0)
    for ts in (1000.0, 1000.3, 1002.0):
        observer.take(question("a.example", ts=ts), 1.0)
        found = names(observer.take(answered("a.example", "b.example", ts=ts + 0.1), 1.0))
        assert len(found) == (ts != 1000.3)


@pytest.mark.req("N2", "R67")
def test_an_answer_says_nothing_of_who_may_not_be_named(observer: Observer) -> None:
    observer.set_mask(mask(LAPTOP), 0.0)
    observer.take(question("a.example"), 1.0)
    assert observer.take(answered("a.example", "captive.apple.com"), 1.0) == []
    observer.set_mask(mask(PHONE), 2.0)
    observer.take(question("a.example", ts=1010.0), 3.0)
    assert observer.take(answered("a.example", "b.example", ts=1010.1), 32.0) == [], "the mask has lapsed"


def test_an_answer_that_nobody_asked_for_says_nothing(observer: Observer) -> None:
    observer.set_mask(mask(PHONE), 0.0)
    assert observer.take(answered("a.example", "b.example"), 1.0) == []
    assert observer.unasked == 1


@pytest.mark.req("R18", "N10")
def test_signals_and_activity_have_a_leave_of_their_own(observer: Observer) -> None:
    observer.set_mask(CollectionMask(generation=4, names=(), signs=(PHONE,), lease=30.0), 0.0)
    said = observer.take(question("dns.quad9.net"), 1.0) + observer.tick(1400.0, 1.0)
    assert names(said) == []
    assert {one.signal for one in said if isinstance(one, SignalSeen)} >= {"resolver-named"}
    (activity,) = [one for one in said if isinstance(one, ActivitySeen)]
    assert (activity.mac, activity.classes, activity.generation) == (PHONE, {"resolver": 1}, 4)
    observer.set_mask(mask(PHONE, generation=5), 2.0)
    said = observer.take(question("dns.quad9.net", ts=1500.0), 3.0) + observer.tick(2000.0, 3.0)
    assert [one.name for one in names(said)] == ["dns.quad9.net"]
    assert not [one for one in said if isinstance(one, SignalSeen | ActivitySeen)]


def test_a_new_keeper_is_told_traits_and_signals_again(observer: Observer) -> None:
    observer.set_mask(CollectionMask(generation=4, names=(), signs=(PHONE,), lease=30.0), 0.0)
    asked = question("a.logs.roku.com", "dns.quad9.net")
    for _ in range(2):
        said = observer.take(asked, 1.0)
        shown = [(one.trait, one.value) for one in said if isinstance(one, TraitSeen)]
        assert shown == [(Trait.PLATFORM, "roku")]
        assert [one for one in said if isinstance(one, SignalSeen)]
        observer.forget()
