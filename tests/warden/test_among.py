"""While somebody is held, frames between devices of one radio pass the bridge; otherwise nothing is touched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.messages import Enforcement
from appliance.warden.among import AGAIN_SECONDS, Among
from appliance.warden.holding import from_order

pytestmark = pytest.mark.req("R57")

MAC = "02:00:5e:00:53:0a"
ISOLATED = ["SET ap_isolate 1", "UPDATE_BEACON"]
AS_BEFORE = ["SET ap_isolate 0", "UPDATE_BEACON"]


class Point:
    """An access point that says what it is told to say, and keeps what it was asked."""

    def __init__(self, name: str = "wlan0", answer: str | None = "OK\n") -> None:
        self.control = Path("/run/hostapd") / name
        self.answer = answer
        self.asked: list[str] = []

    def ask(self, command: str, seconds: float = 0.5) -> str | None:
        assert seconds <= 0.5
        self.asked.append(command)
        return self.answer


class Port:
    """A bridge's ports."""

    def __init__(self, *, works: bool = True) -> None:
        self.works = works
        self.set: list[tuple[str, bool]] = []

    def __call__(self, interface: str, *, on: bool) -> bool:
        self.set.append((interface, on))
        return self.works


def test_nothing_is_touched_while_nobody_is_held() -> None:
    point, port = Point(), Port()
    among = Among(apart=False, hairpin=port)
    for moment in range(3):
        among.keep([point], held=False, monotonic=float(moment))
    assert (point.asked, port.set) == ([], [])


def test_what_is_done_for_a_held_device_is_done_once_and_undone_after() -> None:
    point, port = Point(), Port()
    among = Among(apart=False, hairpin=port)
    for moment in range(3):
        among.keep([point], held=True, monotonic=float(moment))
    assert (point.asked, port.set) == (ISOLATED, [("wlan0", True)])
    for moment in range(3, 6):
        among.keep([point], held=False, monotonic=float(moment))
    assert (point.asked, port.set) == (ISOLATED + AS_BEFORE, [("wlan0", True), ("wlan0", False)])


def test_it_is_said_again_after_a_minute_and_to_an_access_point_that_started_anew() -> None:
    point, fresh, port = Point(), Point(), Port()
    among = Among(apart=False, hairpin=port)
    among.keep([point], held=True, monotonic=0.0)
    among.keep([point], held=True, monotonic=AGAIN_SECONDS)
    assert point.asked == ISOLATED * 2
    among.keep([fresh], held=True, monotonic=AGAIN_SECONDS + 1)
    assert fresh.asked == ISOLATED


def test_a_home_that_keeps_devices_apart_is_left_as_it_is() -> None:
    point, port = Point(), Port()
    among = Among(apart=True, hairpin=port)
    among.keep([point], held=True, monotonic=0.0)
    among.keep([point], held=False, monotonic=3.0)
    assert (point.asked, port.set, among.detail) == ([], [], "")


def test_without_the_bridges_part_devices_are_not_cut_off_from_each_other() -> None:
    point = Point()
    among = Among(apart=False, hairpin=Port(works=False))
    among.keep([point], held=True, monotonic=0.0)
    assert point.asked == []
    assert among.detail == "a held device may reach others on the same radio"


@pytest.mark.parametrize("answer", [None, "FAIL\n"])
def test_what_an_access_point_does_not_do_is_said_and_tried_again(answer: str | None) -> None:
    point, port = Point(answer=answer), Port()
    among = Among(apart=False, hairpin=port)
    among.keep([point], held=True, monotonic=0.0)
    assert among.detail
    point.answer = "OK\n"
    among.keep([point], held=True, monotonic=3.0)
    assert among.detail == ""
    assert point.asked[-2:] == ISOLATED


def test_a_radio_that_is_gone_is_forgotten() -> None:
    point, port = Point(answer=None), Port()
    among = Among(apart=False, hairpin=port)
    among.keep([point], held=True, monotonic=0.0)
    among.keep([], held=True, monotonic=3.0)
    assert among.detail == ""


def test_two_radios_are_each_told() -> None:
    points = [Point("wlan0"), Point("wlan1")]
    port = Port()
    Among(apart=False, hairpin=port).keep(points, held=True, monotonic=0.0)
    assert [point.asked for point in points] == [ISOLATED, ISOLATED]
    assert port.set == [("wlan0", True), ("wlan1", True)]


def test_a_lease_that_is_over_holds_nobody() -> None:
    order = Enforcement(generation=1, quarantined=(MAC,), lease=60.0)
    assert from_order(order, 100.0).anybody(101.0)
    assert not from_order(order, 100.0).anybody(161.0)
    closed = Enforcement(generation=1, quarantined=(MAC,), closed=(MAC,), lease=60.0)
    assert from_order(closed, 100.0).anybody(161.0)
    assert not from_order(Enforcement(generation=1, quarantined=()), 100.0).anybody(100.0)


_PROGRAM = """
import json, subprocess
from appliance.warden.among import hairpin
def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout
ip("link", "add", "br-lan", "type", "bridge")
ip("link", "add", "port0", "type", "veth", "peer", "name", "far0")
ip("link", "set", "port0", "master", "br-lan")
def mode():
    (link,) = json.loads(ip("-d", "-j", "link", "show", "port0"))
    return link["linkinfo"]["info_slave_data"]["hairpin"]
said = [hairpin("port0", on=True), mode(), hairpin("port0", on=False), mode()]
print(json.dumps({"port": said, "no_port": hairpin("far0", on=True), "nobody": hairpin("wlan9", on=True)}))
"""


@pytest.mark.lab
def test_the_kernel_takes_it_of_a_port_of_a_bridge_only() -> None:
    words = ["unshare", "--net", sys.executable, "-c", _PROGRAM]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said == {"port": [True, True, True, False], "no_port": False, "nobody": False}
