from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import icmp6
from appliance.sensor.packet.cursor import Cursor, ParseError


@pytest.mark.parametrize("kind", [133, 134])
def test_router_messages_have_no_target(kind: int) -> None:
    assert icmp6.parse(Cursor(bytes((kind, 0, 0, 0)))) == icmp6.Message(kind=kind, target=None)


@pytest.mark.parametrize("kind", [135, 136])
def test_neighbour_messages_name_a_target(kind: int) -> None:
    target = bytes(range(16))
    assert icmp6.parse(Cursor(bytes((kind, 0, 0, 0)) + bytes(4) + target)) == icmp6.Message(kind=kind, target=target)


def test_other_messages_say_nothing() -> None:
    assert icmp6.parse(Cursor(bytes((128, 0, 0, 0)))) is None


@given(st.binary(max_size=30))
def test_any_bytes(data: bytes) -> None:
    try:
        message = icmp6.parse(Cursor(data))
    except ParseError:
        return
    assert message is None or message.target is None or len(message.target) == 16
