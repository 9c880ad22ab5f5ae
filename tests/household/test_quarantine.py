"""The notice page for everybody, and a device held to the LAN where the authority says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from lab.client import Client
from lab.officer import Officer
from lab.service import wait_until
from lab.stack import SITE, Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
_NAME = "www.news.example"


@pytest.fixture(scope="module")
def strict_stack(new_stack: Callable[..., AbstractContextManager[Stack]]) -> Iterator[Stack]:
    """A household whose authority lets unknown devices be held."""
    with new_stack(quarantine=True) as running:
        yield running


def _notice(client: Client, address: str) -> str:
    return client.run(["curl", "--silent", "--noproxy", "*", "--max-time", "10", f"http://{address}/"]).stdout


@pytest.mark.req("R8", "R59", "S6")
def test_anybody_at_home_can_read_the_notice(stack: Stack) -> None:
    phone = stack.join("household-phone", mac="02:00:00:0a:00:01")
    page = _notice(phone, "192.0.2.1")
    assert "Demonstration Constabulary" in page
    assert "01632 960000" in page
    assert "0808 157 0000" in page
    assert phone.mac not in page
    stack.home.leave(phone)


@pytest.mark.req("R56", "R57")
def test_an_unknown_device_is_held_to_the_lan_until_an_officer_decides(strict_stack: Stack) -> None:
    officer: Officer = strict_stack.officer("quarantine-officer")
    phone = strict_stack.join("unregistered-phone", mac="02:00:00:0a:00:02")
    wait_until(lambda: phone.browse(_NAME) == 0, what="the phone to be held", seconds=30)

    def held() -> bool:
        return "Held off the internet" in officer.get(f"/households/{SITE}/devices")

    wait_until(held, what="the page to say that it is held")
    assert phone.lookup(_NAME) != [], "names are still answered by the box"
    assert "Demonstration Constabulary" in _notice(phone, "192.0.2.1")
    phone.change_mac()
    wait_until(lambda: phone.browse(_NAME) == 0, what="the phone to be held under its new address", seconds=30)

    finding = next(seen for seen in officer.findings(SITE) if phone.mac in seen.macs)
    officer.register(finding, standing="household", label="Family phone", reason="Shown at the visit")
    wait_until(lambda: phone.browse(_NAME) == 200, what="the family's phone to be let out", seconds=30)
