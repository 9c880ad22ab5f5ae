from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import arp
from appliance.sensor.packet.cursor import Cursor, ParseError


def test_request(build: Any) -> None:
    packet = arp.parse(Cursor(build.arp()))
    assert packet is not None
    assert packet.operation == 1
    assert packet.sender_mac == build.phone
    assert packet.sender_ip == bytes((192, 0, 2, 7))
    assert packet.target_ip == bytes((192, 0, 2, 1))


def test_other_hardware_says_nothing(build: Any) -> None:
    assert arp.parse(Cursor(b"\x00\x06" + build.arp()[2:])) is None


def test_cut_short_anywhere(build: Any) -> None:
    whole = build.arp()
    for end in range(len(whole)):
        with pytest.raises(ParseError):
            arp.parse(Cursor(whole, 0, end))


@given(st.binary(max_size=40))
def test_any_bytes(data: bytes) -> None:
    try:
        packet = arp.parse(Cursor(data))
    except ParseError:
        return
    assert packet is None or len(packet.sender_mac) == 6
