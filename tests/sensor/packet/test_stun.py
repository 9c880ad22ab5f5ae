from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import stun

# RFC 5769 sections 2.1 and 2.2: the user name and password in it are the document's.
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008"
    "932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004"
    "e57a3bcf"
)
RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a64300080014"
    "2b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)


def plain(kind: int, attributes: bytes = b"") -> bytes:
    return pack("!HH", kind, len(attributes)) + stun.COOKIE + bytes(12) + attributes


@pytest.mark.parametrize(
    ("data", "kind", "software"),
    [(REQUEST, "binding-request", "STUN test client"), (RESPONSE, "binding-success", "test vector")],
)
def test_messages_of_the_document(data: bytes, kind: str, software: str) -> None:
    assert stun.detail(data) == (("type", kind), ("software", software))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (0x0003, "allocate-request"),
        (0x0113, "allocate-error"),
        (0x0016, "send-indication"),
        (0x0104, "refresh-success"),
        (0x0009, "channel-bind-request"),
        (0x3EEF, "method-0xfff-request"),
    ],
)
def test_types(kind: int, name: str) -> None:
    assert stun.detail(plain(kind)) == (("type", name),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REQUEST[:19],
        REQUEST[:-4],
        REQUEST + bytes(4),
        b"\x40" + REQUEST[1:],
        REQUEST[:4] + b"\x21\x12\xa4\x43" + REQUEST[8:],
        plain(1, b"abc"),
    ],
)
def test_other_datagrams(data: bytes) -> None:
    assert stun.detail(data) is None


def test_attributes_are_bounded_and_may_be_broken() -> None:
    software = pack("!HH", 0x8022, 4) + b"name"
    filler = pack("!HH", 0x0024, 0)
    assert stun.detail(plain(1, filler * stun.MAX_ATTRIBUTES + software)) == (("type", "binding-request"),)
    assert stun.detail(plain(1, pack("!HH", 0x0024, 99))) == (("type", "binding-request"),)
    found = stun.detail(plain(1, pack("!HH", 0x8022, 400) + b"n" * 400))
    assert found is not None
    assert len(found[1][1]) == 128


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    stun.detail(data)
    padded = data + bytes(-len(data) % 4)
    assert stun.detail(plain(1, padded)) is not None
