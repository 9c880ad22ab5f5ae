from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor import streams
from appliance.sensor.packet import tls
from appliance.sensor.streams import MAX_CANDIDATES, MAX_CONTENTS, MAX_FLOW, MAX_OPEN, Reader, TcpStreams

KEY = b"192.0.2.7 to 198.51.100.9"
ISN = 2**32 - 30  # so that every test passes the wrap of sequence numbers


@pytest.fixture
def flows() -> TcpStreams[tls.ClientHello]:
    return TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))


def play(
    flows: TcpStreams[tls.ClientHello], pieces: list[tuple[int, bytes]], *, syn: bool = True, ts: float = 0.0
) -> list[str | None]:
    """Names of the hellos found in (offset in the stream, data) pieces."""
    if syn:
        flows.begin(KEY, ISN, ts)
    found: list[str | None] = []
    for offset, data in pieces:
        found += [hello.sni for hello in flows.segment(KEY, (ISN + 1 + offset) % 2**32, data, ts)]
    return found


@pytest.fixture
def stream(build: Any) -> bytes:
    made: bytes = build.records(build.hello())
    return made


@pytest.mark.parametrize("syn", [True, False])
def test_a_hello_split_at_every_octet(stream: bytes, *, syn: bool) -> None:
    for cut in range(1, len(stream)):
        flows = TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))
        assert play(flows, [(0, stream[:cut]), (cut, stream[cut:])], syn=syn) == ["shop.example"]
        assert len(flows._open) == 0


def test_a_hello_split_at_every_octet_and_turned_round(stream: bytes) -> None:
    for cut in range(1, len(stream)):
        flows = TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))
        assert play(flows, [(cut, stream[cut:]), (0, stream[:cut])]) == ["shop.example"]


def test_one_octet_at_a_time(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    assert play(flows, [(at, stream[at : at + 1]) for at in range(len(stream))]) == ["shop.example"]


def test_every_order_of_parts(stream: bytes) -> None:
    cuts = [0, 9, 30, 50, len(stream)]
    parts = [(start, stream[start:end]) for start, end in pairwise(cuts)]
    for order in permutations(parts):
        flows = TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))
        assert play(flows, list(order)) == ["shop.example"]


