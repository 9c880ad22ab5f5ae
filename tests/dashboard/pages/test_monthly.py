from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, insert, update

from dashboard.access import Role
from dashboard.store import monthly, schema

DAY = 86400.0


@pytest.fixture
def supervisor(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("sup-1", Role.SUPERVISOR)


def enter(seed: Any, number: int, day: str, **values: Any) -> None:
    row = {
        "outcome_id": f"{number:032x}",
        "site": "site-1",
        "day": day,
        "word": "advice given",
        "purpose": "prevention",
        "by": "acc-1",
        "made_at": seed.clock.at,
    } | values
    with seed.engine.begin() as connection:
        connection.execute(insert(schema.outcome).values(**row))


@pytest.mark.req("R49", "R50")
def test_a_month_is_counted_and_outcomes_are_officers_words_alone(
    seed: Any, officer: FlaskClient, supervisor: FlaskClient
) -> None:
    del officer
    seed.site()
    seed.device(first_seen=seed.clock.at - 40 * DAY)
    seed.device("dev-2")
    seed.finding("f-1", severity="act_now")
    seed.finding("f-2", raised_at=seed.clock.at - 40 * DAY)
    enter(seed, 1, "2026-01-02")
    enter(seed, 2, "2026-01-03", taken_back_at=seed.clock.at)
    enter(seed, 3, "2025-12-31")
    with seed.engine.connect() as connection:
        counts = monthly.count(
            connection, "northmoor", month="2026-01", since=seed.clock.at - 13.9 * DAY, until=seed.clock.at + 17 * DAY
        )
    assert counts["homes"] == {"in-charge": 1}
    assert counts["devices"] == {"seen": 2, "new": 1}
    assert counts["findings"] == {"act_now": 1, "today": 0, "this_week": 0, "information": 0}
    assert counts["outcomes"] == {"advice given": 1}
    assert counts["outcome-purposes"] == {"prevention": 1, "detection": 0}
    text = supervisor.get("/team/return?month=2026-01").text
    assert "January 2026" in text
    assert "The month is not over" in text
    assert "so small that they may point to somebody" in text
    assert "fewer than 5" in supervisor.get("/team/return?month=2026-01&share=1").text


@pytest.mark.req("R49")
def test_a_return_that_was_kept_comes_out_the_same_later(
    seed: Any, officer: FlaskClient, supervisor: FlaskClient, csrf: Any
) -> None:
    del officer
    seed.site()
    enter(seed, 1, "2025-12-31")
    page = supervisor.get("/team/return")
    assert "December 2025" in page.text
    form = {"csrf_token": csrf(page), "month": "2025-12"}
    for _ in range(2):
        assert supervisor.post("/team/return", data=form).status_code == 303
    (row,) = seed.rows(schema.monthly_return)
    with seed.engine.begin() as connection:
        connection.execute(delete(schema.outcome))
    text = supervisor.get("/team/return?month=2025-12").text
    assert "Kept as it was counted on" in text
    assert row["digest"] in text
    assert "advice given" in text
    file = supervisor.get("/team/return.csv?month=2025-12").text
    assert "Outcomes,advice given,1" in file
    assert row["digest"] in file
    with seed.engine.begin() as connection:
        connection.execute(update(schema.monthly_return).values(counts=row["counts"] | {"homes": {"in-charge": 99}}))
    assert "not those that were kept" in supervisor.get("/team/return?month=2025-12").text


def test_a_month_that_is_not_over_is_not_kept(seed: Any, supervisor: FlaskClient, csrf: Any) -> None:
    form = {"csrf_token": csrf(supervisor.get("/team/return")), "month": "2026-01"}
    supervisor.post("/team/return", data=form)
    assert seed.rows(schema.monthly_return) == []
    for asked in ("2099-01", "x", "2026-13"):
        assert supervisor.get(f"/team/return?month={asked}").status_code == 200
