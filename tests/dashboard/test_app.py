from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from werkzeug.test import TestResponse

from dashboard import auth
from dashboard.access import Role, need_of
from dashboard.app import SecretError, create_app, read_secret
from dashboard.settings import DashboardSettings
from dashboard.store import schema

PAGES = {
    "/": "view-today",
    "/households": "view-households",
    "/households/site-1": "view-household",
    "/households/site-1/findings/find-1": "view-finding",
}


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding()


def _ask(client: FlaskClient, csrf: Callable[[TestResponse], str]) -> TestResponse:
    page = client.get("/households/site-1/findings/find-1")
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token is not None
    return client.post(
        "/households/site-1/findings/find-1",
        data={
            "csrf_token": csrf(page),
            "token": token.group(1),
            "standing": "guest",
            "days": "3",
            "reason": "A visitor",
        },
    )


def test_every_route_wants_a_sign_in_but_the_few_that_cannot(app: Flask, stranger: FlaskClient) -> None:
    tried = 0
    for rule in app.url_map.iter_rules():
        # Which are for strangers, and what becomes of those, is another test's: tests/dashboard/test_access.py.
        if need_of(app.view_functions[rule.endpoint]) is None or rule.rule.startswith("/api/"):
            continue
        path = rule.build(dict.fromkeys(rule.arguments, "x"))
        assert path is not None
        answer = stranger.get(path[1])
        assert answer.status_code == 303, rule
        assert answer.location.startswith("/sign-in?next="), rule
        assert answer.text.count("site-1") == 0
        tried += 1
    assert tried >= 5


@pytest.mark.parametrize("path", PAGES)
def test_pages_answer_who_is_signed_in(officer: FlaskClient, path: str) -> None:
    answer = officer.get(path)
    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1
    assert '<html lang="en-GB"' in answer.text
    assert "Northmoor Supervision Unit" in answer.text


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
@pytest.mark.parametrize("path", ["/", "/households", "/households/site-1", "/commands/x"])
def test_other_methods_are_refused(
    officer: FlaskClient, csrf: Callable[[TestResponse], str], path: str, method: str
) -> None:
    token = csrf(officer.get("/"))
    answer = getattr(officer, method)(path, data={"csrf_token": token})
    assert answer.status_code == 405


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/households/site-1/findings/find-1"])
def test_no_form_is_taken_without_its_csrf_token(officer: FlaskClient, seed: Any, path: str) -> None:
    answer = officer.post(path, data={"name": "officer-1", "standing": "guest", "reason": "x", "token": "0" * 32})
    assert answer.status_code == 400
    assert "Your form could not be used" in answer.text
    assert "Sign out" in answer.text, "the page knows who is asking"
    assert seed.rows(schema.command) == []
    assert officer.get("/").status_code == 200, "still signed in"


@pytest.mark.req("R42")
def test_policy_headers_stand_on_every_answer(officer: FlaskClient) -> None:
    for path in (*PAGES, "/sign-in", "/nothing", "/static/govuk.css", "/health"):
        with officer.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            page = not path.startswith(("/static/", "/health"))
            assert policy.startswith(
                "default-src 'none'; script-src 'self'; style-src 'self';" if page else "default-src 'none'"
            )
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert "Strict-Transport-Security" not in answer.headers
    assert officer.get("/").headers["Cache-Control"] == "no-store"


