from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, true

from dashboard.settings import Reviews
from dashboard.store import caseload, schema
from dashboard.store.caseload import NONE, PAGE, Wanted

DAY = 86400.0


def _page(engine: Engine, clock: Any, **wanted: Any) -> tuple[Any, int]:
    with engine.begin() as connection:
        return caseload.page_of(connection, true(), Wanted(**wanted), rules=Reviews(), now=clock.at, silent_after=180.0)


def _home(seed: Any, site: str, *, risk: str = "", since: float, review_days: int | None = None) -> None:
    person = {"person_id": f"p-{site}", "tenant": "northmoor", "reference": f"C-{site}", "risk": risk, "by": "x"}
    seed._insert(schema.person, person | {"revision": 1, "changed_at": 0.0, "review_days": review_days})
    seed._insert(schema.home, {"site": site, "person_id": f"p-{site}", "since": since, "by": "x"})


def test_a_household_is_counted_without_what_waits_for_nobody(engine: Engine, seed: Any, clock: Any) -> None:
    seed.site("a")
    seed.finding("one", site="a", severity="this_week", raised_at=clock.at - 50)
    seed.finding("two", site="a", severity="today", state="closed")
    seed.finding("three", site="a", severity="information")
    seed.proposal(site="a")
    (row,), total = _page(engine, clock)
    assert (total, row.waiting, row.worst, row.informs, row.questions) == (1, 2, 1, 1, 1)
    assert row.oldest == clock.at - 60


def test_nothing_waits(engine: Engine, seed: Any, clock: Any) -> None:
    seed.site("a")
    (row,), _ = _page(engine, clock)
    assert (row.waiting, row.worst, row.oldest, row.review_due) == (0, NONE, None, None)


@pytest.mark.req("R40")
def test_the_review_is_due_by_the_risk_or_the_persons_own_interval(engine: Engine, seed: Any, clock: Any) -> None:
    for site, risk, own in (("a", "high", None), ("b", "low", None), ("c", "low", 1), ("d", "", None)):
        seed.site(site)
        _home(seed, site, risk=risk, since=clock.at - 8 * DAY, review_days=own)
    with engine.begin() as connection:
        late = caseload.late(connection, true(), rules=Reviews(), now=clock.at)
    assert [item.site for item in late] == ["c", "a"]
    assert late[1].review_due == clock.at - 1 * DAY
    rows, _ = _page(engine, clock, due=True, sort="due")
    assert [row.site for row in rows] == ["c", "a"]


def test_a_list_of_all_has_a_most_and_pages_have_a_size(engine: Engine, seed: Any, clock: Any) -> None:
    for number in range(PAGE + 2):
        seed.site(f"s-{number:03d}")
    rows, total = _page(engine, clock, page=2)
    assert (len(rows), total) == (2, PAGE + 2)
    with engine.begin() as connection:
        every = caseload.every(connection, true(), Wanted(), rules=Reviews(), now=clock.at, silent_after=180.0, most=7)
    assert len(every) == 7


def test_a_box_that_says_it_is_off_is_silent(engine: Engine, seed: Any, clock: Any) -> None:
    seed.site("off", status={"online": False, "at": "2026-01-14T21:00:00Z"})
    seed.site("never", heard_at=None, status=None)
    seed.site("well")
    rows, _ = _page(engine, clock, silent=True, sort="name")
    assert [row.site for row in rows] == ["never", "off"]
