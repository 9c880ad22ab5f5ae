"""Pages that hand a household over and take one in: two people, a fresh proof, keys that were compared."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from flask.testing import FlaskClient

from dashboard.access import Role
from dashboard.store import schema, transfers
from dashboard.transfer import work
from dashboard.transfer.work import Keys
from wire.keys import key_id, public_text

pytestmark = pytest.mark.req("R46")
PAGE = "/households/site-1/transfer"
PARTNER, ASKED = "c3" * 16, "d4" * 16
THEIRS = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()


def _csrf(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


@pytest.fixture
def first(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("supervisor-1", Role.SUPERVISOR)


@pytest.fixture
def second(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("supervisor-2", Role.SUPERVISOR)


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device("dev-1", standing="registered", label="grey laptop")


@pytest.fixture
def partner(first: FlaskClient, second: FlaskClient) -> str:
    fields = {
        "csrf_token": _csrf(first, "/transfers"),
        "token": PARTNER,
        "name": "Eastdale",
        "verify-key": public_text(THEIRS[0]),
        "seal-key": public_text(THEIRS[1]),
    }
    assert first.post("/transfers/partners", data=fields).status_code == 303
    at = f"/transfers/partners/{PARTNER}"
    assert first.post(at, data={"csrf_token": fields["csrf_token"], "answer": "confirm"}).status_code == 303
    assert "Waiting for a second person" in first.get("/transfers").text  # nobody confirms their own
    assert key_id(fields["verify-key"]) in second.get("/transfers").text
    second.post(at, data={"csrf_token": _csrf(second, "/transfers"), "answer": "confirm"})
    return PARTNER


def _ask(client: FlaskClient, **fields: str) -> Any:
    data = {"csrf_token": _csrf(client, PAGE), "token": ASKED, "partner": PARTNER, "reason": "The person moves"}
    return client.post(PAGE, data=data | fields)


@pytest.fixture
def keys() -> Keys:
    return Keys(
        tenant="northmoor",
        operator="Northmoor",
        show_names=False,
        signing=Ed25519PrivateKey.generate(),
        sealing=X25519PrivateKey.generate(),
    )


@pytest.mark.usefixtures("partner")
def test_two_people_hand_a_household_over(
    first: FlaskClient, second: FlaskClient, seed: Any, clock: Any, keys: Keys
) -> None:
    assert _ask(first).status_code == 303
    at = f"{PAGE}/{ASKED}"
    first.post(at, data={"csrf_token": _csrf(first, PAGE), "answer": "agree"})
    assert seed.rows(schema.transfer)[0]["state"] == "needs-second"
    second.post(at, data={"csrf_token": _csrf(second, PAGE), "answer": "agree"})
    with seed.engine.begin() as connection:
        assert work.work(connection, keys, clock.at) == 1
    assert "Ready" in first.get(PAGE).text
    file = first.get(f"{at}/file")
    assert file.status_code == 200
    assert b"grey laptop" not in file.data
    said = [(row["action"], row["outcome"]) for row in seed.rows(schema.audit)]
    for line in (("ask-transfer", "asked"), ("answer-transfer", "agreed"), ("download-transfer", "handed out")):
        assert line in said
    assert key_id(public_text(keys.signing)) in first.get("/transfers").text


@pytest.mark.usefixtures("partner")
def test_who_asked_takes_it_back_and_nothing_is_made(first: FlaskClient, seed: Any, clock: Any, keys: Keys) -> None:
    _ask(first)
    assert "Take back" in first.get(PAGE).text
    first.post(f"{PAGE}/{ASKED}", data={"csrf_token": _csrf(first, PAGE), "answer": "refuse"})
    with seed.engine.begin() as connection:
        assert work.work(connection, keys, clock.at) == 0
    assert first.get(f"{PAGE}/{ASKED}/file").status_code == 404


def test_an_operator_and_a_reason_are_asked_for(first: FlaskClient, seed: Any) -> None:
    answer = _ask(first, reason="")
    assert answer.status_code == 422
    assert "Select the operator" in answer.text
    assert "Enter the reason" in answer.text
    assert not seed.rows(schema.transfer)


def test_keys_that_are_none_are_not_entered(first: FlaskClient, seed: Any) -> None:
    data = {"csrf_token": _csrf(first, "/transfers"), "token": PARTNER, "name": "Eastdale", "verify-key": "none"}
    answer = first.post("/transfers/partners", data=data)
    assert answer.status_code == 422
    assert "Enter the key as it was given to you" in answer.text
    assert 'value="Eastdale"' in answer.text
    assert not [row for row in seed.rows(schema.partner) if row["name"] == "Eastdale"]


def test_only_the_file_of_a_household_is_brought(first: FlaskClient, seed: Any) -> None:
    for content in (b"", b"PK\x03\x04", b'{"header": 1}'):
        data = {
            "csrf_token": _csrf(first, "/transfers"),
            "token": ASKED,
            "reason": "They moved",
            "file": (io.BytesIO(content), "x"),
        }
        answer = first.post("/transfers/in", data=data, content_type="multipart/form-data")
        assert answer.status_code == 422
        assert "This one cannot be used" in answer.text
    assert not seed.rows(schema.transfer)


def test_what_came_is_only_read_and_holds_no_link(first: FlaskClient, seed: Any, clock: Any) -> None:
    text = '{"reason": "asked https://example.test/<script>", "act": "decide"}'
    row = {"site": "site-1", "pack_id": "ab" * 16, "part": "review", "number": 0, "at": clock.at, "text": text}
    seed._insert(schema.history, row)
    seed._insert(schema.history, row | {"number": 1, "text": "[" * 5000})
    page = first.get("/households/site-1/history").text
    assert "<script>" not in page
    assert 'href="https://example' not in page
    assert "Review" in page


def test_officers_do_not_manage_operators_and_auditors_hand_nothing_over(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    assert officer.get("/transfers").status_code == 403
    auditor = sign_in_as("auditor-1", Role.AUDITOR)
    assert auditor.post(PAGE, data={"csrf_token": _csrf(auditor, PAGE)}).status_code == 403


def test_what_waits_is_bounded(seed: Any, clock: Any) -> None:
    def ask(number: int) -> bool:
        with seed.engine.begin() as connection:
            return transfers.ask(
                connection,
                transfer_id=f"{number:032x}",
                tenant="northmoor",
                way="in",
                site_id=None,
                partner_id=None,
                reason="r",
                title="",
                by="acc-1",
                now=clock.at,
            )

    assert [ask(number) for number in range(transfers.MOST_WAITING + 1)].count(True) == transfers.MOST_WAITING
