"""A release of the box's software: a signed statement of what it is, for whom, from when and until when.

The bundle that it names is signed as well (RAUC's CMS, checked in the box's kernel); this statement says which bundle
is the one to have. Pinned keys sign it (`OperatorCard.release_keys`, at most two), never the web server. What expires is
refused, so that nobody can hold a box at an old version by an old statement for longer than that. Pure.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field

from wire import documents
from wire.base import Payload, Time
from wire.documents import DocumentError, Part, check_size, from_json, is_signed
from wire.keys import key_id, public_text
from wire.lists import Url

MAX_STATEMENT = 8 * 1024
_CONTEXT = b"gatehouse/release/v1\n"

Version = Annotated[str, Field(pattern=r"^[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,4}$")]
"""Year, month, number: compared number by number."""
Board = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
"""RAUC's `compatible`: what the bundle may be written to."""


Stage = Literal[
    "idle", "fetching", "checking", "writing", "waiting", "restarting", "proving", "done", "failed", "rolled-back"
]
"""How far an update is: `waiting` for the hour at which nobody minds, `proving` that the new version is well."""


class Release(Part):
    """What is signed."""

    schema_version: Literal[1] = 1
    version: Version
    board: Board
    url: Url
    """Where the bundle is."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=1, le=2**32)
    """Octets."""
    floor: Version
    """No box goes below this version once it has run this release."""
    issued: Time
    expires: Time
    security: bool = False
    """It mends a fault that somebody could use: boxes take it without waiting for the night."""
    notes: str = Field(default="", max_length=1000)
    """For engineers: what changed."""


class SignedRelease(Part):
    """A statement with its signatures, as it lies in a file and in an order."""

    release: Release
    signatures: tuple[tuple[str, str], ...] = Field(min_length=1, max_length=2)
    """Key id, signature."""


class SoftwareState(Payload):
    """What a box runs, and how its last update went (R4)."""

    version: Version
    slot: str = Field(default="", max_length=8)
    """System partition that runs: A or B; empty where there is none (the lab)."""
    board: Board | None = None
    wanted: Version | None = None
    """The release that it was last told to take."""
    stage: Stage = "idle"
    percent: int | None = Field(default=None, ge=0, le=100)
    detail: str = Field(default="", max_length=300)
    since: Time | None = None
    outdated: tuple[Annotated[str, Field(max_length=120)], ...] = Field(default=(), max_length=8)
    """Programs of others that are older than they may be, as the box's last start found them."""


def parts(version: str) -> tuple[int, int, int]:
    """A version's numbers, to be compared."""
    year, month, number = (int(part) for part in version.split("."))
    return year, month, number


def sign(release: Release, key: Ed25519PrivateKey) -> SignedRelease:
    """Sign a statement."""
    message = documents.canonical(_CONTEXT, release)
    return SignedRelease(
        release=release, signatures=((key_id(public_text(key)), base64.b64encode(key.sign(message)).decode()),)
    )


def parse_signed(raw: bytes) -> SignedRelease:
    """Read a signed statement; whether a pinned key signed it is not known yet.

    Raises:
        DocumentError: too large or not of the schema.
    """
    check_size(raw, MAX_STATEMENT, "release")
    return from_json(SignedRelease, raw, within="release")


def verify(signed: SignedRelease, pinned: Sequence[Ed25519PublicKey]) -> Release:
    """The statement, if one of the pinned keys signed it as it stands.

    Raises:
        DocumentError: none did.
    """
    message = documents.canonical(_CONTEXT, signed.release)
    if not is_signed(message, signed.signatures, pinned):
        raise DocumentError("no pinned key signed this release as it stands")
    return signed.release
