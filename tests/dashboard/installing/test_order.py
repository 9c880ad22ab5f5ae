from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dashboard.installing import order
from dashboard.store.installs import Adult
from wire.authority import Authority, CollectClause, DataClass, sign
from wire.base import Standing

NOW = 1_768_424_649.0
ZONE = ZoneInfo("Europe/London")


def answers(**values: Any) -> dict[str, Any]:
    return {
        "authority_id": "authority-1",
        "kind": "order",
        "reference": "EX-1",
        "purpose": "prevent",
        "responsible": "duty officer",
        "basis": "",
        "first": "2026-01-15",
        "last": "2026-07-14",
        "review": "2026-04-15",
        "clauses": ["register", "lists"],
        "lists": ["gambling"],
    } | values


def adult(**values: Any) -> Adult:
    whole: dict[str, Any] = {
        "adult_id": "adult-1",
        "role": "subject",
        "kind": "consent",
        "language": "en",
        "explained": True,
        "signed": "typed",
        "signature": "x",
        "notice_sha256": "0" * 64,
        "given_at": NOW,
        "confirm_by": NOW + 86400,
    }
    return Adult(**(whole | values))


def made(*adults: Adult, **values: Any) -> Authority:
    return order.unsigned(answers(**values), adults, tenant="northmoor", site="box-7", number=1, zone=ZONE, now=NOW)


@pytest.mark.req("R53", "R2")
def test_answers_become_a_document_whose_last_day_is_whole() -> None:
    found = made()
    assert found.not_before.isoformat() == "2026-01-15T00:00:00+00:00"
    assert found.not_after.isoformat() == "2026-07-14T23:00:00+00:00"  # midnight of summer time
    assert [clause.kind for clause in found.clauses] == ["collect", "collect", "register", "lists"]
    assert found.legal_basis is None
    assert found.consents is None


@pytest.mark.req("R55", "R61")
def test_of_others_only_presence_is_kept_whatever_is_chosen() -> None:
    everything = [model.key for model in order.MODELS]
    for clause in order.clauses(everything, ["gambling"]):
        if isinstance(clause, CollectClause) and set(clause.standings) != {Standing.REGISTERED}:
            assert set(clause.classes) <= {DataClass.PRESENCE, DataClass.FINGERPRINT}
    kinds = [clause.kind for clause in order.clauses(everything, ["gambling"])]
    assert kinds == ["collect", "collect", "register", "lists", "block", "quarantine", "unmask"]
    assert [clause.kind for clause in order.clauses([], [])] == ["collect"]


@pytest.mark.req("R60")
def test_consents_stand_in_it_by_opaque_ids() -> None:
    found = made(adult(), adult(adult_id="adult-2", role="adult", signed="declined"), kind="consent")
    assert found.consents is not None
    assert [(item.id, item.kind) for item in found.consents] == [("adult-1", "consent")]
    assert "signature" not in found.model_dump_json()


def test_what_cannot_be_says_why() -> None:
    with pytest.raises(ValueError, match="later than not_before"):
        made(last="2026-01-10")


def test_what_comes_back_must_be_what_was_prepared() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    prepared = made()
    issuers = [key.public_key()]

    def read(document: Authority, by: Ed25519PrivateKey = key, now: float = NOW) -> Authority | str:
        raw = sign(document, by).model_dump_json().encode()
        return order.read_signed(raw, issuers, prepared, now=now)

    assert read(prepared) == prepared
    later = prepared.model_copy(update={"issued_at": prepared.issued_at.replace(year=2025)})
    assert read(later) == later
    assert "signed by one" in str(read(prepared, other))
    assert "another box" in str(read(prepared.model_copy(update={"site": "box-8"})))
    wider = prepared.model_copy(update={"clauses": order.clauses(["full"], [])})
    assert "something else" in str(read(wider))
    assert "over" in str(read(prepared, now=prepared.not_after.timestamp()))
    for raw in (b"", b"{}", b"\xff", b"x" * 30_000):
        assert isinstance(order.read_signed(raw, issuers, prepared, now=NOW), str)
