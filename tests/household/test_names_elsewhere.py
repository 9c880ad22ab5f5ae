"""Answers and resolvers as the real router shows them: real dnsmasq, real nftables, real taps, the sensor's own eyes.

Here the sensor is not a process: its taps are read in the test, which may see what would leave.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.messages import ActivitySeen, CollectionMask, How, NameLookedUp, Observation, SignalSeen
from appliance.sensor import home as own
from appliance.sensor.dissect import Dissector
from appliance.sensor.frame import Tap
from appliance.sensor.observe import Observer
from appliance.sensor.taps.nflog import NflogTap
from appliance.signals import Signal
from appliance.warden import taps
from firmware import names
from lab import addresses
from lab.client import Client
from lab.household import Household

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
_NETLINK_NETFILTER = 12
_SECONDS = 10.0


class Sensor:
    """The gateway's taps, and what leaves for the keeper."""

    def __init__(self, house: Household) -> None:
        self._dissector = Dissector()
        self.observer = Observer(own.load(house.household_file))
        self.told: list[Observation] = []
        self._taps = []
        for tap in (names.DNS, names.FLOW, names.CHATTER):  # what was asked before what it led to
            handle = house.gateway.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
            handle.bind((0, 0))
            handle.send(taps.configuration(tap))
            assert taps.refusal(handle.recv(4096)) == 0
            handle.setblocking(False)
            self._taps.append(NflogTap(Tap(tap.name), handle.detach()))

    def allow(self, *macs: str) -> None:
        mask = CollectionMask(generation=1, names=macs, signs=macs, lease=3600.0)
        self.observer.set_mask(mask, 0.0)

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        """The first observation that is wanted; what was told before counts."""
        deadline = time.monotonic() + _SECONDS
        while not (found := [one for one in self.told if wanted(one)]):
            heard = "\n".join([*map(repr, self.told), f"missed {[tap.counts.lost for tap in self._taps]}"])
            assert time.monotonic() < deadline, heard
            self.hear()
        return found[0]

    def hear(self) -> None:
        for tap in self._taps:
            for frame in tap.read(time.time(), datagrams=8):
                for fact in self._dissector.feed(frame):
                    self.told += self.observer.take(fact, 1.0)

    def close(self) -> None:
        for tap in self._taps:
            tap.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with Household(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def laptop(house: Household) -> Client:
    client = house.join("registered-laptop")
    client.lease()
    client.address6()
    return client


@pytest.fixture
def sensor(house: Household, laptop: Client) -> Iterator[Sensor]:
    made = Sensor(house)
    made.allow(laptop.mac)
    yield made
    made.close()


def _alias(name: str) -> Callable[[Any], bool]:
    return lambda one: isinstance(one, NameLookedUp) and one.how is How.ANSWER and one.name == name


def _signal(signal: Signal, value: str, server: str) -> Callable[[Any], bool]:
    return lambda one: (
        isinstance(one, SignalSeen) and one.signal is signal and one.value == value and one.server == server
    )


@pytest.mark.req("R24", "R26")
@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("family", [4, 6])
def test_an_answer_of_the_box_leads_to_the_names_behind_the_asked(
    house: Household, laptop: Client, sensor: Sensor, family: int, tcp: bool
) -> None:
    box = str(house.config.lan.address if family == 4 else house.prefix6[1])
    assert laptop.lookup("www.news.example", resolver=box, tcp=tcp)
    seen = sensor.until(_alias("edge-1.cdn.test"))
    assert (seen.mac, seen.asked, seen.server) == (laptop.mac, "www.news.example", box)
    # Of a chain that it heard over TCP, dnsmasq 2.90 remembers the first name and the last alias only, so an
    # alias between is in its answers in some orders of the tests.
    assert sensor.observer.unasked == 0
    assert not [one for one in sensor.told if isinstance(one, SignalSeen) and one.signal is Signal.OTHER_RESOLVER]


@pytest.mark.req("R18", "R24")
@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("other", addresses.OTHER_RESOLVER)
def test_a_resolver_elsewhere_is_seen_and_its_redirected_answer_still_finds_its_question(
    laptop: Client, sensor: Sensor, other: str, tcp: bool
) -> None:
    assert laptop.lookup("www.shop.example", resolver=other, tcp=tcp)
    seen = sensor.until(_signal(Signal.OTHER_RESOLVER, "tcp" if tcp else "udp", other))
    assert (seen.mac, seen.port, seen.count) == (laptop.mac, 53, 1)
    alias = sensor.until(_alias("edge-2.cdn.test"))
    assert (alias.asked, alias.server) == ("www.shop.example", other)
    assert sensor.observer.unasked == 0


def _visit(client: Client, name: str) -> None:
    """A page whose address the program knows by itself, as after asking a resolver of its own."""
    at = f"{name}:443:{addresses.site_of(name)[0]}"
    client.run(["curl", "--silent", "--insecure", "--max-time", "5", "--resolve", at, f"https://{name}/"], check=False)


@pytest.mark.req("R18", "N10")
def test_a_device_that_visits_what_it_never_asked_for_is_seen_to_ask_elsewhere(laptop: Client, sensor: Sensor) -> None:
    laptop._dhcp.forget()  # so that it asks as one that comes from elsewhere, and does not renew
    laptop.lease()
    laptop.browse("www.news.example")
    sensor.hear()
    for number in range(9):
        _visit(laptop, f"page-{number}.example")
    seen = sensor.until(lambda one: isinstance(one, SignalSeen) and one.signal is Signal.DOH)
    assert (seen.mac, seen.value, seen.server) == (laptop.mac, "unasked", None)
    sensor.until(lambda one: isinstance(one, NameLookedUp) and one.how is How.TLS and one.name == "page-8.example")
    activity = [one for one in sensor.observer.tick(time.time() + 301, 1.0) if isinstance(one, ActivitySeen)]
    assert [(one.mac, one.unnamed) for one in activity] == [(laptop.mac, 0)], "hellos that show a name are named"
    assert activity[0].flows >= 10
    assert activity[0].others >= 1


@pytest.mark.req("R18")
@pytest.mark.parametrize("other", addresses.OTHER_RESOLVER)
def test_dns_over_tls_is_seen_as_soon_as_it_is_tried(laptop: Client, sensor: Sensor, other: str) -> None:
    where = f"[{other}]:853" if ":" in other else f"{other}:853"
    laptop.run(["timeout", "3", "openssl", "s_client", "-connect", where, "-alpn", "dot"], check=False)
    seen = sensor.until(_signal(Signal.DOT, "syn", other))
    assert (seen.mac, seen.port) == (laptop.mac, 853)


@pytest.mark.req("R18")
def test_nothing_of_a_third_party_leaves(house: Household, laptop: Client, sensor: Sensor) -> None:
    guest = house.join("household-phone")
    guest.lease()
    for resolver in (None, addresses.OTHER_RESOLVER[0]):
        guest.lookup("www.news.example", resolver=resolver)
    guest.browse("www.shop.example", scheme="http")
    laptop.lookup("video.example", "HTTPS")
    sensor.until(lambda one: isinstance(one, NameLookedUp) and one.name == "video.example")
    leaving = [one for one in sensor.told if isinstance(one, NameLookedUp | SignalSeen)]
    assert {one.mac for one in leaving} == {laptop.mac}
    house.leave(guest)
