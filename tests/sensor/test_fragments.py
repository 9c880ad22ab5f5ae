from __future__ import annotations

from itertools import permutations
from random import Random
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor import fragments
from appliance.sensor.fragments import AGE, MAX_DATAGRAMS, MAX_PIECES, Fragments
from appliance.sensor.packet import ethernet, ip
from appliance.sensor.packet.cursor import ParseError

Piece = tuple[int, bytes, bool]
"""Offset, content, more to come."""
PAYLOAD = bytes(range(60))
PIECES: list[Piece] = [(0, PAYLOAD[:24], True), (24, PAYLOAD[24:48], True), (48, PAYLOAD[48:], False)]


def feed(
    held: Fragments, build: Any, pieces: list[Piece], *, v6: bool = False, number: int = 1, ts: float = 0.0
) -> list[bytes]:
    """Payloads that the pieces make whole."""
    found = []
    for offset, content, more in pieces:
        if v6:
            header = bytes((17, 0)) + pack("!HI", offset | more, number)
            data, ethertype = build.ipv6(header + content, protocol=44), ethernet.IPV6
        else:
            plain = build.ipv4(content, protocol=17, offset=offset // 8 | (0x2000 if more else 0))
            data, ethertype = plain[:4] + pack("!H", number) + plain[6:], ethernet.IPV4
        whole = held.feed(data, ip.parse(data, 0, ethertype), ts)
        if whole is not None:
            packet = ip.parse(whole, 0, ethertype)
            assert (packet.protocol, packet.fragment) == (17, None)
            assert packet.src == ip.parse(data, 0, ethertype).src
            found.append(whole[packet.start : packet.end])
    return found


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_parts_in_any_order(build: Any, order: tuple[int, ...], *, v6: bool) -> None:
    held = Fragments()
    assert feed(held, build, [PIECES[at] for at in order], v6=v6) == [PAYLOAD]
    assert (len(held), held.overflow) == (0, 0)


def test_a_whole_packet_is_none_of_ours(build: Any) -> None:
    data = build.ipv4(b"x", protocol=17)
    assert Fragments().feed(data, ip.parse_v4(data, 0), 0.0) is None


def test_datagrams_do_not_mix(build: Any) -> None:
    held = Fragments()
    assert feed(held, build, PIECES[:2], number=1) == []
    assert feed(held, build, PIECES[2:], number=2) == []
    assert len(held) == 2
    assert feed(held, build, PIECES[2:], number=1) == [PAYLOAD]


@pytest.mark.parametrize("v6", [False, True])
def test_what_comes_twice_unchanged_is_forgiven(build: Any, *, v6: bool) -> None:
    pieces = [PIECES[0], PIECES[0], PIECES[2], PIECES[2], PIECES[1]]
    assert feed(Fragments(), build, pieces, v6=v6) == [PAYLOAD]


@pytest.mark.req("N8")
@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize(
    "bad",
    [
        (0, b"X" * 24, True),
        (16, b"X" * 16, True),
        (8, PAYLOAD[8:16], True),
        (24, b"X" * 7, True),
        (24, b"", False),
        (8, b"X" * 8, False),
    ],
)
def test_what_overlaps_or_contradicts_ends_the_datagram(build: Any, bad: Piece, *, v6: bool) -> None:
    held = Fragments()
    assert feed(held, build, [PIECES[0], bad, *PIECES], v6=v6) == []
    assert held.refused == 1


@pytest.mark.parametrize("bad", [(48, b"X" * 16, True), (72, b"X" * 8, True), (64, b"X", False), (24, b"X", False)])
def test_nothing_lies_behind_the_end(build: Any, bad: Piece) -> None:
    held = Fragments()
    assert feed(held, build, [PIECES[0], PIECES[2], bad, PIECES[1]]) == []
    assert held.refused == 1


def test_an_end_before_what_is_known(build: Any) -> None:
    held = Fragments()
    assert feed(held, build, [(48, b"X" * 8, True), (24, b"X" * 8, False)]) == []
    assert held.refused == 1


def test_a_part_cut_by_the_snap_length(build: Any) -> None:
    held = Fragments()
    data = build.ipv4(PAYLOAD[:24], protocol=17, offset=0x2000)[:-8]
    assert held.feed(data, ip.parse_v4(data, 0), 0.0) is None
    assert feed(held, build, PIECES) == []
    assert held.refused == 1


def test_octets_are_bounded(build: Any) -> None:
    held = Fragments()
    assert feed(held, build, [(65528, b"X" * 8, False)]) == []
    assert held.refused == 1


def test_pieces_are_bounded(build: Any) -> None:
    held = Fragments()
    pieces = [(8 * at, b"X" * 8, at < MAX_PIECES - 1) for at in range(MAX_PIECES)]
    assert feed(held, build, pieces) == [b"X" * 8 * MAX_PIECES]
    pieces = [(8 * at, b"X" * 8, at < MAX_PIECES) for at in range(MAX_PIECES + 1)]
    assert feed(held, build, pieces) == []
    assert held.refused == 1


def test_datagrams_are_bounded(build: Any) -> None:
    held = Fragments()
    for number in range(MAX_DATAGRAMS + 5):
        feed(held, build, PIECES[:1], number=number)
    assert (len(held), held.overflow) == (MAX_DATAGRAMS, 5)


def test_datagrams_are_forgotten_by_packet_time_from_their_first_part_on(build: Any) -> None:
    held = Fragments()
    assert feed(held, build, PIECES[:1], ts=0.0) == []
    assert feed(held, build, PIECES[1:2], ts=AGE - 1) == []
    assert feed(held, build, PIECES[2:], ts=AGE + 1) == []
    assert feed(held, build, PIECES[:2], ts=AGE + 2) == [PAYLOAD]


def test_memory_is_bounded(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MAX_OCTETS", 64)
    held = Fragments()
    assert feed(held, build, [(64, b"X" * 8, True)]) == []
    assert held.refused == 1
    assert all(not waiting.pieces for _, waiting in held._waiting._entries.values())


@given(st.integers(0, 2**32), st.booleans())
def test_any_cut_of_any_payload(build: Any, seed: int, v6: bool) -> None:
    random = Random(seed)  # noqa: S311 (the seed is the example)
    payload = random.randbytes(random.randrange(9, 600))
    cuts = sorted({0, *(8 * random.randrange(len(payload) // 8 + 1) for _ in range(5))} - {len(payload)})
    ends = [*cuts[1:], len(payload)]
    pieces = [(start, payload[start:end], end != len(payload)) for start, end in zip(cuts, ends, strict=True)]
    random.shuffle(pieces)
    if len(pieces) > 1:
        assert feed(Fragments(), build, pieces, v6=v6) == [payload]


@given(st.lists(st.binary(max_size=80), max_size=12), st.booleans())
def test_any_bytes(build: Any, pieces: list[bytes], v6: bool) -> None:
    held = Fragments()
    for piece in pieces:
        data = build.ipv6(piece, protocol=44) if v6 else build.ipv4(b"", protocol=17)[:4] + piece.ljust(60, b"\1")
        try:
            packet = ip.parse(data, 0, ethernet.IPV6 if v6 else ethernet.IPV4)
        except ParseError:
            continue
        whole = held.feed(data, packet, 0.0)
        assert whole is None or len(whole) <= 65535 + 40
    assert len(held) <= len(pieces)
