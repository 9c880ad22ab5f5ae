from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import ethernet, ip
from appliance.sensor.packet.cursor import ParseError


def test_ipv4(build: Any) -> None:
    packet = ip.parse(build.ipv4(b"abc", protocol=17), 0, ethernet.IPV4)
    assert (ip.text(packet.src), ip.text(packet.dst)) == ("192.0.2.7", "198.51.100.9")
    assert (packet.protocol, packet.later_fragment, packet.start, packet.end) == (17, False, 20, 23)


def test_padding_of_a_short_frame_is_left_out(build: Any) -> None:
    data = build.ipv4(b"abc", protocol=17) + bytes(30)
    assert ip.parse_v4(data, 0).end == 23


def test_a_frame_cut_by_the_snap_length_ends_with_the_frame(build: Any) -> None:
    assert ip.parse_v4(build.ipv4(b"abc", protocol=17, total=1500), 0).end == 23


def test_total_length_zero_goes_as_far_as_the_frame(build: Any) -> None:
    assert ip.parse_v4(build.ipv4(b"abc", protocol=17, total=0), 0).end == 23


def test_fragments_are_told_apart(build: Any) -> None:
    assert not ip.parse_v4(build.ipv4(b"", protocol=17, offset=0x2000), 0).later_fragment
    assert ip.parse_v4(build.ipv4(b"", protocol=17, offset=0x0001), 0).later_fragment


@pytest.mark.parametrize(
    "data",
    [bytes(19), b"\x65" + bytes(30), b"\x44" + bytes(30), b"\x4f" + bytes(30), pack("!BBH", 0x45, 0, 10) + bytes(16)],
)
def test_broken_ipv4(data: bytes) -> None:
    with pytest.raises(ParseError):
        ip.parse_v4(data, 0)


def test_ipv6(build: Any) -> None:
    packet = ip.parse(build.ipv6(b"abc", protocol=6), 0, ethernet.IPV6)
    assert (ip.text(packet.src), ip.text(packet.dst)) == ("2001:db8::7", "2001:db8:1::9")
    assert (packet.protocol, packet.start, packet.end) == (6, 40, 43)


def test_ipv6_jumbogram_goes_as_far_as_the_frame(build: Any) -> None:
    data = bytearray(build.ipv6(b"abc", protocol=6))
    data[4:6] = b"\0\0"
    assert ip.parse_v6(bytes(data), 0).end == 43


def test_extension_headers_are_passed_over(build: Any) -> None:
    hop = bytes((43, 0)) + bytes(6)
    routing = bytes((51, 1)) + bytes(14)
    authentication = bytes((44, 1)) + bytes(10)
    fragment = bytes((60, 0, 0, 6)) + bytes(4)  # alone in its fragment header (RFC 6946)
    destination = bytes((17, 0)) + bytes(6)
    chain = hop + routing + authentication + fragment + destination
    packet = ip.parse_v6(build.ipv6(chain + b"xy", protocol=0), 0)
    assert (packet.protocol, packet.later_fragment) == (17, False)
    assert (packet.start, packet.end) == (40 + len(chain), 42 + len(chain))


def test_where_a_fragment_belongs(build: Any) -> None:
    packet = ip.parse_v4(build.ipv4(b"abcdefgh", protocol=17, offset=0x2003), 0)
    assert packet.fragment == ip.Fragment(1, 24, True, False)
    assert ip.parse_v4(build.ipv4(b"", protocol=17, offset=3, total=90), 0).fragment == ip.Fragment(1, 24, False, True)
    header = bytes((17, 0)) + pack("!HI", 185 << 3 | 1, 0xDEAD)
    packet = ip.parse_v6(build.ipv6(header + b"abcdefgh", protocol=44), 0)
    assert (packet.protocol, packet.start, packet.end) == (17, 48, 56)
    assert packet.fragment == ip.Fragment(0xDEAD, 185 << 3, True, False)
    assert ip.parse_v4(build.ipv4(b"", protocol=17, offset=0x4000), 0).fragment is None, "that is the DF bit"


def test_a_later_fragment_has_no_more_headers(build: Any) -> None:
    fragment = bytes((60, 0)) + pack("!H", 185 << 3) + bytes(4)
    packet = ip.parse_v6(build.ipv6(fragment + b"\xff\xff", protocol=44), 0)
    assert packet.later_fragment
    assert packet.start == 48


def test_a_chain_of_extension_headers_is_bounded(build: Any) -> None:
    link, last = bytes((60, 0)) + bytes(6), bytes((17, 0)) + bytes(6)
    assert ip.parse_v6(build.ipv6(link * (ip.MAX_EXTENSIONS - 1) + last, protocol=60), 0).protocol == 17
    with pytest.raises(ParseError, match="extension"):
        ip.parse_v6(build.ipv6(link * 200, protocol=60), 0)


@pytest.mark.parametrize("data", [bytes(39), b"\x45" + bytes(60)])
def test_broken_ipv6(data: bytes) -> None:
    with pytest.raises(ParseError):
        ip.parse_v6(data, 0)


def test_an_extension_longer_than_its_packet(build: Any) -> None:
    with pytest.raises(ParseError):
        ip.parse_v6(build.ipv6(bytes((6, 255)) + bytes(6), protocol=0), 0)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("00000000000000000000000000000000", "::"),
        ("20010db8000000000000000000000001", "2001:db8::1"),
        ("00000000000000000000ffffc0000207", "::ffff:192.0.2.7"),
        ("c0000207", "192.0.2.7"),
    ],
)
def test_text_is_canonical(octets: str, text: str) -> None:
    assert ip.text(bytes.fromhex(octets)) == text


def test_the_memory_of_texts_is_bounded() -> None:
    for number in range(9000):
        ip.text(pack("!I", number))
    assert ip.text.cache_info().currsize <= 8192


@given(
    data=st.binary(max_size=120), ethertype=st.sampled_from([ethernet.IPV4, ethernet.IPV6]), first=st.integers(0, 255)
)
def test_any_bytes(data: bytes, ethertype: int, first: int) -> None:
    lead = 0x40 | first & 0x0F if ethertype == ethernet.IPV4 else 0x60
    for candidate in (data, bytes((lead,)) + data):
        try:
            packet = ip.parse(candidate, 0, ethertype)
        except ParseError:
            continue
        assert 0 <= packet.start <= packet.end <= len(candidate)
