from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from werkzeug.test import TestResponse

from dashboard import auth
from dashboard.access import Role
from dashboard.store import schema

FORM = {"name": "case system", "rights": ["see"], "days": "30"}


def _make(browser: FlaskClient, csrf: Callable[[TestResponse], str], **values: Any) -> TestResponse:
    return browser.post("/tokens", data=FORM | {"csrf_token": csrf(browser.get("/tokens"))} | values)


def _token(answer: TestResponse) -> str:
    found = re.search(r"ghp_[A-Za-z0-9_-]{43}", answer.text)
    assert found, answer.text
    return found.group()


@pytest.mark.req("R66")
def test_a_token_is_shown_once_kept_as_a_hash_and_in_the_audit(
    officer: FlaskClient, csrf: Callable[[TestResponse], str], seed: Any
) -> None:
    answer = _make(officer, csrf)
    assert answer.status_code == 200
    token = _token(answer)
    assert token not in officer.get("/tokens").text
    (row,) = seed.rows(schema.api_token)
    assert token not in repr(row)
    assert row["rights"] == ["see"]
    assert [line["action"] for line in seed.rows(schema.audit)].count("make-token") == 1
    assert all(token not in repr(line) for line in seed.rows(schema.audit))


@pytest.mark.req("R66")
def test_a_token_is_made_after_a_fresh_proof_alone(
    officer: FlaskClient, csrf: Callable[[TestResponse], str], seed: Any, clock: Any
) -> None:
    clock.at += 601
    answer = _make(officer, csrf)
    assert answer.status_code == 303
    assert answer.location.startswith("/again?next=%2Fheld%2F"), "what was typed waits there"
    assert seed.rows(schema.api_token) == []
    assert officer.get("/tokens").status_code == 200, "to look, and to end one, the session is enough"


def test_who_has_an_account_finds_the_page(officer: FlaskClient) -> None:
    assert 'href="/tokens"' in officer.get("/account").text


def test_its_use_is_shown_and_it_ends_at_once(
    officer: FlaskClient, stranger: FlaskClient, csrf: Callable[[TestResponse], str], seed: Any
) -> None:
    head = {"Authorization": f"Bearer {_token(_make(officer, csrf))}"}
    assert ">Never<" in officer.get("/tokens").text
    assert stranger.get("/api/v1/me", headers=head).status_code == 200
    page = officer.get("/tokens")
    assert ">Never<" not in page.text
    (row,) = seed.rows(schema.api_token)
    answer = officer.post(f"/tokens/{row['token_id']}/end", data={"csrf_token": csrf(page)})
    assert (answer.status_code, answer.location) == (303, "/tokens")
    assert stranger.get("/api/v1/me", headers=head).status_code == 401
    assert "Ended" in officer.get("/tokens").text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": ""}, "Say what it is for"),
        ({"name": "a\u202eb"}, "Say what it is for"),
        ({"rights": []}, "Select what it may do"),
        ({"rights": ["manage", "export"]}, "Select what it may do"),
        ({"days": "91"}, "Days must be"),
        ({"days": "x"}, "Days must be"),
        ({"whose": "supervisor"}, "Select whose it is"),
        ({"whose": "auditor"}, "Only a supervisor can make one for a service"),
    ],
)
def test_a_form_that_does_not_hold_comes_back(
    officer: FlaskClient, csrf: Callable[[TestResponse], str], seed: Any, values: dict[str, Any], said: str
) -> None:
    answer = _make(officer, csrf, **values)
    assert answer.status_code == 422
    assert said in answer.text
    assert "govuk-error-summary" in answer.text
    assert "<title>Error: " in answer.text
    assert seed.rows(schema.api_token) == []


def test_a_service_only_reads_and_has_an_account_nobody_signs_in_to(
    sign_in_as: Callable[..., FlaskClient], csrf: Callable[[TestResponse], str], seed: Any, stranger: FlaskClient
) -> None:
    chief = sign_in_as("chief-1", Role.SUPERVISOR)
    answer = _make(chief, csrf, whose="auditor", rights=["see", "decide"])
    head = {"Authorization": f"Bearer {_token(answer)}"}
    me = stranger.get("/api/v1/me", headers=head).get_json()
    assert (me["role"], me["service"], me["rights"]) == ("auditor", True, ["be-here", "see"])
    (row,) = [row for row in seed.rows(schema.account) if row["name"] == "Service: case system"]
    assert row["code_hash"] is None
    answer = stranger.post("/api/v1/commands/x/agree", headers=head, json={"reason": "x"})
    assert answer.status_code == 403


def test_others_tokens_are_seen_and_ended_by_who_manages_alone(
    sign_in_as: Callable[..., FlaskClient], csrf: Callable[[TestResponse], str], seed: Any
) -> None:
    mine, other, chief = sign_in_as("officer-1"), sign_in_as("officer-2"), sign_in_as("chief-1", Role.SUPERVISOR)
    _make(mine, csrf)
    (row,) = seed.rows(schema.api_token)
    assert row["token_id"] not in other.get("/tokens").text
    other.post(f"/tokens/{row['token_id']}/end", data={"csrf_token": csrf(other.get("/tokens"))})
    assert seed.rows(schema.api_token)[0]["ended_at"] is None
    assert row["token_id"] in chief.get("/tokens").text
    chief.post(f"/tokens/{row['token_id']}/end", data={"csrf_token": csrf(chief.get("/tokens"))})
    assert seed.rows(schema.api_token)[0]["ended_at"] is not None


def test_the_interface_is_described_without_a_script(officer: FlaskClient) -> None:
    text = officer.get("/tokens/interface").text
    assert "/api/v1/households/&lt;site&gt;/findings" in text
    assert 'href="/api/v1/openapi.json"' in text


def test_a_closed_account_takes_its_tokens_along(
    officer: FlaskClient, stranger: FlaskClient, csrf: Callable[[TestResponse], str], engine: Engine, clock: Any
) -> None:
    head = {"Authorization": f"Bearer {_token(_make(officer, csrf))}"}
    auth.close_account(engine, name="officer-1", now=clock.at)
    assert stranger.get("/api/v1/me", headers=head).status_code == 401


@pytest.mark.usefixtures("seed")
def test_a_token_shrinks_with_its_accounts_role(
    officer: FlaskClient, stranger: FlaskClient, csrf: Callable[[TestResponse], str], engine: Engine
) -> None:
    head = {"Authorization": f"Bearer {_token(_make(officer, csrf, rights=['see', 'decide', 'see-boxes']))}"}
    with engine.begin() as connection:
        connection.execute(update(schema.account).values(role="engineer"))
    assert stranger.get("/api/v1/me", headers=head).get_json()["rights"] == ["be-here", "see-boxes"]
    assert stranger.get("/api/v1/households", headers=head).status_code == 403
