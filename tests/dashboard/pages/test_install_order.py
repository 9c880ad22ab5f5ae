from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from dashboard.settings import DashboardSettings
from dashboard.store import schema
from wire.authority import parse_document, sign
from wire.keys import public_text


@pytest.fixture
def settings(make_settings: Callable[..., DashboardSettings], issuer: Ed25519PrivateKey) -> DashboardSettings:
    return make_settings(authority_issuers=[public_text(issuer)])


@pytest.mark.req("R53", "R2")
def test_an_order_is_prepared_signed_elsewhere_and_confirmed_by_two(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient], fitting: Any
) -> None:
    fitting.claim(officer)
    at = f"{fitting.install}/order"
    assert officer.get(f"{at}/document.json").status_code == 404
    assert fitting.order(officer).status_code == 303
    page = officer.get(at).text
    assert "The document as prepared" in page
    assert "gambling" in page
    document = parse_document(officer.get(f"{at}/document.json").data)
    assert (document.tenant, document.site, document.reference) == ("northmoor", "box-7", "EX-1")
    assert "Person and order" in officer.get(fitting.install).text
    assert fitting.hand_in(officer, Ed25519PrivateKey.generate()).status_code == 422
    assert fitting.hand_in(officer).status_code == 303
    (held,) = fitting.seed.rows(schema.authority_document)
    assert held["authority_id"] == document.id
    (sent,) = fitting.seed.rows(schema.command)
    assert (sent["body"]["action"], sent["state"]) == ("set-authority", "needs-second")
    after = officer.get(at).text
    assert f"/commands/{sent['command_id']}" in after
    assert "Change the order" not in after
    other = sign_in_as("officer-2")
    page = f"/commands/{sent['command_id']}"
    assert fitting.post(other, page, f"{page}/agree", reason="It is as the court said").status_code == 303
    assert fitting.seed.rows(schema.command)[0]["state"] == "waiting"


