from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from dashboard.app import create_app
from dashboard.settings import DashboardSettings

WANTED = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-DNS-Prefetch-Control": "off",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


@pytest.mark.req("R42")
@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/", "get"),
        ("/sign-in", "get"),
        ("/nothing", "get"),
        ("/households/x", "get"),
        ("/", "put"),
        ("/", "post"),
        ("/health", "get"),
        ("/static/govuk.css", "get"),
        ("/static/nothing", "get"),
        ("/api/v1/me", "get"),
        ("/api/v1/openapi.json", "get"),
        ("/api/v1/nothing", "get"),
        ("/tokens/interface", "get"),
    ],
)
def test_each_answer_has_all_of_them_and_lets_nothing_run(officer: FlaskClient, path: str, method: str) -> None:
    with getattr(officer, method)(path) as answer:
        for name, value in WANTED.items():
            assert answer.headers[name] == value, (path, name)
        parts = [part.split(maxsplit=1) for part in answer.headers["Content-Security-Policy"].split(";")]
        policy = {part[0]: part[1] for part in parts}
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'none'"
        assert policy.get("script-src", "'self'") == "'self'"
        assert policy.get("style-src", "'self'") == "'self'"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        kept = path == "/static/govuk.css"
        assert (answer.headers["Cache-Control"] == "no-store") != kept
        if answer.mimetype != "text/html" and not kept:
            assert policy["form-action"] == "'none'"
            assert "script-src" not in policy


def test_only_the_hosts_of_the_settings_are_answered(
    make_settings: Callable[..., DashboardSettings], engine: Engine, clock: Any
) -> None:
    client = create_app(make_settings(hosts=["pages.example.org"]), engine=engine, now=clock.now).test_client()
    assert client.get("/sign-in", base_url="http://pages.example.org").status_code == 200
    for host in ("evil.example", "pages.example.org.evil.example", "xpages.example.org", "127.0.0.1"):
        for path in ("/sign-in", "/", "/nothing", "/api/v1/me"):
            answer = client.get(path, base_url=f"http://{host}")
            assert answer.status_code == 400, (host, path)
            assert "evil" not in answer.text
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Set-Cookie" not in answer.headers
