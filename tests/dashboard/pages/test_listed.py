from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from dashboard.access import Role
from dashboard.store import schema


@pytest.fixture
def used(seed: Any) -> Any:
    """Two homes with a list: one up to date, one too old and with its test due."""
    at = seed.clock.at

    def iso(moment: float) -> str:
        return datetime.fromtimestamp(moment, UTC).isoformat()

    def status(version: str, *, stale: bool, due: float) -> dict[str, Any]:
        return {
            "online": True,
            "at": iso(at),
            "recording": True,
            "authority": "",
            "outbox": 0,
            "processes": [],
            "taps": [],
            "lists": [
                {
                    "list_id": "demo-list",
                    "title": "Demonstration list",
                    "version": version,
                    "entries": 3,
                    "published": iso(at - 86400 * 40),
                    "stale": stale,
                }
            ],
            "test": {"due": iso(due), "passed_at": iso(at - 86400)},
        }

    seed.site("site-1", status=status("v2", stale=False, due=at + 9))
    seed.site("site-2", status=status("v1", stale=True, due=at - 9))
    return seed


def decided(seed: Any, finding_id: str, outcome: str) -> None:
    with seed.engine.begin() as connection:
        connection.execute(
            insert(schema.review).values(
                site="site-1",
                finding_id=finding_id,
                version=1,
                state="settled",
                action="none",
                outcome=outcome,
                reason="seen",
                by=seed.rows(schema.account)[0]["account_id"],
                at=seed.clock.at,
                list_id="demo-list",
                severity="today",
                revision=1,
            )
        )
        connection.execute(update(schema.finding).values(looked_at=seed.clock.at))


@pytest.mark.req("R30", "R31", "R33")
def test_lists_their_age_and_what_officers_said_of_entries(used: Any, officer: FlaskClient) -> None:
    for number, outcome in enumerate(("not-relevant", "list-wrong", "explained")):
        used.finding(f"f-{number}", kind="listed-name", cause=f"c-{number}", hit=used.hit())
        decided(used, f"f-{number}", outcome)
    text = officer.get("/lists").text
    for part in (
        "Demonstration list",
        "Version v2: 1",
        "Version v1: 1",
        "(40 days)",
        "1 household: not renewed for longer than it should",
        "NM-site-2",
        "Demonstration list is too old, the monthly test was not passed",
        "passed in 1 of 2 households",
        "3 findings in 1 household",
        "example[.]test",
        "2 times",
    ):
        assert part in text, part
    assert ">example.test<" not in text
    assert "example[.]test,2,1" in officer.get("/lists.csv").text


@pytest.mark.req("R66")
def test_an_engineer_sees_sums_and_no_household(used: Any, sign_in_as: Callable[..., FlaskClient]) -> None:
    del used
    text = sign_in_as("eng-1", Role.ENGINEER).get("/lists").text
    assert "Demonstration list" in text
    assert "NM-site-2" not in text


def test_an_officer_sees_lists_of_their_own_households(used: Any, sign_in_as: Callable[..., FlaskClient]) -> None:
    del used
    text = sign_in_as("officer-2", charged=False).get("/lists").text
    assert "No box has said which lists it uses" in text
