"""Authenticated time: a box that has started asks, the server answers, signed.

The nonce makes the answer a fresh one; half of the time it took bounds the error. With the question travels the
private key of what was recorded since the start, sealed to the server: it opens only what the server let open.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import Field

from wire.base import Count, Payload, Time
from wire.ledger import Digest

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_KEY = b"gatehouse/key-of-a-run/v1\n"
_BATCH = b"gatehouse/sealed-observations/v1\n"
_KEY_OCTETS = 32


class TimeRequest(Payload):
    """What time is it?"""

    nonce: Digest
    boot: str = Field(pattern=r"^[0-9a-f-]{1,36}$")
    sealed_key: str | None = Field(default=None, max_length=400)
    """HPKE (base64) to the server's sealing key: the X25519 private key under which records of this run are sealed."""
    sealed: Count = 0
    """How many records wait."""


class TimeAnswer(Payload):
    """The server's time. `key` opens what was sealed in this run of the machine."""

    nonce: Digest
    at: Time
    key: str | None = Field(default=None, max_length=100)
    """X25519 private key, raw, base64: in an envelope sealed to the box."""


# --- what is sealed (RFC 9180, base mode) ---------------------------------------------------------


def seal_run_key(private: X25519PrivateKey, server: X25519PublicKey, *, tenant: str, site: str, boot: str) -> str:
    """The private key of one run of a machine, sealed so that only the server can read it (`sealed_key`)."""
    return base64.b64encode(
        _SUITE.encrypt(private.private_bytes_raw(), server, info=_info(tenant, site, boot))
    ).decode()


def open_run_key(sealed: str, server: X25519PrivateKey, *, tenant: str, site: str, boot: str) -> str | None:
    """At the server: the key as an answer carries it; None where it does not open, or was another run's."""
    try:
        raw = _SUITE.decrypt(base64.b64decode(sealed, validate=True), server, info=_info(tenant, site, boot))
    except (binascii.Error, InvalidTag, ValueError):
        return None
    return base64.b64encode(raw).decode() if len(raw) == _KEY_OCTETS else None


def run_key(text: str) -> X25519PrivateKey | None:
    """The key in an answer; None where it is none."""
    try:
        return X25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None


def seal_batch(plain: bytes, key: X25519PublicKey, *, boot: str, number: int) -> bytes:
    """Seal observations; `number` tells batches of a run apart, so that none can stand for another."""
    return _SUITE.encrypt(plain, key, info=_BATCH + f"{boot} {number}".encode())


def open_batch(sealed: bytes, key: X25519PrivateKey, *, boot: str, number: int) -> bytes | None:
    """Open what `seal_batch` sealed; None where the key, the run or the number is another."""
    try:
        return _SUITE.decrypt(sealed, key, info=_BATCH + f"{boot} {number}".encode())
    except (InvalidTag, ValueError):
        return None


def _info(tenant: str, site: str, boot: str) -> bytes:
    return _KEY + f"{tenant}/{site} {boot}".encode()
