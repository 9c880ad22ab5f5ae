"""A filter for the devices that a clause names: what they reach, what the family reaches, and what happens when all stops."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from lab.client import Client
from lab.host import LabError
from lab.officer import Officer, Seen
from lab.service import wait_until
from lab.stack import SITE, Stack
from wire.authority import AnswersClause, BlockClause, Clause
from wire.base import Standing

pytestmark = [pytest.mark.lab, pytest.mark.timeout(400)]

BOX = "192.0.2.1"
BLOCKED, REFUSED_ADDRESS = "www.shop.example", "203.0.113.84"
"""The name on the list, and the address of `four.only.example`, which is on the other."""
LISTS = {"made-up": f"{BLOCKED}\n", "made-up-addresses": f"{REFUSED_ADDRESS}\n2001:db8:53::84/127\n"}
BLOCK = BlockClause(number="20", standings=(Standing.REGISTERED,), lists=("made-up", "made-up-addresses"))
ANSWERS = AnswersClause(number="21", standings=(Standing.REGISTERED,), refuse=("canary", "relay", "discovery"))


@dataclass
class Home:
    """A registered laptop and a phone of the household."""

    stack: Stack
    laptop: Client
    phone: Client
    number: int = 1

    def say(self, *clauses: Clause) -> None:
        """Put a variation of the authority in force."""
        self.number += 1
        self.stack.issue_authority(self.stack.authority(self.number, clauses=clauses))


@pytest.fixture(scope="module")
def home(new_stack: Callable[..., AbstractContextManager[Stack]]) -> Iterator[Home]:
    with new_stack(lists=LISTS) as stack:
        officer = stack.officer("blocking-officer")
        made = Home(stack, stack.join("registered-laptop"), stack.join("household-phone"))
        for client, standing in ((made.laptop, "registered"), (made.phone, "household")):
            seen: list[Seen] = []

            def found(client: Client = client, seen: list[Seen] = seen) -> bool:
                seen[:] = [each for each in officer.findings(SITE) if client.mac in each.macs]
                return bool(seen)

            wait_until(found, what=f"{client.name} to be seen", seconds=30)
            _register(officer, seen[0], standing)
        yield made


def _register(officer: Officer, finding: Seen, standing: str) -> None:
    officer.register(finding, standing=standing, label=f"A {standing} device", reason="Shown at the visit")


def filtered(client: Client) -> bool:
    try:
        return client.lookup(BLOCKED) == [BOX]
    except LabError:
        return False


def page(client: Client, name: str) -> tuple[int, str]:
    words = [
        "curl",
        "--silent",
        "--noproxy",
        "*",
        "--max-time",
        "10",
        "--write-out",
        "\n%{http_code}",
        f"http://{name}/",
    ]
    body, _, status = client.run(words, check=False).stdout.rpartition("\n")
    return int(status), body


@pytest.mark.req("R22", "R57", "S6", "N16")
def test_a_named_device_is_refused_what_the_list_names_and_the_family_is_not(home: Home) -> None:
    home.say(BLOCK, ANSWERS)
    wait_until(lambda: filtered(home.laptop), what="the laptop to be filtered", seconds=40)
    laptop, phone = home.laptop, home.phone
    laptop.address6()
    for resolver in (BOX, "203.0.113.53", "2001:db8:1::1", "2001:db8:53::53"):
        for tcp in (False, True):
            assert laptop.lookup(BLOCKED, resolver=resolver, tcp=tcp) == [BOX], "whoever is asked, and however"
    assert laptop.lookup(BLOCKED, "AAAA") == []
    assert laptop.browse("www.news.example") == 200, "what no list names is reached"

    status, html = page(laptop, BLOCKED)
    assert status == 403
    assert "This address is not available on this device" in html
    assert "0808 157 0000" in html
    begun = time.monotonic()
    assert laptop.browse(BLOCKED) == 0
    assert time.monotonic() - begun < 5, "a reset, not a silence"

    assert laptop.lookup("use-application-dns.net") == []
    assert phone.lookup(BLOCKED) not in ([], [BOX])
    assert phone.browse(BLOCKED) == 200
    assert page(phone, BOX)[0] == 200, "the box's own page is for everybody"

    assert laptop.browse("four.only.example", scheme="http") == 0, "an address on a list"
    assert phone.browse("four.only.example", scheme="http") == 200


@pytest.mark.req("R57")
def test_when_the_box_is_killed_the_family_goes_on_and_the_filter_lets_go(home: Home) -> None:
    home.say(BLOCK)
    wait_until(lambda: filtered(home.laptop), what="the laptop to be filtered", seconds=40)
    killed = time.monotonic()
    _kill(home.stack)
    try:
        while not _resolves(home.laptop):
            assert time.monotonic() - killed < 60, "it flows again within a minute"
            assert home.phone.browse("www.news.example") == 200, "the family's traffic never stops"
            time.sleep(1)
        print(f"the filter let go after {time.monotonic() - killed:.0f} s")  # noqa: T201 - a figure worth reading
        assert home.laptop.browse(BLOCKED) == 200
    finally:
        home.stack.resume_box()
        home.stack.wait_ready()
    wait_until(lambda: filtered(home.laptop), what="the laptop to be filtered again", seconds=60)


@pytest.mark.req("R57")
def test_a_resolver_that_is_killed_lets_go_at_once_or_comes_back(home: Home) -> None:
    home.say(BLOCK)
    wait_until(lambda: filtered(home.laptop), what="the laptop to be filtered", seconds=40)
    before = home.stack.room_pids()["resolver"]
    os.kill(before, signal.SIGKILL)
    # Let go first, or filtered already: how long the room takes to come back is not the point.
    wait_until(lambda: _answered(home.laptop), what="the laptop's names to be answered", seconds=20)
    assert home.phone.browse("www.news.example") == 200
    wait_until(lambda: home.stack.room_pids().get("resolver") not in {None, before}, what="the room to be back")
    wait_until(lambda: filtered(home.laptop), what="the laptop to be filtered again", seconds=40)


@pytest.mark.req("R57")
def test_what_the_clause_wants_closed_stays_closed(home: Home) -> None:
    home.say(BLOCK.model_copy(update={"fail_closed": True}))
    wait_until(lambda: filtered(home.laptop), what="the laptop to be filtered", seconds=40)
    wait_until(lambda: _closed(home), what="the rules to hold it without an end", seconds=30)
    killed = time.monotonic()
    _kill(home.stack)
    try:
        while time.monotonic() - killed < 62:
            assert not _resolves(home.laptop)
            assert home.phone.browse("www.news.example") == 200
            time.sleep(2)
    finally:
        home.stack.resume_box()
        home.stack.wait_ready()
    wait_until(lambda: filtered(home.laptop), what="the laptop to be filtered again", seconds=60)
    home.say()
    wait_until(lambda: _resolves(home.laptop) and not filtered(home.laptop), what="the filter to end", seconds=40)


def _closed(home: Home) -> bool:
    listed = home.stack.home.gateway.run(["nft", "list", "set", "inet", "gatehouse", "filtered_1"]).stdout
    return home.laptop.mac in listed and "expires" not in listed


def _answered(client: Client) -> bool:
    try:
        return client.lookup(BLOCKED, timeout=1) != []
    except LabError:
        return False


def _resolves(client: Client) -> bool:
    try:
        return client.lookup(BLOCKED, timeout=2) not in ([], [BOX])
    except LabError:
        return False


def _kill(stack: Stack) -> None:
    """SIGKILL all processes of the box, by the ids that this run knows."""
    supervisor = stack.services.running.pop("box").process
    assert supervisor is not None
    rooms = stack.room_pids().values()
    supervisor.kill()
    for pid in rooms:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it has gone with its supervisor
    supervisor.wait(10)
