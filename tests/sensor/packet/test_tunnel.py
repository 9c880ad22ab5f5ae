from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import tunnel
from appliance.sensor.packet.cursor import ParseError
from appliance.sensor.packet.tunnel import Inner


def pppoe(payload: bytes, *, kind: int = 0x11, code: int = 0, length: int | None = None, protocol: int = 0x21) -> bytes:
    return pack("!BBHHH", kind, code, 7, len(payload) + 2 if length is None else length, protocol) + payload


def vxlan(payload: bytes, *, flags: int = 8, reserved: int = 0) -> bytes:
    return bytes((flags, 0, 0, 0, 0, 0, 5, reserved)) + payload


@pytest.mark.parametrize("protocol", [0x21, 0x57])
def test_pppoe(protocol: int) -> None:
    data = b"--" + pppoe(b"packet", protocol=protocol)
    assert tunnel.pppoe(data + b"padding", 2) == Inner(False, 10, 16)
    assert tunnel.pppoe(pppoe(b"cut", length=900), 0) == Inner(False, 8, 11)
    assert tunnel.pppoe(pppoe(b"none", length=0), 0) == Inner(False, 8, 8)


@pytest.mark.parametrize("data", [pppoe(b"x", kind=0x12), pppoe(b"x", code=9), pppoe(b"x", protocol=0xC021)])
def test_other_pppoe_carries_nothing_that_is_read(data: bytes) -> None:
    assert tunnel.pppoe(data, 0) is None


@pytest.mark.parametrize(
    ("flags", "optional"), [(0, 0), (0x8000, 4), (0x2000, 4), (0x1000, 4), (0xA000, 8), (0xB000, 12)]
)
def test_gre(flags: int, optional: int) -> None:
    data = b"-" + pack("!HH", flags, 0x0800) + bytes(optional) + b"packet"
    assert tunnel.gre(data, 1, len(data)) == Inner(False, 5 + optional, len(data))
    bridged = data[:3] + b"\x65\x58" + data[5:]
    assert tunnel.gre(bridged, 1, len(data) - 1) == Inner(True, 5 + optional, len(data) - 1)
    with pytest.raises(ParseError):
        tunnel.gre(data, 1, 4 + optional)


@pytest.mark.parametrize(("flags", "protocol"), [(1, 0x880B), (0x4000, 0x0800), (0, 0x88BE)])
def test_other_gre_carries_nothing_that_is_read(flags: int, protocol: int) -> None:
    assert tunnel.gre(pack("!HH", flags, protocol) + bytes(20), 0, 24) is None


def test_vxlan() -> None:
    data = b"-" + vxlan(b"frame")
    assert tunnel.vxlan(data, 1, len(data)) == Inner(True, 9, 14)


@pytest.mark.parametrize("data", [vxlan(b"x", flags=0), vxlan(b"x", reserved=1), vxlan(b""), b"\x08short"])
def test_what_only_uses_the_port(data: bytes) -> None:
    assert tunnel.vxlan(data, 0, len(data)) is None


@pytest.mark.parametrize("name", ["pppoe", "gre", "vxlan"])
@given(data=st.binary(max_size=40), start=st.sampled_from([b"", b"\x11\0\0\0\0", b"\x08\0\0\0", b"\0\0\x65\x58"]))
def test_any_bytes_give_a_place_inside_or_a_parse_error(name: str, data: bytes, start: bytes) -> None:
    whole = start + data
    reader = getattr(tunnel, name)
    try:
        inner = reader(whole, 0) if name == "pppoe" else reader(whole, 0, len(whole))
    except ParseError:
        return
    assert inner is None or 0 <= inner.start <= inner.end <= len(whole)
