from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet.assembly import MAX_GAPS, Assembly

PIECES = st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=12)), max_size=30)


def test_in_order_and_out_of_order() -> None:
    assembly = Assembly(100)
    assert assembly.add(3, b"def")
    assert assembly.run(0) == b""
    assert assembly.whole_to is None
    assert assembly.add(0, b"abc")
    assert assembly.run(0) == b"abcdef"
    assert assembly.run(4) == b"ef"
    assert assembly.whole_to == 6


def test_the_first_heard_stays_where_pieces_overlap() -> None:
    assembly = Assembly(100)
    assembly.add(2, b"CDE")
    assembly.add(0, b"abxyzfg")
    assert assembly.run(0) == b"abCDEfg"


def test_an_empty_piece_changes_nothing() -> None:
    assembly = Assembly(10)
    assert assembly.add(5, b"")
    assert assembly.run(0) == b""


def test_bound_of_octets() -> None:
    assembly = Assembly(4)
    assert not assembly.add(2, b"abc")
    assert not assembly.add(-1, b"a")
    assert assembly.add(0, b"abcd")
    assert assembly.run(0) == b"abcd"


def test_bound_of_gaps() -> None:
    assembly = Assembly(10_000)
    taken = [assembly.add(4 * number, b"x") for number in range(MAX_GAPS + 20)]
    assert taken == [True] * (MAX_GAPS + 1) + [False] * 19
    assert assembly.add(1, b"yyy"), "filling a gap is always possible"


@given(PIECES)
def test_as_a_plain_model_says(pieces: list[tuple[int, bytes]]) -> None:
    assembly = Assembly(50)
    model: dict[int, int] = {}
    for offset, piece in pieces:
        if assembly.add(offset, piece):
            for position, octet in enumerate(piece, offset):
                model.setdefault(position, octet)
    for start in range(51):
        run = assembly.run(start)
        assert run == bytes(model[position] for position in range(start, start + len(run)))
        assert start + len(run) not in model or not run
    known = max(model, default=-1) + 1
    assert assembly.whole_to == (known if known and len(model) == known else None)
