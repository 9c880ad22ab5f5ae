"""*Visits*: before one, started, and what is shown of those that were held."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.pages import visits as page_of_visits
from dashboard.store import schema

PAGE = "/households/site-1/visits"


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device("dev-1", presence={"state": "here", "since": "2026-01-14T20:00:00+00:00"})
    seed.device("dev-2", standing="registered", label="grey laptop", first_seen=seed.clock.at - 90 * 86400)


@pytest.fixture
def start(officer: FlaskClient) -> Callable[..., Any]:
    def do(**fields: Any) -> Any:
        page = officer.get(PAGE).text
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        token = re.search(r'name="token" value="([0-9a-f]{32})"', page)
        assert csrf is not None
        assert token is not None
        data = {"csrf_token": csrf[1], "token": token[1], "present": ["person", "partner"]} | fields
        return officer.post(PAGE, data=data)

    return do


@pytest.mark.req("N14")
def test_a_visit_is_started_once_with_a_line_for_each_device(
    start: Callable[..., Any], officer: FlaskClient, seed: Any
) -> None:
    token = "ab" * 16
    first, again = start(token=token), start(token=token)
    assert first.status_code == again.status_code == 303
    assert first.location.endswith(f"{PAGE}/{token}")
    visits = seed.rows(schema.visit)
    assert [row["visit_id"] for row in visits] == [token]
    assert visits[0]["present"] == ["person", "partner"]
    assert {row["device_id"]: row["number"] for row in seed.rows(schema.visit_line)} == {"dev-1": 1, "dev-2": 2}
    assert [row["action"] for row in seed.rows(schema.audit)].count("start-visit") == 1
    assert "Not signed yet" in officer.get(PAGE).text


def test_who_is_there_is_asked_for_and_what_was_typed_is_kept(start: Callable[..., Any], seed: Any) -> None:
    answer = start(present=[], day="31/12/2025")
    assert answer.status_code == 422
    assert "Select who is there" in answer.text
    assert 'value="31/12/2025"' in answer.text
    assert "Error: Visits" in answer.text
    assert not seed.rows(schema.visit)


def test_a_visit_held_before_is_entered_within_two_weeks(start: Callable[..., Any], seed: Any, clock: Any) -> None:
    assert start(day="2026-01-10").status_code == 303
    assert seed.rows(schema.visit)[0]["started_at"] == pytest.approx(clock.at - 4.38 * 86400, abs=3600)
    for wrong in ("2025-12-01", "2026-02-01", "tomorrow", "2026-02-30"):
        assert start(day=wrong).status_code == 422


def test_visits_that_nobody_signs_do_not_pile_up(start: Callable[..., Any], seed: Any) -> None:
    assert [start().status_code for _ in range(4)] == [303, 303, 303, 422]
    assert len(seed.rows(schema.visit)) == 3


@pytest.mark.req("R44", "R20", "S5")
def test_what_to_know_before_a_visit_is_on_one_page(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.finding("find-1", kind="silent-device", device_id="dev-2")
    seed.finding("find-2", kind="unregistered-device")
    seed.finding("find-3", kind="tunnel", state="closed", raised_at=clock.at - 86400)
    page = officer.get(f"{PAGE}/before").text
    for said in (
        "Records under order 7 until 31 March 2026",
        "There is no signed visit yet",
        "1 device was first seen",
        "2 findings are open now",
        "1 finding was closed",
        "How has the device been used lately",
        "Whose device is it",
        "grey laptop",
        "What it cannot see at all",
    ):
        assert said in page, said
    assert "Which apps or settings" not in page  # only what is open is asked about
    assert "breach" not in page.lower()


@pytest.mark.req("R44")
def test_the_same_as_a_pdf(officer: FlaskClient, seed: Any) -> None:
    answer = officer.get(f"{PAGE}/before.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF")
    assert len(answer.data) > 5000
    assert "print-before-visit" in {row["action"] for row in seed.rows(schema.audit)}


@pytest.mark.req("R66")
def test_who_may_only_look_sees_no_form_and_starts_nothing(sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    auditor = sign_in_as("auditor-1", Role.AUDITOR)
    page = auditor.get(PAGE).text
    assert "Start a visit" not in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    data = {"csrf_token": token[1], "token": "ab" * 16, "present": "person"}
    assert auditor.post(PAGE, data=data).status_code == 403
    assert not seed.rows(schema.visit)


def test_a_household_that_is_not_there_has_no_visits(officer: FlaskClient) -> None:
    for path in ("", "/before", "/before.pdf"):
        assert officer.get(f"/households/site-9/visits{path}").status_code == 404


def test_days_are_bounded() -> None:
    assert page_of_visits.MOST_DAYS_BACK == 14
