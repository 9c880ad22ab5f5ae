"""Manifests of lists: what is signed, what is refused, and how that is said."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wire import lists
from wire.findings import Severity

PUBLISHED = datetime(2026, 5, 1, 9, tzinfo=UTC)


def manifest(**changes: Any) -> lists.Manifest:
    fields: dict[str, Any] = {
        "list_id": "gambling",
        "number": 3,
        "version": "2026-05-01",
        "title": "Gambling sites",
        "category": "gambling",
        "severity": Severity.TODAY,
        "owner": "Example Trust",
        "format": "domains",
        "url": "https://lists.example/gambling.txt",
        "sha256": "0" * 64,
        "octets": 12,
        "entries": 1,
        "published": PUBLISHED,
        "renew_by": PUBLISHED + timedelta(days=30),
    }
    return lists.Manifest.model_validate(fields | changes)


@pytest.fixture
def publisher() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.mark.req("R31")
def test_what_a_pinned_publisher_signed_holds(publisher: Ed25519PrivateKey) -> None:
    signed = lists.sign(manifest(), publisher)
    read = lists.parse_signed(signed.model_dump_json().encode())
    assert lists.verify(read, [Ed25519PrivateKey.generate().public_key(), publisher.public_key()]) == manifest()


def test_another_key_or_another_word_does_not_hold(publisher: Ed25519PrivateKey) -> None:
    signed = lists.sign(manifest(), publisher)
    with pytest.raises(lists.ManifestError, match="no pinned publisher"):
        lists.verify(signed, [Ed25519PrivateKey.generate().public_key()])
    changed = signed.model_copy(update={"manifest": manifest(severity=Severity.INFORMATION)})
    with pytest.raises(lists.ManifestError, match="does not hold"):
        lists.verify(changed, [publisher.public_key()])
    garbage = lists.ManifestSignature(publisher=signed.signatures[0].publisher, signature="no base64 at all")
    with pytest.raises(lists.ManifestError, match="does not hold"):
        lists.verify(signed.model_copy(update={"signatures": (garbage,)}), [publisher.public_key()])


def test_a_signature_for_something_else_is_none_for_a_manifest(publisher: Ed25519PrivateKey) -> None:
    """The same key and the same JSON under another context string."""
    signed = lists.sign(manifest(), publisher)
    other = publisher.sign(lists.canonical(manifest()).replace(b"gatehouse/list/v1", b"gatehouse/authority/v1"))
    forged = lists.ManifestSignature(
        publisher=signed.signatures[0].publisher, signature=base64.b64encode(other).decode()
    )
    with pytest.raises(lists.ManifestError):
        lists.verify(signed.model_copy(update={"signatures": (forged,)}), [publisher.public_key()])


def test_what_is_not_said_is_not_signed() -> None:
    assert b"confidential" not in lists.canonical(manifest())
    assert b'"confidential":true' in lists.canonical(manifest(confidential=True))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{}", "manifest"),
        (b"\xff\xfe", "manifest"),
        (b"[" * 10_000, "manifest"),
        (b"x" * (lists.MAX_MANIFEST + 1), "the most is"),
    ],
)
def test_what_is_no_manifest_is_said_plainly(raw: bytes, says: str) -> None:
    with pytest.raises(lists.ManifestError, match=says):
        lists.parse_signed(raw)


def test_toml_names_each_fault() -> None:
    with pytest.raises(lists.ManifestError, match=r"list_id: .*; number: "):
        lists.parse_toml(b'version = "1"')
    with pytest.raises(lists.ManifestError, match="not valid TOML"):
        lists.parse_toml(b"list_id =")


def test_a_manifest_that_is_stale_from_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="renew_by must be later"):
        manifest(renew_by=PUBLISHED)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://lists.example/x", "https://", "https://a b.example/"])
def test_only_web_addresses_are_fetched(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        manifest(url=url)


@given(st.binary(max_size=2000))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    for read in (lists.parse_signed, lists.parse_toml):
        with pytest.raises(lists.ManifestError):
            read(raw)
