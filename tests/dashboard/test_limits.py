from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from dashboard.app import create_app
from dashboard.limits import SIGN_INS

pytestmark = pytest.mark.req("S2")


def test_every_way_of_signing_in_is_counted(app: Any) -> None:
    assert set(app.view_functions) >= SIGN_INS


def test_an_address_that_tries_too_often_waits(make_settings: Callable[..., Any], engine: Engine, clock: Any) -> None:
    settings = make_settings(sign_in={"tries_a_minute": 3})
    client = create_app(settings, engine=engine, now=clock.now).test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert token is not None
    data = {"csrf_token": token[1], "name": "nobody", "code": "x"}
    for path in ("/sign-in", "/sign-in/authenticator", "/sign-in"):
        assert client.post(path, data=data).status_code == 422
    answer = client.post("/sign-in/authenticator", data=data)
    assert answer.status_code == 429
    assert "Too many tries" in answer.text
    assert client.get("/sign-in").status_code == 200
    other = client.post("/sign-in", data=data, environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert other.status_code == 422, "each address is counted by itself"


def test_exports_are_counted_for_each_account(
    make_settings: Callable[..., Any], engine: Engine, clock: Any, sign_in_as: Callable[..., FlaskClient]
) -> None:
    one, two = sign_in_as("one"), sign_in_as("two")
    app = create_app(make_settings(sign_in={"exports_an_hour": 2}), engine=engine, now=clock.now)
    clients = []
    for signed_in in (one, two):
        client = app.test_client()
        with signed_in.session_transaction() as old, client.session_transaction() as new:
            new.update(old)
        clients.append(client)
    assert [clients[0].get("/households.csv").status_code for _ in range(3)] == [200, 200, 429]
    assert clients[1].get("/households.csv").status_code == 200
