from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.connections import MAX_SILENT
from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import Fact, FlowBegan, FlowOpened, Kind, MessageHeard
from appliance.sensor.frame import Frame, Tap
from appliance.sensor.packet import handshake, http, syn, tcp, tls
from appliance.sensor.packet.ech import Ech

REQUEST = b"GET /path HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Example/1.0\r\n\r\n"
OPENVPN = b"\0\x0e\x38" + b"session!" + bytes(5)
TORRENT = b"\x13BitTorrent protocol" + bytes(48)


@pytest.fixture
def dissector() -> Dissector:
    return Dissector()


def told(dissector: Dissector, frames: list[Frame]) -> list[MessageHeard]:
    facts: list[Fact] = [fact for frame in frames for fact in dissector.feed(frame)]
    return [fact for fact in facts if isinstance(fact, MessageHeard) and fact.kind is not Kind.TCP_SYN]


def segment(build: Any, data: bytes, *, at: int = 0, sport: int = 40000, dport: int = 443, flags: int = 0x18) -> Frame:
    packet = build.ipv4(build.tcp(data, sequence=101 + at, flags=flags, sport=sport, dport=dport), protocol=6)
    made: Frame = build.frame(packet)
    return made


def test_a_syn_says_what_system_sent_it(dissector: Dissector, build: Any) -> None:
    frame = build.frame(build.ipv4(build.tcp(sequence=100, flags=tcp.SYN), protocol=6))
    began, said = dissector.feed(frame)
    assert isinstance(began, FlowBegan)
    assert isinstance(said, MessageHeard)
    assert (said.kind, said.dport) == (Kind.TCP_SYN, 443)
    assert isinstance(said.message, syn.Syn)
    assert (said.message.version, said.message.ttl) == (4, 64)


@pytest.mark.parametrize("dport", [80, 443, 40000])
@pytest.mark.parametrize(
    ("words", "kind", "protocol"),
    [
        (REQUEST, Kind.HTTP_REQUEST, None),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Kind.HANDSHAKE, "ssh"),
        (TORRENT, Kind.HANDSHAKE, "bittorrent"),
        (OPENVPN, Kind.HANDSHAKE, "openvpn"),
    ],
)
def test_first_words_on_any_port_whole_and_cut(
    build: Any, words: bytes, kind: Kind, protocol: str | None, dport: int
) -> None:
    for cut in range(3, len(words), 5):
        for parts in ([(0, words)], [(0, words[:cut]), (cut, words[cut:])], [(cut, words[cut:]), (0, words[:cut])]):
            frames = [segment(build, b"", at=-1, dport=dport, flags=tcp.SYN)]
            frames += [segment(build, data, at=at, dport=dport) for at, data in parts]
            (fact,) = told(Dissector(), frames)
            assert fact.kind is kind
            if isinstance(fact.message, handshake.Handshake):
                assert fact.message.protocol == protocol


def test_a_request_keeps_no_path(dissector: Dissector, build: Any) -> None:
    (fact,) = told(dissector, [segment(build, REQUEST, dport=80)])
    assert fact.message == http.Request(method="GET", host="shop.example", user_agent="Example/1.0", version="1.1")


def test_requests_that_follow_each_other(dissector: Dissector, build: Any) -> None:
    frames = [segment(build, REQUEST + REQUEST, dport=80), segment(build, REQUEST, at=2 * len(REQUEST), dport=80)]
    assert [fact.kind for fact in told(dissector, frames)] == [Kind.HTTP_REQUEST] * 3


def test_a_hello_through_a_proxy(dissector: Dissector, build: Any) -> None:
    ask = b"CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n"
    hello = build.records(build.hello())
    for frames in (
        [segment(build, ask, dport=3128), segment(build, hello, at=len(ask), dport=3128)],
        [segment(build, ask + hello, sport=40001, dport=3128)],
    ):
        found = told(dissector, frames)
        assert [fact.kind for fact in found] == [Kind.HTTP_REQUEST, Kind.TLS_CLIENT_HELLO]


def test_what_began_and_was_none_is_counted(dissector: Dissector, build: Any) -> None:
    frames = [
        segment(build, b"GET / RTSP/1.0\r\n\r\n", sport=1),
        segment(build, b"SSH-9-x\r\n", sport=2),
        segment(build, b"\0\x0e\x38" + b"session!" + b"\1\1\1\1\1", sport=3),
    ]
    assert told(dissector, frames) == []
    assert dissector.counters(Tap.FILE).unparsed == 0
    assert dissector.counters(Tap.FLOW).unparsed == 3


def test_a_question_over_tcp_is_no_tunnel(dissector: Dissector, build: Any) -> None:
    question = build.question()
    data = pack("!H", len(question)) + b"\x38" + question[1:]
    (fact,) = told(dissector, [segment(build, data, dport=53)])
    assert fact.kind is Kind.DNS


def test_hidden_names_are_judged_over_connections(dissector: Dissector, build: Any) -> None:
    found: list[Ech] = []
    for number, config in enumerate((7, 91)):
        body = pack("!BHHBH", 0, 1, 1, config, 32) + bytes((number,)) + bytes(31) + pack("!H", 144) + bytes(144)
        hello = build.records(build.hello(extensions=build.sni(b"shop.example") + build.extension(0xFE0D, body)))
        for fact in told(dissector, [segment(build, hello, sport=40000 + number)]):
            assert isinstance(fact.message, tls.ClientHello)
            found.append(fact.message.ech)
    assert found == [Ech.UNKNOWN, Ech.GREASE]


