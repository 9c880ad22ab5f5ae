from __future__ import annotations

from typing import Any

import pytest

from appliance.messages import ActivitySeen, Talk, TalksCounted
from appliance.sensor.facts import Fact
from appliance.sensor.home import Home
from appliance.sensor.packet import dns
from appliance.sensor.signals import activity
from appliance.sensor.signals.activity import Activity
from appliance.sensor.signals.told import Told


class Counting:
    """The memory and the counts, in the order in which they hear."""

    def __init__(self, home: Home) -> None:
        self.told = Told()
        self.activity = Activity(home, self.told)

    def hear(self, *said: Fact) -> None:
        for fact in said:
            self.told.take(fact)
            self.activity.take(fact)

    def at(self, ts: float) -> list[ActivitySeen]:
        return list(self.activity.tick(ts, 7))


@pytest.fixture
def counting(home: Home, facts: Any) -> Counting:
    made = Counting(home)
    made.activity.allow(frozenset({facts.laptop}))
    return made


@pytest.mark.req("N10")
def test_named_and_unnamed_connections_are_told_apart(counting: Counting, facts: Any) -> None:
    counting.hear(
        facts.told("a.example", facts.address("a.example", "198.51.100.1")),
        facts.began("198.51.100.1", sport=1),
        facts.began("198.51.100.2", sport=2),
        facts.hello("b.example", dst="198.51.100.2", sport=2),
        facts.began("198.51.100.3", sport=3),
        facts.request("c.example", dst="198.51.100.3", sport=4),
        facts.began("198.51.100.4", sport=5, ts=1200.0),
        facts.hello(None, dst="198.51.100.4", sport=5, ts=1200.0),
    )
    assert counting.at(1299.0) == []
    assert counting.at(1300.0) == [
        ActivitySeen(
            ts=1200.0,
            since=1000.0,
            mac=facts.laptop,
            generation=7,
            flows=4,
            unnamed=2,
            octets=0,
            unnamed_octets=0,
            classes={},
            others=0,
        )
    ]
    assert counting.at(1700.0) == [], "silent times are not told"
    counting.hear(facts.began("198.51.100.2", ts=1800.0))
    assert [one.unnamed for one in counting.at(2100.0)] == [0], "a name was shown there before"


def test_what_stays_in_the_household_or_asks_the_box_is_no_connection(counting: Counting, facts: Any) -> None:
    counting.hear(
        facts.began("192.0.2.9"),
        facts.began("239.255.255.250", 1900, protocol=17),
        facts.began("fe80::1"),
        facts.began("2001:db8:1::9"),
        facts.began("203.0.113.53", 53),
        facts.lease(),
    )
    assert counting.at(1300.0) == []


def test_look_ups_are_counted_once_and_by_class(counting: Counting, facts: Any) -> None:
    for qtype in (dns.A, dns.AAAA, dns.HTTPS):
        counting.hear(facts.ask("www.news.example", qtype=qtype), facts.ask("1-courier.push.apple.com", qtype=qtype))
    counting.hear(
        facts.ask("www.news.example", ts=1060.0),
        facts.ask("captive.apple.com", ts=1060.0),
        facts.told("www.news.example", facts.address("www.news.example", "198.51.100.1"), ts=1060.0),
    )
    (said,) = counting.at(1300.0)
    assert (said.classes, said.others, said.flows) == ({"push": 1, "captive": 1}, 2, 0)


def test_octets_are_split_by_what_the_device_was_told(counting: Counting, facts: Any) -> None:
    counting.hear(facts.told("a.example", facts.address("a.example", "198.51.100.1")))
    talks = (
        Talk(mac=facts.laptop, server="198.51.100.1", protocol=6, port=443, up=10, down=100),
        Talk(mac=facts.laptop, server="198.51.100.2", protocol=17, port=443, up=1, down=7),
        Talk(mac=facts.laptop, server="192.0.2.9", protocol=6, port=445, up=5, down=5),
        Talk(mac=facts.phone, server="198.51.100.2", protocol=6, port=443, up=5, down=5),
    )
    counting.activity.counted(TalksCounted(ts=1060.0, seconds=60.0, talks=talks))
    (said,) = counting.at(1400.0)
    assert (said.mac, said.octets, said.unnamed_octets) == (facts.laptop, 118, 8)


@pytest.mark.req("N2", "R67")
def test_nothing_is_counted_of_who_may_not_be(counting: Counting, facts: Any) -> None:
    counting.hear(facts.began(mac=facts.phone), facts.ask("a.example", mac=facts.phone))
    assert counting.at(1300.0) == []
    counting.hear(facts.began(ts=1300.0))
    counting.activity.allow(frozenset({facts.phone}))
    assert len(counting.activity) == 0
    assert counting.at(1600.0) == []
    counting.hear(facts.began(mac=facts.phone, ts=1600.0))
    (said,) = counting.at(1900.0)
    assert (said.mac, said.since, said.flows) == (facts.phone, 1600.0, 1), "from when it was allowed, not before"


def test_connections_that_wait_for_a_name_are_bounded(counting: Counting, facts: Any) -> None:
    for sport in range(activity.MAX_UNNAMED + 10):
        counting.hear(facts.began("198.51.100.2", sport=sport))
    counting.hear(facts.hello("a.example", dst="198.51.100.2", sport=0))
    counting.hear(facts.hello("a.example", dst="198.51.100.2", sport=activity.MAX_UNNAMED))
    (said,) = counting.at(1300.0)
    assert (said.flows, said.unnamed) == (activity.MAX_UNNAMED + 10, activity.MAX_UNNAMED + 9)


def test_look_ups_remembered_are_bounded(counting: Counting, facts: Any) -> None:
    for number in range(activity.MAX_LOOKUPS * 3):
        counting.hear(facts.ask(f"n{number}.example"))
    assert len(counting.activity._windows[facts.laptop].lookups) == activity.MAX_LOOKUPS
    (said,) = counting.at(1300.0)
    assert said.others == activity.MAX_LOOKUPS * 3
