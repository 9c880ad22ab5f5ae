from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import ethernet, ip, syn
from appliance.sensor.packet.cursor import ParseError

LINUX = bytes.fromhex("020405b4 0402080a 00000009 00000000 01 030307")


def segment(
    options: bytes = b"", *, sequence: int = 9, ack: int = 0, flags: int = 2, urgent: int = 0, reserved: int = 0
) -> bytes:
    offset = (20 + len(options)) // 4 << 4 | reserved
    return pack("!HHIIBBHHH", 40000, 443, sequence, ack, offset, flags, 64240, 0, urgent) + options


def read(data: bytes, ethertype: int = ethernet.IPV4) -> syn.Syn:
    return syn.parse(data, ip.parse(data, 0, ethertype))


def header(data: bytes, **octets: int) -> bytes:
    """An IPv4 packet with other octets in its header, named `at6` and so on."""
    changed = bytearray(data)
    for at, value in octets.items():
        changed[int(at.removeprefix("at"))] = value
    return bytes(changed)


@pytest.mark.req("R11")
def test_a_whole_syn(build: Any) -> None:
    found = read(build.ipv4(segment(LINUX), protocol=6, offset=0x4000))
    assert (found.version, found.ttl, found.window, found.mss, found.scale) == (4, 64, 64240, 1460, 7)
    assert found.options == (2, 4, 8, 1, 3)
    assert found.quirks == ("df", "id+")
    assert found.text == "4:64:64240,7:1460:2,4,8,1,3:df,id+"


def test_over_ipv6_behind_extension_headers(build: Any) -> None:
    hop = bytes((6, 0)) + bytes(6)
    found = read(build.ipv6(hop + segment(LINUX), protocol=0), ethernet.IPV6)
    assert (found.version, found.ttl, found.mss, found.quirks) == (6, 255, 1460, ())
    assert read(header(build.ipv6(segment(), protocol=6), at3=5), ethernet.IPV6).quirks == ("flow",)
    assert read(header(build.ipv6(segment(), protocol=6), at1=0x20), ethernet.IPV6).quirks == ("ecn",)


@pytest.mark.parametrize(("heard", "first"), [(1, 32), (33, 64), (64, 64), (65, 128), (129, 255), (255, 255), (0, 32)])
def test_hops_are_rounded_up_to_where_they_began(build: Any, heard: int, first: int) -> None:
    assert read(header(build.ipv4(segment(), protocol=6), at8=heard)).text.startswith(f"4:{first}:64240,*:*::")


@pytest.mark.parametrize(
    ("octets", "quirks"),
    [
        ({"at6": 0x40}, ("df", "id+")),
        ({"at6": 0x40, "at5": 0}, ("df",)),
        ({"at5": 0}, ("id-",)),
        ({"at1": 2}, ("ecn",)),
        ({"at6": 0x80}, ("0+",)),
        ({}, ()),
    ],
)
def test_quirks_of_the_ip_header(build: Any, octets: dict[str, int], quirks: tuple[str, ...]) -> None:
    assert read(header(build.ipv4(segment(), protocol=6), **octets)).quirks == quirks


@pytest.mark.parametrize(
    ("fields", "quirk"),
    [
        ({"flags": 0xC2}, "ecn"),
        ({"reserved": 1}, "ae"),
        ({"reserved": 8}, "0+"),
        ({"sequence": 0}, "seq-"),
        ({"ack": 5}, "ack+"),
        ({"urgent": 5}, "uptr+"),
        ({"flags": 0x22}, "urgf+"),
        ({"flags": 0x0A}, "pushf+"),
        ({"options": b"\x08\x0a" + bytes(8) + b"\1\1"}, "ts1-"),
        ({"options": b"\x08\x0a\0\0\0\1\0\0\0\1\1\1"}, "ts2+"),
        ({"options": b"\0\0\0\1"}, "opt+"),
        ({"options": b"\3\3\x0f\0"}, "exws"),
        ({"options": b"\2\4\5\2"}, None),
        ({"options": b"\1\1\1\2"}, "bad"),
        ({"options": b"\2\x09\0\0"}, "bad"),
        ({"options": b"\2\1\0\0"}, "bad"),
    ],
)
def test_quirks_of_the_tcp_header(build: Any, fields: dict[str, Any], quirk: str | None) -> None:
    found = read(build.ipv4(segment(**fields), protocol=6)).quirks
    assert found == ((quirk,) if quirk else ())


def test_options_of_another_length_are_named_but_not_read(build: Any) -> None:
    found = read(build.ipv4(segment(b"\2\3\5\3\4\1\1\0"), protocol=6))
    assert (found.options, found.mss, found.scale, found.quirks) == ((2, 3, 0), None, None, ())


def test_broken(build: Any) -> None:
    for data in (segment()[:19], segment()[:12] + b"\x40" + bytes(7), segment()[:12] + b"\xf0" + bytes(7)):
        whole = build.ipv4(data, protocol=6)
        with pytest.raises(ParseError):
            syn.parse(whole, ip.parse_v4(whole, 0))


@given(st.binary(max_size=90), st.booleans())
def test_any_bytes(build: Any, data: bytes, v4: bool) -> None:
    whole = build.ipv4(data, protocol=6) if v4 else build.ipv6(data, protocol=6)
    try:
        found = read(whole, ethernet.IPV4 if v4 else ethernet.IPV6)
    except ParseError:
        return
    assert len(found.options) <= 40
    assert found.text.count(":") == 5
