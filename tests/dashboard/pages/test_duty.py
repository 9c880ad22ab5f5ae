from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.store import schema


@pytest.fixture
def supervisor(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("sup-1", Role.SUPERVISOR)


def ids(seed: Any) -> dict[str, str]:
    return {row["name"]: row["account_id"] for row in seed.rows(schema.account)}


@pytest.mark.req("R38", "R39")
def test_a_rota_is_made_handed_over_and_its_holes_are_said(
    seed: Any, officer: FlaskClient, supervisor: FlaskClient, csrf: Any
) -> None:
    del officer
    page = supervisor.get("/team/duty")
    assert "Nobody is on duty now" in page.text
    who = ids(seed)
    form = {"csrf_token": csrf(page), "token": "ab" * 16, "person": who["officer-1"], "days": "all"}
    times = {"starts": "20:00", "ends": "8:00"}
    for _ in range(2):
        assert supervisor.post("/team/duty/shifts", data=form | times).status_code == 303
    text = supervisor.get("/team/duty").text
    assert len(seed.rows(schema.shift)) == 7, "sent twice it is made once"
    assert "On duty now: officer-1" in text
    assert "20:00 to 08:00 of the next day" in text
    assert "Monday 08:00 to Monday 20:00" in text
    given = {"from": who["officer-1"], "to": who["sup-1"], "since": "2026-01-14", "until": "15/1/2026"}
    answer = supervisor.post(
        "/team/duty/handovers", data=given | {"csrf_token": form["csrf_token"], "token": "cd" * 16}
    )
    assert answer.status_code == 303
    text = supervisor.get("/team/duty").text
    assert "On duty now: sup-1" in text
    assert "14 January 2026 to 15 January 2026" in text
    for table, kind in ((schema.shift, "shifts"), (schema.handover, "handovers")):
        row_id = next(iter(seed.rows(table)[0].values()))
        supervisor.post(f"/team/duty/{kind}/{row_id}/remove", data={"csrf_token": form["csrf_token"]})
    assert len(seed.rows(schema.shift)) == 6
    assert seed.rows(schema.handover) == []
    actions = {row["action"] for row in seed.rows(schema.audit)}
    assert {"add-shifts", "hand-over", "remove-shift", "remove-handover"} <= actions


def test_what_is_wrong_comes_back_with_what_was_typed(seed: Any, supervisor: FlaskClient, csrf: Any) -> None:
    token = csrf(supervisor.get("/team/duty"))
    shift = {
        "csrf_token": token,
        "token": "ab" * 16,
        "person": "nobody",
        "days": "x",
        "starts": "8 o'clock",
        "ends": "",
    }
    answer = supervisor.post("/team/duty/shifts", data=shift)
    assert answer.status_code == 422
    for part in ("Select who is on duty", "Select the days", "such as 08:00", "such as 20:00", "8 o&#39;clock"):
        assert part in answer.text
    me = ids(seed)["sup-1"]
    given = {"csrf_token": token, "token": "ab" * 16, "from": me, "to": me, "since": "x", "until": "2020-01-01"}
    answer = supervisor.post("/team/duty/handovers", data=given)
    assert answer.status_code == 422
    for part in ("Select somebody else", "Enter a day, such as", "not over"):
        assert part in answer.text
    assert supervisor.post("/team/duty/other/x/remove", data={"csrf_token": token}).status_code == 404


def test_an_auditor_sees_the_rota_and_changes_nothing(sign_in_as: Callable[..., FlaskClient], csrf: Any) -> None:
    auditor = sign_in_as("aud-1", Role.AUDITOR)
    page = auditor.get("/team/duty")
    assert page.status_code == 200
    assert "Put somebody on duty" not in page.text
    assert auditor.post("/team/duty/shifts", data={"csrf_token": csrf(page)}).status_code == 403
