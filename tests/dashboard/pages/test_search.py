from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, update

from dashboard.access import Role
from dashboard.pages.search import mac_of
from dashboard.store import schema
from dashboard.store.names import name_key


@pytest.fixture(autouse=True)
def homes(seed: Any) -> None:
    for site in ("one", "two"):
        seed.site(site)
        seed.device(site=site, label=f"phone of {site}")
        seed.finding(site=site, kind="listed-name", hit=seed.hit())
    with seed.engine.begin() as connection:
        connection.execute(update(schema.finding).values(name_key=name_key("shop.example.test")))


def _links(text: str) -> set[str]:
    return set(re.findall(r'gh-row__name" href="([^"]+)"', text))


@pytest.mark.req("R42", "R66")
@pytest.mark.parametrize(
    ("typed", "links"),
    [
        ("NM-one", {"/households/one"}),
        ("nm-", {"/households/one", "/households/two"}),
        ("02:00:5E:00:53:01", {"/households/one/devices/dev-1", "/households/two/devices/dev-1"}),
        ("02-00-5e", {"/households/one/devices/dev-1", "/households/two/devices/dev-1"}),
        ("02005e005302", set()),
        ("shop.example.test", {"/households/one/findings/find-1", "/households/two/findings/find-1"}),
        ("hxxps://example[.]test/x", {"/households/one/findings/find-1", "/households/two/findings/find-1"}),
        ("hop.example.test", set()),
        ("%", set()),
        ("%%", set()),
        ("<script>alert(1)</script>", set()),
    ],
)
def test_what_is_typed_is_found(officer: FlaskClient, typed: str, links: set[str]) -> None:
    page = officer.get("/search", query_string={"q": typed})
    assert page.status_code == 200
    assert _links(page.text) == links
    assert "<script>alert" not in page.text


@pytest.mark.req("R66")
def test_only_what_one_may_see_is_searched_and_the_text_is_not_audited(
    sign_in_as: Callable[..., FlaskClient], seed: Any
) -> None:
    officer = sign_in_as("officer-1")
    with seed.engine.begin() as connection:
        connection.execute(schema.assignment.delete())
    seed.charge(seed.rows(schema.account)[0]["account_id"], "one")
    for typed in ("nm-", "02:00:5e:00:53:01", "example.test"):
        links = _links(officer.get("/search", query_string={"q": typed}).text)
        assert links
        assert all(link.startswith("/households/one") for link in links), typed
    said = [row["subject"] for row in seed.rows(schema.audit) if row["action"] == "search"]
    assert said == ["text: 1", "mac: 1", "name: 1"]
    engineer = sign_in_as("engineer", Role.ENGINEER)
    assert engineer.get("/search?q=nm-").status_code == 403


def test_a_search_by_name_of_a_service_reads_an_index(officer: FlaskClient, seed: Any) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(seed.engine, "before_cursor_execute", lambda *rest: asked.append((rest[2], rest[3])))
    officer.get("/search?q=example.test")
    statement, values = next(item for item in asked if "finding.name_key" in item[0])
    with seed.engine.begin() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert any("ix_finding_name_key" in str(step) for step in plan), plan
    assert "payload" not in statement


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("02005e005301", "02:00:5e:00:53:01"),
        ("02-00-5E-00-53-01", "02:00:5e:00:53:01"),
        ("02:00:5e", "02:00:5e"),
        ("02:00", None),
        ("02:00:5e:00:53:01:02", None),
        ("g2:00:5e", None),
        ("", None),
    ],
)
def test_a_hardware_address_is_known_in_any_writing(text: str, mac: str | None) -> None:
    assert mac_of(text) == mac
