from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wire.documents import DocumentError
from wire.release import Release, parse_signed, parts, sign, verify

PINNED = Ed25519PrivateKey.generate()


def release(**values: Any) -> Release:
    whole: dict[str, Any] = {
        "version": "2026.11.2",
        "board": "gatehouse-pi",
        "url": "https://releases.example/2026.11.2.raucb",
        "sha256": "0" * 64,
        "size": 1000,
        "floor": "2026.10.1",
        "issued": datetime(2026, 11, 1, tzinfo=UTC),
        "expires": datetime(2026, 12, 1, tzinfo=UTC),
    }
    return Release(**(whole | values))


@pytest.mark.req("R4")
def test_a_release_counts_if_a_pinned_key_signed_it_as_it_stands() -> None:
    signed = parse_signed(sign(release(), PINNED).model_dump_json().encode())
    assert verify(signed, [Ed25519PrivateKey.generate().public_key(), PINNED.public_key()]) == release()
    with pytest.raises(DocumentError, match="no pinned key"):
        verify(signed, [Ed25519PrivateKey.generate().public_key()])
    for name, value in (("version", "2026.11.3"), ("sha256", "1" * 64), ("expires", "2030-01-01T00:00:00Z")):
        held = json.loads(signed.model_dump_json())
        held["release"][name] = value
        with pytest.raises(DocumentError, match="no pinned key"):
            verify(parse_signed(json.dumps(held).encode()), [PINNED.public_key()])


@given(st.binary(max_size=400))
def test_what_is_no_release_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(DocumentError):
        parse_signed(raw)


def test_versions_are_compared_number_by_number() -> None:
    assert parts("2026.2.10") < parts("2026.11.2") < parts("2026.11.10") < parts("2027.1.1")
