from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.store import schema
from dashboard.store.engine import reading

PATH = "/households/site-1/arrangements"


@pytest.fixture(autouse=True)
def household(seed: Any, officer: FlaskClient) -> None:
    """A household with one arrangement of each sort, all by the officer."""
    assert officer is not None
    seed.site()
    seed.device(standing="registered", label="grey laptop")
    seed.device("dev-2", standing="household", label="tablet")
    with reading(seed.engine).connect() as connection:
        by = connection.execute(select(schema.account.c.account_id)).scalar_one()
    seed.arrangements(
        quieted=[
            {
                "quiet_id": "quiet-1",
                "rule": "tunnel",
                "device_id": "dev-1",
                "subject": "vpn.example:1194",
                "reason": "The employer asks for it",
                "by": by,
                "at": "2026-01-10T10:00:00Z",
                "until": "2026-01-11T10:00:00Z",
                "count": 4,
            },
            {"quiet_id": "quiet-2", "rule": "of-later", "reason": "Known", "by": "gone", "at": "2026-01-12T10:00:00Z"},
        ],
        away=[
            {
                "away_id": "away-1",
                "starts": "2026-01-14T00:00:00Z",
                "ends": "2026-01-17T00:00:00Z",
                "reason": "Holiday",
                "by": by,
            }
        ],
        watch=[
            {
                "watch_id": "watch-1",
                "name": "help.example",
                "excluded": True,
                "reason": "A helpline",
                "by": by,
                "at": "2026-01-10T10:00:00Z",
                "expires": "2026-03-10T10:00:00Z",
            }
        ],
    )


@pytest.fixture
def send(officer: FlaskClient, csrf: Callable[[TestResponse], str]) -> Callable[..., TestResponse]:
    """Send one of the page's forms; `page` is an earlier copy of it."""

    def do(form: str, page: TestResponse | None = None, **fields: str) -> TestResponse:
        page = page or officer.get(PATH)
        found = re.search(rf'action="{PATH}/{form}".*?name="token" value="([0-9a-f]+)"', page.text, re.DOTALL)
        assert found is not None
        return officer.post(f"{PATH}/{form}", data={"csrf_token": csrf(page), "token": found[1]} | fields)

    return do


@pytest.mark.req("R15", "R30", "R35", "R67")
def test_what_is_arranged_is_listed_with_who_why_until_and_how_much(officer: FlaskClient) -> None:
    text = re.sub(r"<[^>]+>|\s+", " ", officer.get(PATH).text)
    text = re.sub(r" +", " ", text)
    for said in (
        "Not shown: A device sends traffic that looks like a tunnel",
        "grey laptop, only for vpn[.]example[:]1194",
        "Because: The employer asks for it",
        "officer-1 , 10 January 2026, 10:00 . Until 11 January 2026, 10:00 . 4 findings kept quiet",
        "Over",
        "account gone",
        "Until an officer lets it speak again",
        "Away from 14 January 2026 to 16 January 2026",
        "The whole home",
        "Never kept: help[.]example and what belongs to it",
        "Until 10 March 2026, 10:00",
    ):
        assert said in text, said
    assert text.count("Over") == 1
    assert "help.example" not in text
    assert "2 quiet rules, 1 away time, 1 entry of its own." in officer.get("/households/site-1/box").text


@pytest.mark.req("R15")
def test_an_away_time_is_sent_to_the_box_once(
    send: Callable[..., TestResponse], officer: FlaskClient, seed: Any
) -> None:
    page = officer.get(PATH)
    fields = {"starts": "2026-01-20", "ends": "2026-01-21", "device": "dev-1", "reason": "At a hospital"}
    for _ in range(2):
        assert send("away", page, **fields).status_code == 303
    (row,) = seed.rows(schema.command)
    assert row["body"] == {
        "action": "set-away",
        "starts": "2026-01-20T00:00:00Z",
        "ends": "2026-01-22T00:00:00Z",
        "device_id": "dev-1",
        "reason": "At a hospital",
    }
    assert "Away from 20 January 2026 to 21 January 2026: Waiting to be sent" in officer.get(PATH).text
    assert send("away", **fields).status_code == 422
    # Silence is looked for on registered devices only, so no other can be away.
    assert send("away", **fields | {"device": "dev-2"}).status_code == 422


@pytest.mark.req("R35")
def test_an_entry_is_sent_to_the_box(send: Callable[..., TestResponse], seed: Any) -> None:
    fields = {"name": "listed.example", "below": "1", "kind": "find", "severity": "act_now", "days": "30"}
    answer = send("watch", **fields, reason="")
    assert answer.status_code == 422
    assert "Enter the reason for your decision" in answer.text
    assert 'value="listed.example"' in answer.text
    assert send("watch", **fields, reason="Agreed at the review").status_code == 303
    (row,) = seed.rows(schema.command)
    assert row["body"]["name"] == "listed.example"
    assert row["body"]["expires"] == "2026-02-13T21:04:09Z"


@pytest.mark.req("R30", "R15", "R35")
@pytest.mark.parametrize(
    ("kind", "reference", "body"),
    [
        ("quiet", "quiet-1", {"action": "end-quiet", "quiet_id": "quiet-1"}),
        ("away", "away-1", {"action": "end-away", "away_id": "away-1"}),
        ("watch", "watch-1", {"action": "end-watch", "watch_id": "watch-1"}),
    ],
)
def test_each_can_be_ended_and_twice_is_once(
    send: Callable[..., TestResponse], seed: Any, kind: str, reference: str, body: dict[str, str]
) -> None:
    first = send(f"end-{kind}", reference=reference)
    assert first.location.startswith("/commands/")
    again = send(f"end-{kind}", reference=reference)
    assert (again.status_code, again.location) == (303, PATH)
    assert [row["body"] for row in seed.rows(schema.command)] == [body]


def test_a_form_that_no_page_made_is_refused(
    officer: FlaskClient, csrf: Callable[[TestResponse], str], send: Callable[..., TestResponse], seed: Any
) -> None:
    assert send("end-quiet", reference="no/id").status_code == 400
    data = {"csrf_token": csrf(officer.get(PATH)), "token": "a" * 32, "reference": "quiet-1"}
    assert officer.post(f"{PATH}/end-order", data=data).status_code == 400
    assert officer.post(f"{PATH}/away", data={"token": "a" * 32}).status_code == 400
    for form in ("away", "watch", "end-quiet"):
        assert officer.post(f"/households/site-9/arrangements/{form}", data=data).status_code == 404
    assert officer.get("/households/site-9/arrangements").status_code == 404
    assert seed.rows(schema.command) == []


def test_who_may_only_look_has_no_forms(
    sign_in_as: Callable[..., FlaskClient], csrf: Callable[[TestResponse], str], seed: Any
) -> None:
    auditor = sign_in_as("auditor-1", Role.AUDITOR)
    page = auditor.get(PATH)
    assert "Let it speak again</" not in page.text
    assert "Add an away time" not in page.text
    for form in ("away", "watch", "end-quiet"):
        data = {"csrf_token": csrf(page), "token": "a" * 32, "reference": "quiet-1"}
        assert auditor.post(f"{PATH}/{form}", data=data).status_code == 403
    assert seed.rows(schema.command) == []


def test_a_box_that_has_not_said_is_said_so(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-2")
    assert "The box has not said yet what is arranged with it." in officer.get("/households/site-2/arrangements").text
    assert "Nothing that the box has told of." in officer.get("/households/site-2/box").text
