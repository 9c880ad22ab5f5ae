from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wire import codec
from wire.base import Payload
from wire.codec import (
    MAX_ENVELOPE,
    MAX_PAYLOAD,
    Envelope,
    Opened,
    WireError,
    open_sealed,
    payload_json,
    read_envelope,
    seal,
    source,
    topic_for,
)
from wire.models import Receipt, type_of
from wire.topics import Topic

FIXTURES_ARE_CONSTANT = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200
)


@pytest.fixture(scope="session")
def topic(examples: Mapping[str, Payload]) -> Topic:
    return topic_for(examples["finding"], tenant="example", site="site-1")


@pytest.fixture(scope="session")
def envelope(
    examples: Mapping[str, Payload],
    topic: Topic,
    signer: Ed25519PrivateKey,
    recipient: X25519PrivateKey,
    at: datetime,
) -> bytes:
    return _sealed(examples["finding"], topic, signer, recipient, at)


def _sealed(
    payload: Payload, topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey, at: datetime
) -> bytes:
    return seal(
        payload_json(payload),
        type_=type_of(payload).ce_type,
        topic=topic,
        id_="0badcafe-1",
        sequence=1,
        at=at,
        signer=signer,
        recipient=recipient.public_key(),
    )


def _with(raw: bytes, **changes: Any) -> bytes:
    return json.dumps({**json.loads(raw), **changes}).encode()


def _by_hand(
    body: bytes, *, type_: str, topic: str, signer: Ed25519PrivateKey, recipient: X25519PrivateKey, at: datetime
) -> bytes:
    """As `seal`, for bodies and topics that `seal` does not make."""
    clear = Envelope(id="a-1", source=source("example", "site-1"), type=type_, time=at, sequence="1")
    bound = clear.bound(topic)
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    sealed = suite.encrypt(signer.sign(bound + b"\n" + body) + body, recipient.public_key(), info=bound)
    return _with(clear.model_dump_json().encode(), data_base64=base64.b64encode(sealed).decode())


