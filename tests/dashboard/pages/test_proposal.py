from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.store import schema

PATH = "/households/site-1/proposals/prop-1"


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device("dev-1", standing="registered", label="black phone")
    seed.device("dev-2")
    seed.finding(kind="same-device", device_id="dev-2", severity="this_week", confidence=0.87)
    seed.proposal()


@pytest.fixture
def send(officer: FlaskClient, csrf: Callable[[TestResponse], str]) -> Callable[..., TestResponse]:
    def do(page: TestResponse | None = None, **fields: str) -> TestResponse:
        page = page or officer.get(PATH)
        found = re.search(r'name="token" value="([^"]+)"', page.text)
        assert found is not None
        whole = {"csrf_token": csrf(page), "token": found[1], "answer": "confirm", "reason": "Shown at the visit"}
        return officer.post(PATH, data=whole | fields)

    return do


@pytest.mark.req("N8", "R17")
def test_says_how_sure_what_speaks_for_it_and_what_against(officer: FlaskClient) -> None:
    for path in ("/households/site-1", PATH, "/households/site-1/findings/find-1", "/households/site-1/devices/dev-2"):
        page = officer.get(path).text
        assert "The box thinks these two may be one device (87%)" in page, path
        assert "Both give the same name of their own." in page, path
        assert "The first had left only a moment before." in page, path
        assert "/households/site-1/proposals/prop-1" in page, path
    assert "1 finding needs a decision. 1 pair of devices may be one." in officer.get("/households/site-1").text


def test_before_a_device_is_registered_a_second_time_the_question_is_shown(officer: FlaskClient, seed: Any) -> None:
    seed.finding("find-2", device_id="dev-2")
    seed.finding("find-3", device_id="dev-2", kind="listed-name", hit=seed.hit())
    assert "Say whether they are one device" in officer.get("/households/site-1/findings/find-2").text
    assert "proposals/prop-1" not in officer.get("/households/site-1/findings/find-3").text


def test_a_proposal_without_a_finding_is_not_called_nothing(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-2")
    seed.proposal(site="site-2")
    page = officer.get("/households/site-2").text
    assert "No finding needs a decision. 1 pair of devices may be one." in page
    assert "gh-summary--calm" not in page


@pytest.mark.req("N8")
@pytest.mark.parametrize(("answer", "confirm"), [("confirm", True), ("refuse", False)])
def test_an_answer_becomes_a_command(
    send: Callable[..., TestResponse], seed: Any, officer: FlaskClient, answer: str, confirm: bool
) -> None:
    assert send(answer=answer).status_code == 303
    (row,) = seed.rows(schema.command)
    assert row["body"] == {"action": "answer-proposal", "proposal_id": "prop-1", "confirm": confirm}
    assert (row["device_id"], row["proposal_id"], row["reason"]) == ("dev-1", "prop-1", "Shown at the visit")
    assert [item["subject"] for item in seed.rows(schema.audit) if item["action"] == "answer-proposal"] == [
        "site-1/prop-1"
    ]
    for path in (PATH, "/households/site-1", "/households/site-1/findings/find-1", "/households/site-1/devices/dev-2"):
        assert "Waiting to be sent to the box" in officer.get(path).text, path


def test_nothing_is_chosen_before_the_officer_chooses(officer: FlaskClient, send: Callable[..., TestResponse]) -> None:
    assert not re.search(r'name="answer"[^>]*checked', officer.get(PATH).text)
    answer = send(answer="", reason="")
    assert answer.status_code == 422
    for field in ("answer", "answer-reason"):
        assert f'<a href="#{field}">' in answer.text
        assert f'id="{field}"' in answer.text


def test_the_same_form_with_another_answer_asks_again(
    send: Callable[..., TestResponse], officer: FlaskClient, seed: Any
) -> None:
    page = officer.get(PATH)
    assert send(page).status_code == 303
    assert send(page).status_code == 303
    assert send(page, answer="refuse").status_code == 422
    assert len(seed.rows(schema.command)) == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("confirmed", "An officer said that they are one device"),
        ("refused", "An officer said that they are two devices"),
        ("withdrawn", "The box does not think so any more"),
        ("later", "later"),
    ],
)
def test_one_that_is_answered_asks_no_more(officer: FlaskClient, seed: Any, state: str, words: str) -> None:
    seed.proposal("prop-2", state=state)
    page = officer.get("/households/site-1/proposals/prop-2").text
    assert words in page
    assert "Are these two one device?" not in page
    assert "prop-2" not in officer.get("/households/site-1").text


def test_a_proposal_about_devices_not_told_of_yet_is_shown(officer: FlaskClient, seed: Any) -> None:
    seed.proposal("prop-3", device_id="dev-7", other_id="dev-8", reasons=[], against=[])
    page = officer.get("/households/site-1/proposals/prop-3").text
    assert "Nothing known yet of device dev-7" in page
    assert "Nothing that the box saw" in page


def test_who_may_only_look_cannot_answer(sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    looks = sign_in_as("looker", Role.AUDITOR)
    page = looks.get(PATH).text
    assert "Are these two one device?" not in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    assert looks.post(PATH, data={"csrf_token": token[1], "answer": "confirm"}).status_code == 403
    assert seed.rows(schema.command) == []


def test_one_of_another_operator_does_not_exist(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-2", tenant="elsewhere")
    seed.proposal(site="site-2")
    assert officer.get("/households/site-2/proposals/prop-1").status_code == 404
    assert officer.get("/households/site-1/proposals/none").status_code == 404


def test_the_box_is_asked_to_look_round_once(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    page = officer.get("/households/site-1/devices")
    found = re.search(r'look-round".*?name="token" value="([^"]+)"', page.text, re.DOTALL)
    assert found is not None
    data = {"csrf_token": csrf(page), "token": found[1], "kind": "services"}
    first, second = (officer.post("/households/site-1/look-round", data=data) for _ in range(2))
    assert first.status_code == 303
    assert first.location == second.location
    again = officer.post("/households/site-1/look-round", data=data | {"kind": "dhcp"})
    assert again.location == "/households/site-1/devices"
    assert officer.post("/households/site-1/look-round", data=data | {"kind": "all"}).status_code == 400
    (row,) = seed.rows(schema.command)
    assert row["body"] == {"action": "run-probe", "kind": "services"}
    assert (row["device_id"], row["reason"]) == (None, "")
    assert (
        "Look round: what devices say they offer: Waiting to be sent" in officer.get("/households/site-1/devices").text
    )
    sent = officer.get(first.location.removesuffix("?wait=1")).text
    assert "What devices say they offer" in sent
    assert ">Reason<" not in sent


def test_a_second_answer_waits_for_the_first(
    send: Callable[..., TestResponse], sign_in_as: Callable[..., FlaskClient], csrf: Any, seed: Any
) -> None:
    assert send(answer="confirm").status_code == 303
    other = sign_in_as("officer-2")
    page = other.get(PATH)
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None
    fields = {"csrf_token": csrf(page), "token": found[1], "answer": "refuse", "reason": "Both were there"}
    answer = other.post(PATH, data=fields)
    assert answer.status_code == 422
    assert "This has been sent already, and the box has not answered yet" in answer.text
    assert ">Both were there</textarea>" in answer.text
    assert len(seed.rows(schema.command)) == 1