def test_no_page_has_inline_script_or_style_or_leads_elsewhere(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    seed.finding("find-2", kind="listed-name", hit=seed.hit())
    sent = _ask(officer, csrf).location
    for path in (*PAGES, "/households/site-1/findings/find-2", sent, "/nothing"):
        text = officer.get(path).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path
        assert all("src=" in script for script in re.findall(r"<script[^>]*>", text)), path
        leads = re.findall(r'(?:href|src|action|url)=["\']?([^"\'> ]+)', text)
        assert leads
        assert all(lead.startswith(("/", "#", "?")) and not lead.startswith("//") for lead in leads), (path, leads)


def test_cookies_are_closed_and_hsts_is_sent_when_served_securely(
    make_settings: Callable[..., DashboardSettings],
    engine: Engine,
    clock: Any,
    csrf: Callable[[TestResponse], str],
    new_code: Callable[[str], str],
) -> None:
    auth.add_account(engine, name="officer-9", role=Role.OFFICER, now=0.0)
    client = create_app(make_settings(secure_cookies=True), engine=engine, now=clock.now).test_client()
    base = "https://pages.example.org"
    page = client.get("/sign-in", base_url=base)
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    answer = client.post(
        "/sign-in",
        base_url=base,
        headers={"Referer": f"{base}/sign-in"},
        data={"name": "officer-9", "code": new_code("officer-9"), "csrf_token": csrf(page)},
    )
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-gatehouse=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


def test_every_view_is_audited_once_for_a_while(officer: FlaskClient, seed: Any, clock: Any) -> None:
    for path in PAGES:
        officer.get(path)
        officer.get(path)
    views = [row for row in seed.rows(schema.audit) if row["action"].startswith("view-")]
    assert [row["action"] for row in views] == list(PAGES.values())
    assert views[2]["subject"] == "site-1"
    assert views[3]["subject"] == "site-1/find-1"
    assert all(row["account_id"].startswith("acc-") for row in views)
    clock.at += 601
    officer.get("/")
    assert [row["action"] for row in seed.rows(schema.audit)][-1] == "view-today"


def test_acts_are_audited(officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]) -> None:
    _ask(officer, csrf)
    officer.post("/sign-out", data={"csrf_token": csrf(officer.get("/"))})
    acts = [(row["action"], row["subject"], row["outcome"]) for row in seed.rows(schema.audit)]
    assert ("register-device", "site-1/dev-1", "asked") in acts
    assert acts[-1] == ("sign-out", "", "done")


def test_a_sign_in_is_audited(
    stranger: FlaskClient,
    engine: Engine,
    seed: Any,
    csrf: Callable[[TestResponse], str],
    new_code: Callable[[str], str],
) -> None:
    account_id = auth.add_account(engine, name="officer-1", role=Role.OFFICER, now=0.0)
    data = {"name": "officer-1", "code": new_code("officer-1"), "csrf_token": csrf(stranger.get("/sign-in"))}
    assert stranger.post("/sign-in", data=data).status_code == 303
    assert [(row["account_id"], row["action"], row["subject"]) for row in seed.rows(schema.audit)] == [
        (None, "add-account", account_id),
        (None, "make-code", account_id),
        (account_id, "sign-in", ""),
    ]
    assert stranger.get("/").status_code == 200


def test_an_auditor_looks_but_does_not_act(
    sign_in_as: Callable[..., FlaskClient], seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    auditor = sign_in_as("auditor-1", Role.AUDITOR)
    page = auditor.get("/households/site-1/findings/find-1")
    assert page.status_code == 200
    assert "Register this device" not in page.text
    answer = auditor.post(
        "/households/site-1/findings/find-1",
        data={"csrf_token": csrf(page), "token": "0" * 32, "standing": "guest", "days": "1", "reason": "x"},
    )
    assert answer.status_code == 403
    assert "You may not do this" in answer.text
    assert seed.rows(schema.command) == []


def test_a_household_of_another_tenant_does_not_exist(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-2", tenant="elsewhere", title="Somebody else's")
    seed.device(site="site-2")
    seed.finding(site="site-2")
    assert officer.get("/households/site-2").status_code == 404
    assert officer.get("/households/site-2/findings/find-1").status_code == 404
    for path in ("/", "/households"):
        assert "site-2" not in officer.get(path).text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/households/none",
        "/households/%00",
        "/households/..%2f",
        "/households/site-1/findings/none",
        "/households/site-1/findings/%E2%80%AE",
        "/commands/none",
        "/commands/none?wait=1",
    ],
)
def test_unknown_addresses_get_a_plain_404(officer: FlaskClient, path: str) -> None:
    answer = officer.get(path)
    assert answer.status_code == 404
    assert "Page not found" in answer.text
    assert answer.text.count("<h1") == 1


def test_a_body_that_is_too_long_is_refused(officer: FlaskClient, csrf: Callable[[TestResponse], str]) -> None:
    token = csrf(officer.get("/"))
    answer = officer.post("/households/site-1/findings/find-1", data={"csrf_token": token, "reason": "x" * 70_000})
    assert answer.status_code == 413
    assert "too long" in answer.text


