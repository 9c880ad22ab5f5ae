"""What a device was told itself, for how long, and what a flood pushes out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from appliance.sensor.facts import Kind
from appliance.sensor.packet import dhcp6, dns, svcb
from appliance.sensor.packet.cursor import Cursor
from appliance.sensor.signals import told
from appliance.sensor.signals.told import Told


@pytest.fixture
def memory() -> Told:
    return Told()


def test_an_answer_counts_for_an_hour_at_least_and_a_day_at_most(memory: Told, facts: Any) -> None:
    memory.take(facts.told("a.example", facts.address("a.example", "198.51.100.1", ttl=5)))
    memory.take(facts.told("b.example", facts.address("b.example", "2001:db8::1", ttl=7200)))
    memory.take(facts.told("c.example", facts.address("c.example", "198.51.100.3", ttl=2**31)))
    for address, seconds in (("198.51.100.1", 3600), ("2001:db8::1", 7200), ("198.51.100.3", 86400)):
        assert memory.gave_address(facts.laptop, address, 1000.0 + seconds)
        assert not memory.gave_address(facts.laptop, address, 1001.0 + seconds)


def test_only_the_device_itself_was_told(memory: Told, facts: Any) -> None:
    memory.take(facts.told("a.example", facts.address("a.example", "198.51.100.1")))
    memory.take(facts.ask("a.example"))
    assert not memory.gave_address(facts.phone, "198.51.100.1", 1001.0)
    assert not memory.knows_name(facts.phone, "a.example", 1001.0)
    assert memory.knows_name(facts.laptop, "a.example", 1001.0)


def test_aliases_and_targets_count_as_asked_for(memory: Told, facts: Any) -> None:
    service = svcb.Svcb(priority=1, target="t.example", ipv4hint=("198.51.100.4",), ipv6hint=("2001:db8::4",))
    server = dns.Srv(priority=1, weight=1, port=5061, target="s.example")
    memory.take(
        facts.told(
            "a.example",
            facts.alias("a.example", "b.example"),
            dns.Answer(name="b.example", rtype=dns.HTTPS, ttl=1, value="t.example", data=service),
            dns.Answer(name="b.example", rtype=dns.SRV, ttl=1, value="s.example", data=server),
            dns.Answer(name="b.example", rtype=dns.TXT, ttl=1, value=None, data=(b"x",)),
        )
    )
    assert all(memory.knows_name(facts.laptop, f"{name}.example", 1001.0) for name in "bts")
    assert memory.gave_address(facts.laptop, "198.51.100.4", 1001.0)
    assert memory.gave_address(facts.laptop, "2001:db8::4", 1001.0)


def test_a_translated_address_counts_as_the_one_inside(memory: Told, facts: Any) -> None:
    memory.take(facts.told("a.example", facts.address("a.example", "64:ff9b::c633:6401")))
    assert memory.gave_address(facts.laptop, "198.51.100.1", 1001.0)


def test_an_address_where_a_name_was_shown_is_known_but_was_not_given(memory: Told, facts: Any) -> None:
    memory.shown(facts.hello("a.example"))
    assert memory.knows_address(facts.laptop, "198.51.100.9", 1001.0)
    assert not memory.gave_address(facts.laptop, "198.51.100.9", 1001.0)


def test_a_device_that_joins_afresh_is_known_and_others_are_after_an_hour(memory: Told, facts: Any) -> None:
    assert not memory.is_whole(facts.laptop, 1000.0)
    memory.take(facts.ask("a.example"))
    assert not memory.is_whole(facts.laptop, 4599.0)
    assert memory.is_whole(facts.laptop, 4600.0)
    assert not memory.has_joined(facts.laptop)
    memory.take(facts.lease(mac=facts.phone))
    assert memory.has_joined(facts.phone)
    assert not memory.is_whole(facts.phone, 1000.0)


@pytest.mark.parametrize(("client_ip", "whole"), [(bytes(4), True), (bytes((192, 0, 2, 7)), False)])
def test_renewing_a_lease_is_no_joining(memory: Told, facts: Any, client_ip: bytes, whole: bool) -> None:
    lease = facts.lease()
    memory.take(msgspec.structs.replace(lease, message=msgspec.structs.replace(lease.message, client_ip=client_ip)))
    assert memory.has_joined(facts.laptop) is whole


@pytest.mark.parametrize(("kind", "whole"), [(1, True), (4, True), (5, False), (11, False), (7, False)])
def test_joining_over_ipv6(memory: Told, facts: Any, kind: int, whole: bool) -> None:
    solicit = bytes((kind, 0, 0, 1)) + b"\0\1\0\x0a\0\3\0\1\0\0\x5e\0\x53\1"
    message = dhcp6.parse(Cursor(solicit))
    memory.take(msgspec.structs.replace(facts.lease(), kind=Kind.DHCP6, message=message))
    assert memory.has_joined(facts.laptop) is whole


def test_names_of_a_device_are_bounded_and_push_out_its_own(
    memory: Told, facts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "MAX_EACH", 50)
    memory.watch(frozenset({facts.laptop}))
    memory.take(facts.ask("kept.example", mac=facts.phone))
    for number in range(53):
        memory.take(facts.ask(f"n{number}.example"))
    assert len(memory) == 51
    assert memory.overflow == 3
    assert not memory.knows_name(facts.laptop, "n2.example", 1001.0)
    assert memory.knows_name(facts.laptop, "n3.example", 1001.0)
    assert memory.knows_name(facts.phone, "kept.example", 1001.0)


def test_what_is_over_all_goes_from_who_holds_most(memory: Told, facts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "MAX_ALL", 20)
    memory.watch(frozenset({facts.laptop, facts.phone}))
    for number in range(18):
        memory.take(facts.ask(f"n{number}.example"))
    for number in range(6):
        memory.take(facts.ask(f"p{number}.example", mac=facts.phone))
    assert len(memory) == 20
    assert all(memory.knows_name(facts.phone, f"p{number}.example", 1001.0) for number in range(6))
    assert memory.overflow == 4


def test_invented_devices_are_bounded_and_push_out_nothing_of_a_watched_one(memory: Told, facts: Any) -> None:
    memory.watch(frozenset({facts.laptop}))
    memory.take(facts.ask("kept.example"))
    for number in range(told.MAX_OTHERS + 2):
        memory.take(facts.ask("a.example", mac=f"02:00:5e:10:{number // 256:02x}:{number % 256:02x}", ts=1001.0))
    assert len(memory) == told.MAX_OTHERS + 1
    assert memory.overflow == 2
    assert memory.knows_name(facts.laptop, "kept.example", 1001.0)


def test_who_is_watched_soon_keeps_what_it_was_told_and_who_is_no_longer_does_not(memory: Told, facts: Any) -> None:
    memory.take(facts.lease())
    memory.take(facts.ask("a.example"))
    memory.watch(frozenset({facts.laptop}))
    assert memory.has_joined(facts.laptop)
    assert memory.knows_name(facts.laptop, "a.example", 1001.0)
    memory.watch(frozenset({facts.phone}))
    assert not memory.has_joined(facts.laptop)
    assert not memory.knows_name(facts.laptop, "a.example", 1001.0)
    assert len(memory) == 0


def test_of_a_device_that_is_not_watched_little_is_kept_and_then_it_is_not_known(memory: Told, facts: Any) -> None:
    memory.take(facts.lease())
    for number in range(told.MAX_EACH_OTHER + 1):
        memory.take(facts.ask(f"n{number}.example"))
    assert len(memory) == told.MAX_EACH_OTHER
    assert memory.overflow == 1
    assert not memory.has_joined(facts.laptop)


def test_forgetting_what_was_out_of_date_is_no_overflow(
    memory: Told, facts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "MAX_EACH", 50)
    memory.watch(frozenset({facts.laptop}))
    for number in range(50):
        memory.take(facts.ask(f"n{number}.example"))
    memory.take(facts.ask("late.example", ts=1000.0 + told.NAME_SECONDS + 1))
    assert memory.overflow == 0
    assert len(memory) == 50


@pytest.mark.parametrize("by", [told.SET_SECONDS + 1, -told.SET_SECONDS - 1, 1.7e9])
def test_a_clock_that_was_set_makes_nobody_known(memory: Told, facts: Any, by: float) -> None:
    memory.watch(frozenset({facts.laptop}))
    memory.tick(1000.0)
    memory.take(facts.lease())
    memory.take(facts.ask("a.example"))
    memory.take(facts.ask("a.example", mac=facts.phone))
    memory.tick(1005.0)
    assert memory.has_joined(facts.laptop)
    memory.tick(1005.0 + by)
    assert len(memory) == 0
    assert not memory.has_joined(facts.laptop)
    memory.take(facts.ask("b.example", ts=1006.0 + by))
    assert not memory.is_whole(facts.laptop, 1006.0 + by)


def test_what_was_not_heard_makes_nobody_known(memory: Told, facts: Any) -> None:
    memory.watch(frozenset({facts.laptop}))
    for mac in (facts.laptop, facts.phone):
        memory.take(facts.lease(mac=mac))
        memory.take(facts.ask("a.example", mac=mac))
    memory.missed(5000.0)
    for mac in (facts.laptop, facts.phone):
        assert not memory.has_joined(mac)
        assert not memory.is_whole(mac, 5001.0)
        assert memory.is_whole(mac, 5000.0 + told.KEPT_SECONDS)
    assert memory.knows_name(facts.laptop, "a.example", 5001.0), "what was heard still counts"


def test_another_that_asked_a_moment_ago_is_remembered_for_that_moment(memory: Told, facts: Any) -> None:
    memory.take(facts.ask("a.example", mac=facts.phone))
    assert memory.another_asked(facts.laptop, "a.example", 1002.0)
    assert not memory.another_asked(facts.phone, "a.example", 1002.0)
    assert not memory.another_asked(facts.laptop, "b.example", 1002.0)
    assert not memory.another_asked(facts.laptop, "a.example", 1001.0 + told.LATELY_SECONDS)
