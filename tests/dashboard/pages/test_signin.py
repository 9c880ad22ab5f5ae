from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from dashboard.accounts.sessions import IDLE_SECONDS
from dashboard.auth import SESSION_SECONDS
from dashboard.pages.signin import safe_target
from dashboard.store import schema


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/households/site-1", "/households/site-1"),
        ("/commands/x?wait=1", "/commands/x?wait=1"),
        ("", "/"),
        ("households", "/"),
        ("//example.test", "/"),
        ("/\\example.test", "/"),
        ("///example.test", "/"),
        ("https://example.test/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/example.test", "/"),
        ("/\n/example.test", "/"),
        ("http://[", "/"),
        ("/" + "x" * 600, "/"),
    ],
)
def test_nobody_is_led_elsewhere(target: str, safe: str) -> None:
    assert safe_target(target) == safe


def test_after_signing_in_the_wanted_page_comes(
    stranger: FlaskClient,
    engine: Engine,
    csrf: Callable[[TestResponse], str],
    new_code: Callable[[str], str],
    seed: Any,
) -> None:
    from dashboard import auth

    auth.add_account(engine, name="o", role=auth.Role.OFFICER, now=0.0)
    seed.site()
    sent = stranger.get("/households/site-1")
    page = stranger.get(sent.location)
    assert 'name="next" value="/households/site-1"' in page.text
    data = {"name": "o", "code": new_code("o"), "csrf_token": csrf(page), "next": "/households/site-1"}
    assert stranger.post("/sign-in", data=data).location == "/households/site-1"


def test_an_evil_next_is_dropped(
    stranger: FlaskClient, engine: Engine, csrf: Callable[[TestResponse], str], new_code: Callable[[str], str]
) -> None:
    from dashboard import auth

    auth.add_account(engine, name="o", role=auth.Role.OFFICER, now=0.0)
    page = stranger.get("/sign-in?next=//example.test")
    assert "example.test" not in page.text
    data = {"name": "o", "code": new_code("o"), "csrf_token": csrf(page), "next": "//example.test"}
    assert stranger.post("/sign-in", data=data).location == "/"


def test_every_failure_looks_the_same(
    stranger: FlaskClient, engine: Engine, csrf: Callable[[TestResponse], str], new_code: Callable[[str], str]
) -> None:
    from dashboard import auth

    auth.add_account(engine, name="officer-1", role=auth.Role.OFFICER, now=0.0)
    new_code("officer-1")
    token = csrf(stranger.get("/sign-in"))
    texts = []
    for name in ("officer-1", "nobody"):
        answer = stranger.post("/sign-in", data={"name": name, "code": "WRONG", "csrf_token": token})
        assert answer.status_code == 422
        assert f'value="{name}"' in answer.text
        assert "WRONG" not in answer.text
        # The form's token holds the time, and the name stands in its field: all else is the same.
        alike = re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text).replace(f'value="{name}"', "")
        texts.append(alike[alike.index("There is a problem") :])
    assert texts[0] == texts[1]


def test_a_session_ends_by_itself(officer: FlaskClient, clock: Any) -> None:
    began = clock.at
    while clock.at < began + SESSION_SECONDS - 3000:
        clock.at += 3000
        assert officer.get("/").status_code == 200
    clock.at = began + SESSION_SECONDS
    assert officer.get("/").status_code == 303


def test_a_session_in_which_nothing_is_asked_for_ends_before_that(officer: FlaskClient, clock: Any) -> None:
    clock.at += IDLE_SECONDS - 1
    assert officer.get("/?part=live").status_code == 200, "a page that looks by itself does not count"
    assert officer.get("/").status_code == 200
    clock.at += IDLE_SECONDS - 1
    assert officer.get("/?part=live").status_code == 200
    clock.at += 1
    assert officer.get("/").status_code == 303


def test_signing_out_ends_the_session_on_the_server(
    app: Flask, officer: FlaskClient, csrf: Callable[[TestResponse], str]
) -> None:
    cookie = officer.get_cookie("gatehouse")
    assert cookie is not None
    answer = officer.post("/sign-out", data={"csrf_token": csrf(officer.get("/"))})
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    thief = app.test_client()
    thief.set_cookie("gatehouse", cookie.value)
    assert thief.get("/").status_code == 303


def test_signing_in_makes_a_new_csrf_token_and_session(
    stranger: FlaskClient, engine: Engine, csrf: Callable[[TestResponse], str], new_code: Callable[[str], str]
) -> None:
    from dashboard import auth

    auth.add_account(engine, name="o", role=auth.Role.OFFICER, now=0.0)
    before = csrf(stranger.get("/sign-in"))
    stranger.post("/sign-in", data={"name": "o", "code": new_code("o"), "csrf_token": before})
    assert stranger.post("/sign-out", data={"csrf_token": before}).status_code == 400


def test_a_tampered_cookie_is_a_stranger(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie("gatehouse", "eyJ0b2tlbiI6IngifQ.aaaa.bbbb")
    assert client.get("/").status_code == 303


def test_who_is_signed_in_needs_no_form(officer: FlaskClient) -> None:
    assert officer.get("/sign-in").status_code == 303


def test_an_account_that_is_gone_or_changed_has_no_session(officer: FlaskClient, engine: Engine) -> None:
    from sqlalchemy import update

    from dashboard.store import schema

    with engine.begin() as connection:
        connection.execute(update(schema.account).values(role="stranger"))
    assert officer.get("/").status_code == 303


def test_tries_of_names_that_nobody_has_are_one_line_of_audit_for_a_while(
    stranger: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str], clock: Any
) -> None:
    token = csrf(stranger.get("/sign-in"))
    for name in ("a", "b", "c\x00"):
        assert stranger.post("/sign-in", data={"name": name, "code": "x", "csrf_token": token}).status_code == 422
    lines = [(row["account_id"], row["action"], row["subject"]) for row in seed.rows(schema.audit)]
    assert lines == [(None, "sign-in-failed", "no such name")]
    clock.at += 601
    stranger.post("/sign-in", data={"name": "a", "code": "x", "csrf_token": token})
    assert len(seed.rows(schema.audit)) == 2
