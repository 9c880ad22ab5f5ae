from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import ethernet
from appliance.sensor.packet.cursor import ParseError

READERS = (ethernet.ethernet, ethernet.cooked_v1, ethernet.cooked_v2, ethernet.raw, ethernet.loopback)
MAC = bytes.fromhex("00005e005301")


def test_plain_frame(build: Any) -> None:
    carried = ethernet.ethernet(build.ethernet(b"x"))
    assert carried == ethernet.Carried(ethernet.IPV4, 14, MAC)


@pytest.mark.parametrize("tags", [(0x8100,), (0x88A8, 0x8100), (0x9100, 0x8100, 0x8100)])
def test_vlan_tags_are_passed_over(build: Any, tags: tuple[int, ...]) -> None:
    carried = ethernet.ethernet(build.ethernet(b"x", ethertype=ethernet.IPV6, tags=tags))
    assert carried == ethernet.Carried(ethernet.IPV6, 14 + 4 * len(tags), MAC)


def test_a_tower_of_tags_is_refused(build: Any) -> None:
    assert ethernet.ethernet(build.ethernet(b"x", tags=(0x8100,) * ethernet.MAX_TAGS)).ethertype == ethernet.IPV4
    with pytest.raises(ParseError, match="VLAN"):
        ethernet.ethernet(build.ethernet(b"x", tags=(0x8100,) * (ethernet.MAX_TAGS + 1)))


def test_a_length_field_is_no_ethertype(build: Any) -> None:
    assert ethernet.ethernet(build.ethernet(b"llc", ethertype=38)).ethertype == ethernet.UNKNOWN


def test_snap_names_an_ethertype(build: Any) -> None:
    snap = b"\xaa\xaa\x03\0\0\0"
    assert ethernet.ethernet(build.ethernet(snap + b"\x08\x06", ethertype=38)) == ethernet.Carried(
        ethernet.ARP, 22, MAC
    )
    tagged = build.ethernet(snap + b"\x08\0", ethertype=38, tags=(0x8100,))
    assert ethernet.ethernet(tagged) == ethernet.Carried(ethernet.IPV4, 26, MAC)
    for other in (snap + b"\x08", b"\xaa\xaa\x03\0\0\x0c\x20\0", snap + b"\0\x05"):
        assert ethernet.ethernet(build.ethernet(other, ethertype=38)).ethertype == ethernet.UNKNOWN


def test_cooked_v1() -> None:
    head = pack("!HHH8sH", 0, 1, 6, MAC + b"\0\0", ethernet.ARP)
    assert ethernet.cooked_v1(head) == ethernet.Carried(ethernet.ARP, 16, MAC)
    other_hardware = pack("!HHH8sH", 0, 519, 6, MAC + b"\0\0", 4)
    assert ethernet.cooked_v1(other_hardware) == ethernet.Carried(ethernet.UNKNOWN, 16, None)


def test_cooked_v2() -> None:
    head = pack("!HHIHBB8s", ethernet.IPV6, 0, 2, 1, 0, 6, MAC + b"\0\0")
    assert ethernet.cooked_v2(head) == ethernet.Carried(ethernet.IPV6, 20, MAC)
    no_address = pack("!HHIHBB8s", ethernet.IPV6, 0, 2, 1, 0, 0, bytes(8))
    assert ethernet.cooked_v2(no_address).mac is None


def test_raw_ip() -> None:
    assert ethernet.raw(b"\x45") == ethernet.Carried(ethernet.IPV4, 0, None)
    assert ethernet.raw(b"\x60") == ethernet.Carried(ethernet.IPV6, 0, None)
    for other in (b"", b"\x50"):
        with pytest.raises(ParseError):
            ethernet.raw(other)


@pytest.mark.parametrize("family", [10, 24, 28, 30])
@pytest.mark.parametrize("order", ["<", ">"])
def test_loopback_in_either_byte_order(family: int, order: str) -> None:
    assert ethernet.loopback(pack(f"{order}I", family)) == ethernet.Carried(ethernet.IPV6, 4, None)
    assert ethernet.loopback(pack(f"{order}I", 2)).ethertype == ethernet.IPV4
    assert ethernet.loopback(pack(f"{order}I", 99)).ethertype == ethernet.UNKNOWN


@pytest.mark.parametrize("read", READERS)
@given(data=st.binary(max_size=64))
def test_any_bytes_give_a_place_inside_or_a_parse_error(read: Any, data: bytes) -> None:
    try:
        carried = read(data)
    except ParseError:
        return
    assert 0 <= carried.start <= len(data)
