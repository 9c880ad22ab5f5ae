from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wire import claim
from wire.claim import BoxCard, Label, code_digest, label_of, parse_card, parse_label, sign_card
from wire.documents import DocumentError
from wire.keys import key_id, public_text

CODE = "ABCDEFGH23456789"


def card(key: Ed25519PrivateKey, **values: Any) -> BoxCard:
    whole: dict[str, Any] = {
        "tenant": "northmoor",
        "site": "box-7",
        "verify_key": public_text(key),
        "seal_key": public_text(X25519PrivateKey.generate()),
        "code_sha256": code_digest("box-7", CODE),
        "made_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return BoxCard(**(whole | values))


def test_a_box_proves_that_it_holds_the_key_on_its_card() -> None:
    key = Ed25519PrivateKey.generate()
    made = card(key)
    raw = sign_card(made, key).model_dump_json().encode()
    assert parse_card(raw) == made
    assert CODE.encode() not in raw
    for other in (sign_card(made, Ed25519PrivateKey.generate()), sign_card(card(key, site="box-8"), key)):
        forged = json.loads(raw) | {"signature": other.signature}
        with pytest.raises(DocumentError, match="did not sign"):
            parse_card(json.dumps(forged).encode())


@pytest.mark.parametrize("raw", [b"", b"{}", b"[" * 5000, b"x" * (claim.MAX_CARD + 1)])
def test_what_is_no_card_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(DocumentError):
        parse_card(raw)


def test_a_key_that_is_none_is_refused() -> None:
    key = Ed25519PrivateKey.generate()
    made = card(key, seal_key="A" * 43 + "!")
    with pytest.raises(DocumentError, match="cannot be used"):
        parse_card(sign_card(made, key).model_dump_json().encode())


def test_a_label_is_read_however_it_was_typed() -> None:
    key = Ed25519PrivateKey.generate()
    label = label_of(card(key), CODE)
    assert label == Label(site="box-7", fingerprint=key_id(public_text(key)), code=CODE)
    typed = f" https://dashboard.example{claim.LINK}{label.text()} "
    assert parse_label(typed) == label
    assert parse_label(f"BOX-7 . {label.fingerprint.upper()} . abcd-efgh-2345-6789") == label
    assert parse_label(label.text()[:-1]) is None
    assert parse_label("box-7." + "z" * 16 + "." + CODE) is None
    assert parse_label("x" * 1000) is None


def test_a_code_is_of_no_use_for_another_box() -> None:
    assert code_digest("box-7", CODE) != code_digest("box-8", CODE)


@given(st.text(max_size=400))
def test_any_text_is_a_label_or_none(text: str) -> None:
    found = parse_label(text)
    assert found is None or parse_label(found.text()) == found


@given(st.binary(max_size=300))
def test_any_bytes_are_a_card_or_a_document_error(raw: bytes) -> None:
    with pytest.raises(DocumentError):
        parse_card(raw)
