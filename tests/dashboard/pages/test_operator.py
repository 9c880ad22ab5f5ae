"""The operator's sign-in through the pages: what is refused before and after the provider has spoken."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from dashboard.app import create_app
from dashboard.store import schema

pytestmark = pytest.mark.req("R66")


@pytest.fixture
def client(make_settings: Callable[..., Any], engine: Engine, clock: Any, tmp_path: Any) -> FlaskClient:
    (tmp_path / "client").write_text("x")
    operator = {
        "name": "Northmoor",
        "issuer": "http://127.0.0.1:9",
        "client_id": "gatehouse",
        "client_secret_file": tmp_path / "client",
    }
    settings = make_settings(sign_in={"public_url": "http://localhost", "operator": operator})
    return create_app(settings, engine=engine, now=clock.now).test_client()


def test_a_provider_that_does_not_answer_is_said_and_written_down_once_for_a_while(
    client: FlaskClient, seed: Any
) -> None:
    assert "Sign in with Northmoor" in client.get("/sign-in").text
    for _ in range(2):
        answer = client.get("/sign-in/operator?next=/households")
        assert (answer.status_code, answer.location) == (303, "/sign-in?wrong=operator&next=%2Fhouseholds")
    assert "could not be signed in that way" in client.get("/sign-in?wrong=operator").text
    (line,) = [row for row in seed.rows(schema.audit) if row["action"] == "sign-in-failed"]
    assert line["subject"].startswith("operator: the provider cannot be reached")


@pytest.mark.parametrize("query", ["", "?code=x&state=y", "?error=access_denied"])
def test_coming_back_without_having_gone_does_nothing(client: FlaskClient, seed: Any, query: str) -> None:
    assert client.get(f"/sign-in/operator/back{query}").location == "/sign-in?wrong=operator&next=%2F"
    assert seed.rows(schema.session) == []


def test_leaving_goes_to_our_own_page_where_the_provider_offers_none(client: FlaskClient) -> None:
    assert client.get("/sign-in/operator/leave").location == "/sign-in"


def test_where_settings_have_none_there_is_none(stranger: FlaskClient, officer: FlaskClient) -> None:
    assert stranger.get("/sign-in/operator").status_code == 404
    assert not re.search("Sign in with (?!a)", stranger.get("/sign-in").text)
    assert officer.get("/account/operator").status_code == 404
