"""How a box asks for its next certificate: over HTTPS, because one that expired lets nobody through to the broker.

What proves the box is not the old certificate but the signing key it was enrolled with; so a box that was away for a
month comes back by itself, unless it was revoked. The key of the certificate is born on the box and stays there.
Bounded: `MAX_REQUEST` and `MAX_ANSWER` octets.
"""

from __future__ import annotations

from pydantic import Field

from wire.base import Id, Payload, Time
from wire.ledger import Signature, canonical

MAX_REQUEST = 8 * 1024
MAX_ANSWER = 16 * 1024
PATH = "/v1/renew"
_CONTEXT = b"gatehouse/renewal/v1\n"


class RenewalRequest(Payload):
    """A box asks for a certificate over the key in its certificate request."""

    tenant: Id
    site: Id
    csr: str = Field(max_length=4096)
    """PKCS #10 in PEM, signed with the new key."""
    at: Time
    signature: Signature
    """Of the enrolled Ed25519 key over `renewal_bytes`."""


class RenewalAnswer(Payload):
    """The certificate."""

    certificate: str = Field(max_length=MAX_ANSWER - 256)
    """PEM."""


def renewal_bytes(*, tenant: str, site: str, csr: str, at: Time) -> bytes:
    """What a box signs of its request; the moment in milliseconds since 1970."""
    return _CONTEXT + canonical({"tenant": tenant, "site": site, "csr": csr, "at_ms": round(at.timestamp() * 1000)})
