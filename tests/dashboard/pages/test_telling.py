from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from dashboard.access import Role
from dashboard.store import schema


@pytest.fixture
def settings(make_settings: Callable[..., Any]) -> Any:
    return make_settings(alerts={"address": "https://gatehouse.example.org/"}, siem={"host": "collector.example.org"})


@pytest.fixture
def supervisor(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("sup-1", Role.SUPERVISOR)


def put(seed: Any, table: Any, **values: Any) -> None:
    with seed.engine.begin() as connection:
        connection.execute(insert(table).values(**values))


def failed(seed: Any) -> None:
    put(
        seed,
        schema.delivery,
        delivery_id="d-1",
        about="al-1",
        purpose="alert",
        account_id=seed.rows(schema.account)[0]["account_id"],
        channel_id="ch-1",
        kind="mailtos",
        urgent=True,
        text="new",
        made_at=seed.clock.at - 60,
        due_at=seed.clock.at,
        tries=8,
        state="failed",
        problem="it was not taken there",
    )


@pytest.mark.req("R38")
def test_what_did_not_arrive_is_seen_by_supervisor_and_engineer(
    seed: Any, supervisor: FlaskClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    failed(seed)
    page = supervisor.get("/messages-out").text
    assert "sup-1, E-mail, Alert: it was not taken there" in page.replace("<bdi>", "").replace("</bdi>", "")
    engineer = sign_in_as("eng-1", Role.ENGINEER).get("/messages-out").text
    assert "E-mail, Alert: it was not taken there" in engineer
    assert "sup-1" not in engineer
    assert "1 message of the last day did not arrive" in supervisor.get("/team").text


@pytest.mark.req("R38")
def test_a_service_that_does_not_run_is_said(seed: Any, supervisor: FlaskClient) -> None:
    assert "has never run" in supervisor.get("/team").text
    put(seed, schema.alerting, tenant="northmoor", at=seed.clock.at - 600, digest_day="", dropped=4)
    text = supervisor.get("/messages-out").text
    assert "last ran on 14 January 2026, 20:54" in text
    assert "<strong>4</strong> messages were left out" in text
    seed.clock.at -= 590
    assert "Messages are sent." in supervisor.get("/messages-out").text


@pytest.mark.req("R38")
def test_an_alert_that_reached_nobody_is_said(seed: Any, supervisor: FlaskClient) -> None:
    seed.site()
    put(
        seed,
        schema.alert,
        alert_id="al-1",
        site="site-1",
        key="k",
        rank=0,
        upto=0.0,
        opened_at=0.0,
        step=2,
        stepped_at=0.0,
        alone=True,
    )
    text = supervisor.get("/team").text
    assert "An alert has reached nobody" in text
    assert "There is no duty rota" in text


def test_the_collectors_feed_is_said(seed: Any, supervisor: FlaskClient) -> None:
    values = {"audit_id": 1, "stored_at": 0.0, "site": "", "finding_id": "", "sent": 12, "dropped": 3, "at": 0.0}
    put(seed, schema.feed, name="gatehouse", problem="ConnectionRefusedError", **values)
    text = supervisor.get("/messages-out").text
    assert "The collector takes nothing at the moment (ConnectionRefusedError). 12 lines sent, 3 left out." in text
