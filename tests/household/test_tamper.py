"""What happens to the box itself, in a whole household: a cable is moved (N15, R19)."""

from __future__ import annotations

import json
import re

import pytest

from lab.officer import Officer
from lab.service import wait_until
from lab.stack import SITE, Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.mark.req("N15", "R19")
def test_a_cable_that_is_moved_is_told_of_the_box_and_of_no_device(stack: Stack, officer: Officer) -> None:
    gateway = stack.home.gateway
    stack.join("unregistered-phone", mac="02:00:00:00:5a:01")
    stack.join("unregistered-phone", mac="02:00:00:00:5a:02")
    bridge = stack.home.config.lan.bridge
    listed = json.loads(gateway.run(["ip", "-j", "link", "show", "master", bridge]).stdout)
    one, other = sorted(port["ifname"] for port in listed)[-2:]
    gateway.run(["ip", "link", "set", other, "down"])
    gateway.run(["ip", "link", "set", one, "down"])
    gateway.run(["ip", "link", "set", other, "up"])
    found = []

    def told() -> bool:
        found[:] = [seen for seen in officer.findings(SITE) if seen.kind == "cable-moved"]
        return bool(found)

    wait_until(told, what="a finding about the cable", seconds=30)
    page = re.sub(r"<[^>]+>|\s+", " ", officer.get(found[0].path))
    assert found[0].macs == frozenset(), "it is about the box"
    assert f"port {one} went dark, and port {other} lit up" in page
    assert "One device may have been switched off just when another was switched on" in page
