"""What a provider gave for a home's line, sealed (HPKE, RFC 9180) by the pages to the enrolment desk, bound to its box. Pure."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_UPLINK = b"gatehouse/uplink/v1\n"


def seal_uplink(given: dict[str, str], *, site: str, recipient: X25519PublicKey) -> str:
    """What a provider gave for a line (`user`, `password`), so that only the desk reads it, and only for this box."""
    raw = _SUITE.encrypt(json.dumps(given).encode(), recipient, info=_UPLINK + site.encode())
    return base64.b64encode(raw).decode()


def open_uplink(sealed: str, *, site: str, recipient: X25519PrivateKey) -> dict[str, Any]:
    """What was sealed; empty where another key sealed it, or for another box."""
    try:
        held = json.loads(_SUITE.decrypt(base64.b64decode(sealed), recipient, info=_UPLINK + site.encode()))
    except (InvalidTag, ValueError):
        return {}
    return held if isinstance(held, dict) else {}
