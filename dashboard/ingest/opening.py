"""Broker message in, opened message or refusal out; a batch at a time.

What holds but cannot be read, because the box is newer than this dashboard, is `Unread`: it is kept.
A box is known by its row in `site`; what it sends is opened with the dashboard's sealing key and
must be signed by that row's key. A refusal holds no word of the payload.
Bounded: a batch is the caller's; sizes are the codec's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic_core import from_json
from sqlalchemy import Connection, select

from dashboard.store import schema
from wire import topics
from wire.batch import Batch
from wire.codec import Envelope, Opened, Unsealed, WireError, batch_items, read_payload, unseal
from wire.keys import KeyFileError, verify_key
from wire.models import TYPES
from wire.topics import Channel, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One message as the broker delivered it."""

    topic: str
    body: bytes
    packet: int
    """MQTT packet identifier, to acknowledge it."""
    connection: int
    """Which connection of this worker brought it; an acknowledgement over another would be a wrong one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message that was not accepted, for the audit."""

    action: str
    """`message-refused`, `event-conflict`, or `message-unread` for one that is kept all the same."""
    site: str
    """As the topic says; empty when the topic is none of ours."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A message of a known box that says something this version cannot read; kept until a newer one can."""

    topic: Topic
    envelope: Envelope
    text: str
    """Payload JSON, as it was signed."""
    digest: str
    why: str


def refused(site: str, why: str) -> Refusal:
    """A message that cannot be opened or does not hold."""
    return Refusal(action="message-refused", site=site, why=why)


def open_batch(
    connection: Connection, batch: Sequence[Arrived], *, tenant: str, sealing_key: X25519PrivateKey
) -> list[Opened | Unread | Refusal]:
    """Open every message of a batch, in its order; never raises for what a message holds.

    What came together in one envelope (`wire.batch`) is as many as it held.
    """
    parsed = [_parse(message.topic) for message in batch]
    sites = {topic.site for topic in parsed if topic is not None}
    statement = select(schema.site.c.site, schema.site.c.verify_key).where(
        schema.site.c.tenant == tenant, schema.site.c.site.in_(sites), schema.site.c.revoked_at.is_(None)
    )
    keys = {row.site: row.verify_key for row in connection.execute(statement)}
    opened: list[Opened | Unread | Refusal] = []
    for message, topic in zip(batch, parsed, strict=True):
        if topic is None:
            opened.append(refused("", "not a topic of ours"))
        elif topic.tenant != tenant or topic.site not in keys:
            opened.append(refused(topic.site, "unknown site"))
        else:
            opened += _open(message, topic.site, keys[topic.site], sealing_key)
    return opened


def _parse(topic: str) -> topics.Topic | None:
    try:
        return topics.parse(topic)
    except ValueError:
        return None


def _open(message: Arrived, site: str, key: str, sealing_key: X25519PrivateKey) -> list[Opened | Unread | Refusal]:
    try:
        found = unseal(message.body, topic=message.topic, recipient=sealing_key, signers=(verify_key(key),))
        entry = TYPES.get(found.envelope.type)
        items = batch_items(found) if entry is not None and entry.model is Batch else [found]
    except WireError as error:
        return [refused(site, str(error))]
    except KeyFileError:
        return [refused(site, "the site's verify key in the database is not a key")]
    return [_read(item) for item in items]


def _read(found: Unsealed) -> Opened | Unread | Refusal:
    entry = TYPES.get(found.envelope.type)
    if found.topic.channel is Channel.CMD or (entry is not None and not entry.up):
        return refused(found.topic.site, "not a message a box may send")
    try:
        payload = read_payload(found.envelope.type, found.body)
    except WireError as error:
        return _unread(found, str(error))
    return Opened(topic=found.topic, envelope=found.envelope, payload=payload, digest=found.digest)


def _unread(found: Unsealed, why: str) -> Unread | Refusal:
    if found.topic.channel in (Channel.STATUS, Channel.TELEMETRY):
        return refused(found.topic.site, why)  # the next one replaces it, and none is receipted
    try:
        is_object = isinstance(from_json(found.body), dict)
        text = found.body.decode()
    except ValueError:
        is_object, text = False, ""
    if not is_object:
        return refused(found.topic.site, why)
    return Unread(topic=found.topic, envelope=found.envelope, text=text, digest=found.digest, why=why)
