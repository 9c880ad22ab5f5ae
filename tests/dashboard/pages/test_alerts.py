from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from dashboard.access import Role
from dashboard.alerts.channels import channel_key, unseal
from dashboard.app import create_app
from dashboard.store import schema

TOKEN = "ab" * 16


@pytest.fixture
def settings(make_settings: Callable[..., Any]) -> Any:
    return make_settings(alerts={"address": "https://gatehouse.example.org/"})


def alert(seed: Any, **values: Any) -> str:
    row = {
        "alert_id": "al-1",
        "site": "site-1",
        "key": "unregistered-device",
        "rank": 0,
        "upto": seed.clock.at,
        "opened_at": seed.clock.at - 30,
        "step": 0,
        "stepped_at": seed.clock.at - 30,
        "alone": False,
    } | values
    with seed.engine.begin() as connection:
        connection.execute(insert(schema.alert).values(**row))
    return str(row["alert_id"])


def add(client: FlaskClient, csrf: Any, **fields: str) -> Any:
    token = csrf(client.get("/alerts"))
    form = {"csrf_token": token, "token": TOKEN, "name": "My phone", "url": "ntfys://ntfy.example.com/topic"} | fields
    return client.post("/alerts/channels", data=form)


@pytest.mark.req("R38")
def test_opening_a_finding_by_hand_answers_its_alert(seed: Any, officer: FlaskClient) -> None:
    seed.site()
    seed.device()
    seed.finding()
    alert(seed)
    assert officer.get("/households/site-1/findings/find-1?part=live").status_code == 200
    assert seed.rows(schema.alert)[0]["acknowledged_at"] is None, "a page that looks again by itself answers nothing"
    officer.get("/households/site-1/findings/find-1")
    (row,) = seed.rows(schema.alert)
    assert row["acknowledged_at"] == seed.clock.at
    assert row["acknowledged_by"].startswith("acc-")


@pytest.mark.req("R38")
def test_the_button_answers_it_and_only_in_ones_own_household(
    seed: Any, officer: FlaskClient, csrf: Any, sign_in_as: Callable[..., FlaskClient]
) -> None:
    seed.site()
    alert(seed, step=2)
    page = officer.get("/alerts")
    assert "Supervisors were told" in page.text
    stranger = sign_in_as("officer-2", charged=False)
    assert stranger.post("/alerts/al-1/answer", data={"csrf_token": csrf(stranger.get("/alerts"))}).status_code == 404
    answer = officer.post("/alerts/al-1/answer", data={"csrf_token": csrf(page)}, follow_redirects=True)
    assert "You have said that you look at it" in answer.text
    assert seed.rows(schema.alert)[0]["acknowledged_at"] == seed.clock.at


@pytest.mark.req("R66")
def test_an_auditor_looks_and_answers_nothing(seed: Any, sign_in_as: Callable[..., FlaskClient]) -> None:
    seed.site()
    seed.device()
    seed.finding()
    alert(seed)
    auditor = sign_in_as("aud-1", Role.AUDITOR)
    auditor.get("/households/site-1/findings/find-1")
    assert seed.rows(schema.alert)[0]["acknowledged_at"] is None
    assert "al-1/answer" not in auditor.get("/alerts").text


def test_an_address_is_kept_sealed_and_never_shown(seed: Any, officer: FlaskClient, csrf: Any, settings: Any) -> None:
    url = "mailtos://user:secret-word@example.com?to=ann@example.com"
    assert add(officer, csrf, url=url).status_code == 303
    assert add(officer, csrf, url=url).status_code == 303
    (row,) = seed.rows(schema.channel)
    assert unseal(row["sealed"], key=channel_key(settings.secret_key_file), channel_id=TOKEN) == url
    assert "secret-word" not in str(row)
    page = officer.get("/alerts").text
    assert "My phone" in page
    assert "secret-word" not in page
    assert "secret-word" not in str(seed.rows(schema.audit))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.com", "one of the kinds that are allowed"),
        ("jsons://127.0.0.1/x", "leads into a network"),
        ("jsons://hook.example.com?verify=no", "an option that is not allowed"),
    ],
)
def test_an_address_that_is_not_taken_is_said_why_and_not_shown_again(
    seed: Any, officer: FlaskClient, csrf: Any, url: str, said: str
) -> None:
    answer = add(officer, csrf, url=url)
    assert answer.status_code == 422
    assert said in answer.text
    assert url not in answer.text
    assert 'value="My phone"' in answer.text
    assert seed.rows(schema.channel) == []


def test_there_is_a_most_of_addresses_and_each_is_ones_own(
    seed: Any, officer: FlaskClient, csrf: Any, sign_in_as: Callable[..., FlaskClient]
) -> None:
    for number in range(5):
        assert add(officer, csrf, token=f"{number:032x}").status_code == 303
    assert add(officer, csrf, token="ff" * 16).status_code == 422
    other = sign_in_as("officer-2")
    at = f"/alerts/channels/{0:032x}"
    assert other.post(f"{at}/remove", data={"csrf_token": csrf(other.get("/alerts"))}).status_code == 404
    token = csrf(officer.get("/alerts"))
    assert officer.post(f"{at}/test", data={"csrf_token": token}).status_code == 303
    assert officer.post(f"{at}/test", data={"csrf_token": token}).status_code == 303
    (row,) = seed.rows(schema.delivery)
    assert (row["purpose"], row["state"]) == ("test", "waiting")
    assert officer.post(f"{at}/remove", data={"csrf_token": token}).status_code == 303
    assert [row["state"] for row in seed.rows(schema.delivery)] == ["dropped"]
    assert officer.post(f"{at}/other", data={"csrf_token": token}).status_code == 404


@pytest.mark.req("R27")
def test_quiet_hours_are_settled_and_what_is_wrong_is_said(seed: Any, officer: FlaskClient, csrf: Any) -> None:
    form = {"csrf_token": csrf(officer.get("/alerts")), "also_today": "yes", "digest": "no"}
    wrong = officer.post("/alerts/choices", data=form | {"quiet_from": "25:00", "quiet_to": ""})
    assert wrong.status_code == 422
    assert 'value="25:00"' in wrong.text
    assert wrong.text.count("or leave both empty") >= 4
    assert officer.post("/alerts/choices", data=form | {"quiet_from": "22.30", "quiet_to": "7:00"}).status_code == 303
    (row,) = seed.rows(schema.alert_choice)
    assert (row["quiet_from"], row["quiet_to"], row["also_today"], row["digest"]) == (1350, 420, True, False)
    assert "never hold back what cannot wait. They are in UK time." in officer.get("/alerts").text


def test_who_is_told_nothing_is_not_asked_for_an_address(
    csrf: Any, sign_in_as: Callable[..., FlaskClient], make_settings: Callable[..., Any], engine: Any, clock: Any
) -> None:
    engineer = sign_in_as("eng-1", Role.ENGINEER)
    assert "not told of alerts" in engineer.get("/alerts").text
    assert add(engineer, csrf).status_code == 404
    app: Flask = create_app(make_settings(), engine=engine, now=clock.now, wait=clock.wait)
    client = app.test_client()
    with engineer.session_transaction() as mine, client.session_transaction() as session:
        session.update(mine)
    assert "/alerts/channels" not in client.get("/alerts").text
