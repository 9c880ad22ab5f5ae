from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from appliance.sensor.facts import Fact, Kind
from appliance.sensor.home import Home
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


@pytest.mark.req("N10", "R18")
def test_a_device_that_shows_names_it_never_asked_for_asks_elsewhere(ears: Ears, facts: Any) -> None:
    names = [f"n{number}.example" for number in range(6)]
    found = ears.hear([facts.lease(), *visits(facts, names)])
    assert [(one.signal, one.value, one.server) for one in found] == [(Signal.DOH, "unasked", None)] * 4
    assert ears.hear(visits(facts, names, ts=1100.0)) == [], "the same names again are no further ones"


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


def test_a_few_among_many_say_nothing(ears: Ears, facts: Any) -> None:
    said: list[Fact] = [facts.lease()]
    for number in range(12):
        said += [facts.ask(f"n{number}.example"), facts.hello(f"n{number}.example", dst=f"198.51.100.{100 + number}")]
    assert ears.hear([*said, *visits(facts, [f"m{number}.example" for number in range(8)])]) == []


def test_a_window_that_is_long_ago_does_not_count(ears: Ears, facts: Any) -> None:
    said: list[Fact] = [facts.lease()]
    for number in range(6):
        ts = 1000.0 + number * (unasked.WINDOW_SECONDS / 2 + 1)
        said += visits(facts, [f"m{number}.example"], ts=ts)
    assert ears.hear(said) == []


def test_requests_and_quic_count_and_calls_and_neighbours_do_not(ears: Ears, facts: Any) -> None:
    names = [f"n{number}.example" for number in range(4)]
    assert not ears.hear([facts.lease(), *visits(facts, names, kind=Kind.DTLS_CLIENT_HELLO)])
    assert not ears.hear([facts.hello(name, dst="192.0.2.9") for name in names])
    assert ears.hear(visits(facts, names[:2], kind=Kind.QUIC_CLIENT_HELLO)) == []
    assert ears.hear([facts.request(names[2], dst="198.51.100.77")])


def test_a_resolvers_own_name_is_told_by_its_own_signal(ears: Ears, facts: Any) -> None:
    names = [*(f"n{number}.example" for number in range(3)), "dns.google"]
    assert len(ears.hear([facts.lease(), *visits(facts, names)])) == 1


def test_devices_and_names_are_bounded_and_hide_nobody(ears: Ears, facts: Any) -> None:
    ears.hear([facts.lease(), *visits(facts, ["n0.example", "n1.example"])])
    flood = [facts.hello(f"f{number}.example", mac=facts.phone) for number in range(5000)]
    ears.hear(flood)
    assert ears.hear([facts.hello("n2.example", dst="198.51.100.99")])
    names = ears.detector._shown.get(facts.phone, 1000.0)
    assert names is not None
    assert len(names) == unasked.MAX_NAMES
    for number in range(unasked.MAX_DEVICES):
        ears.hear([facts.hello("a.example", mac=f"02:00:5e:10:{number // 256:02x}:{number % 256:02x}")])
    assert len(ears.detector._shown) == unasked.MAX_DEVICES
    assert ears.detector.overflow == 2
