"""An evidence bundle on its way from the box: what it will be, its parts, and what they are parts of.

The data part is a text of lines, each with one letter before it that says which file it belongs to (`FILES`),
compressed (zlib, RFC 1950) and cut into parts of `PART_OCTETS`. Each part is sealed to the server by itself, bound to
the bundle and its number, so that it lies on the box unreadable and can be asked for again. `docs/evidence.md` says what
the files hold. Bounded: `MAX_DATA` octets of text, `MAX_PARTS` parts.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import Field

from wire.base import Count, Id, Payload, Text, Time
from wire.ledger import Digest

PART_OCTETS = 20 * 1024
"""Octets of a part before it is sealed and written in base64: it fits a message."""
SEALED_MORE = 48
"""Octets that sealing adds (RFC 9180: an encapsulated key and a tag)."""
MAX_PARTS = 8_192
MAX_DATA = 512 * 1024 * 1024

FILES = {
    "R": "records.jsonl",
    "L": "leaves.txt",
    "H": "heads.jsonl",
    "A": "authority.jsonl",
    "V": "lists.jsonl",
    "B": "box.json",
    "S": "box.sig",
}
"""The letter before a line, and the file that the line is of. B is one line without its end; S is base64 of 64 octets."""
LINES = "RLHAV"
"""Letters of the files whose SHA-256 the box signs."""
BOX_CONTEXT = b"gatehouse/bundle/v1\n"
MANIFEST_CONTEXT = b"gatehouse/bundle-manifest/v1\n"
UNCERTIFIED = "INTELLIGENCE, not certified as evidence"
_PART_CONTEXT = b"gatehouse/bundle-part/v1\n"
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class BundleBuilt(Payload):
    """A bundle's data part is ready on the box, or could not be made."""

    bundle_id: Id
    parts: Count
    octets: Count
    """Of the compressed data part, before it is sealed."""
    sha256: Digest
    """Of the same octets."""
    records: Count
    at: Time
    expires: Time
    """When the box deletes it."""
    problem: Text = ""
    """Why there is none; then the numbers are 0."""


class BundlePart(Payload):
    """One part, in order of `number`; sealed and signed as every message is. It can be asked for again."""

    bundle_id: Id
    number: Count
    data: str = Field(max_length=28 * 1024)
    """Base64 of the sealed part (`seal_part`)."""


def seal_part(plain: bytes, *, bundle_id: str, number: int, recipient: X25519PublicKey) -> bytes:
    """Seal one part to the server."""
    return _SUITE.encrypt(plain, recipient, info=_bound(bundle_id, number))


def open_part(sealed: bytes, *, bundle_id: str, number: int, key: X25519PrivateKey) -> bytes | None:
    """What was sealed; None where it was sealed for another, or as another part."""
    try:
        return _SUITE.decrypt(sealed, key, info=_bound(bundle_id, number))
    except (InvalidTag, ValueError):
        return None


def _bound(bundle_id: str, number: int) -> bytes:
    return _PART_CONTEXT + f"{bundle_id}/{number}".encode()
