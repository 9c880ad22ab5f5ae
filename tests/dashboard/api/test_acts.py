"""What a token does: by the rules of the page's form, in its account's name, without a cookie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import May, Role
from dashboard.api import acts
from dashboard.api.acts_table import ACTS
from dashboard.store import schema

STANDING = {"standing": "registered", "label": "Laptop", "reason": "Its owner showed it to me"}


@pytest.fixture(autouse=True)
def home(seed: Any, program: FlaskClient) -> FlaskClient:
    seed.site()
    seed.device()
    seed.finding()
    return program


def _standing() -> str:
    (act,) = [act for act in ACTS if act.name == "register_device"]
    return "/api/v1" + act.rule.replace("<site>", "site-1").replace("<device>", "dev-1")


@pytest.mark.req("R66")
def test_an_act_is_the_pages_own_and_in_the_audit_as_its_accounts(program: FlaskClient, seed: Any) -> None:
    token = "ab" * 16
    answers = [program.post(_standing(), json=STANDING | {"token": token}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202], answers[0].text
    assert all("Set-Cookie" not in answer.headers for answer in answers)
    (row,) = seed.rows(schema.command)
    assert row["body"]["standing"] == "registered"
    assert answers[0].get_json()["command"] == answers[1].get_json()["command"] == row["command_id"]
    assert program.get(answers[0].get_json()["address"]).get_json()["reason"] == STANDING["reason"]
    (account,) = [item for item in seed.rows(schema.account) if item["name"] == "officer-7"]
    assert row["by"] == account["account_id"]


def test_what_does_not_hold_is_said_as_the_page_says_it(program: FlaskClient, seed: Any) -> None:
    answer = program.post(_standing(), json=STANDING | {"reason": ""})
    assert answer.status_code == 422
    assert answer.get_json()["errors"]
    assert seed.rows(schema.command) == []
    assert program.post(_standing(), json=STANDING | {"nothing": 1}).status_code == 422
    assert program.post(_standing(), data=STANDING).status_code == 415


def test_a_token_that_only_reads_does_nothing_and_neither_does_anothers(
    program_of: Callable[..., FlaskClient], seed: Any
) -> None:
    reading = program_of("officer-2", Role.OFFICER, {May.SEE})
    assert reading.post(_standing(), json=STANDING).status_code == 403
    elsewhere = program_of("officer-3")
    seed.site("site-2", charged=False)
    seed.device(site="site-2")
    assert elsewhere.post(_standing().replace("site-1", "site-2"), json=STANDING).status_code == 404
    assert seed.rows(schema.command) == []
    assert "denied" in {row["action"] for row in seed.rows(schema.audit)}


def test_errors_are_read_from_a_summary_and_from_nowhere_else() -> None:
    page = (
        '<a href="#x">not this</a><div class="govuk-error-summary a"><div><ul><li><a href="#reason">Enter &lt;a&gt;'
        ' reason</a></li></ul></div></div><a href="#y">nor this</a>'
    )
    assert acts.errors_of(page) == [("reason", "Enter <a> reason")]
    assert acts.errors_of("<div" * 5000) == []
