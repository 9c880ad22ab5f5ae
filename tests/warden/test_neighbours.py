"""Decoded rtnetlink messages, as pyroute2 gives them, become changes of this router's surroundings."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from appliance.messages import LinkChanged, NeighbourChanged
from appliance.warden import neighbours
from appliance.warden.neighbours import Surroundings

MAC, OTHER = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
UP = 0x1 | 0x10000
REACHABLE, STALE, FAILED, NOARP = 0x02, 0x04, 0x20, 0x40


def port(index: int, name: str, *, flags: int = UP, master: int = 0, event: str = "RTM_NEWLINK") -> dict[str, Any]:
    attributes: list[tuple[str, Any]] = [("IFLA_IFNAME", name)]
    if master:
        attributes.append(("IFLA_MASTER", master))
    return {"event": event, "family": 0, "index": index, "flags": flags, "attrs": attributes}


def neighbour(
    address: str, mac: str | None, state: int, *, index: int = 2, event: str = "RTM_NEWNEIGH"
) -> dict[str, Any]:
    attributes = [("NDA_DST", address)]
    if mac:
        attributes.append(("NDA_LLADDR", mac))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return {"event": event, "family": family, "ifindex": index, "state": state, "attrs": attributes}


@pytest.fixture
def around() -> Surroundings:
    made = Surroundings(bridge="br0", wan="wan0")
    assert made.take([port(2, "br0")], 1.0) == [LinkChanged(ts=1.0, interface="br0", up=True)]
    return made


def test_only_this_routers_ports_are_told_and_only_changes(around: Surroundings) -> None:
    assert not around.wan_there
    events = around.take(
        [
            port(1, "lo"),
            port(3, "wan0", flags=0x1),
            port(4, "lan1", master=2),
            port(4, "lan1", master=2),
            port(5, "other", master=9),
            port(3, "wan0"),
            port(4, "lan1", flags=0, master=2),
        ],
        2.0,
    )
    assert events == [
        LinkChanged(ts=2.0, interface="wan0", up=False),
        LinkChanged(ts=2.0, interface="lan1", up=True),
        LinkChanged(ts=2.0, interface="wan0", up=True),
        LinkChanged(ts=2.0, interface="lan1", up=False),
    ]
    assert around.wan_there


def test_a_port_that_is_taken_away_goes_down_once(around: Surroundings) -> None:
    around.take([port(3, "wan0")], 1.0)
    gone = port(3, "wan0", event="RTM_DELLINK")
    assert around.take([gone, gone], 2.0) == [LinkChanged(ts=2.0, interface="wan0", up=False)]
    assert not around.wan_there


@pytest.mark.req("R11")
def test_a_neighbour_comes_and_goes_without_flapping(around: Surroundings) -> None:
    events = around.take(
        [
            neighbour("192.0.2.10", MAC, STALE),
            neighbour("192.0.2.10", MAC, REACHABLE),
            neighbour("192.0.2.10", MAC, STALE),
            neighbour("192.0.2.10", None, FAILED),
            neighbour("192.0.2.10", None, 0, event="RTM_DELNEIGH"),
            neighbour("2001:0db8:1:0::a", MAC, REACHABLE),
        ],
        3.0,
    )
    assert events == [
        NeighbourChanged(ts=3.0, mac=MAC, ip="192.0.2.10", reachable=True),
        NeighbourChanged(ts=3.0, mac=MAC, ip="192.0.2.10", reachable=False),
        NeighbourChanged(ts=3.0, mac=MAC, ip="2001:db8:1::a", reachable=True),
    ]


def test_an_address_that_changes_hands_is_told_of_both(around: Surroundings) -> None:
    around.take([neighbour("192.0.2.10", MAC, REACHABLE)], 3.0)
    assert around.take([neighbour("192.0.2.10", OTHER, STALE)], 4.0) == [
        NeighbourChanged(ts=4.0, mac=MAC, ip="192.0.2.10", reachable=False),
        NeighbourChanged(ts=4.0, mac=OTHER, ip="192.0.2.10", reachable=True),
    ]


@pytest.mark.parametrize(
    "message",
    [
        neighbour("192.0.2.10", MAC, REACHABLE, index=3),
        neighbour("192.0.2.10", None, 0x01),
        neighbour("192.0.2.10", "00:00:00:00:00:00", REACHABLE),
        neighbour("ff02::1", "33:33:00:00:00:01", REACHABLE),
        neighbour("192.0.2.10", MAC, NOARP),
        neighbour("192.0.2.10", None, FAILED),
        {"event": "RTM_NEWNEIGH", "family": socket.AF_BRIDGE, "ifindex": 2, "state": REACHABLE, "attrs": []},
        {"event": "RTM_NEWROUTE", "family": socket.AF_INET, "attrs": []},
        {"header": {"type": 3}},
    ],
)
def test_what_is_not_a_neighbour_on_the_bridge_is_not_told(around: Surroundings, message: dict[str, Any]) -> None:
    assert around.take([message], 1.0) == []


def test_what_is_remembered_is_bounded(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MAX_NEIGHBOURS", 3)
    monkeypatch.setattr(neighbours, "MAX_LINKS", 2)
    around.take([neighbour(f"192.0.2.{last}", MAC, REACHABLE) for last in range(10, 15)], 1.0)
    assert len(around._neighbours) == 3
    assert around.overflow == 2
    assert around.take([port(7, "a"), port(8, "wan0")], 1.0) == []
    assert len(around._links) == 2
    assert around.overflow == 3
