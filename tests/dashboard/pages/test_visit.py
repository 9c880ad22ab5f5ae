"""The sheet of a visit: the roll-call against what the box has there, the questions, saved once however often it comes."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.store import schema

pytestmark = pytest.mark.req("N14", "S1")
VISIT = "ab" * 16
VISITS = "/households/site-1/visits"
PAGE = f"{VISITS}/{VISIT}"


def csrf_of(text: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found is not None
    return found[1]


@pytest.fixture(autouse=True)
def begun(seed: Any, officer: FlaskClient, clock: Any) -> None:
    seed.site()
    here = {"state": "here", "since": "2026-01-14T20:00:00+00:00"}
    long_ago = clock.at - 90 * 86400
    seed.device("dev-1", standing="registered", label="grey laptop", presence=here, first_seen=long_ago)
    seed.device("dev-2", standing="registered", label="black phone", first_seen=long_ago)
    csrf = csrf_of(officer.get(VISITS).text)
    begun = officer.post(VISITS, data={"csrf_token": csrf, "token": VISIT, "present": "person"})
    assert begun.status_code == 303


@pytest.fixture
def save(officer: FlaskClient) -> Callable[..., Any]:
    def do(client: FlaskClient = officer, **fields: Any) -> Any:
        page = client.get(PAGE).text
        revision = re.search(r'name="revision" value="(\d+)"', page)
        assert revision is not None
        return client.post(PAGE, data={"csrf_token": csrf_of(page), "revision": revision[1]} | fields)

    return do


@pytest.fixture
def sign(officer: FlaskClient) -> Callable[..., Any]:
    def do(**fields: Any) -> Any:
        page = officer.get(f"{PAGE}/sign").text
        revision = re.search(r'name="revision" value="(\d+)"', page)
        data = {
            "csrf_token": csrf_of(page),
            "revision": revision[1] if revision else "1",
            "outcome": "Advice given",
            "explained": ["records", "rights"],
            "own-words": "I keep to it",
            "note": "All in order",
            "name": " Officer-1 ",
        }
        return officer.post(f"{PAGE}/sign", data=data | fields)

    return do


def test_what_is_there_and_was_not_shown_is_asked_about(save: Callable[..., Any], officer: FlaskClient) -> None:
    answer = save(**{"state-dev-1": "not-shown", "state-dev-2": "not-home", "note-dev-2": "at work"})
    assert answer.location.endswith(f"{PAGE}?saved=1")
    page = officer.get(answer.location).text
    assert "0 seen, 1 not shown, 1 not at home, 0 not asked about yet" in page
    asked = page[page.index("Ask to be shown them") : page.index("<form", page.index("Ask to be shown them"))]
    assert "grey laptop" in asked  # the box has it here now
    assert "black phone" not in asked
    assert "Saved." in page
    assert 'value="at work"' in page


def test_a_sheet_that_comes_twice_is_saved_once(officer: FlaskClient, seed: Any) -> None:
    data = {"csrf_token": csrf_of(officer.get(PAGE).text), "revision": "1", "state-dev-1": "seen", "answer-own": "2"}
    assert [officer.post(PAGE, data=data).status_code for _ in range(2)] == [303, 303]
    assert seed.rows(schema.visit)[0]["revision"] == 2
    assert [row["action"] for row in seed.rows(schema.audit)].count("save-visit") == 1


def test_of_two_officers_the_later_sees_what_they_typed(
    save: Callable[..., Any], officer: FlaskClient, seed: Any
) -> None:
    save(**{"state-dev-1": "seen"})
    page = officer.get(PAGE).text
    late = officer.post(
        PAGE, data={"csrf_token": csrf_of(page), "revision": "1", "state-dev-1": "not-home", "note-dev-1": "mine"}
    )
    assert late.status_code == 422
    assert "Somebody else has saved this sheet" in late.text
    assert 'value="mine"' in late.text
    assert {row["device_id"]: row["state"] for row in seed.rows(schema.visit_line)}["dev-1"] == "seen"
    assert re.search(r'name="revision" value="2"', late.text)  # sending it again takes it


def test_a_device_that_comes_during_the_visit_gets_the_next_number(
    save: Callable[..., Any], officer: FlaskClient, seed: Any
) -> None:
    seed.device("dev-3")
    assert "3. <bdi>" in officer.get(PAGE).text
    save(**{"state-dev-3": "seen"})
    assert {row["device_id"]: row["number"] for row in seed.rows(schema.visit_line)}["dev-3"] == 3


def test_answers_are_compared_and_a_difference_is_a_question(
    save: Callable[..., Any], officer: FlaskClient, seed: Any
) -> None:
    save(**{"answer-own": "1", "answer-way": "home", "answer-accounts": "e-mail, games"})
    page = officer.get(PAGE).text
    assert "Said: 1 device. The box has 2 registered as the person&#39;s own." in page
    assert "None of them is a finding" in page
    assert not seed.rows(schema.finding)
    wrong = save(**{"answer-own": "many", "answer-shared": "perhaps", "answer-accounts": "x" * 301})
    assert wrong.status_code == 422
    for said in ("whole number from 0 to 99", "Select one of the answers", "300 characters"):
        assert said in wrong.text


def test_a_paper_sheet_is_entered_by_its_codes(save: Callable[..., Any], seed: Any, officer: FlaskClient) -> None:
    wrong = save(codes="1S 9N 2X hello")
    assert wrong.status_code == 422
    assert "9N, 2X, hello" in wrong.text
    assert save(codes="1s, 2 H").status_code == 303
    states = {row["number"]: row["state"] for row in seed.rows(schema.visit_line)}
    assert states == {1: "seen", 2: "not-home"}
    paper = officer.get(f"{PAGE}/paper").text
    assert "Circle one letter a line" in paper
    assert 'aria-label="QR code that opens this visit"' in paper
    pdf = officer.get(f"{PAGE}/paper.pdf")
    assert pdf.data.startswith(b"%PDF")


def test_what_was_found_is_noted_and_bounded(save: Callable[..., Any], officer: FlaskClient) -> None:
    assert save(found=["tablet, bedroom", "", "x" * 81]).status_code == 422
    assert save(found=["tablet, bedroom"] + ["more"] * 9).status_code == 303
    page = officer.get(PAGE).text
    assert "5 devices were shown that the box does not know" in page


def test_what_two_officers_said_of_different_devices_is_joined(save: Callable[..., Any], officer: FlaskClient) -> None:
    save(**{"state-dev-1": "seen", "note-dev-1": "in the kitchen", "answer-own": "2", "found": ["tablet"]})
    late = officer.post(
        PAGE,
        data={
            "csrf_token": csrf_of(officer.get(PAGE).text),
            "revision": "1",
            "state-dev-2": "not-home",
            "found": ["console"],
        },
    )
    assert late.status_code == 422
    for kept in ('value="in the kitchen"', 'value="tablet"', 'value="console"', "1 seen, 0 not shown, 1 not at home"):
        assert kept in late.text, kept


@pytest.mark.req("R39")
def test_a_visit_that_a_deputy_signs_says_so(
    save: Callable[..., Any], officer: FlaskClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    save()
    deputy = sign_in_as("deputy-1")
    page = deputy.get(f"{PAGE}/sign").text
    data = {"csrf_token": csrf_of(page), "revision": "2", "outcome": "Advice given", "name": "deputy-1"}
    assert deputy.post(f"{PAGE}/sign", data=data).status_code == 303
    page = officer.get(PAGE).text
    assert "Signed by <bdi>deputy-1</bdi>" in page
    assert re.search(r"Started by\s*</dt>\s*<dd[^>]*>\s*(<bdi>)?officer-1", page)


@pytest.mark.req("R45")
def test_a_signed_visit_is_whole_and_changed_by_nobody(
    save: Callable[..., Any],
    sign: Callable[..., Any],
    officer: FlaskClient,
    sign_in_as: Callable[..., FlaskClient],
    seed: Any,
) -> None:
    save(**{"state-dev-1": "seen", "state-dev-2": "not-home", "answer-own": "2", "next": "sign"})
    assert sign().status_code == 303
    page = officer.get(PAGE).text
    line = re.search(r'<textarea[^>]*id="case-line"[^>]*>([^<]*)</textarea>', page)
    assert line is not None
    assert line[1] == (
        "Home visit 14 January 2026, NM-site-1; devices: 1 seen, 0 not shown, 1 not at home; open findings: 0; "
        "Advice given. Ref abababab"
    )
    for said in ("I keep to it", "All in order", "grey laptop", "Seen at the visit", "What the box records"):
        assert said in page, said
    before = seed.rows(schema.visit)
    csrf = csrf_of(page)
    for path, data in (
        (PAGE, {"revision": "2", "state-dev-1": "not-shown"}),
        (f"{PAGE}/sign", {"revision": "2", "outcome": "Follow-up agreed", "name": "officer-1"}),
    ):
        assert officer.post(path, data={"csrf_token": csrf} | data).status_code == 303
    assert seed.rows(schema.visit) == before
    seed.rename_device("dev-1", "renamed since")
    assert "renamed since" not in officer.get(PAGE).text
    assert "The last signed visit was today" in officer.get(VISITS).text
    seed.clock.at += 3 * 86400
    seed.finding("find-9")
    text = sign_in_as("supervisor-1", Role.SUPERVISOR).get(f"{VISITS}/before").text
    assert "Since the last signed visit, on 14 January 2026" in text
    assert "1 finding was raised" in text


def test_what_was_stored_otherwise_than_signed_is_told(
    save: Callable[..., Any], sign: Callable[..., Any], officer: FlaskClient, seed: Any
) -> None:
    save()
    sign()
    record = seed.rows(schema.visit)[0]["record"] | {"outcome": "Follow-up agreed"}
    with seed.engine.begin() as connection:
        connection.execute(schema.visit.update().values(record=record))
    assert "is not what was signed" in officer.get(PAGE).text


def test_only_what_the_digest_is_of_is_shown_as_signed(
    save: Callable[..., Any], sign: Callable[..., Any], officer: FlaskClient, seed: Any
) -> None:
    save()
    sign()
    altered = {"outcome": "Follow-up agreed", "note": "altered", "own_words": "altered", "signed_name": "altered"}
    with seed.engine.begin() as connection:
        connection.execute(schema.visit.update().values(**altered, answers={"accounts": "altered"}))
    page = officer.get(PAGE).text
    assert "altered" not in page
    assert "Advice given" in page


def test_a_signature_wants_the_name_and_an_outcome_of_the_set(
    save: Callable[..., Any], sign: Callable[..., Any], seed: Any
) -> None:
    save()
    wrong = sign(name="Somebody", outcome="Something else", note="x" * 1001)
    assert wrong.status_code == 422
    for said in ("Type your name", "Select what the visit led to", "1000 characters", "I keep to it"):
        assert said in wrong.text
    assert seed.rows(schema.visit)[0]["state"] == "open"
    late = sign(revision="1")
    assert late.status_code == 422
    assert "Somebody else has saved" in late.text


def test_to_a_signed_visit_is_only_added(
    save: Callable[..., Any], sign: Callable[..., Any], officer: FlaskClient, seed: Any
) -> None:
    csrf = csrf_of(officer.get(PAGE).text)
    data = {"csrf_token": csrf, "token": "cd" * 16, "text": "It was the <other> phone"}
    assert officer.post(f"{PAGE}/add", data=data).status_code == 404  # not signed yet
    save()
    sign()
    for _ in range(2):
        assert officer.post(f"{PAGE}/add", data=data).status_code == 303
    assert len(seed.rows(schema.visit_addendum)) == 1
    assert "It was the &lt;other&gt; phone" in officer.get(PAGE).text
    assert officer.post(f"{PAGE}/add", data=data | {"text": ""}).status_code == 422


def test_the_key_that_seals_what_a_browser_keeps_is_each_account_s_own(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    def key(client: FlaskClient) -> str:
        found = re.search(r'data-keep="([^"]+)"', client.get(PAGE).text)
        assert found is not None
        return found[1]

    other = sign_in_as("supervisor-1", Role.SUPERVISOR)
    assert len(base64.b64decode(key(officer))) == 32
    assert key(officer) == key(officer) != key(other)
    assert "data-keep" not in sign_in_as("auditor-1", Role.AUDITOR).get(PAGE).text


def test_the_page_without_a_connection_says_nothing_about_anybody(stranger: FlaskClient) -> None:
    page = stranger.get("/visit-offline")
    assert page.status_code == 200
    assert "site-1" not in page.text
    worker = stranger.get("/visit-worker.js")
    assert worker.mimetype == "text/javascript"
    assert "visit-offline" in worker.text


def test_a_visit_of_another_household_is_not_there(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-2")
    for path in ("", "/sign", "/paper"):
        assert officer.get(f"/households/site-2/visits/{VISIT}{path}").status_code == 404


@pytest.mark.req("R76", "S6", "S7", "S8")
def test_the_person_s_own_summary_speaks_of_their_devices_alone(
    sign_in_as: Callable[..., FlaskClient],
    seed: Any,
    clock: Any,
    save: Callable[..., Any],
    sign: Callable[..., Any],
) -> None:
    save(**{"state-dev-1": "seen", "state-dev-2": "seen"})
    sign()
    seed.device("dev-8", standing="household", label="mother's phone")
    seed.finding("find-8", device_id="dev-8")
    seed.finding("find-2", device_id="dev-2", kind="listed-name", hit=seed.hit(), state="closed")
    clock.at += 10 * 86400
    officer = sign_in_as("supervisor-1", Role.SUPERVISOR)
    # Ten days in which the box did not report say nothing about those days.
    assert "nothing new" not in officer.get("/households/site-1/summary").text
    with seed.engine.begin() as connection:
        connection.execute(schema.site.update().values(heard_at=clock.at - 5))
    page = officer.get("/households/site-1/summary").text
    for said in (
        "No finding about your devices is open",
        "nothing new about your devices for 10 days",
        "1 visit was held and signed",
        "This counts when the order is looked at again",
        "grey laptop",
        "1 finding about them is closed",
        "confidential help is to be had",
    ):
        assert said in page, said
    for hidden in ("mother", "shop.example", "shop[.]example", "02:00:5e"):
        assert hidden not in page, hidden
    others = officer.get("/households/site-1/summary/others").text
    assert "you have done nothing wrong" in others
    assert "You do not have to watch anybody" in others
    for path in ("summary.pdf", "summary/others.pdf"):
        assert officer.get(f"/households/site-1/{path}").data.startswith(b"%PDF")
