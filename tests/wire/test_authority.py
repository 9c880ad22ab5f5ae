from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wire.authority import (
    MAX_DOCUMENT,
    Authority,
    AuthorityError,
    CollectClause,
    DataClass,
    RegisterClause,
    Signature,
    SignedAuthority,
    canonical,
    parse_document,
    parse_signed,
    parse_toml,
    sign,
    verify,
)
from wire.base import Standing

DAY = datetime(2030, 1, 11, tzinfo=UTC)


def document(**changes: Any) -> Authority:
    fields: dict[str, Any] = {
        "id": "authority-1",
        "number": 1,
        "kind": "consent",
        "reference": "EX-0001",
        "purpose": "prevent",
        "tenant": "force-a",
        "site": "box-1",
        "responsible_officer": "duty officer",
        "issued_at": DAY,
        "not_before": DAY,
        "not_after": DAY + timedelta(days=30),
        "review_date": DAY,
        "clauses": (
            CollectClause(number="1", standings=(Standing.UNKNOWN,), classes=(DataClass.PRESENCE,)),
            RegisterClause(number="2"),
        ),
    }
    return Authority(**(fields | changes))


@pytest.mark.req("R53", "N1")
def test_one_signature_of_a_pinned_issuer_is_enough() -> None:
    first, second, stranger = (Ed25519PrivateKey.generate() for _ in range(3))
    signed = sign(document(), first)
    pinned = [second.public_key(), first.public_key()]
    assert verify(parse_signed(signed.model_dump_json().encode()), pinned) == document()
    both = SignedAuthority(
        document=signed.document, signatures=(sign(document(), stranger).signatures[0], signed.signatures[0])
    )
    assert verify(both, pinned) == document()
    with pytest.raises(AuthorityError, match="signature does not hold"):
        verify(signed, [second.public_key()])


@pytest.mark.req("R53")
@pytest.mark.parametrize("text", ["", "A" * 88, "no base64 at all", "A"])
def test_a_bad_signature_does_not_hold(text: str) -> None:
    issuer = Ed25519PrivateKey.generate()
    good = sign(document(), issuer)
    bad = Signature(issuer=good.signatures[0].issuer, signature=text)
    with pytest.raises(AuthorityError):
        verify(SignedAuthority(document=good.document, signatures=(bad,)), [issuer.public_key()])


@pytest.mark.req("N1")
@given(
    field=st.sampled_from(["id", "number", "reference", "site", "not_after", "clauses"]),
    number=st.integers(2, 1000),
)
def test_a_signature_covers_every_part(field: str, number: int) -> None:
    issuer = Ed25519PrivateKey.generate()
    signed = sign(document(), issuer)
    others: dict[str, Any] = {
        "id": f"authority-{number}",
        "number": number,
        "reference": f"EX-{number}",
        "site": f"box-{number}",
        "not_after": DAY + timedelta(days=30 + number),
        "clauses": (RegisterClause(number=str(number)),),
    }
    altered = signed.model_copy(update={"document": document(**{field: others[field]})})
    with pytest.raises(AuthorityError):
        verify(altered, [issuer.public_key()])


def test_canonical_is_the_same_after_a_journey() -> None:
    summer = document(not_before=DAY.astimezone(timezone(timedelta(hours=1))))
    assert canonical(parse_document(summer.model_dump_json().encode())) == canonical(summer)


def broken(**changes: Any) -> bytes:
    return json.dumps(document().model_dump(mode="json") | changes).encode()


@pytest.mark.req("R53")
@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "Invalid JSON"),
        (b"[]", "document: "),
        (broken(version=2), "version: "),
        (broken(number=0), "number: "),
        (broken(number=2**53), "number: "),
        (broken(not_before="0001-01-01T00:00:00+14:00"), "not_before: "),
        (broken(not_after="9999-12-31T23:59:59-14:00"), "not_after: "),
        (broken(not_after="2030-01-01T00:00:00Z"), "not_after must be later"),
        (broken(not_after="2031-01-01T00:00:00"), "not_after: "),
        (broken(extra=1), "extra: "),
        (broken(clauses=[]), "clauses: "),
        (
            broken(clauses=[{"number": "1", "kind": "x"}]),
            "clauses.0: unknown kind 'x'; known are collect, lists, quaran",
        ),
        (broken(clauses=[{"number": "1"}]), "clauses.0: "),
        (broken(clauses=[{"number": "1", "kind": "register"}] * 2), "the same number"),
        (
            broken(clauses=[{"number": "1", "kind": "quarantine", "standings": ["registered"]}]),
            "clauses.0.quarantine.standings.0: ",
        ),
        (b" " * (MAX_DOCUMENT + 1), "the most is"),
    ],
)
def test_each_fault_is_named(raw: bytes, words: str) -> None:
    with pytest.raises(AuthorityError, match=words.replace(".", r"\.")):
        parse_document(raw)


def test_faults_of_a_signed_file_are_named_from_the_document() -> None:
    signed = sign(document(), Ed25519PrivateKey.generate()).model_dump(mode="json")
    signed["document"]["clauses"][1]["kind"] = "listen"
    with pytest.raises(AuthorityError, match=r"^clauses\.1: unknown kind 'listen'"):
        parse_signed(json.dumps(signed).encode())


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"id =", "not valid TOML"),
        (b"\xff", "not valid TOML"),
        (b"", "id: "),
        (b"x = " + b"[" * 60_000, "not valid TOML"),
        (b"x = " + b"9" * 6000, "not valid TOML"),
    ],
)
def test_faults_of_toml(raw: bytes, words: str) -> None:
    with pytest.raises(AuthorityError, match=words):
        parse_toml(raw)
    with pytest.raises(AuthorityError, match="the most is"):
        parse_toml(b" " * (MAX_DOCUMENT + 1))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_fault(raw: bytes) -> None:
    for parse in (parse_document, parse_signed, parse_toml):
        with pytest.raises(AuthorityError):
            parse(raw)
