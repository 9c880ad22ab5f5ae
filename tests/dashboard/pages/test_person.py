"""*Person and homes*."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.app import create_app
from dashboard.settings import DashboardSettings
from dashboard.store import schema

AT = "/households/site-1/person"


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.site("site-2")


def _send(client: FlaskClient, csrf: Callable[[TestResponse], str], path: str = AT, **fields: str) -> TestResponse:
    shown = client.get(path.removesuffix("/homes").removesuffix("/leave"))
    revision = re.search(r'name="revision" value="(\d+)"', shown.text)
    assert revision is not None
    form = {"csrf_token": csrf(shown), "revision": revision[1], "reference": "NM/1", "risk": "high", "days": ""}
    return client.post(path, data=form | fields)


@pytest.mark.req("R40", "R66")
def test_a_person_is_entered_changed_and_the_changes_are_kept(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    assert "Nobody is entered yet." in officer.get(AT).text
    assert _send(officer, csrf).status_code == 303
    first = officer.get(AT).text
    assert "Every 7 days" in first
    # What was never entered was not changed.
    assert "Name changed" not in first
    assert "now as the risk says" not in first
    assert _send(officer, csrf, risk="low", days="10").status_code == 303
    html = officer.get(AT).text
    for part in (
        "Every 10 days",
        "Risk: High risk, now Low risk",
        "How often to look: as the risk says, now 10",
        "Low risk",
    ):
        assert part in html, part
    assert len([row for row in seed.rows(schema.audit) if row["action"] == "change-person"]) == 2


@pytest.mark.req("R47")
def test_there_is_no_field_for_a_name_where_the_operator_shows_references(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    assert 'name="name"' not in officer.get(AT).text
    _send(officer, csrf, name="A. Person")
    assert [row["name"] for row in seed.rows(schema.person)] == [None]


@pytest.mark.req("R47")
def test_names_are_shown_where_the_operator_says_so(
    make_settings: Callable[..., DashboardSettings],
    engine: Engine,
    clock: Any,
    sign_in_as: Callable[..., FlaskClient],
    csrf: Callable[[TestResponse], str],
) -> None:
    first = sign_in_as()
    app = create_app(make_settings(words={"show": "name"}), engine=engine, now=clock.now, wait=clock.wait)
    client = app.test_client()
    with first.session_transaction() as before, client.session_transaction() as session:
        session.update(before)
    _send(client, csrf, name="A. Person")
    html = client.get(AT).text
    assert "<bdi>A. Person</bdi> (<bdi>NM/1</bdi>)" in html
    assert "Name changed" in html


@pytest.mark.req("R47", "R48")
def test_two_homes_are_one_persons_only_when_an_officer_says_so(
    officer: FlaskClient, csrf: Callable[[TestResponse], str]
) -> None:
    assert _send(officer, csrf).status_code == 303
    taken = _send(officer, csrf, "/households/site-2/person")
    assert taken.status_code == 422
    assert "Another person has this reference" in taken.text
    other = "/households/site-2/person/homes"
    assert "No person in your charge has this reference" in _send(officer, csrf, other, other="NM/2").text
    assert "Enter the reference of the person" in _send(officer, csrf, other, other="").text
    assert _send(officer, csrf, other, other="NM/1").status_code == 303
    html = officer.get(AT).text
    assert 'href="/households/site-2"' in html
    assert "Another home: box site-2" in html
    for _twice in range(2):
        assert _send(officer, csrf, f"{AT}/leave").status_code == 303
    assert "Nobody is entered yet." in officer.get(AT).text
    left = officer.get("/households/site-2/person").text
    assert "A home was taken away again" in left
    assert "This is not this person" not in left


@pytest.mark.req("R66")
def test_a_person_of_somebody_elses_homes_cannot_be_found_out(
    officer: FlaskClient, engine: Engine, csrf: Callable[[TestResponse], str]
) -> None:
    _send(officer, csrf, "/households/site-2/person")
    with engine.begin() as connection:
        connection.execute(delete(schema.assignment).where(schema.assignment.c.site == "site-2"))
    answer = _send(officer, csrf, f"{AT}/homes", other="NM/1")
    assert "No person in your charge has this reference" in answer.text


@pytest.mark.req("R48", "R66")
def test_a_home_in_somebody_elses_charge_is_told_of_without_its_box(
    officer: FlaskClient, engine: Engine, csrf: Callable[[TestResponse], str]
) -> None:
    _send(officer, csrf)
    _send(officer, csrf, "/households/site-2/person/homes", other="NM/1")
    with engine.begin() as connection:
        connection.execute(delete(schema.assignment).where(schema.assignment.c.site == "site-2"))
    html = officer.get(AT).text
    assert "site-2" not in html
    assert "A home in somebody else" in html
    assert "<bdi>Another home</bdi>" in html


def test_two_who_change_at_once_are_told(officer: FlaskClient, csrf: Callable[[TestResponse], str]) -> None:
    _send(officer, csrf)
    answer = _send(officer, csrf, revision="0", risk="medium")
    assert answer.status_code == 422
    assert "Somebody else changed this meanwhile" in answer.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reference": ""}, "Enter the reference"),
        ({"reference": "x" * 81}, "Reference must be 80 characters or fewer"),
        ({"risk": "dire"}, "Select the risk from the list"),
        ({"days": "0"}, "Days must be a whole number from 1 to 366"),
    ],
)
def test_what_is_wrong_is_said(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str], fields: dict[str, str], said: str
) -> None:
    answer = _send(officer, csrf, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert seed.rows(schema.person) == []


def test_who_may_only_look_changes_nothing(sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    client = sign_in_as("auditor", Role.AUDITOR)
    assert 'name="reference"' not in client.get(AT).text
    for path in (AT, f"{AT}/homes"):
        assert client.post(path, data={}).status_code in {400, 403}
    assert seed.rows(schema.person) == []


def test_help_about_private_addresses_is_steps_in_words(officer: FlaskClient) -> None:
    html = officer.get("/help/private-address").text
    for part in ("iPhone or iPad", "Android", "Windows", "no sign of anything"):
        assert part in html, part