def test_a_name_that_was_looked_up_is_not_hidden(dissector: Dissector, build: Any) -> None:
    body = pack("!BHHBH", 0, 1, 1, 7, 32) + bytes(32) + pack("!H", 144) + bytes(144)
    hello = build.records(build.hello(extensions=build.sni(b"Shop.example") + build.extension(0xFE0D, body)))
    asked = build.frame(build.ipv4(build.udp(build.question("shop.example")), protocol=17), tap=Tap.DNS)
    *_, fact = told(dissector, [asked, segment(build, hello)])
    assert isinstance(fact.message, tls.ClientHello)
    assert fact.message.ech is Ech.GREASE


def test_datagram_handshakes_are_told_once_for_each_side(dissector: Dissector, build: Any) -> None:
    ask = pack("!HH", 0x0001, 0) + b"\x21\x12\xa4\x42" + bytes(12)
    answer = pack("!HH", 0x0101, 0) + b"\x21\x12\xa4\x42" + bytes(12)
    there = build.frame(build.ipv4(build.udp(ask, sport=50000, dport=3478), protocol=17))
    back = build.frame(
        build.ipv4(build.udp(answer, sport=3478, dport=50000), protocol=17, src="198.51.100.9", dst="192.0.2.7")
    )
    found = told(dissector, [there, back, there, back])
    assert [fact.message.detail for fact in found if isinstance(fact.message, handshake.Handshake)] == [
        (("type", "binding-request"),),
        (("type", "binding-success"),),
    ]


@pytest.mark.parametrize("dport", [53, 443, 1194])
def test_a_tunnel_on_a_port_of_something_else(dissector: Dissector, build: Any, dport: int) -> None:
    frame = build.frame(build.ipv4(build.udp(OPENVPN[2:], sport=50000, dport=dport), protocol=17))
    (fact,) = told(dissector, [frame])
    assert isinstance(fact.message, handshake.Handshake)
    assert fact.message.protocol == "openvpn"


def test_a_dtls_hello(dissector: Dissector, build: Any) -> None:
    plain = build.hello()[4:]
    body = b"\xfe\xfd" + plain[2:35] + b"\0" + plain[35:]
    message = b"\x01" + len(body).to_bytes(3, "big") + bytes(5) + len(body).to_bytes(3, "big") + body
    data = pack("!BHHHIH", 22, 0xFEFD, 0, 0, 0, len(message)) + message
    (fact,) = told(dissector, [build.frame(build.ipv4(build.udp(data, dport=40000), protocol=17))])
    assert fact.kind is Kind.DTLS_CLIENT_HELLO
    assert isinstance(fact.message, tls.ClientHello)
    assert (fact.message.sni, fact.message.ja4[:3]) == ("shop.example", "dd2")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90), st.binary(max_size=60)), max_size=12))
def test_any_segments(build: Any, pieces: list[tuple[int, int, bytes]]) -> None:
    dissector = Dissector()
    for first, at, data in pieces:
        words = (b"", b"GET / HTTP/1.1\r\n", b"SSH-2.0-", b"\x13BitTorrent protocol")[first]
        dissector.feed(segment(build, words + data or b"x", at=at))
    assert dissector.counters(Tap.FLOW).frames == len(pieces)


@pytest.mark.req("R11")
def test_first_octets_that_no_parser_reads_are_shown_once_and_in_their_place(dissector: Dissector, build: Any) -> None:
    syn_frame = build.frame(build.ipv4(build.tcp(sequence=100, flags=tcp.SYN), protocol=6))
    later, first = segment(build, b"later", at=3), segment(build, b"\xa5\x5a\xff")
    facts = [fact for frame in (syn_frame, later, first, first, later) for fact in dissector.feed(frame)]
    (opened,) = [fact for fact in facts if isinstance(fact, FlowOpened)]
    assert (opened.protocol, opened.first, opened.length, opened.dport) == (6, b"\xa5\x5a\xff", 3, 443)


@pytest.mark.parametrize("words", [REQUEST, OPENVPN, b"SSH-2.0-OpenSSH_9.6\r\n", b"\x16\x03\x01\x02\0\x01\0\x01\xfc"])
def test_first_octets_that_a_parser_reads_are_not_shown(dissector: Dissector, build: Any, words: bytes) -> None:
    syn_frame = build.frame(build.ipv4(build.tcp(sequence=100, flags=tcp.SYN), protocol=6))
    facts = [*dissector.feed(syn_frame), *dissector.feed(segment(build, words))]
    assert not [fact for fact in facts if isinstance(fact, FlowOpened)]


def test_connections_that_stay_silent_are_bounded_and_counted(build: Any) -> None:
    dissector = Dissector()
    for number in range(MAX_SILENT + 3):
        packet = build.tcp(sequence=100, flags=tcp.SYN, sport=number % 60000, dport=443 + number // 60000)
        dissector.feed(build.frame(build.ipv4(packet, protocol=6)))
    assert dissector.counters(Tap.FLOW).overflow == 3
