from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from dashboard.pages import health
from dashboard.pages.contexts_household import Box
from dashboard.pages.desk import Desk, desk
from dashboard.store.queries import Household

AT = "2026-01-14T21:00:00Z"


@pytest.fixture
def at_desk(app: Flask) -> Iterator[Desk]:
    with app.app_context():
        yield desk()


def _box(at_desk: Desk, **status: Any) -> Box:
    said = {"online": True, "at": AT} | status
    home = Household(site="site-1", title="NM", status=said, status_at=1.0, heard_at=at_desk.now())
    return health.box(at_desk, home, 0)


@pytest.mark.req("R31")
def test_a_list_says_its_age_and_all_that_is_not_in_order(at_desk: Desk) -> None:
    whole = {
        "list_id": "l-1",
        "title": "Example list",
        "version": "7",
        "entries": 1000,
        "published": AT,
        "taken_at": AT,
        "stale": True,
        "malformed": 3,
        "malformed_lines": [4, 9],
        "unsupported": 1,
        "problem": "The newer version was cut off.",
    }
    (row,) = _box(at_desk, lists=[whole]).lists
    assert (row.title, row.version) == ("Example list", "Version 7, 1,000 entries")
    assert row.published is not None
    assert row.published.text == "14 January 2026, 21:00"
    assert row.problems == (
        "It has not been renewed for longer than it should.",
        "The newer version was cut off.",
        "3 lines are no entry and left out: line 4, 9 and more.",
        "1 entry is of a form that cannot be used.",
    )


@pytest.mark.req("R31")
def test_a_list_that_is_not_there_yet_says_so(at_desk: Desk) -> None:
    (row,) = _box(at_desk, lists=[{"list_id": "l-1", "title": "Example list"}]).lists
    assert (row.version, row.published, row.taken, row.problems) == ("None in force", None, None, ())
    assert _box(at_desk).lists == ()


@pytest.mark.req("R33")
@pytest.mark.parametrize(
    ("due", "passed", "text", "well"),
    [
        ("2026-02-01T00:00:00Z", AT, "It was passed", True),
        ("2026-02-01T00:00:00Z", None, "It has not been due yet", True),
        ("2026-01-01T00:00:00Z", None, "It has never been passed", False),
        ("2026-01-01T00:00:00Z", "2025-12-01T00:00:00Z", "It is due again and was not passed since", False),
    ],
)
def test_the_monthly_test_says_how_it_went(
    at_desk: Desk, due: str, passed: str | None, text: str, *, well: bool
) -> None:
    row = _box(at_desk, test={"due": due, "passed_at": passed, "detail": "Asked for."}).test
    assert row is not None
    assert (row.text, row.well, row.detail, row.passed is None) == (text, well, "Asked for.", passed is None)


def test_a_box_of_a_later_version_is_still_shown(at_desk: Desk) -> None:
    box = _box(at_desk, lists="of later")
    assert (box.reporting, box.lists, box.test, box.authority) == (True, (), None, "The box has not said.")
