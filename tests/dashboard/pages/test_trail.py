from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from dashboard.access import Role
from dashboard.store import chain, schema, trail
from dashboard.store.queries import write_audit

DAY = 86400.0


@pytest.fixture
def supervisor(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("sup-1", Role.SUPERVISOR)


@pytest.fixture
def note(seed: Any) -> Callable[..., None]:
    def write(
        action: str = "view-household", subject: str = "site-1", *, ago: float = 0.0, by: str | None = None
    ) -> None:
        with seed.engine.begin() as connection:
            write_audit(
                connection, at=seed.clock.at - ago, account_id=by, action=action, subject=subject, outcome="shown"
            )

    return write


@pytest.mark.req("R66")
def test_the_audit_is_filtered_by_a_link(supervisor: FlaskClient, note: Any) -> None:
    note(subject="site-1")
    note("register-device", "site-1/dev-7")
    note(subject="site-10")
    note("old-act", "site-1", ago=10 * DAY)
    text_ = supervisor.get("/audit?household=site-1").text
    assert "site-1/dev-7" in text_
    assert "old-act" in text_
    assert "site-10" not in text_
    assert "old-act" not in supervisor.get("/audit?household=site-1&since=2026-01-14&until=14/1/2026").text
    only = supervisor.get("/audit?action=register-device").text
    assert "site-1/dev-7" in only
    assert "old-act" not in only
    assert "old-act" in supervisor.get("/audit?who=none").text


def test_a_filter_that_means_nothing_is_said(supervisor: FlaskClient) -> None:
    answer = supervisor.get("/audit?action=<script>&household=A%20B&since=never")
    assert answer.status_code == 422
    assert "&lt;script&gt;" in answer.text
    assert answer.text.count("Enter a day, such as") >= 1


def test_pages_follow_each_other_without_gap(supervisor: FlaskClient, note: Any) -> None:
    for number in range(2 * trail.A_PAGE):
        note("tick", f"n-{number}")
    first = supervisor.get("/audit?action=tick")
    assert "n-99" in first.text
    assert "n-49<" not in first.text
    older = first.text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = supervisor.get(older).text
    assert "n-49<" in second
    assert "n-0<" in second
    assert 'rel="next"' not in second


@pytest.mark.req("R66")
def test_the_chain_is_checked_on_from_where_it_held(
    seed: Any, supervisor: FlaskClient, note: Any, csrf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "MOST_CHECKED", 10)
    monkeypatch.setattr(chain, "AT_ONCE", 5)
    for number in range(20):
        note("tick", f"n-{number}")
    token = csrf(supervisor.get("/audit"))
    outcomes = []
    for _ in range(4):
        supervisor.post("/audit/check", data={"csrf_token": token})
        outcomes.append([row for row in seed.rows(schema.audit) if row["action"] == trail.CHECK][-1]["outcome"])
    assert outcomes[0] == "holds so far"
    assert outcomes[-1] == "holds"
    assert "The chain holds up to line" in supervisor.get("/audit").text
    note("tick", "last")
    with seed.engine.begin() as connection:
        for statement in chain.unguards("sqlite"):
            connection.execute(text(statement))
        connection.execute(text("UPDATE audit SET subject = 'else' WHERE subject = 'last'"))
    supervisor.post("/audit/check", data={"csrf_token": token})
    page = supervisor.get("/audit").text
    assert "does not hold after line" in page
    assert "gh-summary--calm" not in page


def test_the_filters_rows_are_taken_away_as_a_file(supervisor: FlaskClient, note: Any, seed: Any) -> None:
    note("tick", "=1+1")
    answer = supervisor.get("/audit.csv?action=tick")
    assert answer.status_code == 200
    assert "'=1+1" in answer.text
    assert "export-audit" in {row["action"] for row in seed.rows(schema.audit)}
