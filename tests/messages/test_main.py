from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import messages
from appliance.messages import (
    CollectionMask,
    How,
    MessageError,
    NameLookedUp,
    Outbound,
    Sighting,
    Status,
    TapReport,
    TraitSeen,
    Via,
)
from appliance.traits import Trait

MAC = "00:00:5e:00:53:01"
SAMPLES: list[messages.Message] = [
    Sighting(ts=1.5, mac=MAC, via=Via.ARP, ip="192.0.2.1"),
    TraitSeen(ts=1.0, mac=MAC, trait=Trait.DHCP4_PARAMETERS, value="1,3,6"),
    NameLookedUp(ts=1.0, mac=MAC, name="example.org", how=How.TLS, generation=2),
    CollectionMask(generation=2, names=(MAC,), lease=30.0),
    Outbound(topic="gatehouse/v1/example/site-1/event/finding", body=bytes(range(256))),
    Status(
        recording=True,
        authority="a",
        devices=1,
        open_findings=0,
        outbox=0,
        broker_connected=True,
        sensor_connected=False,
        warden_connected=True,
        mask_generation=1,
        taps=(TapReport(ts=0.0, tap="dns", messages=1, octets=2, lost=3, unparsed=4, overflow=5),),
    ),
]


def test_round_trip() -> None:
    assert messages.decode(messages.encode(SAMPLES)) == SAMPLES


def test_a_batch_too_large_is_refused_at_both_ends() -> None:
    with pytest.raises(MessageError, match="the most is"):
        messages.encode([Outbound(topic="t", body=bytes(messages.MAX_DATAGRAM))])
    with pytest.raises(MessageError, match="the most is"):
        messages.decode(b" " * (messages.MAX_DATAGRAM + 1))


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"{}",
        b'[{"t":"nothing-known"}]',
        b'[{"t":"status-request","more":1}]',
        b'[{"t":"sighting","ts":"x","mac":"","via":"arp"}]',
        b"[" * 100_000,
        # What the keeper cannot put on the wire must not get past the seam: its sender is not trusted.
        b'[{"t":"sighting","ts":1,"mac":"zz:00:5e:00:53:01","via":"arp"}]',
        b'[{"t":"sighting","ts":1,"mac":"00:00:5e:00:53:01\\n","via":"arp"}]',
        b'[{"t":"sighting","ts":-1,"mac":"00:00:5e:00:53:01","via":"arp"}]',
        b'[{"t":"sighting","ts":1e300,"mac":"00:00:5e:00:53:01","via":"arp"}]',
        b'[{"t":"tap","ts":1,"tap":"a tap","messages":1,"octets":1,"lost":0,"unparsed":0,"overflow":0}]',
        b'[{"t":"tap","ts":1,"tap":"dns","messages":-1,"octets":1,"lost":0,"unparsed":0,"overflow":0}]',
        b'[{"t":"tap","ts":1,"tap":"dns","messages":9007199254740992,"octets":1,"lost":0,"unparsed":0,"overflow":0}]',
    ],
)
def test_what_is_no_message_raises_one_kind_of_error(datagram: bytes) -> None:
    with pytest.raises(MessageError):
        messages.decode(datagram)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_messages_or_an_error(junk: bytes) -> None:
    try:
        found = messages.decode(junk)
    except MessageError:
        return
    assert messages.decode(messages.encode(found)) == found


def test_messages_are_immutable() -> None:
    sample = SAMPLES[0]
    with pytest.raises(AttributeError):
        sample.mac = "x"  # type: ignore[union-attr,misc]


def test_every_message_has_a_tag_of_its_own() -> None:
    kinds = messages.Message.__args__
    tags = [msgspec.inspect.type_info(kind).tag for kind in kinds]
    assert len(set(tags)) == len(kinds)
