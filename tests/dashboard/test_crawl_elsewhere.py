"""What the crawl of the pages leaves out: the interface for programs, and the demonstration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.routing import Rule

from dashboard import access, auth, tokens
from dashboard.access import May, Role
from dashboard.accounts import managing
from dashboard.api.install import EXTENSION
from dashboard.store import schema

pytestmark = pytest.mark.req("R66", "R39")
IDS = {"site": "site-2", "finding": "find-1", "device": "dev-1", "proposal": "prop-1"}


def _address(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: IDS.get(found[1], "none"), rule.rule)


def _rules(app: Flask, prefix: str) -> Iterator[tuple[str, str, May]]:
    for rule in app.url_map.iter_rules():
        need = access.need_of(app.view_functions[rule.endpoint])
        if rule.rule.startswith(prefix) and need is not None:
            for method in {"GET", "POST"} & set(rule.methods or ()):
                yield method, _address(rule), need


def _denied(seed: Any) -> list[str]:
    return [row["subject"] for row in seed.rows(schema.audit) if row["action"] == "denied"]


def _ask(app: Flask, engine: Engine, role: Role, clock: Any) -> FlaskClient:
    account_id = auth.add_account(engine, name=f"the {role}", role=role, now=0.0)
    who = auth.SignedIn(account_id=account_id, name="", role=role, token_hash="", expires_at=0.0)
    rights = {right for right in tokens.OFFERED if role.may(right)}
    token = tokens.make(engine, by=who, name="t", rights=rights, days=7, now=clock.at, service=None)
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def test_without_a_token_nothing_of_the_interface_answers(app: Flask, stranger: FlaskClient, seed: Any) -> None:
    seed.site("site-2")
    tried = [stranger.open(where, method=method, json={}).status_code for method, where, _need in _rules(app, "/api/")]
    assert len(tried) >= 60
    assert set(tried) == {401}


@pytest.mark.parametrize("role", list(Role))
def test_a_token_has_its_accounts_rights_and_households_and_every_refusal_is_written_down(
    app: Flask, engine: Engine, seed: Any, clock: Any, role: Role
) -> None:
    client = _ask(app, engine, role, clock)
    seed.site("site-2", charged=False)
    refused = []
    for method, where, need in _rules(app, "/api/"):
        app.extensions[EXTENSION].pace.buckets.clear()
        mine = role.may(need) and (role is not Role.OFFICER or "/site-2" not in where)
        if mine and method == "POST":
            continue  # what a form does is the page's, and the pages are crawled
        # A body that holds for every act: what it says is looked at only after who it is.
        answer = client.open(where, method=method, json=None if method == "GET" else {"fields": {}})
        if not role.may(need):
            assert answer.status_code == 403, where
            refused.append(f"{method} {where}"[:160])
        elif not mine:
            assert answer.status_code in (404, 422), where
        else:
            assert answer.status_code < 500, where
            assert answer.status_code != 403 or need is not May.SEE, where
    assert set(refused) <= set(_denied(seed))
    assert bool(refused) == (role is not Role.SUPERVISOR)


def test_whose_account_is_closed_or_whose_keys_are_taken_away_is_out_at_once(
    app: Flask, engine: Engine, clock: Any, seed: Any
) -> None:
    seed.site("site-2")
    one, other = _ask(app, engine, Role.SUPERVISOR, clock), _ask(app, engine, Role.AUDITOR, clock)
    assert one.get("/api/v1/households").status_code == other.get("/api/v1/households").status_code == 200
    auth.close_account(engine, name="the supervisor", now=clock.at)
    (row,) = [row for row in seed.rows(schema.account) if row["name"] == "the auditor"]
    with engine.begin() as connection:
        managing.reset_keys(connection, account_id=row["account_id"], by=None, now=clock.at)
    assert one.get("/api/v1/households").status_code == other.get("/api/v1/households").status_code == 401


def test_nothing_of_what_is_real_is_there_in_the_demonstration(
    app: Flask, engine: Engine, sign_in_as: Callable[..., FlaskClient], seed: Any, csrf: Callable[..., str]
) -> None:
    seed.site("site-2")
    boss = sign_in_as("boss", Role.SUPERVISOR)
    assert boss.post("/demo", data={"csrf_token": csrf(boss.get("/demo"))}).status_code == 303
    for method, where, _need in _rules(app, "/"):
        if method == "GET" and not where.startswith(("/api/", "/demo", "/next", "/search", "/help")) and where != "/":
            answer = boss.get(where)
            if where.startswith(("/households/site-2", "/commands/")):
                assert answer.status_code in (404, 303), where
            assert "NM-site-2" not in answer.text, where
    auth.close_account(engine, name="boss", now=0.0)
    assert boss.get("/").location.startswith("/sign-in"), "nor is who was closed"
