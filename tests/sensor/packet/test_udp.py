from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import udp
from appliance.sensor.packet.cursor import ParseError


def test_header(build: Any) -> None:
    assert udp.parse(build.udp(b"abc", sport=5, dport=6), 0, 11) == udp.Datagram(5, 6, 8, 11)


def test_length_field_ends_the_data(build: Any) -> None:
    assert udp.parse(build.udp(b"abc") + b"pad", 0, 14).end == 11


def test_length_zero_and_a_cut_frame_go_as_far_as_the_frame() -> None:
    assert udp.parse(pack("!HHHH", 1, 2, 0, 0) + b"abc", 0, 11).end == 11
    assert udp.parse(pack("!HHHH", 1, 2, 900, 0) + b"abc", 0, 11).end == 11


@pytest.mark.parametrize("data", [bytes(7), pack("!HHHH", 1, 2, 7, 0)])
def test_broken(data: bytes) -> None:
    with pytest.raises(ParseError):
        udp.parse(data, 0, len(data))


@given(st.binary(max_size=20))
def test_any_bytes(data: bytes) -> None:
    try:
        datagram = udp.parse(data, 0, len(data))
    except ParseError:
        return
    assert 8 == datagram.start <= datagram.end <= len(data)
