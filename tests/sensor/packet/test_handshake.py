from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import handshake

RETRY = bytes.fromhex("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba")
WORDS = {
    "stun": pack("!HH", 1, 0) + b"\x21\x12\xa4\x42" + bytes(12),
    "openvpn": b"\x38" + b"session!" + bytes(5),
    "wireguard": b"\x02\0\0\0" + bytes(range(8, 80)) + bytes(16),
    "ike": b"initiate" + bytes(8) + pack("!BBBBII", 33, 0x20, 34, 8, 0, 40) + pack("!BBH", 0, 0, 12) + bytes(8),
    "quic-retry": RETRY,
    "quic-negotiation": b"\x80\0\0\0\0\0\0\0\0\0\x01",
}


@pytest.mark.parametrize("protocol", WORDS)
@pytest.mark.parametrize("port", [53, 443, 40000])
def test_told_by_shape_on_any_port(protocol: str, port: int) -> None:
    found = handshake.datagram(WORDS[protocol], 50000, port)
    assert found is not None
    assert found.protocol == protocol
    assert all(isinstance(part, str) for field in found.detail for part in field)


def test_other_datagrams_are_none() -> None:
    for data in (b"", b"hello", bytes(148), b"\x80" + bytes(30)):
        assert handshake.datagram(data, 50000, 50001) is None


def test_streams() -> None:
    assert handshake.read_ssh(b"SSH-2.0-Example\r\n") == (
        handshake.Handshake(protocol="ssh", detail=(("version", "2.0"), ("software", "Example"))),
        17,
    )
    assert handshake.read_ssh(b"SSH-") is None
    assert handshake.read_bittorrent(b"\x13BitTorrent protocol" + bytes(48)) is not None
    assert handshake.read_openvpn(b"\0\x0e" + WORDS["openvpn"]) is not None


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for first in (b"", *(words[:12] for words in WORDS.values())):
        handshake.datagram(first + data, 1, 2)
