from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wire import documents
from wire.documents import DocumentError, Part
from wire.keys import key_id, public_text


class Paper(Part):
    name: str
    pages: int = 1
    remark: str | None = None


KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def signature(key: Ed25519PrivateKey, message: bytes) -> tuple[str, str]:
    return key_id(public_text(key)), base64.b64encode(key.sign(message)).decode()


def test_what_is_signed_says_its_kind_and_leaves_out_what_is_not_said() -> None:
    assert documents.canonical(b"kind/v1\n", Paper(name="a")) == b'kind/v1\n{"name":"a","pages":1}'
    assert documents.canonical(b"kind/v2\n", Paper(name="a")) != documents.canonical(b"kind/v1\n", Paper(name="a"))


def test_one_pinned_signature_is_enough_and_no_other_counts() -> None:
    message = b"text"
    good = signature(KEY, message)
    pinned = [KEY.public_key()]
    assert documents.is_signed(message, [("0" * 16, "x"), signature(OTHER, message), good], pinned)
    assert not documents.is_signed(message, [signature(OTHER, message)], pinned)
    assert not documents.is_signed(message + b"!", [good], pinned)
    assert not documents.is_signed(message, [(good[0], "not base64 é")], pinned)
    assert not documents.is_signed(message, [good], [])


def test_faults_are_named_by_their_field_and_bounded() -> None:
    with pytest.raises(DocumentError, match=r"^name: Field required; more: Extra inputs"):
        documents.from_json(Paper, b'{"more": 1}', within="paper")
    with pytest.raises(DocumentError, match=r"^paper: "):
        documents.from_json(Paper, b"[]", within="paper")
    with pytest.raises(DocumentError, match="not valid TOML"):
        documents.from_toml(Paper, b"\xff", within="paper")
    with pytest.raises(DocumentError) as many:
        documents.from_json(Paper, b'{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}', within="paper")
    assert str(many.value).count(";") == documents.TOLD - 1
    with pytest.raises(DocumentError, match="paper of 3 bytes, the most is 2"):
        documents.check_size(b"123", 2, "paper")
