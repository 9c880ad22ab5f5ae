"""Payload in, signed and sealed CloudEvents envelope out, and back.

Envelope: CloudEvents 1.0, structured JSON (https://cloudevents.io, `application/cloudevents+json`),
clear so that a broker can route it: id, source, type, time, sequence. `data_base64` holds
HPKE (RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305) over `signature (64 octets) | payload JSON`.
Both the Ed25519 signature and the HPKE `info` cover the topic and every clear attribute, so a
message moved to another topic, id, source or type does not open.

Bounded: an envelope is at most `MAX_ENVELOPE` octets, a payload at most `MAX_PAYLOAD`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wire.base import Payload, Time
from wire.batch import Batch
from wire.models import TYPES, type_of
from wire.topics import Channel, Topic, parse

MAX_PAYLOAD = 32 * 1024
MAX_ENVELOPE = 48 * 1024
BATCHED = frozenset({Channel.EVENT, Channel.STATE, Channel.RESULT})
"""Channels of what waits in a box's outbox, and so may come in a batch."""
_SIGNATURE = 64
_CONTEXT = b"gatehouse/v1\n"
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class WireError(ValueError):
    """A message that is refused; the text says why and holds nothing of its payload."""


class Envelope(BaseModel):
    """The clear part of a message, and the sealed rest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    source: Annotated[str, Field(pattern=r"^urn:gatehouse:[a-z0-9-]{1,63}:[a-z0-9-]{1,63}$")]
    type: Annotated[str, Field(max_length=64)]
    time: Time
    sequence: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    datacontenttype: Literal["application/json"] = "application/json"
    data_base64: str = ""

    def bound(self, topic: str) -> bytes:
        """What signature and seal are bound to: topic and every clear attribute, canonical JSON."""
        clear = self.model_dump(mode="json", exclude={"data_base64"})
        return _CONTEXT + json.dumps([topic, clear], sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A message whose seal, signature, binding and schema all held."""

    topic: Topic
    envelope: Envelope
    payload: Payload
    digest: str
    """SHA-256 (hex) of the payload JSON: the same id with another digest is a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """A message whose seal, signature and binding held; what it says was not read yet."""

    topic: Topic
    envelope: Envelope
    body: bytes
    """Payload JSON, as it was signed."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the payload JSON."""
        return hashlib.sha256(self.body).hexdigest()


def source(tenant: str, site: str) -> str:
    """CloudEvents source of a box (or, for what goes down, of the dashboard towards it)."""
    return f"urn:gatehouse:{tenant}:{site}"


def topic_for(payload: Payload, *, tenant: str, site: str) -> Topic:
    """The topic a payload travels on."""
    entry = type_of(payload)
    return Topic(tenant=tenant, site=site, channel=entry.channel, name=entry.name)


def payload_json(payload: Payload) -> bytes:
    """A payload's bytes as they are signed: sorted keys, no white space, UTF-8."""
    document = payload.model_dump(mode="json", exclude_none=True)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def seal(
    body: bytes,
    *,
    type_: str,
    topic: Topic,
    id_: str,
    sequence: int,
    at: datetime,
    signer: Ed25519PrivateKey,
    recipient: X25519PublicKey,
) -> bytes:
    """Sign and seal payload bytes (from `payload_json`) and wrap them in an envelope.

    Raises:
        WireError: the payload is larger than MAX_PAYLOAD.
    """
    if len(body) > MAX_PAYLOAD:
        raise WireError(f"payload of {len(body)} bytes, the most is {MAX_PAYLOAD}")
    envelope = Envelope(
        id=id_, source=source(topic.tenant, topic.site), type=type_, time=at.astimezone(UTC), sequence=str(sequence)
    )
    bound = envelope.bound(str(topic))
    sealed = _SUITE.encrypt(signer.sign(bound + b"\n" + body) + body, recipient, info=bound)
    whole = envelope.model_copy(update={"data_base64": base64.b64encode(sealed).decode()})
    return json.dumps(whole.model_dump(mode="json"), separators=(",", ":")).encode()


def read_envelope(raw: bytes) -> Envelope:
    """Read the clear part, without opening the seal.

    Raises:
        WireError: too large or not an envelope.
    """
    if len(raw) > MAX_ENVELOPE:
        raise WireError(f"envelope of {len(raw)} bytes, the most is {MAX_ENVELOPE}")
    try:
        return Envelope.model_validate_json(raw)
    except ValidationError as error:
        raise WireError(f"not an envelope: {_first_fault(error)}") from None


