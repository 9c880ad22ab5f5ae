from __future__ import annotations

from random import Random
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import vpn
from appliance.sensor.packet.cursor import ParseError

NOISE = Random(3).randbytes(4000)  # noqa: S311 - the same octets every run
SESSION, REPLAY = NOISE[:8], pack("!II", 1, 1_700_000_000)
SAID = b"\x01" + bytes(4) + NOISE[8:16] + bytes(4)
"""What a server's reset says: one acknowledgement, whose, its own number."""


def wireguard(kind: int, size: int, *, mac2: bytes = bytes(16), last: int = 0x7F) -> bytes:
    key_at = 8 if kind == 1 else 12
    body = bytearray(bytes((kind, 0, 0, 0)) + NOISE[: size - 20] + mac2)
    body[key_at + 31] = last
    return bytes(body)


def test_wireguard() -> None:
    assert vpn.wireguard(wireguard(1, 148)) == (("type", "initiation"),)
    assert vpn.wireguard(wireguard(2, 92)) == (("type", "response"),)
    assert vpn.wireguard(wireguard(1, 148, mac2=NOISE[500:516])) == (("type", "initiation"),)
    assert vpn.wireguard(b"\x03\0\0\0" + NOISE[:60]) == (("type", "cookie"),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        wireguard(1, 148)[:-1],
        wireguard(1, 148) + b"x",
        wireguard(2, 148),
        wireguard(4, 92),
        b"\x01\0\x01\0" + wireguard(1, 148)[4:],
        wireguard(1, 148, last=0x80),
        b"\x01\0\0\0" + bytes(144),
        b"\x02\0\0\0" + b"text" * 22,
    ],
)
def test_what_is_no_wireguard(data: bytes) -> None:
    assert vpn.wireguard(data) is None


@pytest.mark.parametrize(
    ("data", "side", "protection"),
    [
        (b"\x38" + SESSION + bytes(5), "client", "none"),
        (b"\x40" + SESSION + SAID, "server", "none"),
        (b"\x38" + SESSION + NOISE[20:40] + REPLAY + bytes(5), "client", "tls-auth"),
        (b"\x38" + SESSION + NOISE[20:84] + REPLAY + bytes(5), "client", "tls-auth"),
        (b"\x40" + SESSION + NOISE[20:52] + REPLAY + SAID, "server", "tls-auth"),
        (b"\x38" + SESSION + REPLAY + NOISE[20:57], "client", "tls-crypt"),
        (b"\x40" + SESSION + REPLAY + NOISE[20:69], "server", "tls-crypt"),
        (b"\x50" + SESSION + REPLAY + NOISE[20:57] + NOISE[100:388] + pack("!H", 290), "client", "tls-crypt-v2"),
        (
            b"\x50" + SESSION + pack("!II", 0x0F000001, 1_700_000_000) + NOISE[20:57] + NOISE[:288] + pack("!H", 290),
            "client",
            "tls-crypt-v2",
        ),
    ],
)
def test_openvpn(data: bytes, side: str, protection: str) -> None:
    said = (("side", side), ("protection", protection))
    assert vpn.openvpn(data) == said
    stream = pack("!H", len(data)) + data
    for end in range(3, len(stream)):
        assert vpn.may_begin_openvpn(stream[:end])
        assert vpn.openvpn_stream(stream[:end]) is None
    assert vpn.openvpn_stream(stream) == ((*said, ("transport", "tcp")), len(stream))
    assert not vpn.may_begin_openvpn(stream + b"x"), "a client waits for the answer before it says more"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x38" + SESSION + bytes(4),
        b"\x38" + bytes(8) + bytes(5),
        b"\x39" + SESSION + bytes(5),
        b"\x20" + SESSION + bytes(5),
        b"\x38" + SESSION + b"\0\0\0\0\x01",
        b"\x40" + SESSION + bytes(17),
        b"\x38" + SESSION + NOISE[20:40] + NOISE[50:58] + bytes(5),
        b"\x38" + SESSION + NOISE[20:65],
        b"\x50" + SESSION + REPLAY + NOISE[20:57] + NOISE[100:390],
        b"\x50" + SESSION + bytes(5),
    ],
)
def test_what_is_no_openvpn(data: bytes) -> None:
    assert vpn.openvpn(data) is None
    with pytest.raises(ParseError):
        vpn.openvpn_stream(pack("!H", len(data)) + data)


def test_openvpn_of_a_stream_is_bounded() -> None:
    assert not vpn.may_begin_openvpn(pack("!H", vpn.MAX_OPENVPN + 1) + b"\x38")
    assert not vpn.may_begin_openvpn(b"\0\x0e")
    assert vpn.openvpn_stream(b"\0") is None


def ike(version: int, exchange: int, payload: int, *, responder: bytes = bytes(8), body: bytes = bytes(40)) -> bytes:
    inner = pack("!BBH", 0, 0, 4 + len(body)) + body
    return SESSION + responder + pack("!BBBBII", payload, version, exchange, 8, 0, 28 + len(inner)) + inner


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ike(0x20, 34, 33), ("2", "initial", "initiator")),
        (ike(0x20, 34, 41, responder=NOISE[30:38]), ("2", "initial", "responder")),
        (ike(0x10, 2, 1), ("1", "main", "initiator")),
        (ike(0x10, 4, 1), ("1", "aggressive", "initiator")),
    ],
)
def test_ike(data: bytes, said: tuple[str, str, str]) -> None:
    wanted = (("version", said[0]), ("exchange", said[1]), ("side", said[2]))
    assert vpn.ike(data) == wanted
    assert vpn.ike(bytes(4) + data) == wanted, "with the marker of port 4500"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(60),
        ike(0x20, 35, 33),
        ike(0x30, 34, 33),
        ike(0x20, 34, 1),
        ike(0x20, 34, 33)[:-1],
        ike(0x20, 34, 33) + b"x",
        bytes(8) + ike(0x20, 34, 33)[8:],
        ike(0x20, 34, 33, body=b""),
    ],
)
def test_what_is_no_ike(data: bytes) -> None:
    assert vpn.ike(data) is None


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for candidate in (data, b"\x38" + data, b"\x40" + data, b"\x50" + data, b"\x01\0\0\0" + data, SESSION + data):
        vpn.wireguard(candidate)
        vpn.openvpn(candidate)
        vpn.ike(candidate)
        vpn.may_begin_openvpn(candidate)
        try:
            vpn.openvpn_stream(candidate)
        except ParseError:
            continue


def test_noise_is_none_of_them() -> None:
    random = Random(11)  # noqa: S311 - the same octets every run
    for size in (14, 26, 38, 42, 54, 66, 64, 92, 98, 148, 300):
        for _ in range(2000):
            data = random.choice((b"\x38", b"\x40", b"\x50", b"\x01\0\0\0", b"\x02\0\0\0")) + random.randbytes(size)
            for candidate in (data[:size], data):
                assert vpn.openvpn(candidate) is vpn.ike(candidate) is None
                assert vpn.wireguard(random.randbytes(size)) is None