def test_a_fault_of_ours_is_said_plainly_and_tells_nothing(
    app: Flask, officer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **_named: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("dashboard.store.causes.open_causes", fail)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = officer.get("/")
    assert answer.status_code == 500
    assert "Sorry, there is a problem with this service" in answer.text
    assert "secret detail" not in answer.text


def test_a_database_held_by_another_is_said_plainly(officer: FlaskClient, engine: Engine) -> None:
    event.listen(engine, "checkout", lambda connection, *_: connection.execute("PRAGMA busy_timeout=1").close())
    with contextlib.closing(sqlite3.connect(str(engine.url.database), isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        answer = officer.get("/")
    assert answer.status_code == 503
    assert "Sorry, there is a problem with this service" in answer.text
    assert officer.get("/").status_code == 200


def test_today_asks_the_database_a_bounded_number_of_times(officer: FlaskClient, engine: Engine, seed: Any) -> None:
    for number in range(2, 62):
        seed.site(f"site-{number}")
        seed.device(site=f"site-{number}")
        seed.finding(site=f"site-{number}")
    officer.get("/")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        text = officer.get("/").text
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert "61 of 61 households need a decision." in text
    assert len(asked) == 19, asked


def test_the_style_sheets_hold_no_government_branding() -> None:
    folder = Path(__file__).parents[2] / "dashboard" / "static"
    for name in ("govuk.css", "gatehouse.css", "live.js", "icon.svg"):
        text = (folder / name).read_text().lower()
        for forbidden in ("gds transport", "crest", "crown", "1d70b8", "url("):
            assert forbidden not in text, (name, forbidden)


def test_health_says_only_that_it_answers(stranger: FlaskClient) -> None:
    assert stranger.get("/health").text == "ok\n"


@pytest.mark.parametrize("content", [None, b"", b"x" * 31])
def test_no_app_without_a_secret(
    make_settings: Callable[..., DashboardSettings], tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "other-secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SecretError, match="head -c 32"):
        create_app(make_settings(secret_key_file=path))


def test_a_secret_of_32_bytes_is_enough(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"x" * 32)
    assert len(read_secret(tmp_path / "s")) == 32


@pytest.fixture
def form_paths(app: Flask) -> Callable[[str], list[str]]:
    """Where each of a household's forms goes; whatever the app takes is here."""
    named = {"finding": "find-1", "device": "dev-1", "proposal": "prop-1", "kind": "quiet"}
    named |= {"act": "pause", "reference": "request-1"}
    # The interface for programs has tests of its own: no form, no session. Boxes are kept by others than officers.
    pages = [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(("/api/", "/boxes/", "/software/"))]
    rules = [
        rule for rule in pages if "POST" in (rule.methods or ()) and {"site"} <= rule.arguments <= {"site", *named}
    ]

    def at(site: str) -> list[str]:
        built = [rule.build({"site": site} | named, append_unknown=False) for rule in rules]
        return [path for _, path in filter(None, built)]

    return at


def test_every_form_asks_for_token_role_and_tenant(
    sign_in_as: Callable[..., FlaskClient],
    form_paths: Callable[[str], list[str]],
    seed: Any,
    csrf: Callable[[TestResponse], str],
) -> None:
    seed.site("site-2", tenant="elsewhere")
    seed.device(site="site-2")
    seed.finding(site="site-2", kind="tunnel")
    for site in ("site-1", "site-2"):
        seed.proposal(site=site)
    officer, auditor = sign_in_as(), sign_in_as("auditor-1", Role.AUDITOR)
    token, other = csrf(officer.get("/households/site-1/findings/find-1")), csrf(auditor.get("/"))
    fields = {"token": "a" * 32, "reference": "q-1", "scope": "home", "why": "agreed", "ends": "7"}
    assert len(form_paths("site-1")) >= 16
    for own, foreign in zip(form_paths("site-1"), form_paths("site-2"), strict=True):
        assert officer.post(own, data=fields).status_code == 400, own
        assert auditor.post(own, data=fields | {"csrf_token": other}).status_code == 403, own
        assert officer.post(foreign, data=fields | {"csrf_token": token}).status_code == 404, foreign
    assert seed.rows(schema.command) == []


@pytest.mark.req("R66")
def test_any_process_of_the_pages_answers_who_signed_in_at_another(
    settings: DashboardSettings, officer: FlaskClient, clock: Any
) -> None:
    another = create_app(settings, now=clock.now, wait=clock.wait)
    with officer.session_transaction() as session:
        token = session["token"]
    client = another.test_client()
    with client.session_transaction() as session:
        session["token"] = token
    assert client.get("/").status_code == 200
    another.extensions["gatehouse"].engine.dispose()