@FIXTURES_ARE_CONSTANT
@given(
    numbers=st.lists(st.integers(min_value=0, max_value=2**53 - 1), min_size=2, max_size=2),
    epoch=st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True),
    when=st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2199, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants them bare
)
def test_what_is_sealed_opens_to_the_same(
    numbers: list[int], epoch: str, when: datetime, signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    receipt = Receipt(epoch=epoch, ranges=((numbers[0], numbers[1]),), at=when)
    down = topic_for(receipt, tenant="example", site="site-1")
    raw = _sealed(receipt, down, signer, recipient, when)
    opened = open_sealed(raw, topic=str(down), recipient=recipient, signers=(signer.public_key(),))
    assert opened.payload == receipt
    assert opened.topic == down
    assert opened.envelope.time == when
    assert len(opened.digest) == 64


@FIXTURES_ARE_CONSTANT
@given(data=st.data())
def test_a_changed_octet_is_refused_or_changes_nothing(
    data: st.DataObject, envelope: bytes, topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    """Changes nothing: JSON and base64 write the same value in more than one way, such as `Z` for `+00:00`."""
    signers = (signer.public_key(),)
    whole = open_sealed(envelope, topic=str(topic), recipient=recipient, signers=signers)
    place = data.draw(st.integers(min_value=0, max_value=len(envelope) - 1))
    octet = data.draw(st.integers(min_value=0, max_value=255).filter(lambda new: new != envelope[place]))
    changed = envelope[:place] + bytes((octet,)) + envelope[place + 1 :]
    try:
        opened = open_sealed(changed, topic=str(topic), recipient=recipient, signers=signers)
    except WireError:
        return
    assert _meaning(opened) == _meaning(whole)


def _meaning(opened: Opened) -> tuple[object, ...]:
    return opened.topic, opened.payload, opened.digest, opened.envelope.bound(str(opened.topic))


@FIXTURES_ARE_CONSTANT
@given(
    raw=st.binary(max_size=400)
    | st.recursive(st.none() | st.text(max_size=8), st.lists).map(json.dumps).map(str.encode)
)
def test_arbitrary_octets_raise_nothing_else(raw: bytes, topic: Topic, recipient: X25519PrivateKey) -> None:
    with pytest.raises(WireError):
        open_sealed(raw, topic=str(topic), recipient=recipient, signers=())


@FIXTURES_ARE_CONSTANT
@given(sealed=st.binary(max_size=200))
def test_arbitrary_sealed_octets_raise_nothing_else(
    sealed: bytes, envelope: bytes, topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    raw = _with(envelope, data_base64=base64.b64encode(sealed).decode())
    with pytest.raises(WireError, match="seal"):
        open_sealed(raw, topic=str(topic), recipient=recipient, signers=(signer.public_key(),))


def test_every_cut_of_the_sealed_part_is_refused(
    envelope: bytes, topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    sealed = base64.b64decode(json.loads(envelope)["data_base64"])
    for length in range(len(sealed)):
        raw = _with(envelope, data_base64=base64.b64encode(sealed[:length]).decode())
        with pytest.raises(WireError, match="seal"):
            open_sealed(raw, topic=str(topic), recipient=recipient, signers=(signer.public_key(),))


@FIXTURES_ARE_CONSTANT
@given(body=st.binary(max_size=120))
def test_a_known_signers_nonsense_raises_nothing_else(
    body: bytes, topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey, at: datetime
) -> None:
    raw = _by_hand(body, type_="gatehouse.finding.v1", topic=str(topic), signer=signer, recipient=recipient, at=at)
    with pytest.raises(WireError, match=r"gatehouse\.finding\.v1"):
        open_sealed(raw, topic=str(topic), recipient=recipient, signers=(signer.public_key(),))


@pytest.mark.parametrize("depth", [1000, 15_000])
def test_deep_nesting_is_refused_without_recursion(
    depth: int, topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey, at: datetime
) -> None:
    for nest in (b"[" * depth, b'{"a":' * (depth // 5)):
        with pytest.raises(WireError, match="not an envelope"):
            read_envelope(nest)
        raw = _by_hand(nest, type_="gatehouse.finding.v1", topic=str(topic), signer=signer, recipient=recipient, at=at)
        with pytest.raises(WireError, match=r"recursion|EOF"):
            open_sealed(raw, topic=str(topic), recipient=recipient, signers=(signer.public_key(),))


@pytest.mark.parametrize(
    "moved",
    [
        "gatehouse/v1/example/site-2/event/finding",
        "gatehouse/v1/other/site-1/event/finding",
        "gatehouse/v1/example/site-1/state/device",
        "gatehouse/v1/example/site-1/event/other",
        "gatehouse/v1/example/site-1/nowhere/finding",
        "gatehouse/v2/example/site-1/event/finding",
        "gatehouse/v1/example/site-1/event",
        "",
    ],
)
def test_another_topic_is_refused(
    moved: str, envelope: bytes, signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    with pytest.raises(WireError):
        open_sealed(envelope, topic=moved, recipient=recipient, signers=(signer.public_key(),))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "0badcafe-2"},
        {"sequence": "2"},
        {"time": "2026-03-01T18:30:01Z"},
        {"source": "urn:gatehouse:example:site-2"},
        {"source": "urn:gatehouse:other:site-1"},
        {"type": "gatehouse.device.v1"},
        {"type": "gatehouse.receipt.v1"},
        {"type": "gatehouse.unknown.v1"},
        {"extra": 1},
        {"data_base64": ""},
        {"data_base64": "*"},
        {"data_base64": "é"},
    ],
)
def test_a_changed_envelope_is_refused(
    changes: dict[str, Any], envelope: bytes, topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    with pytest.raises(WireError):
        open_sealed(_with(envelope, **changes), topic=str(topic), recipient=recipient, signers=(signer.public_key(),))


@pytest.mark.req("R69")
def test_another_box_moving_source_and_topic_together_is_refused(
    envelope: bytes, signer: Ed25519PrivateKey, recipient: X25519PrivateKey
) -> None:
    moved = _with(envelope, source="urn:gatehouse:example:site-2")
    with pytest.raises(WireError, match="seal"):
        open_sealed(
            moved,
            topic="gatehouse/v1/example/site-2/event/finding",
            recipient=recipient,
            signers=(signer.public_key(),),
        )


def test_another_recipient_or_signer_is_refused(  # noqa: PLR0917 - fixtures
    envelope: bytes,
    topic: Topic,
    signer: Ed25519PrivateKey,
    stranger: Ed25519PrivateKey,
    recipient: X25519PrivateKey,
    other_recipient: X25519PrivateKey,
) -> None:
    with pytest.raises(WireError, match="seal"):
        open_sealed(envelope, topic=str(topic), recipient=other_recipient, signers=(signer.public_key(),))
    with pytest.raises(WireError, match="no known key"):
        open_sealed(envelope, topic=str(topic), recipient=recipient, signers=(stranger.public_key(),))
    either = (stranger.public_key(), signer.public_key())
    assert open_sealed(envelope, topic=str(topic), recipient=recipient, signers=either).topic == topic


def test_sizes_are_bounded_both_ways(
    topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey, at: datetime
) -> None:
    with pytest.raises(WireError, match="payload of"):
        seal(
            b"x" * (MAX_PAYLOAD + 1),
            type_="gatehouse.finding.v1",
            topic=topic,
            id_="a-1",
            sequence=1,
            at=at,
            signer=signer,
            recipient=recipient.public_key(),
        )
    with pytest.raises(WireError, match="envelope of"):
        read_envelope(b" " * (MAX_ENVELOPE + 1))
    large = _by_hand(
        b" " * (MAX_PAYLOAD + 1),
        type_="gatehouse.finding.v1",
        topic=str(topic),
        signer=signer,
        recipient=recipient,
        at=at,
    )
    with pytest.raises(WireError, match="payload of"):
        open_sealed(large, topic=str(topic), recipient=recipient, signers=(signer.public_key(),))


def test_the_largest_payload_fits_the_largest_envelope(
    topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey, at: datetime
) -> None:
    raw = seal(
        b"x" * MAX_PAYLOAD,
        type_="gatehouse.finding.v1",
        topic=Topic(tenant="t" * 63, site="s" * 63, channel=topic.channel, name=topic.name),
        id_="i" * 64,
        sequence=10**19,
        at=at,
        signer=signer,
        recipient=recipient.public_key(),
    )
    assert len(raw) <= MAX_ENVELOPE


def test_a_refusal_quotes_no_payload_and_stays_short(
    topic: Topic, signer: Ed25519PrivateKey, recipient: X25519PrivateKey, at: datetime, examples: Mapping[str, Payload]
) -> None:
    secret = "name-that-must-not-be-logged.example"
    document = json.loads(payload_json(examples["finding"]))
    document["hit"]["how"] = secret
    body = json.dumps(document).encode()
    raw = _by_hand(body, type_="gatehouse.finding.v1", topic=str(topic), signer=signer, recipient=recipient, at=at)
    with pytest.raises(WireError) as caught:
        open_sealed(raw, topic=str(topic), recipient=recipient, signers=(signer.public_key(),))
    assert "hit.how" in str(caught.value)
    assert secret not in str(caught.value)
    invented = _with(raw, **{"x" * 40_000: 1})[:MAX_ENVELOPE]
    with pytest.raises(WireError) as caught:
        read_envelope(invented)
    assert len(str(caught.value)) < 300


def test_times_that_would_break_a_calendar_are_refused(envelope: bytes) -> None:
    for time in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z", 1e300, "2026-03-01T18:30:00"):
        with pytest.raises(WireError, match="time"):
            read_envelope(_with(envelope, time=time))


def test_the_context_is_part_of_what_is_signed(envelope: bytes, topic: Topic) -> None:
    assert read_envelope(envelope).bound(str(topic)).startswith(codec._CONTEXT)
