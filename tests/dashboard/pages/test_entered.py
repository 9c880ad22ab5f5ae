from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.store import schema

AT = "/households/site-1/outcomes"


@pytest.mark.req("R49", "R50")
def test_an_outcome_is_an_officers_entry_and_is_taken_back_in_sight(seed: Any, officer: FlaskClient, csrf: Any) -> None:
    seed.site()
    page = officer.get(AT)
    assert "The box never says it" in page.text
    form = {"csrf_token": csrf(page), "token": "ab" * 16, "day": "2026-01-13", "word": "order varied"}
    for _ in range(2):
        assert officer.post(AT, data=form | {"purpose": "detection"}).status_code == 303
    (row,) = seed.rows(schema.outcome)
    assert (row["day"], row["word"], row["purpose"]) == ("2026-01-13", "order varied", "detection")
    assert "13 January 2026, Detection" in officer.get(AT).text
    officer.post(f"{AT}/{row['outcome_id']}/take-back", data={"csrf_token": form["csrf_token"]})
    assert "Taken back" in officer.get(AT).text
    actions = [row["action"] for row in seed.rows(schema.audit)]
    assert {"enter-outcome", "take-back-outcome", "view-outcomes"} <= set(actions)


def test_only_the_operators_words_are_taken(seed: Any, officer: FlaskClient, csrf: Any) -> None:
    seed.site()
    form = {"csrf_token": csrf(officer.get(AT)), "token": "ab" * 16, "day": "2026-02-01", "word": "x", "purpose": "y"}
    answer = officer.post(AT, data=form)
    assert answer.status_code == 422
    for part in ("not in the future", "Select what came of it", "Select what it served"):
        assert part in answer.text
    assert seed.rows(schema.outcome) == []


@pytest.mark.req("R66")
def test_somebody_elses_household_is_not_there(seed: Any, sign_in_as: Callable[..., FlaskClient], csrf: Any) -> None:
    seed.site()
    other = sign_in_as("officer-2", charged=False)
    assert other.get(AT).status_code == 404
    token = csrf(other.get("/alerts"))
    assert other.post(AT, data={"csrf_token": token}).status_code == 404
    assert other.post(f"{AT}/{'ab' * 16}/take-back", data={"csrf_token": token}).status_code == 404
