"""The file of a transfer: what is known of a household in, one signed and sealed JSON file out, and back.

The file has a clear header (form, id, time, whose key signed, whose key it is sealed to) and the sealed rest: HPKE
(RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305) over an Ed25519 signature (RFC 8032) and the compressed content. Both
the signature and the seal cover the header, so that nothing of it can be exchanged.

Bounded: a file has at most `MOST_FILE` octets, what is in it `MOST_CONTENT` once unpacked, and a list its own most; a
bomb is not unpacked beyond that. Whatever the octets are, only `PackError` is raised.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wire.acts import Restored
from wire.base import Time
from wire.keys import key_id, public_text

FORM = "gatehouse-transfer/1"
MOST_FILE = 8 * 1024 * 1024
MOST_CONTENT = 48 * 1024 * 1024
MOST_DEVICES = 512
MOST_HISTORY = 20_000
MOST_AGE = 30 * 86400.0
"""A file older than this (seconds) is not taken in: ask for a new one."""
AHEAD = 3600.0
"""So far may the sender's clock be ahead, in seconds."""
_SIGNATURE = 64
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_Key = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
_PackId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class PackError(ValueError):
    """A file that is refused; the text says why and holds nothing of its content."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Header(_Model):
    """The clear part."""

    form: Literal["gatehouse-transfer/1"] = "gatehouse-transfer/1"
    pack_id: _PackId
    made_at: Time
    sender: _Key
    """`wire.keys.key_id` of the key that signed."""
    recipient: _Key
    """Of the key that it is sealed to."""

    def bound(self) -> bytes:
        """What signature and seal are bound to: canonical JSON."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()


class Whom(_Model):
    """The person, as the sender knows them."""

    reference: str = Field(max_length=80)
    name: str | None = Field(default=None, max_length=120)
    risk: str = Field(default="", max_length=10)


class Item(_Model):
    """One piece of history; only read, never acted on."""

    part: Literal["finding", "review", "visit", "note", "document"]
    at: float = Field(ge=0, le=1e11, allow_inf_nan=False)
    body: dict[str, Any]


class Pack(_Model):
    """What is handed over."""

    operator: str = Field(max_length=120)
    tenant: str = Field(pattern=r"^[a-z0-9-]{1,63}$")
    title: str = Field(min_length=1, max_length=120)
    since: float = Field(ge=0, le=1e11, allow_inf_nan=False)
    """From when history is in here, Unix seconds."""
    whom: Whom | None = None
    devices: tuple[Restored, ...] = Field(max_length=MOST_DEVICES)
    history: tuple[Item, ...] = Field(max_length=MOST_HISTORY)
    left_out: int = Field(ge=0, default=0)
    """Pieces of history beyond the most."""


class _File(_Model):
    header: Header
    sealed: str = Field(max_length=MOST_FILE)


def write(pack: Pack, *, pack_id: str, at: float, signer: Ed25519PrivateKey, recipient: X25519PublicKey) -> bytes:
    """Sign and seal a pack.

    Raises:
        PackError: more than `MOST_CONTENT` or `MOST_FILE` octets.
    """
    header = Header(
        pack_id=pack_id,
        made_at=datetime.fromtimestamp(at, UTC),
        sender=key_id(public_text(signer)),
        recipient=key_id(public_text(recipient)),
    )
    content = json.dumps(
        pack.model_dump(mode="json", exclude_none=True), sort_keys=True, separators=(",", ":")
    ).encode()
    if len(content) > MOST_CONTENT:
        raise PackError(f"there are {len(content):,} octets to hand over, the most is {MOST_CONTENT:,}")
    body, bound = zlib.compress(content, 9), header.bound()
    sealed = _SUITE.encrypt(signer.sign(bound + b"\n" + body) + body, recipient, info=bound)
    document = {"header": header.model_dump(mode="json"), "sealed": base64.b64encode(sealed).decode()}
    whole = json.dumps(document, separators=(",", ":")).encode()
    if len(whole) > MOST_FILE:
        raise PackError(f"the file would have {len(whole):,} octets, the most is {MOST_FILE:,}")
    return whole


def read_header(raw: bytes) -> Header:
    """The clear part, unchecked: says which key must have signed.

    Raises:
        PackError: too large, or no such file.
    """
    return _file(raw).header


def open_pack(raw: bytes, *, key: X25519PrivateKey, sender: Ed25519PublicKey, now: float) -> tuple[Header, Pack]:
    """Open a file and check all of it.

    Args:
        raw: the file.
        key: what it must be sealed to.
        sender: who must have signed.
        now: Unix seconds.

    Raises:
        PackError: not for us, not by the sender, altered, too old, of the future, or not readable.
    """
    file = _file(raw)
    header = file.header
    if header.recipient != key_id(public_text(key)):
        raise PackError("it is not sealed to this service")
    if header.sender != key_id(public_text(sender)):
        raise PackError("it was signed with another key than the one that was pinned")
    made = header.made_at.timestamp()
    if made > now + AHEAD:
        raise PackError("it says that it was made in the future")
    if now - made > MOST_AGE:
        raise PackError("it is too old: ask for a new one")
    bound = header.bound()
    try:
        opened = _SUITE.decrypt(base64.b64decode(file.sealed, validate=True), key, info=bound)
    except (binascii.Error, InvalidTag, ValueError) as error:
        raise PackError("it was altered, or is damaged") from error
    signature, body = opened[:_SIGNATURE], opened[_SIGNATURE:]
    try:
        sender.verify(signature, bound + b"\n" + body)
    except InvalidSignature as error:
        raise PackError("its signature does not hold") from error
    try:
        return header, Pack.model_validate_json(_unpack(body))
    except (ValidationError, RecursionError) as error:
        raise PackError("it is of a form that this version does not know") from error


def _file(raw: bytes) -> _File:
    if len(raw) > MOST_FILE:
        raise PackError(f"it has {len(raw):,} octets, the most is {MOST_FILE:,}")
    try:
        return _File.model_validate_json(raw)
    except (ValidationError, RecursionError) as error:
        raise PackError("it is not the file of a transfer") from error


def _unpack(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(body, MOST_CONTENT)
    except zlib.error as error:
        raise PackError("what is in it is damaged") from error
    if inflater.unconsumed_tail or not inflater.eof:
        raise PackError(f"what is in it has more than {MOST_CONTENT:,} octets, or an end is missing")
    return content
