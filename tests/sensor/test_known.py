from __future__ import annotations

from collections import Counter
from ipaddress import ip_address, ip_network

import pytest

from appliance.sensor import known
from appliance.sensor.classes import CLASSES, name_class
from appliance.sensor.known import Known, Purpose, named, resolver_at, resolvers, services


def test_the_tables_are_in_their_one_spelling() -> None:
    names = [name for entry in resolvers() for name in entry.names]
    names += [name for entry in services() for name in entry.names]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert [name for name in names if name != name.lower().strip(".")] == []
    addresses = [address for entry in resolvers() for address in entry.addresses]
    assert [one for one, count in Counter(addresses).items() if count > 1] == []
    for address in addresses:
        assert str(ip_network(address)) in {address, f"{address}/32", f"{address}/128"}
    assert len({entry.word for entry in resolvers()}) == len(resolvers()) >= 40
    assert all(entry.names or entry.addresses for entry in resolvers())
    assert {entry.kind for entry in services()} == set(Purpose) - {Purpose.RESOLVER}


def test_every_entry_matches_itself_and_below_and_never_above() -> None:
    for entry in resolvers():
        for name in entry.names:
            assert named(name) == named(f"x.{name}") == Known(Purpose.RESOLVER, entry.word)
            assert named(f"x{name}") is None or named(f"x{name}") == named(name.partition(".")[2])
        for address in entry.addresses:
            assert resolver_at(str(next(iter(ip_network(address))))) == entry.word


@pytest.mark.parametrize("name", ["", "google", "com", "icloud.com", "umbrella.com", "mozilla.org", "org", "example"])
def test_what_the_tables_do_not_name(name: str) -> None:
    assert named(name) is None


@pytest.mark.parametrize("address", ["192.0.2.1", "8.8.8.9", "2001:db8::1", "", "no address", "8.8.8.8.8"])
def test_addresses_of_nobody(address: str) -> None:
    assert resolver_at(address) is None


def test_an_address_is_found_however_it_is_written() -> None:
    assert resolver_at(str(ip_address("2606:4700:4700:0:0:0:0:1111"))) == "cloudflare"
    assert resolver_at("45.90.28.200") == "nextdns"


def test_what_a_resolvers_name_is_elsewhere_in_the_house_agrees() -> None:
    """The closed class for presence and the table's word never speak of different things."""
    assert "resolver" in CLASSES
    for name in ("dns.google", "dns.quad9.net", "use-application-dns.net"):
        assert name_class(name) == "resolver"
        assert named(name) is not None
    assert name_class("mask.icloud.com") == "relay"


def test_remembered_addresses_are_bounded() -> None:
    resolver_at.cache_clear()
    for number in range(known._CACHED + 10):
        resolver_at(f"198.51.{number // 250}.{number % 250}")
    assert resolver_at.cache_info().currsize == known._CACHED
