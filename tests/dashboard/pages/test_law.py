"""*Order and notices* and *Records of a device*: what is shown, what is asked for, and by whom."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.settings import DashboardSettings
from dashboard.store import schema
from wire.authority import Authority, sign
from wire.keys import public_text

ISSUER = Ed25519PrivateKey.generate()
START = datetime(2026, 1, 1, tzinfo=UTC)
LAW = "/households/site-1/law"
DEVICE = "/households/site-1/devices/dev-1/law"


@pytest.fixture
def settings(make_settings: Callable[..., DashboardSettings]) -> DashboardSettings:
    return make_settings(authority_issuers=[public_text(ISSUER)])


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device()


def _document(issuer: Ed25519PrivateKey = ISSUER, **values: Any) -> bytes:
    row: dict[str, Any] = {
        "id": "order-7",
        "number": 2,
        "kind": "order",
        "reference": "REF-7",
        "purpose": "prevent",
        "tenant": "northmoor",
        "site": "site-1",
        "responsible_officer": "OM-12",
        "issued_at": START,
        "not_before": START,
        "not_after": datetime(2026, 6, 1, tzinfo=UTC),
        "review_date": datetime(2026, 3, 1, tzinfo=UTC),
        "consents": [{"id": "adult-1", "role": "adult", "kind": "notice", "given_at": START}],
        "clauses": [
            {"number": "1", "kind": "register"},
            {"number": "2", "kind": "collect", "standings": ["registered"], "classes": ["presence", "list_hits"]},
            {"number": "3", "kind": "lists", "standings": ["registered"], "lists": ["demo-list"]},
            {"number": "4", "kind": "quarantine", "standings": ["unknown"]},
            {"number": "5", "kind": "block", "standings": ["registered"], "lists": ["demo-list"]},
            {"number": "6", "kind": "allow-only", "standings": ["registered"], "lists": ["demo-list"]},
            {"number": "7", "kind": "safe-search", "standings": ["registered"]},
            {"number": "8", "kind": "answers", "standings": ["registered"], "refuse": ["relay"]},
            {"number": "9", "kind": "nearby"},
            {"number": "10", "kind": "unmask", "standings": ["guest"], "classes": ["presence"], "most_hours": 4},
        ],
    }
    return sign(Authority.model_validate(row | values), issuer).model_dump_json(exclude_none=True).encode()


def _send(client: FlaskClient, page: str, target: str, **fields: Any) -> TestResponse:
    shown = client.get(page)
    assert shown.status_code == 200
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
    form = re.search(rf'action="{re.escape(target)}".*?name="token" value="([^"]+)"', shown.text, re.DOTALL)
    assert csrf is not None
    assert form is not None, target
    data = {"csrf_token": csrf[1], "token": form[1], "reason": "Agreed with the court"} | fields
    return client.post(target, data=data)


@pytest.mark.req("R53", "R60")
def test_a_signed_document_is_held_shown_clause_by_clause_and_waits_for_a_second_person(
    officer: FlaskClient, seed: Any
) -> None:
    answer = _send(officer, LAW, f"{LAW}/document", file=(io.BytesIO(_document()), "order.json"))
    assert answer.status_code == 303
    (held,) = seed.rows(schema.authority_document)
    assert (held["authority_id"], held["number"]) == ("order-7", 2)
    (asked,) = seed.rows(schema.command)
    assert (asked["state"], asked["body"]["document"]) == ("needs-second", held["document"])
    page = officer.get(LAW).text
    assert "order-7, number 2" in page
    assert "Waiting for a second person" in page
    assert all(f"Clause {number}" in page for number in range(1, 11))
    assert "was told on 1 January 2026" in page
    assert "The box may count phones that are near" in page


@pytest.mark.req("R53")
@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "Select the signed document"),
        (b"\xff\xfe", "not a document signed"),
        (b"{}", "not a document signed"),
        (_document(Ed25519PrivateKey.generate()), "not a document signed"),
        (_document(site="site-2"), "for another household"),
        (b" " * 30_000, "octets or fewer"),
    ],
    ids=["none", "binary", "empty", "stranger", "elsewhere", "long"],
)
def test_what_no_issuer_signed_for_this_home_is_not_taken(
    officer: FlaskClient, seed: Any, raw: bytes, said: str
) -> None:
    answer = _send(officer, LAW, f"{LAW}/document", file=(io.BytesIO(raw), "order.json"))
    assert answer.status_code == 422
    assert said in answer.text
    assert seed.rows(schema.authority_document) == []
    assert seed.rows(schema.command) == []


@pytest.mark.parametrize(
    ("act", "fields", "action", "state"),
    [
        ("pause", {}, "pause-recording", "waiting"),
        ("pause", {"until": "2026-01-20"}, "pause-recording", "waiting"),
        ("resume", {}, "resume-recording", "needs-second"),
        ("withdraw", {"consent": "Adult-1"}, "withdraw-consent", "waiting"),
        ("hold", {"since": "2026-01-01", "until": "2026-01-10", "days": "30"}, "set-hold", "needs-second"),
    ],
)
@pytest.mark.req("R60")
def test_what_can_be_asked_for_the_home(
    officer: FlaskClient, seed: Any, *, act: str, fields: dict[str, str], action: str, state: str
) -> None:
    assert _send(officer, LAW, f"{LAW}/{act}", **fields).status_code == 303
    (row,) = seed.rows(schema.command)
    assert (row["body"]["action"], row["state"]) == (action, state)
    assert row["body"].get("consent", "adult-1") == "adult-1"


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("pause", {"reason": ""}),
        ("pause", {"until": "2025-01-01"}),
        ("pause", {"until": "yesterday"}),
        ("withdraw", {"consent": "a name"}),
        ("hold", {"since": "2026-01-10", "until": "2026-01-01", "days": "30"}),
        ("hold", {"since": "", "until": "", "days": "0"}),
        ("hold", {"since": "2026-01-01", "until": "2026-01-10", "days": "30", "device": "dev-none"}),
        ("pause", {"token": "x"}),
        ("pause", {"reason": "x" * 301}),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    officer: FlaskClient, seed: Any, act: str, fields: dict[str, str]
) -> None:
    answer = _send(officer, LAW, f"{LAW}/{act}", **fields)
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert f'id="{act}-' in answer.text
    assert seed.rows(schema.command) == []


@pytest.mark.req("R64")
def test_what_is_kept_for_a_case_is_listed_and_ended(officer: FlaskClient, engine: Engine, seed: Any) -> None:
    _send(officer, LAW, f"{LAW}/hold", since="2026-01-01", until="2026-01-10", days="30")
    assert "1 January 2026 to 10 January 2026" not in officer.get(LAW).text
    with engine.begin() as connection:
        connection.execute(update(schema.command).values(state="applied"))
    page = officer.get(LAW).text
    assert "1 January 2026 to 10 January 2026" in page
    reference = re.search(r'name="reference" value="([^"]+)"', page)
    assert reference is not None
    assert _send(officer, LAW, f"{LAW}/end-hold", reference=reference[1]).status_code == 303
    assert {row["body"]["action"] for row in seed.rows(schema.command)} == {"set-hold", "end-hold"}


@pytest.mark.parametrize(
    ("act", "fields", "action", "state"),
    [
        ("unmask", {"hours": "4"}, "unmask", "needs-second"),
        ("unmask", {"hours": "4", "emergency": "yes"}, "unmask", "waiting"),
        ("end-unmask", {}, "end-unmask", "waiting"),
        ("erase", {}, "erase-records", "needs-second"),
        ("erase", {"emergency": "yes"}, "erase-records", "needs-second"),
    ],
)
@pytest.mark.req("R60", "R65", "N2")
def test_what_can_be_asked_about_a_device(
    officer: FlaskClient, seed: Any, *, act: str, fields: dict[str, str], action: str, state: str
) -> None:
    assert _send(officer, DEVICE, f"{DEVICE}/{act}", **fields).status_code == 303
    (row,) = seed.rows(schema.command)
    assert (row["body"]["action"], row["state"], row["device_id"]) == (action, state, "dev-1")
    assert bool(row["break_glass"]) == (state == "waiting" and act == "unmask")


@pytest.mark.req("N12")
def test_a_code_is_shown_once_and_only_its_hash_travels(officer: FlaskClient, seed: Any) -> None:
    answer = _send(officer, DEVICE, f"{DEVICE}/code", hours="2")
    assert answer.status_code == 200
    found = re.search(r'<strong class="gh-mono">([0-9A-Z-]{14})</strong>', answer.text)
    assert found is not None
    (row,) = seed.rows(schema.command)
    assert row["body"]["code_sha256"] == hashlib.sha256(f"dev-1:{found[1]}".encode()).hexdigest()
    assert found[1] not in str(row)
    assert found[1] not in officer.get(DEVICE).text


def test_an_auditor_sees_the_law_and_no_form(sign_in_as: Callable[..., FlaskClient]) -> None:
    auditor = sign_in_as("auditor-1", Role.AUDITOR)
    page = auditor.get(LAW)
    assert page.status_code == 200
    assert "/law/" not in page.text
    assert auditor.get(DEVICE).status_code == 403


def test_acts_that_are_none_do_not_exist(app: Flask, officer: FlaskClient, csrf: Callable[[TestResponse], str]) -> None:
    token = csrf(officer.get(LAW))
    for path in (f"{LAW}/bundle", f"{LAW}/nothing", f"{DEVICE}/hold", "/households/site-1/devices/none/law/unmask"):
        assert officer.post(path, data={"csrf_token": token}).status_code == 404
    assert app.url_map is not None


def test_without_issuers_no_document_can_be_handed_in(
    make_settings: Callable[..., DashboardSettings], app: Flask, officer: FlaskClient
) -> None:
    assert make_settings().authority_issuers == ()
    assert f"{LAW}/document" in officer.get(LAW).text
    assert app.name == "dashboard"
