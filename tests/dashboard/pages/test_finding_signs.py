"""The finding's page where it is about a sign, a list or the box; and the form that finds it not relevant."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.store import schema

PATH = "/households/site-1/findings/find-1"
QUIET = "/households/site-1/findings/find-2/quiet"


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding()


@pytest.fixture
def quieting(officer: FlaskClient, csrf: Callable[[TestResponse], str]) -> Callable[..., TestResponse]:
    def do(page: TestResponse, **fields: str) -> TestResponse:
        form = re.search(r'aria-label="Not relevant here".*?name="token" value="([0-9a-f]+)"', page.text, re.DOTALL)
        assert form is not None
        sent = {"scope": "subject", "why": "needed", "ends": "90", "reason": "Shown at the visit"} | fields
        return officer.post(QUIET, data={"csrf_token": csrf(page), "token": form[1]} | sent)

    return do


@pytest.mark.req("R18", "R29", "S5")
def test_a_sign_says_how_strong_it_is_what_agrees_and_what_else_it_may_be(officer: FlaskClient, seed: Any) -> None:
    seed.finding(
        "find-2",
        kind="tunnel",
        grade="medium",
        signals=1,
        records=["rec-2", "rec-1"],
        cause="dev-1/hidden",
        reasons=["It looks like WireGuard: a handshake to 192.0.2.7 every 2 minutes.", "Nothing named the address."],
        alternatives=["An employer may ask for it."],
    )
    seed.finding("find-3", kind="hidden-names", grade="low", signals=3, cause="dev-1/hidden")
    page = officer.get("/households/site-1/findings/find-2").text
    for text in (
        "A clear sign",
        "It rests on one signal alone",
        "It looks like WireGuard: a handshake to 192.0.2.7 every 2 minutes.",
        "What else could explain it",
        "An employer may ask for it.",
        "Employers, schools and banks often ask for such a connection.",
        "rec-2, rec-1",
        "What else the box saw",
        "Other findings of the same cause",
        'href="/households/site-1/findings/find-3"',
    ):
        assert text in page, text
    assert page.count("It looks like WireGuard") == 1
    assert "3 independent signals agree" in officer.get("/households/site-1/findings/find-3").text


@pytest.mark.req("R30")
def test_a_finding_that_is_not_relevant_is_quieted_with_who_and_why(
    officer: FlaskClient, seed: Any, quieting: Callable[..., TestResponse]
) -> None:
    seed.finding("find-2", kind="tunnel", grade="high")
    page = officer.get("/households/site-1/findings/find-2")
    answer = quieting(page)
    assert answer.status_code == 303
    (row,) = seed.rows(schema.command)
    assert row["body"] == {
        "action": "quiet-rule",
        "rule": "tunnel",
        "device_id": "dev-1",
        "finding_id": "find-2",
        "narrow": True,
        "reason": "Work, school or health care needs it: Shown at the visit",
        "until": "2026-04-14T21:04:09Z",
    }
    assert (row["finding_id"], row["device_id"], row["reason"]) == ("find-2", "dev-1", row["body"]["reason"])
    # The same form again is the same command; another one has to wait for the answer to the first.
    assert quieting(page).status_code == 303
    assert quieting(officer.get("/households/site-1/findings/find-2")).status_code == 422
    assert len(seed.rows(schema.command)) == 1
    assert (
        "Not relevant here: this subject, on this device: Waiting"
        in officer.get("/households/site-1/findings/find-2").text
    )
    (line,) = [line for line in seed.rows(schema.audit) if line["action"] == "quiet-rule"]
    assert line["subject"] == "site-1/find-2"


@pytest.mark.req("R30")
@pytest.mark.parametrize(
    ("fields", "whose", "narrow"), [({"scope": "device"}, "dev-1", False), ({"scope": "home", "ends": ""}, None, False)]
)
def test_a_rule_can_be_quieted_more_widely(
    officer: FlaskClient,
    seed: Any,
    quieting: Callable[..., TestResponse],
    fields: dict[str, str],
    whose: str | None,
    *,
    narrow: bool,
) -> None:
    seed.finding("find-2", kind="tunnel")
    assert quieting(officer.get("/households/site-1/findings/find-2"), **fields).status_code == 303
    (row,) = seed.rows(schema.command)
    assert (row["body"].get("device_id"), row["body"]["narrow"]) == (whose, narrow)
    assert ("until" in row["body"]) is ("ends" not in fields)
    assert "Not relevant here: all that the rule finds" in officer.get("/households/site-1/findings/find-2").text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"scope": "everything"}, "Select what is not relevant here"),
        ({"why": "because"}, "Select why it is not relevant"),
        ({"why": "other", "reason": " "}, "Say what the other reason is"),
        ({"ends": "5"}, "Select for how long"),
        ({"reason": "x" * 201}, "Text must be 200 characters or fewer"),
    ],
)
def test_a_form_that_quiets_says_what_is_wrong(
    officer: FlaskClient, seed: Any, quieting: Callable[..., TestResponse], fields: dict[str, str], text: str
) -> None:
    seed.finding("find-2", kind="tunnel")
    answer = quieting(officer.get("/households/site-1/findings/find-2"), **fields)
    assert answer.status_code == 422
    assert text in answer.text
    assert seed.rows(schema.command) == []


def test_what_cannot_be_quieted_is_not(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str], sign_in_as: Callable[..., FlaskClient]
) -> None:
    page = officer.get(PATH)
    assert 'id="details-quiet"' not in page.text
    data = {"csrf_token": csrf(page), "token": "a" * 32, "scope": "home", "why": "needed", "ends": "7"}
    assert officer.post(f"{PATH}/quiet", data=data).status_code == 404
    seed.finding("find-2", kind="tunnel")
    auditor = sign_in_as("auditor-1", Role.AUDITOR)
    page = auditor.get("/households/site-1/findings/find-2")
    assert 'action="/households/site-1/findings/find-2/quiet"' not in page.text
    assert auditor.post(QUIET, data=data | {"csrf_token": csrf(page)}).status_code == 403


@pytest.mark.req("R19")
def test_a_finding_of_the_box_has_no_device_to_register(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    seed.finding("find-2", kind="power-lost", device_id=None)
    path = "/households/site-1/findings/find-2"
    page = officer.get(path)
    assert "The box itself, or the home&#39;s network" in page.text
    assert "Register this device" not in page.text
    assert "Everything that this rule finds on this device" not in page.text
    assert officer.post(path, data={"csrf_token": csrf(page), "standing": "guest"}).status_code == 404


@pytest.mark.req("N16", "R42")
def test_of_a_confidential_list_only_the_keyed_entry_is_shown(officer: FlaskClient, seed: Any) -> None:
    entry = "keyed:" + "0a" * 16
    for number, name in enumerate((None, "kept.example")):
        seed.finding(f"find-{number + 2}", kind="listed-name", hit=seed.hit(name=name, entry=entry, shown="x.example"))
        page = officer.get(f"/households/site-1/findings/find-{number + 2}").text
        assert "Not shown: the list is confidential" in page
        assert entry in page
        assert "kept[.]example" not in page
        assert "x[.]example" not in page


@pytest.mark.req("R24", "R29", "R42")
def test_a_listed_name_is_shown_as_asked_as_answered_and_in_letters(officer: FlaskClient, seed: Any) -> None:
    seed.finding(
        "find-2",
        kind="listed-name",
        hit=seed.hit(
            name="xn--bcher-kva.example",
            asked="shop.example",
            shown="b\u00fccher.example",
            owner="Example publisher",
            category="books",
            source="https://lists.example/books",
        ),
    )
    page = officer.get("/households/site-1/findings/find-2").text
    for text in (
        "shop[.]example",
        "xn--bcher-kva[.]example",
        "b\u00fccher[.]example",
        "Example publisher",
        "https[:]//lists[.]example/books",
        "ab" * 32,
    ):
        assert text in page, text
    assert "lists.example" not in page
