from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.store import schema

PATH = "/households/site-1/looked"


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device()


def _send(client: FlaskClient, findings: list[str], **fields: str) -> Any:
    page = client.get(PATH).text
    form = page[page.index('aria-label="Look through"') :]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    return client.post(PATH, data={**hidden, "finding": findings, "reason": "All of one visit", **fields})


@pytest.mark.req("R37")
def test_what_the_box_closed_unseen_is_looked_at_together(officer: FlaskClient, seed: Any) -> None:
    for number in range(3):
        seed.finding(f"find-{number}", state="closed", closed_because="It was registered")
    today = officer.get("/").text
    assert "Closed before anybody looked" in today
    assert "3 findings" in today
    assert "It was registered" in officer.get(PATH).text
    wrong = _send(officer, ["find-0", "find-1"])
    assert (wrong.status_code, "Select what they turned out to be" in wrong.text) == (422, True)
    assert "All of one visit</textarea>" in wrong.text
    assert wrong.text.count(" checked") == 2
    assert _send(officer, ["find-0", "find-1"], outcome="visitor").status_code == 303
    assert {row["finding_id"] for row in seed.rows(schema.review)} == {"find-0", "find-1"}
    assert "1 finding</span>" in officer.get("/").text


@pytest.mark.req("R40")
def test_a_household_is_looked_through_as_often_as_its_risk_says(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed._insert(
        schema.person,
        {
            "person_id": "p-1",
            "tenant": "northmoor",
            "reference": "C-7",
            "risk": "high",
            "revision": 1,
            "changed_at": clock.at,
            "by": "x",
        },
    )
    seed._insert(schema.home, {"site": "site-1", "person_id": "p-1", "since": clock.at - 8 * 86400, "by": "x"})
    today = officer.get("/").text
    assert "Reviews due and orders ending" in today
    assert "To be looked through since 13 January 2026" in today
    assert _send(officer, []).status_code == 303
    assert "Reviews due and orders ending" not in officer.get("/").text
    page = officer.get(PATH).text
    assert "Last looked through on 14 January 2026; wanted every 7 days, so again by 21 January 2026." in page
    assert "All of one visit" in page


def test_a_reason_is_asked_for(officer: FlaskClient, seed: Any) -> None:
    assert _send(officer, [], reason=" ").status_code == 422
    assert seed.rows(schema.review_act) == []


def test_who_may_only_look_cannot_say_so(sign_in_as: Any, seed: Any) -> None:
    seed.finding(state="closed")
    auditor = sign_in_as("auditor", Role.AUDITOR)
    page = auditor.get(PATH).text
    assert "I have looked through" not in page
    assert "disabled" in page
    assert _send(auditor, ["find-1"], outcome="visitor").status_code == 403


def test_what_is_ticked_has_the_form_of_a_reference(officer: FlaskClient, seed: Any) -> None:
    assert _send(officer, ["find-1\0"], outcome="visitor").status_code == 404
    assert seed.rows(schema.review_act) == []
