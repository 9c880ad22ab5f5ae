"""Visits as stored: what a return counts, and what nobody can change."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.store import schema, visits
from dashboard.store.engine import reading
from dashboard.store.visits import Line


def _start(seed: Any, number: int, *, site: str = "site-1", at: float | None = None) -> str:
    visit_id = f"{number:032x}"
    with seed.engine.begin() as connection:
        assert visits.start(
            connection,
            site_id=site,
            visit_id=visit_id,
            by="acc-1",
            present=["person"],
            devices=["dev-1"],
            question_set=1,
            at=seed.clock.at if at is None else at,
            now=seed.clock.at,
        )
    return visit_id


def _sign(seed: Any, visit_id: str, outcome: str) -> bool:
    with seed.engine.begin() as connection:
        return visits.sign(
            connection,
            site_id="site-1",
            visit_id=visit_id,
            revision=1,
            name="officer-1",
            outcome=outcome,
            note="",
            own_words="",
            explained=(),
            record={"outcome": outcome},
            now=seed.clock.at,
        )


@pytest.mark.req("R49")
def test_a_return_counts_visits_and_what_officers_entered(seed: Any) -> None:
    seed.site()
    seed.site("site-2", tenant="elsewhere")
    for number, outcome in enumerate(("Advice given", "Advice given", "Follow-up agreed")):
        assert _sign(seed, _start(seed, number), outcome)
    _start(seed, 7)
    _start(seed, 8, at=seed.clock.at - 40 * 86400)
    _start(seed, 9, site="site-2")
    with reading(seed.engine).connect() as connection:
        found = visits.counts(connection, "northmoor", since=seed.clock.at - 86400, until=seed.clock.at + 1)
        none = visits.counts(
            connection, "northmoor", since=0, until=seed.clock.at + 1, sees=schema.site.c.site == "site-3"
        )
    assert (found.started, found.signed) == (4, 3)
    assert dict(found.outcomes) == {"Advice given": 2, "Follow-up agreed": 1}
    assert (none.started, none.signed) == (0, 0)


@pytest.mark.req("N14")
def test_what_was_signed_is_signed_once_and_saved_no_more(seed: Any) -> None:
    seed.site()
    visit_id = _start(seed, 1)
    assert _sign(seed, visit_id, "Advice given")
    assert not _sign(seed, visit_id, "Follow-up agreed")
    with seed.engine.begin() as connection:
        assert not visits.save(
            connection,
            site_id="site-1",
            visit_id=visit_id,
            revision=1,
            answers={},
            found=(),
            lines=[Line(device_id="dev-1", number=1, state="seen", note="")],
            now=seed.clock.at,
        )
    with reading(seed.engine).connect() as connection:
        row = visits.visit_of(connection, "site-1", visit_id)
        lines = visits.lines_of(connection, "site-1", visit_id)
    assert row is not None
    assert row.digest == visits.digest_of({"outcome": "Advice given"})
    assert [line.state for line in lines] == [""]


def test_additions_are_bounded(seed: Any) -> None:
    seed.site()
    visit_id = _start(seed, 1)
    _sign(seed, visit_id, "Advice given")
    done = 0
    for number in range(visits.MOST_ADDENDA + 3):
        with seed.engine.begin() as connection:
            done += visits.add(
                connection,
                site_id="site-1",
                visit_id=visit_id,
                token=f"{number:032x}",
                text="more",
                by="acc-1",
                now=seed.clock.at,
            )
    assert done == visits.MOST_ADDENDA
