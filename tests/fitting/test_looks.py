from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.fitting import looks
from appliance.fitting.looks import Way, look, upstream_wifi
from firmware import layout
from firmware.household import Household, Wan, load

ADDRESS = [{"ifname": "eth0", "addr_info": [{"local": "192.0.2.7", "prefixlen": 24, "scope": "global"}]}]
ROUTE = [{"dst": "default", "gateway": "192.0.2.1"}]
NEIGHBOUR = [{"dst": "192.0.2.1", "lladdr": "00:00:5e:00:53:12", "state": ["REACHABLE"]}]


def printing(**said: object) -> Callable[[Sequence[str]], bytes]:
    def run(command: Sequence[str]) -> bytes:
        word = next(word for word in ("addr", "route", "neigh", "scan") if word in command)
        found = said.get(word, [])
        return found if isinstance(found, bytes) else json.dumps(found).encode()

    return run


@pytest.fixture
def house(box: Any) -> Household:
    return load(box.places.at(layout.HOUSEHOLD_FILE))


@pytest.fixture
def net(box: Any) -> Path:
    found: Path = box.places.at("/sys/class/net")
    return found


def test_a_way_that_works(house: Household, net: Path, now: float) -> None:
    seen, way = look(house, net, now=now, earliest=now - 1, run=printing(addr=ADDRESS, route=ROUTE, neigh=NEIGHBOUR))
    assert (seen.port, seen.cable, seen.address, seen.same_network, seen.gateway, seen.time) == (
        True, True, True, False, True, True,
    )  # fmt: skip
    assert way == Way(
        networks=(IPv4Network("192.0.2.0/24"),), router="00:00:5e:00:53:12", gateway=IPv4Address("192.0.2.1")
    )


@pytest.mark.req("R9")
def test_what_is_missing_is_seen(house: Household, net: Path, now: float) -> None:
    ours = [{"addr_info": [{"local": "192.168.77.30", "prefixlen": 24, "scope": "global"}]}]
    assert look(house, net, now=now, earliest=now + 1, run=printing())[0].time is False
    assert look(house, net, now=now, earliest=0, run=printing())[0].address is False
    assert look(house, net, now=now, earliest=0, run=printing(addr=ours))[0].same_network is True
    silent = [{"dst": "192.0.2.1", "state": ["FAILED"]}]
    assert (
        look(house, net, now=now, earliest=0, run=printing(addr=ADDRESS, route=ROUTE, neigh=silent))[0].gateway is False
    )
    (net / "eth0" / "carrier").write_text("0\n")
    assert look(house, net, now=now, earliest=0, run=printing(addr=ADDRESS))[0].cable is False
    (net / "eth0" / "carrier").unlink()
    assert look(house, net, now=now, earliest=0, run=printing())[0].cable is None
    gone = look(house, net.parent, now=now, earliest=0, run=printing())[0]
    assert (gone.port, gone.cable) == (False, None)


@pytest.mark.req("R8")
def test_the_air_is_compared_with_the_router_before(house: Household, net: Path) -> None:
    way = Way(router="00:00:5e:00:53:12")

    def heard(bssid: str) -> bool | None:
        return upstream_wifi(house, net, way, run=printing(scan=f"BSS {bssid}(on wlan0)\n\tSSID: x\n".encode()))

    assert heard("00:00:5e:00:53:13") is True
    assert heard("06:11:22:33:44:55") is False
    assert heard("02:00:5e:00:53:01") is False, "the box's own"
    assert upstream_wifi(house, net, way, run=printing(scan=b"")) is None, "the radio did not hear anything"
    assert upstream_wifi(house, net, Way(), run=printing()) is None
    assert upstream_wifi(house.model_copy(update={"wifi": None}), net, way, run=printing()) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    junk=st.one_of(
        st.binary(max_size=80),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["addr_info", "gateway", "state", "lladdr", "scope", "local"]), inner)
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps([value]).encode()),
    )
)
def test_whatever_a_program_prints_is_looked_at(house: Household, net: Path, junk: bytes) -> None:
    seen, _ = look(house, net, now=0, earliest=0, run=printing(addr=junk, route=junk, neigh=junk))
    assert seen.cable is True


def test_programs_that_fail_say_nothing() -> None:
    assert looks.run(["false"]) == b""
    assert looks.run(["no-such-program-anywhere"]) == b""
    assert looks.run(["echo", "[]"]) == b"[]\n"


@pytest.mark.req("R5", "R9")
def test_a_line_that_the_provider_refuses_is_seen(house: Household, net: Path, now: float, tmp_path: Path) -> None:
    """By the exit status that the line's unit writes down: pppd(8), 19."""
    dialled = house.model_copy(update={"wan": Wan(interface="ppp0", kind="pppoe", port="eth0", user="line-1")})
    told = tmp_path / "line"

    def login(home: Household, **said: object) -> bool | None:
        return look(home, net, now=now, earliest=0, run=printing(**said), line=told)[0].login

    assert login(dialled) is None, "it never ended yet"
    for status, seen in (("19", False), ("16", None), ("TERM", None), ("", None)):
        told.write_text(f"{status}\n")
        assert login(dialled) is seen
    told.write_text("19\n")
    assert login(dialled, addr=ADDRESS) is True, "it got through since"
    assert login(house) is None