def unseal(raw: bytes, *, topic: str, recipient: X25519PrivateKey, signers: tuple[Ed25519PublicKey, ...]) -> Unsealed:
    """Take the seal off an envelope that came on `topic` and check who signed it; its type may be one we do not know.

    Raises:
        WireError: malformed, too large, moved from another topic, not sealed to us, or signed by
            none of `signers`.
    """
    envelope = read_envelope(raw)
    try:
        parsed = parse(topic)
    except ValueError as error:
        raise WireError(str(error)) from None
    entry = TYPES.get(envelope.type)
    if entry is not None and (entry.channel, entry.name) != (parsed.channel, parsed.name):
        raise WireError(f"{envelope.type} does not travel on {parsed.channel}/{parsed.name}")
    if envelope.source != source(parsed.tenant, parsed.site):
        raise WireError("source does not fit the topic")
    bound = envelope.bound(topic)
    try:
        sealed = base64.b64decode(envelope.data_base64, validate=True)
        plain = _SUITE.decrypt(sealed, recipient, info=bound)
    except (binascii.Error, InvalidTag, ValueError) as error:
        raise WireError("the seal does not open") from error
    if len(plain) > _SIGNATURE + MAX_PAYLOAD:
        raise WireError(f"payload of {len(plain) - _SIGNATURE} bytes, the most is {MAX_PAYLOAD}")
    signature, body = plain[:_SIGNATURE], plain[_SIGNATURE:]
    if not any(_verifies(key, signature, bound + b"\n" + body) for key in signers):
        raise WireError("signed by no known key")
    return Unsealed(topic=parsed, envelope=envelope, body=body)


def read_payload(type_: str, body: bytes) -> Payload:
    """Read payload JSON of a type.

    Raises:
        WireError: of an unknown type, or not of its type's schema.
    """
    entry = TYPES.get(type_)
    if entry is None:
        raise WireError(f"unknown type {type_!r}")
    try:
        return entry.model.model_validate_json(body)
    except ValidationError as error:
        raise WireError(f"{type_}: {_first_fault(error)}") from None


def batch_items(found: Unsealed) -> list[Unsealed]:
    """What a batch holds, each as if it had come alone: its own id, number, type, time and topic.

    An item of a type we do not know keeps the batch's topic. Nothing here reads what the items say.

    Raises:
        WireError: not a batch, or one of its items does not travel in one (another batch, or what goes down).
    """
    batch = read_payload(found.envelope.type, found.body)
    if not isinstance(batch, Batch):
        raise WireError(f"{found.envelope.type} is no batch")
    tenant, site = found.topic.tenant, found.topic.site
    items = []
    for item in batch.items:
        entry = TYPES.get(item.type)
        if entry is not None and (entry.model is Batch or entry.channel not in BATCHED):
            raise WireError(f"{item.type} does not travel in a batch")
        items.append(
            Unsealed(
                topic=found.topic
                if entry is None
                else Topic(tenant=tenant, site=site, channel=entry.channel, name=entry.name),
                # Its fields are checked: they are those of the batch, or of an envelope whose schema held.
                envelope=Envelope.model_construct(
                    specversion="1.0",
                    id=f"{batch.epoch}-{item.seq}",
                    source=found.envelope.source,
                    type=item.type,
                    time=item.created,
                    sequence=str(item.seq),
                    datacontenttype="application/json",
                    data_base64="",
                ),
                body=item.body.encode(errors="replace"),
            )
        )
    return items


def open_sealed(
    raw: bytes, *, topic: str, recipient: X25519PrivateKey, signers: tuple[Ed25519PublicKey, ...]
) -> Opened:
    """Open an envelope that came on `topic`; all checks must hold.

    Raises:
        WireError: as `unseal` and `read_payload`.
    """
    found = unseal(raw, topic=topic, recipient=recipient, signers=signers)
    payload = read_payload(found.envelope.type, found.body)
    return Opened(topic=found.topic, envelope=found.envelope, payload=payload, digest=found.digest)


def _first_fault(error: ValidationError) -> str:
    """Where and what, without the value and cut short: a field's name may be the sender's own invention."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place[:80]}: {fault['msg'][:120]}"


def _verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
