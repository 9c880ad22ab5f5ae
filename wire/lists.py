"""The manifest of a list: who publishes it, which version it is, and the hash of the file that holds it.

Signed JSON, `{"manifest": {...}, "signatures": [{"publisher": key id, "signature": base64}]}`. The
signature (Ed25519) covers the canonical JSON of `manifest`; a box pins the keys of a list's publisher.
The list itself is not signed: its hash and length are in here, so nothing on the way can change it,
and an older version is told by its number. Bounded: `MAX_MANIFEST` octets.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, model_validator

from wire import documents
from wire.base import Count, Id, Revision, Time
from wire.documents import DocumentError, Part, check_size, from_json, from_toml, is_signed, key_ids
from wire.findings import Severity
from wire.keys import key_id, public_text

MAX_MANIFEST = 64 * 1024
MAX_LIST = 1024 * 1024 * 1024
"""Octets that any list file may have; a box's settings allow less."""
_CONTEXT = b"gatehouse/list/v1\n"


ManifestError = DocumentError
"""A manifest that does not count; the text says why and what to do."""


ListFormat = Literal["hosts", "domains", "wildcard", "adblock", "dnsmasq", "unbound", "rpz", "addresses"]
"""How a list file is written; see `appliance.keeper.lists.formats`."""

ListReach = Literal["exact", "subtree"]
"""What a plain line covers: the name alone, or the names below it too."""

Url = Annotated[str, Field(pattern=r"^https?://[!-~]{1,2040}$")]
"""`http` will do: hash and signature protect the content, and nothing secret is in it."""


class Manifest(Part):
    """One version of a list."""

    schema_version: Literal[1] = 1
    list_id: Id
    number: Revision
    """Rises with every version; a box takes no lower one than it has."""
    version: str = Field(min_length=1, max_length=64)
    """For people, such as a date."""
    title: str = Field(min_length=1, max_length=120)
    category: str = Field(min_length=1, max_length=40)
    """What kind of sites these are, such as `gambling` or `adult`; `excluded` is never logged (R67)."""
    severity: Severity
    owner: str = Field(min_length=1, max_length=120)
    """Organisation that answers for the entries."""
    format: ListFormat
    reach: ListReach | None = None
    """None: as the format means it."""
    url: Url
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    octets: int = Field(ge=0, le=MAX_LIST)
    entries: Count
    """How many the publisher counts, for people; the box counts for itself."""
    published: Time
    renew_by: Time
    """A box says that the list is out of date when it has nothing newer by then (R31)."""
    confidential: Literal[True] | None = None
    """Only keyed hashes of the entries stay on a box, and no finding names one (N16)."""

    @model_validator(mode="after")
    def _ordered(self) -> Manifest:
        if not self.published < self.renew_by:
            raise ValueError("renew_by must be later than published")
        return self


class ManifestSignature(Part):
    """One publisher's signature."""

    publisher: str = Field(pattern=r"^[0-9a-f]{16}$")
    signature: str = Field(max_length=128)


class SignedManifest(Part):
    """A manifest with its signatures, as it lies on a server."""

    manifest: Manifest
    signatures: tuple[ManifestSignature, ...] = Field(min_length=1, max_length=4)


def canonical(manifest: Manifest) -> bytes:
    """The bytes that are signed."""
    return documents.canonical(_CONTEXT, manifest)


def sign(manifest: Manifest, publisher: Ed25519PrivateKey) -> SignedManifest:
    """Sign a manifest with a publisher's offline key."""
    signature = base64.b64encode(publisher.sign(canonical(manifest))).decode()
    return SignedManifest(
        manifest=manifest,
        signatures=(ManifestSignature(publisher=key_id(public_text(publisher)), signature=signature),),
    )


def parse_toml(raw: bytes) -> Manifest:
    """Read an unsigned manifest written as TOML. Times carry their offset, e.g. `2026-01-31T09:00:00Z`.

    Raises:
        ManifestError: too large, not TOML, or not of the schema; each fault is named.
    """
    check_size(raw, MAX_MANIFEST, "manifest")
    return from_toml(Manifest, raw, within="manifest")


def parse_signed(raw: bytes) -> SignedManifest:
    """Read a signed manifest without checking its signature.

    Raises:
        ManifestError: too large, not JSON, or not of the schema; each fault is named.
    """
    check_size(raw, MAX_MANIFEST, "manifest")
    return from_json(SignedManifest, raw, within="manifest")


def verify(signed: SignedManifest, publishers: Sequence[Ed25519PublicKey]) -> Manifest:
    """The manifest, if a pinned publisher signed it.

    Raises:
        ManifestError: no signature of a pinned publisher holds.
    """
    signatures = ((item.publisher, item.signature) for item in signed.signatures)
    if is_signed(canonical(signed.manifest), signatures, publishers):
        return signed.manifest
    raise ManifestError(
        f"the signature does not hold: no pinned publisher ({key_ids(publishers)}) signed this manifest as it stands"
    )
