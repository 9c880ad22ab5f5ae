from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.settings import DashboardSettings
from dashboard.store import schema

PATH = "/households/site-1/findings/find-1"


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding()


@pytest.fixture
def send(officer: FlaskClient, csrf: Callable[[TestResponse], str]) -> Callable[..., TestResponse]:
    """Fill the form in and send it; `page` is an earlier copy of it."""

    def do(page: TestResponse | None = None, **fields: str) -> TestResponse:
        page = page or officer.get(PATH)
        found = re.search(r'name="token" value="([^"]+)"', page.text)
        assert found is not None
        whole = {"standing": "household", "label": "black phone", "days": "14", "reason": "Shown at the visit"}
        return officer.post(PATH, data={"csrf_token": csrf(page), "token": found[1]} | whole | fields)

    return do


@pytest.mark.req("R7")
def test_a_decision_becomes_a_waiting_command(send: Callable[..., TestResponse], seed: Any, clock: Any) -> None:
    answer = send()
    assert answer.status_code == 303
    (row,) = seed.rows(schema.command)
    assert answer.location == f"/commands/{row['command_id']}?wait=1"
    assert row["state"] == "waiting"
    assert row["sequence"] is None
    assert (row["site"], row["device_id"], row["reason"]) == ("site-1", "dev-1", "Shown at the visit")
    assert (row["created_at"], row["expires_at"]) == (clock.at, clock.at + 600)
    assert row["body"] == {
        "action": "set-standing",
        "device_id": "dev-1",
        "standing": "household",
        "label": "black phone",
    }
    assert row["by"] == seed.rows(schema.account)[0]["account_id"]


def test_a_guest_has_an_end(send: Callable[..., TestResponse], seed: Any) -> None:
    send(standing="guest", days="3")
    assert seed.rows(schema.command)[0]["body"]["guest_until"].startswith("2026-01-17T21:04:09")


def test_without_a_label_none_is_sent(send: Callable[..., TestResponse], seed: Any) -> None:
    send(label="  ")
    assert "label" not in seed.rows(schema.command)[0]["body"]


def test_the_same_form_sent_twice_is_one_command(
    send: Callable[..., TestResponse], seed: Any, officer: FlaskClient
) -> None:
    page = officer.get(PATH)
    first, second = send(page), send(page)
    assert first.location == second.location
    assert len(seed.rows(schema.command)) == 1
    acts = [row for row in seed.rows(schema.audit) if row["action"] == "register-device"]
    assert len(acts) == 1


def test_the_same_form_with_other_answers_asks_again(
    send: Callable[..., TestResponse], seed: Any, officer: FlaskClient
) -> None:
    page = officer.get(PATH)
    send(page)
    answer = send(page, standing="work")
    assert answer.status_code == 422
    assert "You have sent this form already" in answer.text
    assert len(seed.rows(schema.command)) == 1
    assert send(answer, standing="work").status_code == 303
    assert len(seed.rows(schema.command)) == 2


def test_other_days_for_a_guest_are_another_answer(
    send: Callable[..., TestResponse], seed: Any, officer: FlaskClient, clock: Any
) -> None:
    page = officer.get(PATH)
    assert send(page, standing="guest", days="14").status_code == 303
    clock.at += 30
    assert send(page, standing="guest", days="14").status_code == 303
    assert send(page, standing="guest", days="30").status_code == 422
    assert len(seed.rows(schema.command)) == 1


@pytest.mark.req("R52")
def test_a_listed_name_says_that_it_stays_and_accuses_nobody(officer: FlaskClient, seed: Any) -> None:
    seed.finding("find-2", kind="listed-name", hit=seed.hit())
    page = officer.get("/households/site-1/findings/find-2").text
    assert "If it is not relevant here, say so on this page and it closes." in page
    assert "does not show that a page was opened or read, or who used the device" in page
    assert "What you can do" not in officer.get(PATH).text


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"standing": ""}, "standing", "Select whose device this is"),
        ({"standing": "unknown"}, "standing", "Select whose device this is"),
        ({"standing": "owner"}, "standing", "Select whose device this is"),
        ({"reason": " \r\n "}, "reason", "Enter the reason for your decision"),
        ({"reason": "x" * 501}, "reason", "Reason must be 500 characters or fewer"),
        ({"reason": "a\x00b"}, "reason", "Reason must only have characters that can be seen"),
        ({"label": "x" * 81}, "label", "Label must be 80 characters or fewer"),
        ({"label": "a\u202eb"}, "label", "Label must only have characters that can be seen"),
        ({"standing": "guest", "days": "0"}, "days", "Days must be a whole number from 1 to 90"),
        ({"standing": "guest", "days": "91"}, "days", "Days must be a whole number from 1 to 90"),
        ({"standing": "guest", "days": "\u0663"}, "days", "Days must be a whole number from 1 to 90"),
        ({"standing": "guest", "days": ""}, "days", "Days must be a whole number from 1 to 90"),
        ({"token": "../x"}, "standing", "This form was not complete"),
    ],
)
def test_bad_input_is_named_and_what_was_typed_is_kept(
    send: Callable[..., TestResponse], seed: Any, fields: dict[str, str], field: str, text: str
) -> None:
    answer = send(**fields)
    assert answer.status_code == 422
    summary = answer.text[answer.text.index("There is a problem") :]
    assert f'<a href="#{field}">{text}' in summary
    assert f'id="{field}"' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert "<title>Error: " in answer.text
    if "reason" not in fields:
        assert ">Shown at the visit</textarea>" in answer.text
    if "label" not in fields:
        assert 'value="black phone"' in answer.text
    if "standing" not in fields:
        assert re.search(r'value="household"\s+checked', answer.text)
    assert seed.rows(schema.command) == []


