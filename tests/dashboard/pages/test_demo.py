from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.ingest.outgoing import due_commands
from dashboard.store import schema
from dashboard.store.chain import check

Csrf = Callable[[TestResponse], str]


def _enter(client: FlaskClient, csrf: Csrf) -> TestResponse:
    page = client.get("/demo")
    return client.post("/demo", data={"csrf_token": csrf(page)}, follow_redirects=True)


def _home(client: FlaskClient) -> str:
    found = re.search(r'href="(/households/demo-[a-z0-9-]+)', client.get("/households").text)
    assert found is not None
    return found.group(1)


@pytest.mark.req("R72")
@pytest.mark.parametrize("role", list(Role))
def test_any_account_steps_in_and_out_again(
    sign_in_as: Callable[..., FlaskClient], seed: Any, csrf: Csrf, role: Role
) -> None:
    seed.site()
    client = sign_in_as("learner", role)
    page = _enter(client, csrf)
    assert page.status_code == 200
    assert "nothing on this page is real" in page.text
    assert "NM-site-1" not in page.text
    home = _home(client)
    shown = client.get(home)
    assert shown.status_code == 200
    assert "nothing on this page is real" in shown.text
    assert client.get("/households/site-1").status_code == 404, "what is real is not there"
    client.post("/demo/leave", data={"csrf_token": csrf(client.get("/demo"))})
    assert client.get(home).status_code in {403, 404}, "and the other way round"


@pytest.mark.req("R72")
def test_a_place_that_is_not_part_of_it_leads_back(sign_in_as: Callable[..., FlaskClient], csrf: Csrf) -> None:
    client = sign_in_as()
    _enter(client, csrf)
    for place in ("/tokens", "/boxes"):
        answer = client.get(place)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/demo")


@pytest.mark.req("R72", "R7")
def test_registering_a_device_works_and_no_worker_would_send_it(
    sign_in_as: Callable[..., FlaskClient], engine: Engine, seed: Any, clock: Any, csrf: Csrf
) -> None:
    client = sign_in_as()
    _enter(client, csrf)
    home = _home(client)
    page = client.get(f"{home}/devices/dev-08")
    assert page.status_code == 200
    form = dict(re.findall(r'name="(csrf_token|token)" value="([^"]+)"', page.text))
    target = re.search(r'action="([^"]*dev-08[^"]*)"', page.text)
    asked = client.post(
        target.group(1) if target else f"{home}/devices/dev-08",
        data=form | {"standing": "household", "label": "Visitor's phone", "reason": "Seen at the visit"},
    )
    assert asked.status_code == 303, asked.text[:2000]
    with engine.connect() as connection:
        assert due_commands(connection, clock.at, again=()) == []
    clock.at += 1
    assert client.get(asked.headers["Location"]).status_code == 200
    (command,) = seed.rows(schema.command)
    assert (command["state"], command["sequence"]) == ("applied", 1)
    (device,) = [row for row in seed.rows(schema.device) if row["device_id"] == "dev-08"]
    assert (device["standing"], device["label"]) == ("household", "Visitor's phone")
    about = [row for row in seed.rows(schema.finding) if row["device_id"] == "dev-08"]
    assert {row["state"] for row in about if row["kind"] == "unregistered-device"} == {"closed"}


@pytest.mark.req("R72")
def test_beginning_anew_erases_what_was_done_and_leaves_the_audit(
    sign_in_as: Callable[..., FlaskClient], engine: Engine, seed: Any, clock: Any, csrf: Csrf
) -> None:
    seed.site()
    client = sign_in_as()
    _enter(client, csrf)
    before = len(seed.rows(schema.event))
    client.get(_home(client))
    clock.at += 300
    client.post("/demo/reset", data={"csrf_token": csrf(client.get("/demo"))})
    assert abs(len(seed.rows(schema.event)) - before) <= 20, "made anew, not made twice"
    assert {row["site"] for row in seed.rows(schema.site)} >= {"site-1"}
    with engine.connect() as connection:
        assert check(connection).broken_at is None
        assert connection.execute(select(func.count()).select_from(schema.site)).scalar_one() == 2
