"""The ledger as it travels: what a leaf is made of, heads, their counter-signature, and the seed of offline MACs.

A leaf (RFC 9162 section 2.1) is the canonical JSON of `Leaf`: when a record was made, what kind it is, and a salted
commitment to its body, never the body. So a body can be erased and the log still verifies. What is signed and
hashed holds whole numbers only: there is one way to write them.

    commitment = SHA-256(salt (32 octets) | body)
    leaf hash  = SHA-256(0x00 | leaf), node hash = SHA-256(0x01 | left | right)
    head       = Ed25519 of the box over `head_bytes`, counter-signed by the server over `cosigned_bytes`
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field

from wire.base import Count, Id, Payload, Time

HEAD_CONTEXT = b"gatehouse/ledger-head/v1\n"
COSIGNED_CONTEXT = b"gatehouse/ledger-cosigned/v1\n"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]
"""64 octets in base64."""


class ClockState(StrEnum):
    """How far the box's time can be trusted."""

    AUTHENTICATED = "authenticated"
    """Told by a signed answer in this run of the machine, and counted on since with the monotonic clock."""
    FREE = "free"
    """Nobody has vouched for it since the machine started."""


class RecordKind(StrEnum):
    """What a record is about."""

    FINDING = "finding"
    DEVICE = "device"
    PROPOSAL = "proposal"
    SESSION = "session"
    SIGNALS = "signals"
    """Signals of an address in an hour, closed when the hour is over."""
    NAMES = "names"
    """Looked-up names of an address in an hour, as far as they may be kept, closed when the hour is over."""
    DECISION = "decision"
    """An order, who gave it, and what became of it."""
    AUTHORITY = "authority"
    """A document was accepted, came into force, was paused, withdrawn or ended."""
    COVERAGE = "coverage"
    """When the box could see: power, provider, taps, drops, lists, software."""
    GAP = "gap"
    """What was not recorded, or dropped: how much, which range, why."""
    HOLD = "hold"
    ERASURE = "erasure"
    """What was erased, and why; never what it held."""
    HOUSEHOLD = "household"
    """What the household said or was shown: notices, guests, corrections."""


class Stamp(Payload):
    """When, and how sure (whole numbers, so that they are written in one way only)."""

    wall_ms: Count
    """Milliseconds since 1970, UTC, by the keeper's clock."""
    mono_ms: Count
    """Milliseconds of the monotonic clock of this run of the machine."""
    boot: str = Field(pattern=r"^[0-9a-f-]{1,36}$")
    """Id of this run of the machine."""
    clock: ClockState
    error_ms: Count | None = None
    """Bound of the error of `wall_ms`; None where nothing bounds it."""


class Leaf(Payload):
    """What is hashed of a record."""

    v: int = Field(default=1, ge=1, le=1)
    epoch: Id
    n: Count
    """Position in the log, from 0."""
    kind: RecordKind
    data_class: str = Field(pattern=r"^[a-z_]{1,20}$")
    """`wire.authority.DataClass` of what the body holds, or `box` where it is about no device."""
    at: Stamp
    commitment: Digest


class Head(Payload):
    """The log as it stands at a size."""

    tenant: Id
    site: Id
    epoch: Id
    size: Count
    root: Digest
    at: Stamp
    signature: Signature
    """Of the box over `head_bytes`."""
    consistency: tuple[Digest, ...] = Field(default=(), max_length=64)
    """From the head before that the server counter-signed (`since`) to this one (RFC 9162 section 2.1.4)."""
    since: Count = 0


class HeadCosigned(Payload):
    """The server has seen this head and none that contradicts it."""

    epoch: Id
    size: Count
    root: Digest
    at: Time
    signature: Signature
    """Of the server over `cosigned_bytes`."""


class LedgerSeed(Payload):
    """The first key of a stretch of forward-secure MACs; only the server keeps it."""

    epoch: Id
    stretch: Count
    """Which stretch; each begins with a fresh seed."""
    begins: Count
    """Position of the first leaf under it."""
    seed: Digest


def canonical(plain: dict[str, Any]) -> bytes:
    """JSON with sorted keys and no white space, UTF-8."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_bytes(leaf: Leaf) -> bytes:
    """The octets of a leaf, as they are hashed."""
    return canonical(leaf.model_dump(mode="json", exclude_none=True))


def commitment(salt: bytes, body: bytes) -> str:
    """Salted commitment to a body (hex)."""
    return hashlib.sha256(salt + body).hexdigest()


def head_bytes(head: Head) -> bytes:
    """What the box signs of a head."""
    signed = head.model_dump(mode="json", exclude_none=True, exclude={"signature", "consistency", "since"})
    return HEAD_CONTEXT + canonical(signed)


def cosigned_bytes(*, tenant: str, site: str, epoch: str, size: int, root: str, at: Time) -> bytes:
    """What the server signs of a head: which log, how far, and when it saw it (milliseconds since 1970)."""
    seen = {"tenant": tenant, "site": site, "epoch": epoch, "size": size, "root": root}
    return COSIGNED_CONTEXT + canonical({**seen, "at_ms": round(at.timestamp() * 1000)})


def signed(key: Ed25519PrivateKey, message: bytes) -> str:
    """Signature over `head_bytes` or `cosigned_bytes`, as it travels."""
    return base64.b64encode(key.sign(message)).decode()


def holds(signature: str, message: bytes, keys: Iterable[Ed25519PublicKey]) -> bool:
    """Whether the signature is that of one of the keys over the message."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except binascii.Error:
        return False
    for key in keys:
        try:
            key.verify(raw, message)
        except InvalidSignature:
            continue
        return True
    return False
