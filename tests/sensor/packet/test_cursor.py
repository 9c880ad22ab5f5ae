from __future__ import annotations

from struct import Struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet.cursor import Cursor, ParseError


def test_reads_forward_in_network_order() -> None:
    cursor = Cursor(bytes(range(1, 20)))
    assert cursor.u8() == 0x01
    assert cursor.u16() == 0x0203
    assert cursor.u24() == 0x040506
    assert cursor.u32() == 0x0708090A
    assert cursor.u16s(2) == (0x0B0C, 0x0D0E)
    assert cursor.unpack(Struct("!BH")) == (0x0F, 0x1011)
    assert cursor.rest() == b"\x12\x13"
    assert cursor.remaining == 0


def test_never_reads_outside_its_range() -> None:
    inner = Cursor(b"abcdef", 1, 4)
    assert inner.sub(2).rest() == b"bc"
    assert inner.remaining == 1
    with pytest.raises(ParseError):
        inner.take(2)
    assert inner.take(1) == b"d"
    with pytest.raises(ParseError):
        inner.u8()


def test_a_wrong_range_is_empty_not_wider() -> None:
    assert Cursor(b"abc", 9).remaining == 0
    assert Cursor(b"abc", 0, 99).rest() == b"abc"
    assert Cursor(b"abc", 2, 1).remaining == 0


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ParseError):
        Cursor(b"abc", 2).skip(-1)


@given(st.binary(max_size=40), st.lists(st.integers(-3, 50), max_size=12))
def test_position_never_leaves_the_range(data: bytes, counts: list[int]) -> None:
    cursor = Cursor(data)
    for count in counts:
        try:
            assert len(cursor.take(count)) == count
        except ParseError:
            assert count < 0 or count > cursor.remaining
        assert 0 <= cursor.position <= len(data)
