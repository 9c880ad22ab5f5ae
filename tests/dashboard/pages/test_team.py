from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, insert

from dashboard.access import Role
from dashboard.store import schema

DAY = 86400.0


@pytest.fixture
def supervisor(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("sup-1", Role.SUPERVISOR)


@pytest.mark.req("R28", "R37")
def test_load_age_and_budget_are_shown_by_officer(seed: Any, officer: FlaskClient, supervisor: FlaskClient) -> None:
    del officer
    seed.site()
    for number in range(40):
        seed.finding(f"f-{number}", raised_at=seed.clock.at - (number % 10) * DAY - 60, cause=f"c-{number}")
    text = supervisor.get("/team").text
    for part in (
        "officer-1",
        "40 findings wait",
        "12 of them for more than a week",
        "9 days",
        "1.33",
        "More than 1",
        "1 of 1",
    ):
        assert part in text, part
    assert "nobody is told anything outside these pages" in text
    assert 'href="/transfers"' in text  # who may enter other operators finds them from here


@pytest.mark.req("R66")
def test_households_that_are_nobodys_are_seen_and_nothing_of_browsing(seed: Any, supervisor: FlaskClient) -> None:
    seed.site()
    seed.finding(kind="listed-name", hit=seed.hit())
    text = supervisor.get("/team").text
    assert "Nobody in charge" in text
    for word in ("shop.example", "example.test", "dev-1", "NM-site-1"):
        assert word not in text


@pytest.mark.parametrize("role", [Role.OFFICER, Role.INSTALLER, Role.ENGINEER])
@pytest.mark.parametrize("address", ["/team", "/team/duty", "/team/return", "/audit"])
def test_only_supervisors_and_auditors_see_the_team(
    sign_in_as: Callable[..., FlaskClient], role: Role, address: str
) -> None:
    assert sign_in_as("someone", role).get(address).status_code == 403


def test_an_auditor_sees_and_takes_nothing_away(seed: Any, sign_in_as: Callable[..., FlaskClient]) -> None:
    seed.site()
    auditor = sign_in_as("aud-1", Role.AUDITOR)
    assert "/team.csv" not in auditor.get("/team").text
    assert auditor.get("/team.csv").status_code == 403


def test_the_number_of_statements_does_not_grow(
    seed: Any, supervisor: FlaskClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    asked: list[str] = []
    event.listen(seed.engine, "before_cursor_execute", lambda *rest: asked.append(rest[2]))
    seed.site()
    supervisor.get("/team")
    asked.clear()
    supervisor.get("/team")
    few = len(asked)
    for number in range(2, 12):
        sign_in_as(f"officer-{number}")
        seed.site(f"site-{number}")
        seed.finding(f"f-{number}", site=f"site-{number}")
    asked.clear()
    supervisor.get("/team")
    assert len(asked) == few


def test_the_file_says_the_same(seed: Any, officer: FlaskClient, supervisor: FlaskClient) -> None:
    del officer
    seed.site()
    seed.finding()
    answer = supervisor.get("/team.csv")
    assert answer.status_code == 200
    assert "officer-1,1,1,1," in answer.text


@pytest.mark.req("R39")
def test_who_stands_in_is_shown(seed: Any, sign_in_as: Callable[..., FlaskClient], supervisor: FlaskClient) -> None:
    sign_in_as("ann")
    sign_in_as("bob")
    ids = {row["name"]: row["account_id"] for row in seed.rows(schema.account)}
    with seed.engine.begin() as connection:
        connection.execute(
            insert(schema.cover).values(
                account_id=ids["bob"], for_account=ids["ann"], since=seed.clock.at - 5, until=seed.clock.at + DAY
            )
        )
    text = supervisor.get("/team").text
    assert "Stands in for ann" in text
    assert "bob stands in" in text
