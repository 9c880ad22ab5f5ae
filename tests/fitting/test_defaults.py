from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.fitting.card import new_sticker
from appliance.fitting.defaults import (
    MAX_LAN,
    MAX_RADIOS,
    NETWORKS,
    RESOLVERS,
    free_network,
    household,
    own_mac,
    ula,
    wan_port,
)
from appliance.fitting.ports import Port
from firmware.household import TIME_SERVERS


def port(name: str, *, radio: bool = False, hardware: bool = True) -> Port:
    return Port(name=name, radio=radio, hardware=hardware)


@pytest.mark.req("R5")
def test_the_boards_own_socket_is_the_internets() -> None:
    assert wan_port([port("eth0"), port("eth1")]) == "eth0"
    assert wan_port([port("ens3"), port("ens4")]) == "ens3"
    assert wan_port([port("wlan0", radio=True)]) == "eth0"
    assert wan_port([]) == "eth0"


@pytest.mark.req("R5")
def test_a_modem_that_is_in_already_is_no_socket_of_the_home(service: Any) -> None:
    house = household([port("eth0"), port("eth1"), port("modem0")], service.card, new_sticker())
    assert (house.wan.interface, house.lan.ports) == ("eth0", ("eth1",))


def test_any_machine_gets_a_household(service: Any) -> None:
    many = [port(f"eth{number}") for number in range(20)] + [port(f"wlan{number}", radio=True) for number in range(5)]
    house = household(many, service.card, new_sticker())
    assert len(house.lan.ports) == MAX_LAN
    assert house.wifi is not None
    assert len(house.wifi.radios) == MAX_RADIOS
    bare = household([], service.card, new_sticker())
    assert (bare.wifi, bare.lan.ports, bare.wan.interface) == (None, (), "eth0")
    assert bare.time.servers == TIME_SERVERS
    virtual = household([port("veth0", hardware=False), port("eth0")], service.card, new_sticker())
    assert virtual.lan.ports == ()


def test_what_the_operators_card_says_is_in_it(service: Any) -> None:
    card = service.card.model_copy(update={"time_servers": ("nts.example.org",)})
    house = household([port("eth0")], card, None)
    assert house.time.servers == ("nts.example.org",)
    assert [str(each) for each in house.resolver.upstream] == list(RESOLVERS)
    named = card.model_copy(update={"resolvers": (IPv4Address("192.0.2.53"), IPv6Address("2001:db8::53"))})
    assert household([port("eth0")], named, None).resolver.upstream == named.resolvers
    assert house.wifi is None


@given(st.lists(st.sampled_from([*NETWORKS, IPv4Network("192.168.0.0/16"), IPv4Network("10.0.0.0/8")]), max_size=4))
def test_a_range_is_free_or_all_are_taken(taken: list[IPv4Network]) -> None:
    network = free_network(taken)
    clashes = any(network.overlaps(other) for other in taken)
    assert not clashes or all(any(each.overlaps(other) for other in taken) for each in NETWORKS)


def test_addresses_of_the_box_are_its_own() -> None:
    assert ula() != ula()
    assert ula().is_private
    assert ula().prefixlen == 64
    assert own_mac() != own_mac()
    assert own_mac().startswith("02:")