def test_what_is_wrong_comes_back_with_what_was_typed(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    answer = fitting.order(
        officer, kind="", purpose="", reference="", responsible="R", last="2026-01-01", review="soon", lists="A list!"
    )
    assert answer.status_code == 422
    for text in (
        "Select what it rests on",
        "Select its purpose",
        "Enter this: The reference",
        "Enter a day",
        "small letters",
    ):
        assert text in answer.text
    assert 'value="R"' in answer.text
    for values, text in (
        ({"last": "2026-01-09"}, "after the first"),
        ({"last": "2040-01-01"}, "within five years"),
        ({"first": "2025-01-01", "last": "2025-06-01", "review": "2025-02-01"}, "is over"),
        ({"review": "2027-01-01"}, "review must be between"),
        ({"lists": ""}, "Enter the names of the lists"),
    ):
        assert text in fitting.order(officer, **values).text
    assert fitting.seed.rows(schema.install_step)[-1]["done_at"] is None or not officer.get(
        f"{fitting.install}/order/document.json"
    ).data.startswith(b"{")


def test_a_document_that_says_more_than_was_prepared_is_not_taken(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    fitting.order(officer, clauses=["register", "lists", "full"])
    before = officer.get(f"{fitting.install}/order/document.json").data
    fitting.order(officer)
    signed = sign(parse_document(before), fitting.issuer).model_dump_json()
    at = f"{fitting.install}/order"
    answer = fitting.post(officer, at, f"{at}/signed", pasted=signed)
    assert answer.status_code == 422
    assert "something else than was prepared" in answer.text
    assert fitting.seed.rows(schema.command) == []


@pytest.mark.req("R60", "R8")
def test_who_was_told_is_kept_without_a_name_and_an_order_by_consent_needs_all(
    officer: FlaskClient, fitting: Any
) -> None:
    fitting.claim(officer)
    fitting.order(officer, kind="consent")
    at = fitting.install
    assert "names nobody yet" in officer.get(f"{at}/order").text
    assert fitting.tell(officer, explained="").status_code == 422
    assert fitting.tell(officer, signature="", declined="").status_code == 422
    assert fitting.tell(officer, given="consent", signature="", declined="yes").status_code == 422
    assert fitting.tell(officer, role="", language="xx", given="").status_code == 422
    assert fitting.tell(officer, given="consent", drawn="M10 10 L20 30 L40 10").status_code == 303
    assert fitting.tell(officer, role="adult", language="ar", signature="", declined="yes").status_code == 303
    first, second = sorted(fitting.seed.rows(schema.install_adult), key=lambda row: row["role"], reverse=True)
    assert (first["signed"], first["signature"], first["kind"]) == ("drawn", "M10 10 L20 30 L40 10", "consent")
    assert (second["signed"], second["signature"], second["explained"]) == ("declined", "", True)
    assert first["notice_sha256"] != second["notice_sha256"]
    answer = fitting.post(officer, f"{at}/people", f"{at}/people/all", everybody="yes")
    assert "somebody has not agreed" in answer.text
    fitting.order(officer, kind="consent")
    consents = parse_document(officer.get(f"{at}/order/document.json").data).consents
    assert consents is not None
    assert {item.kind for item in consents} == {"consent", "notice"}


@pytest.mark.req("R60")
def test_a_consent_counts_when_the_document_names_it(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    at = fitting.install
    fitting.order(officer, kind="consent")
    fitting.tell(officer, given="consent")
    answer = fitting.post(officer, f"{at}/people", f"{at}/people/all", everybody="yes")
    assert "agreed after the document was prepared" in answer.text
    fitting.order(officer, kind="consent")
    assert fitting.post(officer, f"{at}/people", f"{at}/people/all", everybody="yes").status_code == 303
    assert "I agree that it is used" in officer.get(f"{at}/notice").text


@pytest.mark.req("R59", "R8")
def test_who_was_told_before_the_order_was_changed_is_told_again(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    at = fitting.install
    fitting.order(officer)
    fitting.tell(officer)
    fitting.order(officer, clauses=["register", "full"], lists="")
    assert "tell them again" in officer.get(f"{at}/people").text
    answer = fitting.post(officer, f"{at}/people", f"{at}/people/all", everybody="yes")
    assert "has not been told yet" in answer.text
    fitting.tell(officer)
    assert fitting.post(officer, f"{at}/people", f"{at}/people/all", everybody="yes").status_code == 303


@pytest.mark.req("R53")
def test_an_order_that_did_not_reach_the_box_is_prepared_anew_with_a_higher_number(
    officer: FlaskClient, fitting: Any
) -> None:
    fitting.claim(officer)
    at = f"{fitting.install}/order"
    fitting.order(officer)
    fitting.hand_in(officer)
    first = parse_document(officer.get(f"{at}/document.json").data)
    late = fitting.order(officer, reference="EX-2")
    assert late.status_code == 422
    assert "EX-2" in late.text or "was handed in" in late.text
    assert parse_document(officer.get(f"{at}/document.json").data) == first
    fitting.answer("set-authority", state="refused", detail="It is older.")
    page = officer.get(at).text
    assert "does not have this order" in page
    assert "Prepare the document" in page
    assert fitting.order(officer, reference="EX-2").status_code == 303
    again = parse_document(officer.get(f"{at}/document.json").data)
    assert (again.id, again.number, again.reference) == (first.id, 2, "EX-2")
    fitting.speak(authority_id=first.id, authority_number=6)
    fitting.order(officer)
    assert parse_document(officer.get(f"{at}/document.json").data).number == 7
    assert "view-prepared-order" in {row["action"] for row in fitting.seed.rows(schema.audit)}


def test_not_everybody_was_told(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    at = fitting.install
    assert "has not been prepared" in fitting.tell(officer).text
    assert fitting.seed.rows(schema.install_adult) == []
    fitting.order(officer)
    fitting.tell(officer, role="adult", drawn="<script>")
    (row,) = fitting.seed.rows(schema.install_adult)
    assert row["signed"] == "typed"
    answer = fitting.post(officer, f"{at}/people", f"{at}/people/all")
    assert "has not been told yet" in answer.text
    assert "Confirm that every adult" in answer.text


@pytest.mark.req("R59", "N12")
@pytest.mark.parametrize("language", ["en", "ur", "bn", "pa"])
def test_the_notice_can_be_read_and_printed_in_each_language(officer: FlaskClient, fitting: Any, language: str) -> None:
    fitting.claim(officer)
    fitting.order(officer)
    page = officer.get(f"{fitting.install}/notice?language={language}")
    assert f'lang="{language}"' in page.text
    assert page.text.count("About the box on this internet connection") >= 1
    assert ('dir="rtl"' in page.text) is (language == "ur")
    assert ("put into this language by a machine" in page.text) is (language != "en")
    made = officer.get(f"{fitting.install}/notice.pdf?language={language}")
    assert made.data.startswith(b"%PDF")
    assert made.headers["Content-Disposition"] == f"inline; filename=notice-{language}.pdf"
