"""A program's client, with a token of an account that the test names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from dashboard import auth, tokens
from dashboard.access import May, Role


@pytest.fixture
def token_of(engine: Engine, clock: Any, sign_in_as: Callable[..., FlaskClient]) -> Callable[..., str]:
    """A token of a fresh account; with all rights that its role can give one, unless the test names them."""

    def make(name: str = "officer-7", role: Role = Role.OFFICER, rights: set[May] | None = None) -> str:
        browser = sign_in_as(name, role)
        with browser.session_transaction() as session:
            key = session["token"]
        with engine.connect() as connection:
            who = auth.signed_in(connection, token=key, now=clock.at)
        assert who is not None
        wanted = {right for right in tokens.OFFERED if role.may(right)} if rights is None else rights
        return tokens.make(engine, by=who, name="test", rights=wanted, days=7, now=clock.at, service=None)

    return make


@pytest.fixture
def program_of(app: Flask, token_of: Callable[..., str]) -> Callable[..., FlaskClient]:
    """A client that sends the token with every request, and keeps no cookie."""

    def make(*args: Any, **values: Any) -> FlaskClient:
        client = app.test_client(use_cookies=False)
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token_of(*args, **values)}"
        return client

    return make


@pytest.fixture
def program(program_of: Callable[..., FlaskClient]) -> FlaskClient:
    return program_of()
