"""The second person: what they are shown, and what becomes of their answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from werkzeug.test import TestResponse

from dashboard.auth import Role, close_account, make_code
from dashboard.store import schema

pytestmark = pytest.mark.req("R60")
DEVICE = "/households/site-1/devices/dev-1/law"


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device()


def _ask(client: FlaskClient, **fields: str) -> str:
    page = client.get(DEVICE).text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    form = re.search(rf'action="{DEVICE}/unmask".*?name="token" value="([^"]+)"', page, re.DOTALL)
    assert csrf is not None
    assert form is not None
    data = {"csrf_token": csrf[1], "token": form[1], "hours": "4", "reason": "Seen in use"} | fields
    assert client.post(f"{DEVICE}/unmask", data=data).status_code == 303
    return form[1]


def _answer(client: FlaskClient, command_id: str, what: str, reason: str = "I looked at it") -> TestResponse:
    page = client.get("/").text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert csrf is not None
    return client.post(f"/commands/{command_id}/{what}", data={"csrf_token": csrf[1], "reason": reason})


def test_another_officer_sees_it_on_today_and_agrees(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], seed: Any
) -> None:
    command_id = _ask(officer)
    other = sign_in_as("officer-2")
    today = other.get("/").text
    assert "Waiting for a second person" in today
    assert "Seen in use" in today
    page = other.get(f"/commands/{command_id}").text
    assert f'action="/commands/{command_id}/agree"' in page
    assert "take-back" not in page
    mine = officer.get(f"/commands/{command_id}").text
    assert f'action="/commands/{command_id}/take-back"' in mine
    assert "/agree" not in mine
    assert _answer(other, command_id, "agree").status_code == 303
    assert seed.rows(schema.command)[0]["state"] == "waiting"
    assert "Second person" in other.get(f"/commands/{command_id}").text
    assert "Agree or refuse" not in other.get("/").text


def test_who_asked_cannot_agree_and_the_audit_says_that_they_tried(officer: FlaskClient, seed: Any) -> None:
    command_id = _ask(officer)
    _answer(officer, command_id, "agree")
    assert seed.rows(schema.command)[0]["state"] == "needs-second"
    assert [row["outcome"] for row in seed.rows(schema.audit) if row["action"] == "agree"] == ["not taken"]
    _answer(officer, command_id, "take-back")
    assert seed.rows(schema.command)[0]["state"] == "taken-back"
    assert "Taken back" in officer.get(f"/commands/{command_id}").text


def test_a_refusal_needs_a_reason_and_is_shown(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], seed: Any
) -> None:
    command_id, other = _ask(officer), sign_in_as("officer-2")
    answer = _answer(other, command_id, "refuse", "")
    assert answer.location.endswith("wrong=refuse")
    assert "Enter the reason" in other.get(answer.location).text
    _answer(other, command_id, "refuse", "Not needed")
    assert seed.rows(schema.command)[0]["state"] == "disagreed"
    assert "Not needed" in officer.get(f"/commands/{command_id}").text


def test_an_auditor_answers_nothing(officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    command_id, auditor = _ask(officer), sign_in_as("auditor-1", Role.AUDITOR)
    for what in ("agree", "refuse", "take-back", "review"):
        assert _answer(auditor, command_id, what).status_code == 403
    assert "/agree" not in auditor.get(f"/commands/{command_id}").text
    assert seed.rows(schema.command)[0]["state"] == "needs-second"


def test_a_session_that_ended_answers_nothing(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], seed: Any, engine: Engine
) -> None:
    command_id, other = _ask(officer), sign_in_as("officer-2")
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', other.get("/").text)
    assert csrf is not None
    with engine.begin() as connection:
        connection.execute(update(schema.session).values(expires_at=1.0))
    answer = other.post(f"/commands/{command_id}/agree", data={"csrf_token": csrf[1], "reason": "x"})
    assert (answer.status_code, "/sign-in" in answer.location) == (303, True)
    assert seed.rows(schema.command)[0]["state"] == "needs-second"


def test_an_emergency_is_told_on_every_page_until_it_is_read_and_then_looked_at(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], seed: Any, clock: Any
) -> None:
    boss = sign_in_as("boss", Role.SUPERVISOR)
    assert "You are told" not in boss.get("/households").text
    command_id = _ask(officer, emergency="yes")
    for path in ("/", "/households", "/households/site-1"):
        assert "You are told" in boss.get(path).text
    assert "You are told" not in officer.get("/").text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', boss.get("/").text)
    assert csrf is not None
    assert boss.post(f"/messages/{command_id}/read", data={"csrf_token": csrf[1]}).status_code == 303
    assert "You are told" not in boss.get("/").text
    assert "Look at an emergency" in boss.get("/").text
    clock.at += 73 * 3600
    with_late = sign_in_as("officer-9").get("/").text
    assert "Was due" in with_late
    assert _answer(sign_in_as("officer-3"), command_id, "review", "It was one").status_code == 303
    assert "Look at an emergency" not in sign_in_as("officer-4").get("/").text
    assert seed.rows(schema.command)[0]["review_note"] == "It was one"


def test_another_tenants_command_does_not_exist(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], engine: Engine
) -> None:
    command_id, other = _ask(officer), sign_in_as("officer-2")
    with engine.begin() as connection:
        connection.execute(update(schema.site).values(tenant="elsewhere"))
    assert _answer(other, command_id, "agree").status_code == 404
    assert _answer(other, command_id, "nothing").status_code == 404


def test_today_is_not_calm_while_somebody_waits(officer: FlaskClient, sign_in_as: Callable[..., FlaskClient]) -> None:
    assert "gh-summary--calm" in officer.get("/").text
    command_id, other = _ask(officer), sign_in_as("officer-2")
    page = other.get("/").text
    assert "No finding needs a decision in 1 household. 1 person waits for an answer." in page
    assert "gh-summary--calm" not in page
    _answer(other, command_id, "refuse", "Not needed")
    assert "Nothing needs a decision in 1 household." in other.get("/").text


@pytest.mark.req("R66")
def test_each_denial_is_one_line_of_the_audit(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], seed: Any
) -> None:
    command_id, auditor = _ask(officer), sign_in_as("auditor-1", Role.AUDITOR)
    assert _answer(auditor, command_id, "agree").status_code == 403
    denied = [(row["subject"], row["outcome"]) for row in seed.rows(schema.audit) if row["action"] == "denied"]
    assert denied == [(f"POST /commands/{command_id}/agree", "refused")]


@pytest.mark.req("R60")
def test_an_account_that_was_closed_neither_asks_nor_agrees(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], seed: Any, engine: Engine, clock: Any
) -> None:
    first, other = _ask(officer), sign_in_as("officer-2")
    page = other.get("/").text
    close_account(engine, name="officer-2", now=clock.at)
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert csrf is not None
    answer = other.post(f"/commands/{first}/agree", data={"csrf_token": csrf[1], "reason": "I looked"})
    assert "/sign-in" in answer.location
    assert seed.rows(schema.command)[0]["state"] == "needs-second"
    close_account(engine, name="officer-1", now=clock.at)
    assert seed.rows(schema.command)[0]["state"] == "taken-back", "nobody agrees to what they asked for any more"
    for name in ("officer-2", "nobody"):
        with pytest.raises(ValueError, match="account named"):
            close_account(engine, name=name, now=clock.at)
    with pytest.raises(ValueError, match="closed"):
        make_code(engine, name="officer-2", now=clock.at, lifetime=60)
    closed = [row for row in seed.rows(schema.audit) if row["action"] == "close-account"]
    assert len(closed) == 2
