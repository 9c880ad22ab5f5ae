from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from appliance.sensor.facts import Fact, Kind
from appliance.sensor.home import Home
from appliance.sensor.packet import dns, svcb
from appliance.sensor.signals import unasked
from appliance.sensor.signals.detector import Noticed
from appliance.sensor.signals.told import Told
from appliance.sensor.signals.unasked import Unasked
from appliance.signals import Signal


class Ears:
    """The memory and the detector, in the order in which they hear."""

    def __init__(self, home: Home) -> None:
        self.told = Told()
        self.detector = Unasked(home, self.told)

    def hear(self, said: Iterable[Fact]) -> list[Noticed]:
        found: list[Noticed] = []
        for fact in said:
            self.told.take(fact)
            found += self.detector.take(fact)
        return found


@pytest.fixture
def ears(home: Home) -> Ears:
    return Ears(home)


def visits(facts: Any, names: Iterable[str], **more: Any) -> list[Fact]:
    return [facts.hello(name, dst=f"198.51.100.{number}", **more) for number, name in enumerate(names, 10)]


@pytest.fixture
def known(ears: Ears, facts: Any) -> Ears:
    """The laptop has been heard for more than an hour."""
    ears.hear([facts.ask("long-ago.example", ts=-3600.0)])
    return ears


@pytest.mark.req("N10", "R18")
def test_a_device_that_shows_names_it_never_asked_for_asks_elsewhere(known: Ears, facts: Any) -> None:
    names = [f"n{number}.example" for number in range(6)]
    found = known.hear(visits(facts, names))
    assert [(one.signal, one.value, one.server) for one in found] == [(Signal.DOH, "unasked", None)] * 4
    assert known.hear(visits(facts, names, ts=1100.0)) == [], "the same names again are no further ones"


@pytest.mark.req("N10", "R18")
def test_of_a_device_that_has_just_come_more_is_wanted(ears: Ears, facts: Any) -> None:
    names = [f"n{number}.example" for number in range(7)]
    assert len(ears.hear([facts.lease(), *visits(facts, names)])) == 3


def test_a_device_that_asks_the_box_does_not(ears: Ears, facts: Any) -> None:
    names = [f"n{number}.example" for number in range(20)]
    said: list[Fact] = [facts.lease()]
    for name in names:
        said += [facts.ask(name), facts.hello(name)]
    assert ears.hear(said) == []


def test_an_alias_or_an_address_that_was_told_is_enough(ears: Ears, facts: Any) -> None:
    said: list[Fact] = [facts.lease()]
    for number in range(10):
        asked, alias, address = f"n{number}.example", f"c{number}.cdn.example", f"198.51.100.{number}"
        said.append(facts.told(asked, facts.alias(asked, alias), facts.address(alias, address)))
        said.append(facts.hello(alias))
        said.append(facts.hello(f"made-up-{number}.example", dst=address))
    assert ears.hear(said) == []


def test_what_a_device_knew_before_it_was_heard_says_nothing(ears: Ears, facts: Any) -> None:
    names = [f"n{number}.example" for number in range(6)]
    assert ears.hear([facts.ask("a.example"), *visits(facts, names)]) == []
    assert ears.hear(visits(facts, [f"m{number}.example" for number in range(6)], ts=4700.0)), "after an hour it does"


def test_a_few_among_many_say_nothing(known: Ears, facts: Any) -> None:
    said: list[Fact] = []
    for number in range(12):
        said += [facts.ask(f"n{number}.example"), facts.hello(f"n{number}.example", dst=f"198.51.100.{100 + number}")]
    assert known.hear([*said, *visits(facts, [f"m{number}.example" for number in range(8)])]) == []


def test_a_window_that_is_long_ago_does_not_count(known: Ears, facts: Any) -> None:
    said: list[Fact] = []
    for number in range(6):
        ts = 1000.0 + number * (unasked.WINDOW_SECONDS / 2 + 1)
        said += [facts.hello(f"m{number}.example", dst=f"198.51.100.{number}", ts=ts)]
    assert known.hear(said) == []


def test_requests_and_quic_count_and_calls_and_neighbours_do_not(known: Ears, facts: Any) -> None:
    names = [f"n{number}.example" for number in range(4)]
    assert not known.hear(visits(facts, names, kind=Kind.DTLS_CLIENT_HELLO))
    assert not known.hear([facts.hello(name, dst=f"192.0.2.{number}") for number, name in enumerate(names, 9)])
    assert known.hear(visits(facts, names[:2], kind=Kind.QUIC_CLIENT_HELLO)) == []
    assert known.hear([facts.request(names[2], dst="198.51.100.77")])


def test_a_resolvers_own_name_is_told_by_its_own_signal(known: Ears, facts: Any) -> None:
    names = [*(f"n{number}.example" for number in range(3)), "dns.google"]
    assert len(known.hear(visits(facts, names))) == 1