def test_typed_html_comes_back_as_text(send: Callable[..., TestResponse]) -> None:
    answer = send(standing="", label='"><script>', reason="</textarea><script>alert(1)</script>")
    assert "<script>alert" not in answer.text
    assert "&lt;/textarea&gt;&lt;script&gt;" in answer.text
    assert 'value="&#34;&gt;&lt;script&gt;"' in answer.text


def test_lines_of_a_reason_are_kept(send: Callable[..., TestResponse], seed: Any) -> None:
    send(reason="One\r\nTwo")
    assert seed.rows(schema.command)[0]["reason"] == "One\nTwo"


def test_what_was_asked_is_listed(send: Callable[..., TestResponse], officer: FlaskClient) -> None:
    sent = send()
    page = officer.get(PATH).text
    assert "Household member: Waiting to be sent to the box" in page
    assert sent.location.removesuffix("?wait=1") in page


def test_the_form_is_folded_when_nothing_asks_for_it(seed: Any, officer: FlaskClient) -> None:
    seed.device("dev-2", standing="household", label="television")
    seed.finding("find-2", device_id="dev-2", state="closed", closed_because="Registered")
    page = officer.get("/households/site-1/findings/find-2").text
    assert "Change what this device is" in page
    assert "Register this device" not in page
    assert 'value="television"' in page


def test_the_operator_chooses_the_words(
    *,
    make_settings: Callable[..., DashboardSettings],
    engine: Engine,
    clock: Any,
    new_code: Callable[[str], str],
    csrf: Callable[[TestResponse], str],
    seed: Any,
) -> None:
    from dashboard import auth
    from dashboard.access import Role
    from dashboard.app import create_app

    seed.charge(auth.add_account(engine, name="o", role=Role.OFFICER, now=0.0), "site-1")
    settings: Any = make_settings(words={"person": "managed person"})
    client = create_app(settings, engine=engine, now=clock.now).test_client()
    client.post("/sign-in", data={"name": "o", "code": new_code("o"), "csrf_token": csrf(client.get("/sign-in"))})
    assert "the managed person&#39;s own device" in client.get(PATH).text


@pytest.mark.req("N9")
@pytest.mark.parametrize("kind", ["passphrase-shared", "passphrase-ended"])
def test_a_finding_about_a_passphrase_is_answered_where_it_is_read(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str], kind: str
) -> None:
    seed.device("dev-9", label="black phone", standing="registered")
    seed.finding("find-2", device_id="dev-9", kind=kind, key_id="k-7")
    page = officer.get("/households/site-1/findings/find-2")
    assert "Say what the passphrase is for" in page.text
    assert 'id="register">Register this device' in page.text
    assert "stays on Today" not in page.text
    target = "/households/site-1/devices/dev-9/passphrase"
    form = page.text[page.text.index(f'action="{target}"') :]
    assert re.search(r'id="key-id"[^>]*value="k-7"', form)
    found = re.search(r'name="token" value="([^"]+)"', form)
    assert found is not None
    fields = {"key_id": "k-7", "purpose": "guest", "days": "7", "reason": "The visit is longer"}
    sent = officer.post(target, data={"csrf_token": csrf(page), "token": found[1]} | fields)
    assert sent.status_code == 303
    (row,) = seed.rows(schema.command)
    assert (row["body"]["action"], row["body"]["key_id"], row["device_id"]) == ("bind-passphrase", "k-7", "dev-9")


def test_a_finding_about_a_passphrase_has_its_form_only_while_it_can_be_used(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], seed: Any
) -> None:
    seed.finding("find-2", kind="passphrase-ended", state="closed", key_id="k-7")
    seed.finding("find-3", kind="passphrase-ended", device_id="never-seen", key_id="k-7")
    seed.finding("find-4", kind="passphrase-ended")
    for name in ("find-1", "find-2", "find-3"):
        assert "/passphrase" not in officer.get(f"/households/site-1/findings/{name}").text, name
    assert "/passphrase" in officer.get("/households/site-1/findings/find-4").text
    auditor = sign_in_as("auditor", Role.AUDITOR)
    assert "/passphrase" not in auditor.get("/households/site-1/findings/find-4").text
