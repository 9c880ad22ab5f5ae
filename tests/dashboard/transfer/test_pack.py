"""The file of a transfer: signed, sealed, bounded; whatever the octets are, only one error comes out."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from dashboard.transfer import pack
from dashboard.transfer.pack import Header, Item, Pack, PackError, open_pack, read_header, write
from wire.keys import key_id, public_text

AT = 1_768_424_649.0
SIGNER, RECIPIENT = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()


def _pack(**values: Any) -> Pack:
    return Pack.model_validate(
        {
            "operator": "Northmoor",
            "tenant": "northmoor",
            "title": "NM-1",
            "since": AT - 100,
            "devices": [],
            "history": [Item(part="note", at=AT, body={"text": "A note"})],
        }
        | values
    )


def _file(**values: Any) -> bytes:
    return write(_pack(**values), pack_id="ab" * 16, at=AT, signer=SIGNER, recipient=RECIPIENT.public_key())


def _open(raw: bytes, *, now: float = AT, **values: Any) -> Pack:
    given: dict[str, Any] = {"key": RECIPIENT, "sender": SIGNER.public_key(), "now": now}
    return open_pack(raw, **(given | values))[1]


@pytest.mark.req("R46")
def test_what_is_sealed_comes_out_as_it_was() -> None:
    assert _open(_file()) == _pack()
    header = read_header(_file())
    assert header.sender == key_id(public_text(SIGNER))
    assert header.recipient == key_id(public_text(RECIPIENT))
    assert b"A note" not in _file()


@pytest.mark.parametrize("field", ["pack_id", "made_at", "sender", "recipient"])
def test_no_part_of_the_header_can_be_exchanged(field: str) -> None:
    document = json.loads(_file())
    document["header"][field] = {"pack_id": "cd" * 16, "made_at": "2026-01-14T21:05:00Z"}.get(field, "0" * 16)
    with pytest.raises(PackError):
        _open(json.dumps(document).encode())


def test_another_signer_or_reader_or_time_is_refused() -> None:
    for values in (
        {"sender": Ed25519PrivateKey.generate().public_key()},
        {"key": X25519PrivateKey.generate()},
        {"now": AT + pack.MOST_AGE + 1},
        {"now": AT - pack.AHEAD - 1},
    ):
        with pytest.raises(PackError):
            _open(_file(), **values)


def test_a_signature_of_somebody_else_in_a_good_seal_is_refused() -> None:
    header = read_header(_file())
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    body = zlib.compress(_pack().model_dump_json().encode())
    forged = Ed25519PrivateKey.generate().sign(header.bound() + b"\n" + body)
    sealed = suite.encrypt(forged + body, RECIPIENT.public_key(), info=header.bound())
    with pytest.raises(PackError, match="signature"):
        _open(_as_file(header, sealed))


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "MOST_CONTENT", 1000)
    header = read_header(_file())
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    for body in (zlib.compress(b"0" * 1001), zlib.compress(b"{}")[:-3], b"no zlib"):
        signed = SIGNER.sign(header.bound() + b"\n" + body) + body
        sealed = suite.encrypt(signed, RECIPIENT.public_key(), info=header.bound())
        with pytest.raises(PackError):
            _open(_as_file(header, sealed))


def test_too_much_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "MOST_CONTENT", 10)
    with pytest.raises(PackError, match="the most is 10"):
        _file()
    monkeypatch.setattr(pack, "MOST_CONTENT", 10_000)
    monkeypatch.setattr(pack, "MOST_FILE", 10)
    with pytest.raises(PackError, match="the most is 10"):
        _file()
    with pytest.raises(PackError, match="the most is 10"):
        read_header(b"0" * 11)


@given(st.binary(max_size=300))
def test_any_octets_are_refused_in_one_way(raw: bytes) -> None:
    with pytest.raises(PackError):
        read_header(raw)


@given(st.integers(min_value=0, max_value=4000), st.integers(min_value=0, max_value=255))
def test_a_changed_octet_is_refused_or_changes_nothing(place: int, value: int) -> None:
    good = _file()
    raw = bytearray(good)
    raw[place % len(raw)] = value
    try:
        assert _open(bytes(raw)) == _pack()
    except PackError:
        assert bytes(raw) != good


def test_lists_and_times_of_a_pack_are_bounded() -> None:
    for values in (
        {"history": [{"part": "note", "at": float("nan"), "body": {}}]},
        {"history": [{"part": "order", "at": AT, "body": {}}]},
        {"title": ""},
        {"tenant": "../x"},
    ):
        with pytest.raises(ValueError, match="validation error"):
            _pack(**values)


def _as_file(header: Header, sealed: bytes) -> bytes:
    document = {"header": header.model_dump(mode="json"), "sealed": base64.b64encode(sealed).decode()}
    return json.dumps(document).encode()
