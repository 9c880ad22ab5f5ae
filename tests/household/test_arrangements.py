"""What officers arrange with a box, from a page to the box and back: a rule made quiet, away times, a home's own entries."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from lab import addresses
from lab.client import Client
from lab.officer import Officer, Seen
from lab.service import wait_until
from lab.stack import SITE, Stack
from wire.authority import ListsClause
from wire.base import Standing

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

NAME = "arranging-officer"
PAGE = f"/households/{SITE}/arrangements"
OWN_ENTRIES = ListsClause(number="9", standings=(Standing.REGISTERED,), lists=("watch",))


@dataclass(frozen=True)
class Home:
    """A registered laptop, and an officer at the pages."""

    stack: Stack
    officer: Officer
    laptop: Client

    def findings(self, kind: str, *, state: str = "open") -> list[Seen]:
        """Findings of a kind about the laptop."""
        found = [item for item in self.officer.findings(SITE) if (item.kind, item.state) == (kind, state)]
        return [item for item in found if self.laptop.mac in item.macs]

    def wait(self, kind: str, *, doing: Callable[[], object] = lambda: None, state: str = "open") -> Seen:
        """The first finding of a kind about the laptop, which goes on doing something until it is there."""
        found: list[Seen] = []

        def look() -> bool:
            doing()
            found[:] = self.findings(kind, state=state)
            return bool(found)

        wait_until(look, what=f"a finding {kind}, {state}", seconds=60, pause=1.0)
        return found[0]

    def kept(self, query: str, *values: str) -> int:
        """A number from the box's database."""
        path = f"file:{self.stack.keeper_database}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as connection:
            return int(connection.execute(query, values).fetchone()[0])

    def send(self, form: str, *, page: str = PAGE, **fields: str) -> str:
        """Send a form of a page; what became of it."""
        return self.officer.fill(page, form, **fields)

    def reads(self, *texts: str, without: str = "") -> None:
        """Wait until the page of arrangements says all this, and does not say that."""

        def look() -> bool:
            page = self.officer.get(PAGE)
            return all(text in page for text in texts) and not (without and without in page)

        wait_until(look, what=f"the page to read {texts} and not {without!r}", pause=0.5)


@pytest.fixture(scope="module")
def home(new_stack: Callable[..., AbstractContextManager[Stack]]) -> Iterator[Home]:
    with new_stack() as stack:
        stack.issue_authority(stack.authority(2, clauses=[OWN_ENTRIES]))
        made = Home(stack, stack.officer(NAME), stack.join("registered-laptop"))
        seen = made.wait("unregistered-device")
        made.laptop.address6()
        made.officer.register(seen, standing="registered", label="Laptop", reason="Shown at the visit")
        yield made


@pytest.mark.req("R30", "S5")
def test_a_rule_that_is_not_relevant_is_quiet_until_an_officer_lets_it_speak(home: Home) -> None:
    # The same again is told once a minute: each time it is another one that is asked, or in another way.
    def ask(family: int = 0, *, tcp: bool = False) -> None:
        home.laptop.lookup("www.news.example", resolver=addresses.OTHER_RESOLVER[family], tcp=tcp)

    seen = home.wait("other-resolver", doing=ask)
    assert "It rests on one signal alone" in home.officer.get(seen.path)
    said = home.send(
        "/quiet", page=seen.path, scope="device", why="by-itself", ends="30", reason="Its maker says so <b>here</b>"
    )
    assert "Not relevant" in said
    because = "not relevant here: A device or an app does this by itself: Its maker says so &lt;b&gt;here&lt;/b&gt;"
    closed = home.wait("other-resolver", state="closed")
    assert closed.finding_id == seen.finding_id
    page = home.officer.get(seen.path)
    assert because in page
    assert f", {NAME}</span>" in page
    home.reads("Not shown: A device turned to another service", "Its maker says so &lt;b&gt;here", NAME)

    def counted() -> bool:
        ask(1)
        return home.kept("select coalesce(max(count), 0) from quiet") > 0

    wait_until(counted, what="the box to count what it keeps quiet", seconds=40, pause=1.0)
    assert home.findings("other-resolver") == []

    assert "The rule speaks again" in home.send("/end-quiet")
    home.reads(without="Let it speak again")
    assert home.kept("select count(*) from quiet") == 0
    again = home.wait("other-resolver", doing=lambda: ask(tcp=True))
    assert again.finding_id != seen.finding_id


@pytest.mark.req("R15")
def test_an_away_time_is_the_box_s_until_it_is_taken_back(home: Home) -> None:
    today = datetime.now(UTC).date()
    days = {"starts": today.isoformat(), "ends": (today + timedelta(days=6)).isoformat()}
    assert "Done" in home.send("/away", **days, device="", reason="At a hospital")
    home.reads("At a hospital", "Take it back")
    assert home.kept("select count(*) from away where device_id is null and ends - starts = 7 * 86400") == 1
    assert "Done" in home.send("/end-away")
    home.reads("Over", without="Take it back")
    assert home.kept("select count(*) from away where ends > cast(? as real)", str(time.time())) == 0


@pytest.mark.req("R35", "R67", "R42")
def test_a_home_s_own_entry_is_found_and_what_is_left_out_is_kept_nowhere(home: Home) -> None:
    page = home.send("/watch", name="co.uk", kind="find", severity="today", days="7", reason="Agreed")
    assert "belongs to everybody who registers a name under it" in page
    found = {"name": "Social.Example", "kind": "find", "below": "1", "severity": "act_now", "days": "7"}
    assert "Done" in home.send("/watch", **found, reason="Agreed at the review")
    left_out = {"name": "www.social.example", "kind": "exclude", "days": "7"}
    assert "Done" in home.send("/watch", **left_out, reason="A helpline")
    home.reads("Reported: social[.]example and what belongs to it", "Never kept: www[.]social[.]example")

    def ask() -> None:
        home.laptop.lookup("www.social.example")
        home.laptop.lookup("social.example")

    seen = home.wait("listed-name", doing=ask)
    text = home.officer.get(seen.path)
    assert "Act now" in text
    assert "social[.]example" in text
    assert "An officer added the entry for this home: Agreed at the review" in text
    assert "www.social" not in text
    assert "www[.]social" not in text
    assert home.kept("select count(*) from name_visit where name = ?", "www.social.example") == 0
