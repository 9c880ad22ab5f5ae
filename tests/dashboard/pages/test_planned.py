from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from dashboard.store import schema

AT = "/households/site-1/planned-work"


def test_work_is_planned_past_midnight_and_taken_back(seed: Any, officer: FlaskClient, csrf: Any) -> None:
    seed.site()
    form = {"csrf_token": csrf(officer.get(AT)), "token": "ab" * 16, "day": "15/1/2026", "starts": "22:00"}
    for _ in range(2):
        assert officer.post(AT, data=form | {"ends": "2:00", "reason": "The line is repaired"}).status_code == 303
    (row,) = seed.rows(schema.planned_work)
    assert row["until"] - row["since"] == 4 * 3600
    text = officer.get(AT).text
    assert "15 January 2026, 22:00 to 16 January 2026, 02:00, entered by officer-1" in text
    officer.post(f"{AT}/{row['work_id']}/remove", data={"csrf_token": form["csrf_token"]})
    assert seed.rows(schema.planned_work) == []
    assert {"plan-work", "unplan-work"} <= {row["action"] for row in seed.rows(schema.audit)}


def test_what_is_wrong_is_said(seed: Any, officer: FlaskClient, csrf: Any) -> None:
    seed.site()
    token = csrf(officer.get(AT))
    answer = officer.post(AT, data={"csrf_token": token, "day": "x", "starts": "y", "ends": "", "reason": ""})
    assert answer.status_code == 422
    for part in ("Enter a day", "such as 08:00", "such as 17:00", "Enter what is planned"):
        assert part in answer.text
    late = {
        "csrf_token": token,
        "token": "ab" * 16,
        "day": "2025-01-01",
        "starts": "8:00",
        "ends": "9:00",
        "reason": "r",
    }
    assert "a time that is not over" in officer.post(AT, data=late).text
