"""*Box health* and the engineers' pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from dashboard.access import Role
from dashboard.store import cases, schema
from dashboard.store.cases import Risk


def test_what_the_box_says_of_itself_is_shown_and_what_it_does_not_say_too(officer: FlaskClient, seed: Any) -> None:
    status = {
        "online": True,
        "at": "2026-01-14T21:04:00Z",
        "clock": "authenticated",
        "clock_error_ms": 40,
        "sealed": 3,
        "keeping": {"lost_keys": 1},
        "authority_ends": "2026-03-31T23:00:00Z",
        "review": "2026-03-01T00:00:00Z",
    }
    seed.site(status=status)
    html = officer.get("/households/site-1/box").text
    for part in (
        "this service has confirmed it",
        "40 thousandths of a second",
        "3 records wait",
        "Never yet",
        "1 key",
        "1 April 2026, 00:00",
        "1 March 2026",
        "The box does not say",
        "What this page does not show",
    ):
        assert part in html, part
    assert officer.get("/households/site-1/box?part=live").status_code == 200


@pytest.mark.req("R66")
def test_an_engineer_reads_what_became_of_changes_without_the_homes_own_settings(
    sign_in_as: Callable[..., FlaskClient], seed: Any
) -> None:
    change = {"about": "c" * 32, "action": "set-network", "outcome": "refused", "at": "2026-01-14T20:00:00Z"}
    status = {"online": True, "at": "2026-01-14T21:04:00Z", "changes": [change | {"detail": "canary name"}]}
    seed.site(status=status)
    text = sign_in_as("engineer", Role.ENGINEER).get("/boxes/site-1").text
    assert "Last change of the Wi-Fi" in text
    assert "The box refused it, 14 January 2026, 20:00" in text
    assert "canary" not in text


@pytest.mark.req("R66")
def test_an_engineer_sees_boxes_and_nothing_of_persons(
    sign_in_as: Callable[..., FlaskClient], seed: Any, engine: Engine, clock: Any
) -> None:
    ends = {"authority_ends": "2026-03-31T23:00:00Z", "review": "2026-03-01T00:00:00Z"}
    seed.site(title="Canary household", status={"online": True, "at": "2026-01-14T21:04:00Z", **ends})
    seed.site("site-2", title="Canary household", heard_at=clock.at - 4000)
    seed.device(label="canary phone")
    seed.finding()
    with engine.begin() as connection:
        cases.keep_person(
            connection,
            tenant="northmoor",
            site_id="site-1",
            reference="canary-1",
            name="Canary Name",
            risk=Risk.HIGH,
            review_days=None,
            revision=0,
            by="a",
            now=1.0,
        )
    client = sign_in_as("engineer", Role.ENGINEER)
    listed = client.get("/boxes").text
    assert "1 box does not report." in listed
    assert listed.index("Box site-2") < listed.index("Box site-1")
    for html in (listed, client.get("/boxes/site-1").text):
        assert "site-1" in html
        for word in ("canary", "Canary", "order 7", "High risk", "phone", "April 2026", "March 2026"):
            assert word not in html, word
    for path in ("", "/box", "/devices", "/notes", "/person", "/timeline", "/coverage", "/activity"):
        assert client.get(f"/households/site-1{path}").status_code == 403, path


@pytest.mark.req("R66", "R39")
@pytest.mark.parametrize("role", [Role.OFFICER, Role.INSTALLER])
def test_who_has_a_charge_sees_those_boxes_alone_and_a_try_beyond_is_written_down(
    sign_in_as: Callable[..., FlaskClient], seed: Any, role: Role
) -> None:
    client = sign_in_as("somebody", role, charged=False)
    seed.site("site-1", charged=False)
    seed.site("site-2", charged=False)
    assert "There are no boxes in your charge" in client.get("/boxes").text
    (row,) = seed.rows(schema.account)
    seed.charge(row["account_id"], "site-1")
    listed = client.get("/boxes").text
    assert "site-1" in listed
    assert "site-2" not in listed
    assert client.get("/boxes/site-1").status_code == 200
    assert client.get("/boxes/site-3").status_code == 404
    assert client.get("/boxes/site-2").status_code == 404
    assert [line["subject"] for line in seed.rows(schema.audit) if line["action"] == "denied"] == ["GET /boxes/site-2"]
