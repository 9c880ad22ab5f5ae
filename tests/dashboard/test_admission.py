"""A session that ended, a form that met it, and a proof that is asked for anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from dashboard import auth
from dashboard.access import Role
from dashboard.accounts.sessions import IDLE_SECONDS
from dashboard.store import schema

pytestmark = pytest.mark.req("R66", "S2")
FORM = "/households/site-1/notes"


@pytest.fixture(autouse=True)
def home(seed: Any) -> None:
    seed.site()


def _csrf(text: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found is not None
    return found[1]


def _come_back(client: FlaskClient, engine: Engine, clock: Any, name: str, target: str) -> Any:
    """Sign in again in the same browser, as somebody; the page that comes."""
    code = auth.make_code(engine, name=name, now=clock.at, lifetime=900)
    page = client.get("/sign-in", query_string={"next": target})
    data = {"name": name, "code": code, "next": target, "csrf_token": _csrf(page.text)}
    return client.post("/sign-in", data=data, follow_redirects=True)


def test_what_was_typed_comes_back_after_signing_in_again(
    officer: FlaskClient, engine: Engine, clock: Any, seed: Any
) -> None:
    token = _csrf(officer.get("/account").text)
    clock.at += IDLE_SECONDS
    sent = officer.post(FORM, data={"csrf_token": token, "text": "Long <b>thought</b>\nabout", "heading": "general"})
    assert sent.status_code == 303
    target = re.search(r"next=(%2Fheld%2F[0-9a-f]{32})$", sent.location)
    assert target is not None
    assert "is kept" in officer.get(sent.location).text
    page = _come_back(officer, engine, clock, "officer-1", target[1].replace("%2F", "/"))
    assert "What you typed is still here" in page.text
    assert "Long &lt;b&gt;thought&lt;/b&gt;\nabout</textarea>" in page.text
    assert f'action="{FORM}"' in page.text
    assert 'name="heading" value="general"' in page.text
    assert "thought" not in str(seed.rows(schema.held_form)), "it is sealed"
    gone = officer.post(f"{target[1].replace('%2F', '/')}/drop", data={"csrf_token": _csrf(page.text)})
    assert gone.status_code == 303
    assert seed.rows(schema.held_form) == []


def test_nobody_else_finds_it(officer: FlaskClient, engine: Engine, clock: Any, seed: Any) -> None:
    token = _csrf(officer.get("/account").text)
    clock.at += IDLE_SECONDS
    officer.post(FORM, data={"csrf_token": token, "text": "Mine"})
    (row,) = seed.rows(schema.held_form)
    auth.add_account(engine, name="boss", role=Role.SUPERVISOR, now=0.0)
    page = _come_back(officer, engine, clock, "boss", f"/held/{row['held_id']}")
    assert page.status_code == 404
    assert "Mine" not in page.text


def test_a_form_that_is_not_ours_is_not_kept(officer: FlaskClient, clock: Any, seed: Any) -> None:
    officer.get("/account")
    clock.at += IDLE_SECONDS
    for token in ("", "forged"):
        answer = officer.post(FORM, data={"csrf_token": token, "text": "Say this"})
        assert answer.location == "/sign-in?next=%2F"
    assert seed.rows(schema.held_form) == []


def test_a_session_that_somebody_ended_keeps_nothing(
    officer: FlaskClient, engine: Engine, clock: Any, seed: Any
) -> None:
    token = _csrf(officer.get("/account").text)
    with engine.begin() as connection:
        connection.execute(update(schema.session).values(ended_at=clock.at))
    assert officer.post(FORM, data={"csrf_token": token, "text": "x y"}).location == "/sign-in?next=%2F"
    assert seed.rows(schema.held_form) == []


def test_an_export_wants_a_fresh_proof_and_goes_on_after_it(
    officer: FlaskClient, engine: Engine, clock: Any, seed: Any
) -> None:
    assert officer.get("/households.csv").status_code == 200
    clock.at += 600
    sent = officer.get("/households.csv")
    assert (sent.status_code, sent.location) == (303, "/again?next=%2Fhouseholds.csv")
    page = officer.get(sent.location)
    assert "Show that it is you" in page.text
    data = {"csrf_token": _csrf(page.text), "next": "/households.csv", "code": "WRONG"}
    assert officer.post("/again", data=data).status_code == 422
    assert officer.get("/households.csv").status_code == 303
    code = auth.make_code(engine, name="officer-1", now=clock.at, lifetime=900)
    done = officer.post("/again", data=data | {"code": code})
    assert (done.status_code, done.location) == (303, "/households.csv")
    assert officer.get("/households.csv").status_code == 200
    assert officer.post("/again", data=data | {"code": code}).status_code == 422, "a code does once"
    assert [row["action"] for row in seed.rows(schema.audit)].count("prove") == 1


def test_a_form_that_wants_a_fresh_proof_waits_for_it(
    sign_in_as: Callable[..., FlaskClient], engine: Engine, clock: Any, seed: Any
) -> None:
    boss = sign_in_as("boss", Role.SUPERVISOR)
    token = _csrf(boss.get("/accounts").text)
    clock.at += 601
    sent = boss.post("/accounts", data={"csrf_token": token, "name": "New Officer", "role": "officer"})
    assert sent.location.startswith("/again?next=%2Fheld%2F")
    code = auth.make_code(engine, name="boss", now=clock.at, lifetime=900)
    (row,) = seed.rows(schema.held_form)
    data = {"csrf_token": token, "next": f"/held/{row['held_id']}", "code": code}
    page = boss.post("/again", data=data, follow_redirects=True)
    assert "New Officer" in page.text
    assert "New Officer" not in {item["name"] for item in seed.rows(schema.account)}
    again = boss.post("/accounts", data={"csrf_token": _csrf(page.text), "name": "New Officer", "role": "officer"})
    assert again.status_code == 200
    assert "New Officer" in {item["name"] for item in seed.rows(schema.account)}


def test_staying_signed_in_counts_from_now(officer: FlaskClient, clock: Any) -> None:
    page = officer.get("/account")
    assert f'data-ends-in="{int(IDLE_SECONDS)}"' in page.text
    clock.at += 3000
    answer = officer.post("/stay", data={"csrf_token": _csrf(page.text)}, headers={"Accept": "application/json"})
    assert (answer.json, answer.headers["X-Ends-In"]) == ({"ends_in": int(IDLE_SECONDS)}, str(int(IDLE_SECONDS)))
    clock.at += 3000
    assert "You stay signed in" in officer.post("/stay", data={"csrf_token": _csrf(page.text)}).text


def test_a_household_out_of_charge_is_no_way_round(
    app: Flask, sign_in_as: Callable[..., FlaskClient], seed: Any
) -> None:
    assert app.url_map is not None
    outsider = sign_in_as("outsider", charged=False)
    assert outsider.get("/households/site-1").status_code == 404
    assert "NM-site-1" not in outsider.get("/households").text
    assert [row["subject"] for row in seed.rows(schema.audit) if row["action"] == "denied"] == [
        "GET /households/site-1"
    ]


def test_a_page_says_until_when_one_is_signed_in_from_now_on(officer: FlaskClient, clock: Any) -> None:
    first = re.search(r'data-ends-in="(\d+)"', officer.get("/account").text)
    clock.at += 3000
    later = re.search(r'data-ends-in="(\d+)"', officer.get("/account").text)
    assert first is not None
    assert later is not None
    assert first[1] == later[1]
