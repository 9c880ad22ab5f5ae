"""Many in one: each keeps its id, its digest and its topic."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import ValidationError

from wire.base import Payload
from wire.batch import MAX_ITEMS, Batch, BatchItem
from wire.codec import Unsealed, WireError, batch_items, payload_json, read_payload, seal, topic_for, unseal
from wire.models import type_of

AT = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)


def _item(seq: int, payload: Payload) -> BatchItem:
    return BatchItem(seq=seq, type=type_of(payload).ce_type, created=AT, body=payload_json(payload).decode())


def _through(batch: Batch, signer: Ed25519PrivateKey, recipient: X25519PrivateKey) -> Unsealed:
    topic = topic_for(batch, tenant="example", site="site-1")
    raw = seal(
        payload_json(batch),
        type_=type_of(batch).ce_type,
        topic=topic,
        id_=f"{batch.epoch}-b1",
        sequence=1,
        at=AT,
        signer=signer,
        recipient=recipient.public_key(),
    )
    return unseal(raw, topic=str(topic), recipient=recipient, signers=(signer.public_key(),))


@pytest.mark.req("R69")
def test_an_item_is_what_it_would_have_been_alone(
    examples: Mapping[str, Payload], signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    payloads = [examples["device"], examples["finding"], examples["session"], examples["result"]]
    batch = Batch(epoch="0badcafe", items=tuple(_item(number, payload) for number, payload in enumerate(payloads, 7)))
    items = batch_items(_through(batch, signer, recipient))
    assert [item.envelope.id for item in items] == [f"0badcafe-{number}" for number in range(7, 11)]
    for item, payload in zip(items, payloads, strict=True):
        assert item.topic == topic_for(payload, tenant="example", site="site-1")
        assert item.envelope.time == AT
        assert item.digest == hashlib.sha256(payload_json(payload)).hexdigest()
        assert read_payload(item.envelope.type, item.body) == payload


def test_an_item_of_an_unknown_type_is_handed_on(signer: Ed25519PrivateKey, recipient: X25519PrivateKey) -> None:
    later = BatchItem(seq=3, type="gatehouse.later.v1", created=AT, body='{"b":1}')
    (item,) = batch_items(_through(Batch(epoch="e", items=(later,)), signer, recipient))
    assert (item.envelope.type, item.topic.name, item.body) == ("gatehouse.later.v1", "batch", b'{"b":1}')


@pytest.mark.req("S6")
@pytest.mark.parametrize("name", ["batch", "status", "command", "receipt"])
def test_what_does_not_wait_in_an_outbox_does_not_come_in_a_batch(
    name: str, examples: Mapping[str, Payload], signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    batch = Batch(epoch="e", items=(_item(1, examples["device"]), _item(2, examples[name])))
    with pytest.raises(WireError, match="does not travel in a batch"):
        batch_items(_through(batch, signer, recipient))


def test_what_is_no_batch_has_no_items(
    examples: Mapping[str, Payload], signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    device = examples["device"]
    topic = topic_for(device, tenant="example", site="site-1")
    raw = seal(
        payload_json(device),
        type_=type_of(device).ce_type,
        topic=topic,
        id_="e-1",
        sequence=1,
        at=AT,
        signer=signer,
        recipient=recipient.public_key(),
    )
    found = unseal(raw, topic=str(topic), recipient=recipient, signers=(signer.public_key(),))
    with pytest.raises(WireError, match="is no batch"):
        batch_items(found)


def test_a_batch_is_bounded() -> None:
    item = BatchItem(seq=1, type="gatehouse.device.v1", created=AT, body="{}")
    for items in ((), (item,) * (MAX_ITEMS + 1)):
        with pytest.raises(ValidationError):
            Batch(epoch="e", items=items)
