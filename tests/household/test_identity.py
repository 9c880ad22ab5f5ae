"""One device behind changing addresses, through the real box to the real page.

The Wi-Fi is played: stations come by cable, and a stand-in says in hostapd's words which passphrase they used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lab.accesspoint import AccessPoint
from lab.client import Client, random_mac
from lab.officer import Officer, Seen
from lab.service import wait_until
from lab.stack import SITE, Stack
from wire.findings import FindingKind

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]
_FIRST = "02:00:00:1d:00:01"
_SECOND = "02:00:00:1d:00:02"
_OTHER = "02:00:00:1d:00:03"
_KEY = "phone-1"


@pytest.fixture(scope="module")
def access_point(stack: Stack) -> Iterator[AccessPoint]:
    stack.wait_ready()
    with AccessPoint() as point:
        point.wait_attached()
        yield point


def _device_page(officer: Officer, label: str) -> str:
    """The page of the device with this name; empty while there is none."""
    path = officer.device(SITE, label)
    return officer.get(path) if path else ""


def _about(officer: Officer, mac: str) -> set[FindingKind]:
    return {seen.kind for seen in officer.findings(SITE) if mac in seen.macs}


@pytest.mark.req("N8", "N9", "R11", "R17")
def test_a_phone_with_its_own_passphrase_stays_one_device_under_a_new_address(
    stack: Stack, officer: Officer, find: Callable[[str, str], Seen], access_point: AccessPoint
) -> None:
    access_point.connected(_FIRST, _KEY)
    phone: Client = stack.join("household-phone", mac=_FIRST)
    officer.register(
        find(FindingKind.UNREGISTERED_DEVICE, _FIRST), standing="registered", label="Own phone", reason="Shown"
    )
    wait_until(lambda: "Own phone" in officer.get(f"/households/{SITE}/devices"), what="the phone to be registered")

    access_point.disconnected(_FIRST)
    access_point.connected(_SECOND, _KEY)
    phone.change_mac(_SECOND)
    wait_until(lambda: _SECOND in _device_page(officer, "Own phone"), what="the new address to be the phone's")
    assert FindingKind.UNREGISTERED_DEVICE not in _about(officer, _SECOND) - _about(officer, _FIRST)
    page = _device_page(officer, "Own phone")
    assert _FIRST in page
    assert "passphrase" in page, "the page says why the address counts as the phone's"

    access_point.connected(_OTHER, _KEY)
    other = stack.join("unregistered-phone", mac=_OTHER)
    shared = find(FindingKind.KEY_SHARED, _OTHER)
    assert shared.state == "open"
    assert _OTHER not in _device_page(officer, "Own phone"), "a second user of the passphrase is not that phone"
    for client in (phone, other):
        access_point.disconnected(client.mac)
        stack.home.leave(client)


@pytest.mark.req("R7", "R11")
def test_an_officer_says_what_a_device_is_and_evidence_does_not_undo_it(
    stack: Stack, officer: Officer, find: Callable[[str, str], Seen]
) -> None:
    mac = random_mac()
    phone = stack.join("unregistered-phone", mac=mac)
    officer.register(find(FindingKind.UNREGISTERED_DEVICE, mac), standing="household", label="Kitchen", reason="Shown")
    wait_until(lambda: mac in _device_page(officer, "Kitchen"), what="the device's page")
    wait_until(lambda: "Android" in _device_page(officer, "Kitchen"), what="the box to say what it looks like")
    officer.correct(officer.device(SITE, "Kitchen"), category="tv", reason="Seen in the kitchen")
    wait_until(
        lambda: "An officer said what it is" in officer.get(f"/households/{SITE}/devices"), what="the correction"
    )
    phone.lease()
    page = _device_page(officer, "Kitchen")
    assert "elevision" in page
    stack.home.leave(phone)