def test_several_names_behind_one_proxy_are_its_own_matter(known: Ears, facts: Any) -> None:
    names = [f"n{number}.example" for number in range(40)]
    assert known.hear([facts.request(name, dst="198.51.100.8") for name in names]) == []
    assert known.hear([facts.hello(f"s.{name}", dst="198.51.100.8", dport=1080) for name in names]) == []


def test_names_that_tor_invents_and_numbers_in_a_names_place_are_no_such_names(known: Ears, facts: Any) -> None:
    guards = [f"www.{word}.com" for word in ("x4kq7zb2n", "bcdfghjklm", "q7xzrt2wvk", "ztlkqwmnbv")]
    assert known.hear(visits(facts, guards, alpn=())) == []
    numbers = [f"203.0.113.{number}" for number in range(5)]
    assert known.hear(visits(facts, numbers)) == []
    assert known.hear(visits(facts, guards, alpn=(b"h2",))), "a browser's hello is another matter"


@pytest.mark.req("N10")
def test_a_resolver_in_the_household_asks_for_the_device(known: Ears, facts: Any) -> None:
    said: list[Fact] = []
    for number in range(30):
        name, ts = f"n{number}.example", 1000.0 + number
        if number % 3 == 0:  # what it has not in its memory
            said.append(facts.ask(name, mac=facts.phone, ts=ts - 0.05))
        said.append(facts.hello(name, dst=f"198.51.100.{number}", ts=ts))
    assert known.hear(said) == []


def test_the_same_page_opened_by_another_device_by_chance_hides_little(known: Ears, facts: Any) -> None:
    said: list[Fact] = []
    for number in range(12):
        name, ts = f"n{number}.example", 1000.0 + number
        if number == 1:
            said.append(facts.ask(name, mac=facts.phone, ts=ts - 0.05))
        said.append(facts.hello(name, dst=f"198.51.100.{number}", ts=ts))
    assert len(known.hear(said)) == 9


@pytest.mark.req("N10")
def test_everyday_ways_to_a_page_say_nothing(ears: Ears, facts: Any) -> None:
    """One device's evening: each way by which a name is shown that was not asked for just now."""
    ears.hear([facts.lease()])
    said: list[Fact] = []
    for number in range(20):
        name, address, ts = f"n{number}.example", f"198.51.100.{number}", 1000.0 + number
        hints = svcb.Svcb(priority=1, target="", ipv4hint=(address,), ipv6hint=(f"2001:db8:2::{number}",))
        said += [
            facts.told(name, dns.Answer(name=name, rtype=dns.HTTPS, ttl=60, value=name, data=hints), ts=ts),
            facts.hello(name, dst=f"2001:db8:2::{number}", ts=ts),  # the hint, and the other family after it
            facts.hello(name, dst=address, ts=ts),
            facts.hello(f"other-{name}", dst=address, ts=ts),  # a connection that serves a second name
            facts.ask(f"lost-{name}", ts=ts),  # an answer that was lost
            facts.hello(f"lost-{name}", dst=f"203.0.113.{number}", ts=ts, kind=Kind.QUIC_CLIENT_HELLO),
            facts.ask(f"else-{name}", to="203.0.113.253", ts=ts),  # another resolver's address: the box answers
            facts.hello(f"else-{name}", dst=f"203.0.113.{number + 100}", ts=ts),
        ]
    said += visits(facts, ["router.example", "printer.example", "nas.example"], ts=1021.0)  # a file of the system
    assert ears.hear(said) == []
    later = [facts.hello(f"lost-n{number}.example", dst=f"203.0.113.{number}", ts=50_000.0) for number in range(20)]
    assert ears.hear(later) == [], "kept since the morning"


@pytest.mark.req("N10")
def test_a_laptop_that_wakes_after_the_router_was_away_says_nothing(ears: Ears, facts: Any) -> None:
    """It asks for its lease again, and goes on with what it was told before: pages that stand open, then new ones."""
    old = visits(facts, [f"open{number}.example" for number in range(4)], ts=1001.0)
    assert ears.hear([facts.lease(), *old]) == []
    said: list[Fact] = []
    for number in range(6):
        said += [facts.ask(f"n{number}.example", ts=1002.0), facts.hello(f"n{number}.example", ts=1003.0)]
    more = [facts.hello(f"more{number}.example", dst=f"203.0.113.{number}", ts=1100.0) for number in range(5)]
    assert ears.hear([*said, *more]) == []


def test_devices_and_names_are_bounded_and_hide_nobody(known: Ears, facts: Any) -> None:
    known.hear(visits(facts, ["n0.example", "n1.example"]))
    flood = [facts.hello(f"f{number}.example", mac=facts.phone) for number in range(5000)]
    known.hear(flood)
    assert known.hear([facts.hello("n2.example", dst="198.51.100.99")])
    names = known.detector._shown.get(facts.phone, 1000.0)
    assert names is not None
    assert len(names) == unasked.MAX_NAMES
    for number in range(unasked.MAX_DEVICES):
        known.hear([facts.hello("a.example", mac=f"02:00:5e:10:{number // 256:02x}:{number % 256:02x}")])
    assert len(known.detector._shown) == unasked.MAX_DEVICES
    assert known.detector.overflow == 2
