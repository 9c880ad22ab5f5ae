"""From a device's first frame to the officer's page: real clients, real broker, real pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab.officer import Officer, Seen
from lab.service import wait_until
from lab.stack import SITE, Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
Find = Callable[[str, str], Seen]


@pytest.mark.req("R11", "R63")
def test_an_unregistered_phone_reaches_the_page(stack: Stack, find: Find) -> None:
    phone = stack.join("unregistered-phone")
    seen = find("unregistered-device", phone.mac)
    assert seen.state == "open"


@pytest.mark.req("R7", "R29")
def test_registering_from_the_finding_closes_it(stack: Stack, officer: Officer, find: Find) -> None:
    laptop = stack.join("registered-laptop")
    seen = find("unregistered-device", laptop.mac)
    officer.register(seen, standing="registered", label="Test laptop", reason="Shown at the visit")
    wait_until(lambda: find("unregistered-device", laptop.mac).state == "closed", what="the finding to close")
    assert "Test laptop" in officer.get(f"/households/{SITE}/devices")

    # Its looked-up names may now be matched with the list, whole labels only.
    laptop.lookup("www.news.example")
    laptop.lookup("listed.example")
    hit = find("listed-name", laptop.mac)
    page = officer.get(hit.path)
    assert "listed[.]example" in page
    assert "news" not in page
    kinds = [seen.kind for seen in officer.findings(SITE) if laptop.mac in seen.macs]
    assert sorted(kinds) == ["listed-name", "unregistered-device"]


@pytest.mark.req("R55", "R56", "N2")
def test_a_third_partys_names_are_nowhere(stack: Stack, find: Find) -> None:
    phone = stack.join("household-phone")
    find("unregistered-device", phone.mac)
    canary = "zq7canary4417"
    phone.lookup(f"{canary}.example")
    phone.browse(f"{canary}.example")
    marker = stack.join("games-console")  # its arrival on the page comes after the canary on every path
    find("unregistered-device", marker.mac)
    kept = [
        path
        for folder in ("box", "dashboard", "broker", "logs")
        for path in (stack.folder / folder).rglob("*")
        if path.is_file() and canary.encode() in path.read_bytes()
    ]
    assert kept == []


def test_a_changed_address_is_a_new_device_for_now(stack: Stack, find: Find) -> None:
    phone = stack.join("unregistered-phone", mac="02:00:00:ca:00:01")
    before = find("unregistered-device", phone.mac)
    phone.change_mac()
    after = find("unregistered-device", phone.mac)
    assert before.finding_id != after.finding_id
    assert before.macs != after.macs
