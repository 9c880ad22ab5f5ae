"""The explanation for the household says what is built: its numbers are those of the code, its limits are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import messages as m
from appliance.keeper.household import doorway, notices, own_page
from appliance.keeper.law.retention import shipped
from appliance.porch.forms import HOURS

TEXT = " ".join((Path(__file__).parents[1] / "docs" / "household.md").read_text(encoding="utf-8").split())


@pytest.mark.req("R71", "R59", "N12")
def test_its_numbers_are_those_of_the_box() -> None:
    table = shipped()
    presence, asked, ended = table.classes["presence"], table.classes["household"], table.ended

    assert (asked.prevent, asked.detect) == (presence.prevent, presence.detect)
    assert f"is kept for {presence.prevent} days, or for {presence.detect} where" in TEXT
    assert f"goes after {ended.prevent} or {ended.detect} days more" in TEXT
    assert f"up to {m.MAX_SAID} characters" in TEXT
    assert f"the last {own_page.SPAN_DAYS} days" in TEXT
    assert f"send {doorway.DAILY} in all" in TEXT
    assert (doorway.DAILY_DEVICE, "may send three forms of a kind in a day" in TEXT) == (3, True)
    assert (own_page.MAX_WRONG, "closed after five wrong tries" in TEXT) == (5, True)
    assert ((min(HOURS.values()), max(HOURS.values())), "from an hour to two weeks" in TEXT) == ((1, 336), True)
    assert (m.UNREAD_SECONDS, "after a minute at most it goes away" in TEXT) == (60, True)
    assert (notices.CONFIRM_SECONDS, "three months after a consent" in TEXT) == (90 * 86_400, True)


@pytest.mark.req("R71", "R58")
def test_it_says_what_the_box_cannot_see_and_asks_nobody_to_watch() -> None:
    limits = TEXT.partition("## What it cannot see")[2].partition("##")[0]

    for word in ("screen", "type or search", "Passwords", "Which person", "Mobile data", "deleted", "hidden services"):
        assert word in limits
    assert "You do not have to keep watch over anybody" in TEXT
