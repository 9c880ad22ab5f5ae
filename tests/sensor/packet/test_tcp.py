from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import tcp
from appliance.sensor.packet.cursor import ParseError


def test_header(build: Any) -> None:
    segment = tcp.parse(build.tcp(b"abc", sequence=9, flags=tcp.SYN, sport=5, dport=6), 0, 23)
    assert segment == tcp.Segment(5, 6, 9, tcp.SYN, 20, 23)


def test_options_are_passed_over(build: Any) -> None:
    data = bytearray(build.tcp(bytes(4) + b"abc"))
    data[12] = 0x60
    assert tcp.parse(bytes(data), 0, len(data)).start == 24


@pytest.mark.parametrize("offset", [0x00, 0x40, 0xF0])
def test_a_data_offset_outside_the_segment(build: Any, offset: int) -> None:
    data = bytearray(build.tcp(b"abc"))
    data[12] = offset
    with pytest.raises(ParseError):
        tcp.parse(bytes(data), 0, len(data))


@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    try:
        segment = tcp.parse(data, 0, len(data))
    except ParseError:
        return
    assert 20 <= segment.start <= segment.end == len(data)