def test_retransmitted_and_overlapping_parts(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    pieces = [(0, stream[:20]), (0, stream[:20]), (10, stream[10:40]), (5, stream[5:12]), (35, stream[35:])]
    assert play(flows, pieces) == ["shop.example"]


def test_a_retransmitted_hello_is_told_once(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    assert play(flows, [(0, stream), (0, stream), (0, stream[:30])]) == ["shop.example"]


def test_a_retransmission_with_new_octets_behind_it(flows: TcpStreams[tls.ClientHello], build: Any) -> None:
    greeting = b"CONNECT shop.example:443\r\n\r\n"
    stream = greeting + build.records(build.hello())
    assert play(flows, [(0, greeting), (0, stream)]) == ["shop.example"]


def test_a_hello_behind_a_proxy_greeting(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    assert play(flows, [(0, b"\x05\x01\x00"), (3, b"\x05\x01\x00\x01" + bytes(6)), (13, stream)]) == ["shop.example"]


def test_a_lost_segment_does_not_hide_a_hello_after_it(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    assert play(flows, [(500, stream)]) == ["shop.example"]
    assert play(flows, [(500 + len(stream), b"more")], syn=False) == []


def test_what_looks_like_a_hello_inside_a_hello_is_not_told(flows: TcpStreams[tls.ClientHello], build: Any) -> None:
    inner = build.records(build.hello(b"inner.example"))
    stream = build.records(build.hello(extensions=build.extension(0xABCD, inner) + build.sni(b"outer.example")))
    at = stream.index(inner)
    cuts = [0, at, at + len(inner), len(stream)]
    pieces = [(start, stream[start:end]) for start, end in pairwise(cuts)]
    assert play(flows, [pieces[2], pieces[0], pieces[1]]) == ["outer.example"]
    assert len(flows._open) == 0


def test_a_second_hello_of_the_same_connection(flows: TcpStreams[tls.ClientHello], build: Any, stream: bytes) -> None:
    again = bytes((20, 3, 3, 0, 1, 1)) + build.records(build.hello(b"again.example"))
    assert play(flows, [(0, stream), (len(stream), again)]) == ["shop.example", "again.example"]


def test_two_contents_in_one_segment(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    assert play(flows, [(0, stream + stream)]) == ["shop.example", "shop.example"]


def test_other_content_leaves_nothing_waiting(flows: TcpStreams[tls.ClientHello]) -> None:
    assert play(flows, [(0, b"GET / HTTP/1.1\r\n"), (16, b"Host: shop.example\r\n\r\n")]) == []
    assert len(flows._open) == 0


def test_without_its_beginning_other_content_leaves_no_trace(flows: TcpStreams[tls.ClientHello]) -> None:
    assert play(flows, [(0, b"something"), (9, b"else")], syn=False) == []
    assert len(flows._positions) == 0


def test_what_began_like_a_hello_and_was_none(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    broken = b"\x16\x03\x01\0\x05\x01\xff\xff\xff\0"
    assert play(flows, [(0, broken), (len(broken), stream)]) == ["shop.example"]
    assert flows.unread == 1


def test_a_new_connection_of_the_same_ports(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    assert play(flows, [(0, stream[:20])]) == []
    assert play(flows, [(0, stream)]) == ["shop.example"]


def test_first_heard_wins_where_overlaps_differ(flows: TcpStreams[tls.ClientHello], build: Any, stream: bytes) -> None:
    other = build.records(build.hello(b"SHOP.EVERYON"))
    assert len(other) == len(stream)
    assert play(flows, [(60, stream[60:]), (0, other)]) == [play_alone(stream)]


def play_alone(stream: bytes) -> str | None:
    read = tls.read_stream(stream)
    assert read is not None
    return read[0].sni


def test_octets_of_a_flow_are_bounded(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    flows.begin(KEY, ISN, 0)
    assert play(flows, [(100, b"x" * 1000)], syn=False) == []
    assert play(flows, [(MAX_FLOW, b"far away")], syn=False) == []
    assert flows.refused == 1
    assert flows.overflow == 1
    assert len(flows._open) == 0
    assert play(flows, [(MAX_FLOW + 8, stream)], syn=False) == ["shop.example"]


def test_a_hello_at_the_bound_gives_up_what_came_before(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    assert play(flows, [(100, b"x" * 1000), (MAX_FLOW, stream)]) == ["shop.example"]
    assert flows.overflow == 1


def test_a_merged_segment_larger_than_a_flow_is_read_at_its_head(
    flows: TcpStreams[tls.ClientHello], stream: bytes
) -> None:
    assert play(flows, [(0, stream + bytes(60_000))]) == ["shop.example"]
    assert flows.overflow == 0, "what came whole is not kept"
    assert play(flows, [(0, stream[:20]), (0, stream + bytes(60_000))]) == ["shop.example"]
    assert flows.overflow == 1


def test_places_where_content_may_begin_are_bounded(flows: TcpStreams[tls.ClientHello]) -> None:
    begun = b"\x16\x03\x01\x40\x00\x01\x00\x30\x00"
    pieces = [(50 + 20 * number, begun) for number in range(MAX_CANDIDATES + 5)]
    assert play(flows, pieces) == []
    (opened,) = (entry[1] for entry in flows._open._entries.values())
    assert len(opened.candidates) == MAX_CANDIDATES


def test_flows_with_octets_waiting_are_bounded(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    for number in range(MAX_OPEN + 7):
        assert flows.segment(b"%d" % number, 1, stream[:20], 0.0) == []
    assert len(flows._open) == MAX_OPEN
    assert flows.overflow == 7


def test_positions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_POSITIONS", 8)
    small: TcpStreams[tls.ClientHello] = TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))
    for number in range(30):
        small.begin(b"%d" % number, 1, 0.0)
    assert len(small._positions) == 8
    assert small.overflow == 0, "a position that is dropped costs no content"


def test_flows_are_forgotten_by_packet_time(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    assert play(flows, [(0, stream[:20])]) == []
    assert play(flows, [(20, stream[20:])], syn=False, ts=streams.FLOW_AGE + 1) == []


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-80, 400), st.binary(max_size=60), st.booleans()), max_size=25)
)
def test_any_segments(pieces: list[tuple[int, int, bytes, bool]]) -> None:
    flows = TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))
    for flow, offset, data, like_a_hello in pieces:
        flows.begin(bytes((flow,)), ISN, 0.0) if not data else None
        content = b"\x16\x03\x01" + data if like_a_hello else data
        flows.segment(bytes((flow,)), (ISN + offset) % 2**32, content or b"x", 0.0)


def test_a_hello_turned_round_whose_syn_was_not_heard(stream: bytes) -> None:
    for cut in range(6, len(stream)):
        flows = TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))
        assert play(flows, [(cut, stream[cut:]), (0, stream[:cut])], syn=False) == ["shop.example"]
        assert len(flows._early) == len(flows._open) == 0


def test_what_came_long_before_or_is_far_away_is_not_joined(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    assert play(flows, [(60, stream[60:])], syn=False) == []
    assert play(flows, [(0, stream[:60])], syn=False, ts=streams.EARLY_AGE + 1) == []
    other = TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))
    assert play(other, [(MAX_FLOW + 60, stream[60:]), (0, stream[:60])], syn=False) == []
    assert play(other, [(60, stream[60:])], syn=False) == ["shop.example"]


def test_contents_that_one_segment_completes_are_bounded(flows: TcpStreams[tls.ClientHello], stream: bytes) -> None:
    many = stream * (MAX_CONTENTS + 9)
    assert len(play(flows, [(0, many)])) == MAX_CONTENTS
    assert flows.refused == 1
    assert len(play(flows, [(20, many[20:]), (0, many[:20])])) == MAX_CONTENTS
    assert flows.refused == 2


def test_small_segments_kept_for_an_unknown_beginning_are_bounded(flows: TcpStreams[tls.ClientHello]) -> None:
    for at in range(100):
        flows.segment(KEY, at, b"x", 0.0)
    ((_, held),) = flows._early._entries.values()
    assert len(held) == streams.MAX_EARLY_PIECES


def test_segments_kept_for_an_unknown_beginning_are_bounded(flows: TcpStreams[tls.ClientHello]) -> None:
    for number in range(streams.MAX_EARLY + 9):
        for part in range(9):
            flows.segment(b"%d" % number, 1000 * part, b"x" * 1000, 0.0)
    assert len(flows._early) == streams.MAX_EARLY
    held = max(sum(len(piece) for _, piece in entry[1]) for entry in flows._early._entries.values())
    assert held <= streams.MAX_EARLY_OCTETS
    assert flows.overflow == 0, "a flow that is dropped here costs only what was out of order and had no SYN"
