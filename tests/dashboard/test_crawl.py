"""Every page, as every role and as a stranger: what was answered is what the rights say, and the audit knows of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from werkzeug.routing import Rule

from dashboard import access
from dashboard.access import SEES_ALL, May, Role
from dashboard.store import schema
from dashboard.store.engine import reading

pytestmark = pytest.mark.req("R66", "R39")
MINE, OTHERS = "site-1", "site-2"
IDS = {"site": MINE, "finding": "find-1", "device": "dev-1", "proposal": "prop-1", "filename": "govuk.css"}
ALSO = {
    "team.team_csv": May.SEE_TEAM,
    "monthly.monthly_csv": May.SEE_TEAM,
    "trail.audit_csv": May.SEE_AUDIT,
}
"""Exports of what it takes a right of its own to see: they want both."""
UNSEEN = {"audit", "session", "flow", "held_form"}
"""Tables whose rows tell of sessions, or of the audit itself."""
NOT_HERE = ("/api/", "/static/", "/shared/", "/demo")
"""Programs and other agencies come with tokens of their own, and the demonstration has no household of the operator's:
those are crawled by themselves (`test_crawl_elsewhere`)."""


@pytest.fixture(autouse=True)
def homes(seed: Any) -> None:
    for site in (MINE, OTHERS):
        seed.site(site)
        seed.device(site=site)
        seed.finding(site=site)
        seed.proposal(site=site)


def _rules(app: Flask, method: str) -> Iterator[tuple[Rule, May | None]]:
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()) and not rule.rule.startswith(NOT_HERE):
            yield rule, access.need_of(app.view_functions[rule.endpoint])


def _may(role: Role, rule: Rule, need: May) -> bool:
    return role.may(need) and role.may(ALSO.get(rule.endpoint, need))


def _address(rule: Rule, site: str = MINE) -> str:
    filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: (IDS | {"site": site}).get(found[1], "none"), rule.rule)
    assert "<" not in filled
    return filled


def _token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in", follow_redirects=True).text)
    found = found or re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert found is not None
    return found[1]


def _audit(engine: Engine, after: int = 0) -> list[Any]:
    with reading(engine).connect() as connection:
        query = select(schema.audit).where(schema.audit.c.audit_id > after).order_by(schema.audit.c.audit_id)
        return [*connection.execute(query)]


def _kept(engine: Engine) -> dict[str, Any]:
    with reading(engine).connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in schema.metadata.tables.items()
            if name not in UNSEEN
        }


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stranger_is_sent_to_the_sign_in(app: Flask, stranger: FlaskClient, engine: Engine, method: str) -> None:
    token, before = _token(stranger), _kept(engine)
    tried = 0
    for rule, need in _rules(app, method):
        if need is None:
            continue
        answer = stranger.open(_address(rule), method=method, data={"csrf_token": token} if method == "POST" else None)
        assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in"), rule
        tried += 1
    assert tried >= 30
    assert _kept(engine) == before


@pytest.mark.parametrize("role", list(Role))
def test_what_a_role_may_not_is_refused_and_written_down(
    app: Flask, engine: Engine, sign_in_as: Callable[..., FlaskClient], role: Role
) -> None:
    client = sign_in_as("somebody", role)
    token, before, refused = _token(client), _kept(engine), []
    for method in ("GET", "POST"):
        for rule, need in _rules(app, method):
            if need is None or _may(role, rule, need) or rule.rule == "/":
                continue
            address = _address(rule)
            answer = client.open(address, method=method, data={"csrf_token": token} if method == "POST" else None)
            assert answer.status_code == 403, (rule, method)
            refused.append(f"{method} {address}"[:160])
    assert [row.subject for row in _audit(engine) if row.action == "denied"] == refused
    assert bool(refused) == (role is not Role.SUPERVISOR)
    assert _kept(engine) == before


@pytest.mark.parametrize("role", list(Role))
def test_who_has_no_today_begins_at_a_place_of_their_own(sign_in_as: Callable[..., FlaskClient], role: Role) -> None:
    client = sign_in_as("somebody", role)
    answer = client.get("/")
    assert answer.status_code == (200 if role.may(May.SEE) else 303)
    assert client.get("/", follow_redirects=True).status_code == 200


@pytest.mark.parametrize("role", [role for role in Role if role.may(May.SEE)])
def test_a_household_out_of_charge_does_not_exist_and_the_try_is_written_down(
    app: Flask, engine: Engine, sign_in_as: Callable[..., FlaskClient], role: Role
) -> None:
    client = sign_in_as("somebody", role, charged=False)
    token, before = _token(client), _kept(engine)
    for method in ("GET", "POST"):
        for rule, need in _rules(app, method):
            if not rule.rule.startswith("/households/<site>") or need is None or not _may(role, rule, need):
                continue
            address, last = _address(rule, OTHERS), max((row.audit_id for row in _audit(engine)), default=0)
            answer = client.open(address, method=method, data={"csrf_token": token} if method == "POST" else None)
            denied = [row for row in _audit(engine, last) if row.action == "denied"]
            if role in SEES_ALL:
                assert answer.status_code not in (403, 500), (rule, method)
                assert not denied, (rule, method)
            else:
                assert answer.status_code == 404, (rule, method)
                assert [row.subject for row in denied] == [f"{method} {address}"[:160]], (rule, method)
    if role not in SEES_ALL:
        assert _kept(engine) == before


@pytest.mark.parametrize("role", list(Role))
def test_what_a_role_may_is_answered_and_the_audit_knows_whose_household_was_looked_at(
    app: Flask, engine: Engine, sign_in_as: Callable[..., FlaskClient], role: Role
) -> None:
    client = sign_in_as("somebody", role)
    shown = 0
    for rule, need in _rules(app, "GET"):
        if need is None or not _may(role, rule, need):
            continue
        last = max((row.audit_id for row in _audit(engine)), default=0)
        app.extensions["gatehouse"].views.seen.clear()  # else a second look within ten minutes is no line of its own
        answer = client.get(_address(rule))
        assert answer.status_code in (200, 303, 404), rule
        if answer.status_code != 200:
            continue
        shown += 1
        lines = _audit(engine, last)
        if rule.rule.startswith("/households"):
            assert any(row.action.startswith(("view-", "export-", "print-")) for row in lines), rule
    assert shown >= 2


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR])
def test_nothing_is_changed_without_a_line_in_the_audit(
    app: Flask, engine: Engine, sign_in_as: Callable[..., FlaskClient], role: Role
) -> None:
    client = sign_in_as("somebody", role)
    token = _token(client)
    forms = [rule for rule, need in _rules(app, "POST") if need is not None and role.may(need)]
    for rule in forms:
        last, before = max((row.audit_id for row in _audit(engine)), default=0), _kept(engine)
        answer = client.post(_address(rule), data={"csrf_token": token, "reason": "Seen", "name": "Someone"})
        assert answer.status_code < 500, rule
        assert answer.status_code != 403, rule
        after = _kept(engine)
        changed = [name for name in after if after[name] != before[name]]
        assert not changed or _audit(engine, last), (rule, changed)
    assert len(forms) >= 20


def test_the_document_says_what_the_program_does(app: Flask) -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    root = Path(__file__).resolve().parents[2]
    spec = spec_from_file_location("tool_access_table", root / "tools" / "access_table.py")
    assert spec is not None
    assert spec.loader is not None
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert (root / "docs" / "access.md").read_text() == tool.document(app), "run tools/access_table.py > docs/access.md"
