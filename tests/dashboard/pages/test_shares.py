"""Shares with other agencies: made with a purpose and an end, opened once by a code, read-only, revocable, audited."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.store import schema, shares

pytestmark = pytest.mark.req("S2")
PAGE = "/households/site-1/shares"
TOKEN = "5a" * 16


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device("dev-1", standing="registered", label="grey laptop")
    seed.device("dev-2", standing="household", label="mother's phone")
    seed.finding("find-1", kind="listed-name", device_id="dev-1", hit=seed.hit())


def _csrf(text: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found is not None
    return found[1]


@pytest.fixture
def give(officer: FlaskClient) -> Callable[..., Any]:
    def do(**fields: Any) -> Any:
        data = {
            "csrf_token": _csrf(officer.get(PAGE).text),
            "token": TOKEN,
            "agency": "Eastdale social care",
            "reader": "supervising social worker",
            "purpose": "Review of 1 March",
            "sections": ["findings", "devices", "visits"],
            "days": "28",
        }
        return officer.post(PAGE, data=data | fields)

    return do


def _code(answer: Any) -> str:
    found = re.search(r"<strong class=\"gh-mono\">([0-9A-Z]{5}-[0-9A-Z]{5})</strong>", answer.text)
    assert found is not None, answer.text[:3000]
    return found[1]


def _enter(stranger: FlaskClient, code: str) -> Any:
    page = stranger.get(f"/shared/{TOKEN}")
    return stranger.post(f"/shared/{TOKEN}", data={"csrf_token": _csrf(page.text), "code": code})


def test_a_reader_opens_it_once_and_sees_the_chosen_parts_alone(
    give: Callable[..., Any], stranger: FlaskClient, app: Any, seed: Any
) -> None:
    made = give()
    assert made.status_code == 200
    assert f"/shared/{TOKEN}" in made.text
    code = _code(made)
    assert code.replace("-", "") not in str(seed.rows(schema.share))  # kept as a hash
    assert _enter(stranger, code.lower()).status_code == 303
    page = stranger.get(f"/shared/{TOKEN}").text
    assert "a phone" in page  # what the registered device looks like
    assert "asked for a name that is on a list" in page
    for hidden in ("shop.example", "shop[.]example", "mother", "grey laptop", "02:00:5e", "Whether the box reports"):
        assert hidden not in page, hidden
    assert "What this box cannot see" in page
    other = app.test_client()
    assert _enter(other, code).status_code == 422  # used up
    said = [(row["action"], row["outcome"]) for row in seed.rows(schema.audit) if row["account_id"] is None]
    assert ("open-share", "opened") in said
    assert ("view-share", "shown") in said
    assert ("open-share", "failed") in said


def test_it_ends_by_itself_and_at_once_when_revoked(
    give: Callable[..., Any], stranger: FlaskClient, officer: FlaskClient, clock: Any
) -> None:
    assert _enter(stranger, _code(give())).status_code == 303
    assert "asked for a name" in stranger.get(f"/shared/{TOKEN}").text
    data = {"csrf_token": _csrf(officer.get(PAGE).text), "answer": "end"}
    assert officer.post(f"{PAGE}/{TOKEN}", data=data).status_code == 303
    assert "asked for a name" not in stranger.get(f"/shared/{TOKEN}").text
    again = officer.post(f"{PAGE}/{TOKEN}", data=data | {"answer": "code"})
    assert "gh-alert--done" not in again.text  # no code for what has ended
    clock.at += 1


def test_closing_it_ends_the_session_wherever_its_cookie_was_copied_to(
    give: Callable[..., Any], stranger: FlaskClient, app: Any
) -> None:
    _enter(stranger, _code(give()))
    copied = app.test_client()
    with stranger.session_transaction() as from_, copied.session_transaction() as to:
        to.update(from_)
    page = copied.get(f"/shared/{TOKEN}").text
    assert "asked for a name" in page
    assert stranger.post(f"/shared/{TOKEN}/leave", data={"csrf_token": _csrf(page)}).status_code == 303
    assert "asked for a name" not in copied.get(f"/shared/{TOKEN}").text


def test_after_its_days_nobody_reads_it(give: Callable[..., Any], stranger: FlaskClient, clock: Any) -> None:
    code = _code(give(days="1"))
    clock.at += 86400 - 60
    assert _enter(stranger, code).status_code == 303
    assert "asked for a name" in stranger.get(f"/shared/{TOKEN}").text
    clock.at += 61
    assert "asked for a name" not in stranger.get(f"/shared/{TOKEN}").text


def test_five_wrong_codes_take_the_code_away(give: Callable[..., Any], stranger: FlaskClient) -> None:
    code = _code(give())
    for _ in range(5):
        assert _enter(stranger, "AAAAA-AAAAA").status_code == 422
    assert _enter(stranger, code).status_code == 422


def test_what_never_was_and_what_has_ended_look_alike(stranger: FlaskClient) -> None:
    answer = stranger.get("/shared/nothing-here")
    assert answer.status_code == 200
    wrong = stranger.post("/shared/nothing-here", data={"csrf_token": _csrf(answer.text), "code": "AAAAA-AAAAA"})
    assert wrong.status_code == 422
    assert stranger.get("/shared/UPPER_case").status_code == 404


def test_a_reader_writes_notes_and_nothing_else(
    give: Callable[..., Any], stranger: FlaskClient, officer: FlaskClient, seed: Any
) -> None:
    _enter(stranger, _code(give()))
    page = stranger.get(f"/shared/{TOKEN}").text
    data = {"csrf_token": _csrf(page), "token": "1b" * 16, "text": "Seen on <b>Monday</b>"}
    for _ in range(2):
        assert stranger.post(f"/shared/{TOKEN}/notes", data=data).status_code == 303
    assert len(seed.rows(schema.share_note)) == 1
    shown = officer.get(PAGE).text
    assert "Seen on &lt;b&gt;Monday&lt;/b&gt;" in shown
    assert "Eastdale social care, supervising social worker" in shown
    assert stranger.post(f"/shared/{TOKEN}/notes", data=data | {"text": " "}).status_code == 422
    assert stranger.get("/households/site-1").status_code == 303  # to the sign-in


def test_purpose_sections_and_days_are_asked_for(give: Callable[..., Any], seed: Any) -> None:
    answer = give(purpose="", sections=[], days="93", reader="x" * 81)
    assert answer.status_code == 422
    for said in ("Enter this: Purpose", "Select what is shared", "from 1 to 92", "80 characters"):
        assert said in answer.text
    assert 'value="Eastdale social care"' in answer.text
    assert not seed.rows(schema.share)


def test_shares_that_last_are_bounded(give: Callable[..., Any], seed: Any) -> None:
    for number in range(shares.MOST_SHARES):
        assert give(token=f"{number:032x}").status_code == 200
    assert give(token="ff" * 16).status_code == 422
    assert len(seed.rows(schema.share)) == shares.MOST_SHARES


def test_who_may_not_export_shares_nothing(sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    auditor = sign_in_as("auditor-1", Role.AUDITOR)
    page = auditor.get(PAGE).text
    assert "Share with a reader" not in page
    assert auditor.post(PAGE, data={"csrf_token": _csrf(page), "token": TOKEN}).status_code == 403
    assert not seed.rows(schema.share)
