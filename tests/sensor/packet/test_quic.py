from __future__ import annotations

import contextlib
from collections.abc import Callable
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import quic, tls
from appliance.sensor.packet.cursor import ParseError

V1, V2, DRAFT_29 = 0x00000001, 0x6B3343CF, 0xFF00001D
KEY_ID = bytes.fromhex("8394c8f03e515708")


@pytest.mark.parametrize(
    ("version", "key", "iv", "header"),
    [
        # RFC 9001 appendix A.1, RFC 9369 appendix A.1, draft-ietf-quic-tls-29 appendix A.1
        (V1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"),
        (V2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"),
        (DRAFT_29, "175257a31eb09dea9366d8bb79ad80ba", "6b26114b9cba2b63a9e8dd4f", "9ddd12c994c0698b89374a9c077a3077"),
    ],
)
def test_keys_of_the_documents(version: int, key: str, iv: str, header: str) -> None:
    keys = quic.client_keys(version, KEY_ID)
    assert (keys.key.hex(), keys.iv.hex(), keys.header.hex()) == (key, iv, header)


# The hello of RFC 9001 and RFC 9369, appendix A.2.
HELLO = bytes.fromhex(
    "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c0000000"
    "10000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e00050005010000"
    "0000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
    "0d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07"
    "048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff"
)


@pytest.mark.parametrize(
    ("version", "header", "begins", "ends"),
    [
        (
            V1,
            "c300000001088394c8f03e5157080000449e00000002",
            "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
            "e221af44860018ab0856972e194cd934",
        ),
        (
            V2,
            "d36b3343cf088394c8f03e5157080000449e00000002",
            "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
            "a18b2faa745b6fe189cf772a9f84cbfc",
        ),
    ],
)
def test_the_initial_of_the_documents(version: int, header: str, begins: str, ends: str) -> None:
    from aioquic.quic.crypto import CryptoPair

    pair = CryptoPair()
    pair.setup_initial(cid=KEY_ID, is_client=True, version=version)
    frame = b"\x06\x00" + pack("!H", len(HELLO) | 0x4000) + HELLO
    sealed = pair.encrypt_packet(bytes.fromhex(header), frame.ljust(1162, b"\0"), 2)
    assert (sealed[:32].hex(), sealed[-16:].hex(), len(sealed)) == (begins, ends, 1200)
    (plain,) = opened(sealed)
    assert plain is not None
    ((offset, stream),) = quic.crypto_frames(plain)
    assert offset == 0
    hello = tls.read_handshake(stream, tls.Carrier.QUIC)
    assert hello is not None
    assert (hello.sni, hello.alpn, hello.key_shares) == ("example.com", (b"alpn",), (29,))
    assert hello.ja4.startswith("q13d0211an_")


@pytest.mark.parametrize(
    ("data", "version"),
    [
        # RFC 9001 appendix A.4, RFC 9369 appendix A.4
        ("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba", "0x00000001"),
        ("cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6", "0x6b3343cf"),
    ],
)
def test_the_retry_of_the_documents(data: str, version: str) -> None:
    retry = bytes.fromhex(data)
    assert quic.retry(retry) == (("version", version),)
    assert quic.initials(retry) == []
    assert quic.retry(retry[:31]) is None, "no token"
    assert quic.retry(retry[:5] + b"\xff" + retry[6:]) is None


def test_an_initial_is_no_retry(build: Any) -> None:
    for version in (V1, V2):
        assert quic.retry(build.initial(build.crypto(0, b"a"), version=version)) is None


def test_version_negotiation() -> None:
    head = b"\x80\0\0\0\0\x02ab\x01c"
    offered = bytes.fromhex("1a2a3a4a00000001")
    assert quic.negotiation(head + offered) == (("versions", "0x1a2a3a4a,0x00000001"),)
    for other in (head, head + offered[:4], head + offered + b"x", head + offered * 20, b"\0" + head[1:] + offered):
        assert quic.negotiation(other) is None
    assert quic.negotiation(b"\x80\0\0\0\0\xff" + bytes(30)) is None
    assert quic.negotiation(b"\x80\0\0\0\0\x14" + bytes(10)) is None


def opened(data: bytes) -> list[bytes | None]:
    return [
        quic.unprotect(initial, quic.client_keys(initial.version, initial.destination))
        for initial in quic.initials(data)
    ]


@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("number", [0, 3, 200])
def test_opens_what_another_implementation_sealed(build: Any, version: int, number: int) -> None:
    frames = build.crypto(0, b"hello") + b"\x01"
    (plain,) = opened(build.initial(frames, version=version, number=number, token=b"t" * 70))
    assert plain is not None
    assert quic.crypto_frames(plain) == [(0, b"hello")]


def test_the_servers_initials_stay_shut(build: Any) -> None:
    assert opened(build.initial(build.crypto(0, b"hello"), client=False)) == [None]


def test_coalesced_packets(build: Any) -> None:
    first = build.initial(build.crypto(0, b"a"), pad_to=40)
    second = build.initial(build.crypto(1, b"b"), number=1, pad_to=40)
    handshake = b"\xe0\0\0\0\x01\0\0\x20" + bytes(32)
    short = b"\x40" + bytes(30)
    found = opened(first + handshake + second + short)
    assert [quic.crypto_frames(plain) for plain in found if plain] == [[(0, b"a")], [(1, b"b")]]


def test_coalesced_packets_are_bounded(build: Any) -> None:
    packet = build.initial(build.crypto(0, b"a"), pad_to=40)
    assert len(quic.initials(packet * 20)) == quic.MAX_COALESCED


def test_a_retry_fills_its_datagram() -> None:
    assert quic.initials(b"\xf0\0\0\0\x01\0\0" + b"token and tag") == []


@pytest.mark.parametrize(
    "data", [b"", b"\xc0\0\0\0\x01\0", b"\x40\0\0\0\x01\0\0", b"\xc0\0\0\0\x09\0\0", b"\x80\0\0\0\x01\0\0"]
)
def test_other_datagrams_are_told_at_a_glance(data: bytes) -> None:
    assert not quic.may_begin(data)
    assert quic.initials(data) == []


@pytest.mark.parametrize(
    "tail",
    [
        b"\x15" + bytes(30),
        b"\x14" + bytes(5),
        b"\0\0\0\x40",
        b"\0\0\0\xff" + b"\xff" * 7,
        b"\0\0\x7f\xff",
        b"\0\0\0\x10short",
    ],
)
def test_broken_headers(tail: bytes) -> None:
    with pytest.raises(ParseError):
        quic.initials(b"\xc0\0\0\0\x01" + tail)


def test_too_short_for_a_sample() -> None:
    (initial,) = quic.initials(b"\xc0\0\0\0\x01\0\0\0\x04abcd")
    with pytest.raises(ParseError):
        quic.unprotect(initial, quic.client_keys(V1, b""))


def test_frames_of_an_initial() -> None:
    acknowledgement = b"\x02\x05\x00\x01\x02\x03\x04"
    with_ecn = b"\x03\x05\x00\x00\x02\x01\x01\x01"
    plain = b"\0\0\x01" + acknowledgement + with_ecn + b"\x06\x00\x02hi" + b"\0" * 9 + b"\x06\x02\x01!" + b"\0"
    assert quic.crypto_frames(plain) == [(0, b"hi"), (2, b"!")]


def test_a_close_ends_the_frames() -> None:
    assert quic.crypto_frames(b"\x06\x00\x01a\x1cwhatever") == [(0, b"a")]


@pytest.mark.parametrize(
    "plain", [b"\x08abc", b"\x06\x00\x09ab", b"\x06", b"\x02\x05\x00\x3f\x00", b"\x02\x05\x00\x01"]
)
def test_broken_frames(plain: bytes) -> None:
    with pytest.raises(ParseError):
        quic.crypto_frames(plain)


def test_frames_are_bounded() -> None:
    assert quic.crypto_frames(b"\x01" * (quic.MAX_FRAMES - 1)) == []
    with pytest.raises(ParseError, match="frames"):
        quic.crypto_frames(b"\x01" * (quic.MAX_FRAMES + 1))


@given(st.binary(max_size=200), st.sampled_from([V1, V2, DRAFT_29]))
def test_any_bytes(data: bytes, version: int) -> None:
    for candidate in (data, b"\xc3" + version.to_bytes(4, "big") + data, b"\xd3" + version.to_bytes(4, "big") + data):
        quic.retry(candidate)
        quic.negotiation(b"\x80\0\0\0\0" + data)
        try:
            opened(candidate)
        except ParseError:
            continue


@given(st.binary(max_size=200))
def test_any_frames(plain: bytes) -> None:
    try:
        found = quic.crypto_frames(plain)
    except ParseError:
        return
    assert sum(len(piece) for _, piece in found) <= len(plain)


@given(st.lists(st.tuples(st.integers(0, 1300), st.integers(0, 255)), max_size=6))
def test_mutations(build: Any, mutate: Callable[..., bytes], edits: list[tuple[int, int]]) -> None:
    with contextlib.suppress(ParseError):
        opened(mutate(build.initial(build.crypto(0, b"hello")), edits))
