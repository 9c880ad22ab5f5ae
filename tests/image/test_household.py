"""A box from the built image, enrolled: it routes a home, and tells the service of a device nobody registered."""

from __future__ import annotations

import pytest

from lab.client import Client
from lab.machine import flood
from lab.machine.stack import BoxStack
from lab.service import wait_until

pytestmark = [pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def phone(enrolled: BoxStack) -> Client:
    return enrolled.join("unregistered-phone")


@pytest.mark.req("R57")
def test_a_device_gets_an_address_names_and_the_internet(phone: Client) -> None:
    assert phone.leased is not None
    assert phone.leased.routers == (phone.leased.server,)
    assert phone.browse("www.news.example") == 200
    assert phone.browse_tls("www.video.example")


@pytest.mark.req("R1", "R3")
def test_a_device_that_nobody_registered_is_told_on_the_dashboard_s_page(enrolled: BoxStack, phone: Client) -> None:
    officer = enrolled.officer("officer-2")
    phone.browse("www.news.example")

    def told() -> bool:
        return any(phone.mac in found.macs for found in officer.findings(enrolled.site))

    wait_until(told, what="the finding on the page", seconds=180, pause=1.0)


def test_every_unit_of_an_enrolled_box_runs(enrolled: BoxStack) -> None:
    shell = enrolled.machine.shell()
    rooms = [f"gatehouse-{room}.service" for room in ("warden", "sensor", "keeper", "courier", "resolver")]

    def states() -> set[str]:
        return set(shell.run(f"systemctl is-active {' '.join(rooms)}", check=False).stdout.split())

    wait_until(lambda: states() == {"active"}, what="all rooms to be there", seconds=180, pause=2.0)
    assert shell.run("systemctl --failed --no-legend --plain").stdout == ""


@pytest.mark.req("R57")
def test_a_flood_of_addresses_takes_the_internet_from_nobody_for_long(enrolled: BoxStack, phone: Client) -> None:
    other = enrolled.home.clients["linux-laptop"]
    shell = enrolled.machine.shell()
    before = flood.box_facts(shell)
    told = flood.run(phone, other, seconds=20, rate=2000)
    after = flood.box_facts(shell)
    assert told.sent > 10_000
    assert after["neighbours"] <= int(shell.run("cat /proc/sys/net/ipv4/neigh/default/gc_thresh3").stdout)
    assert told.after, "the other device has no internet after the flood"
    assert after["restarts"] == before["restarts"], "a process of the box died"
