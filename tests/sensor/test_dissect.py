from __future__ import annotations

from collections.abc import Callable
from struct import pack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.messages import Via
from appliance.sensor import datagrams
from appliance.sensor.dissect import Dissector, sender
from appliance.sensor.facts import ArpHeard, Fact, FlowBegan, FlowOpened, Heard, Kind, MessageHeard, NeighbourHeard
from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.packet import dhcp4, dhcp6, dns, syn, tcp, tls

PHONE = "00:00:5e:00:53:01"


@pytest.fixture
def dissector() -> Dissector:
    return Dissector()


def kinds(facts: list[Fact]) -> list[Kind | type[Fact]]:
    """What facts are: the kind of a message, else the class."""
    return [fact.kind if isinstance(fact, MessageHeard) else type(fact) for fact in facts]


def hello(fact: Fact) -> tls.ClientHello:
    """The hello of a fact that has one."""
    assert isinstance(fact, MessageHeard)
    assert isinstance(fact.message, tls.ClientHello)
    return fact.message


def test_a_syn_begins_a_flow(dissector: Dissector, build: Any) -> None:
    fact, *_ = dissector.feed(build.frame(build.ipv4(build.tcp(flags=tcp.SYN), protocol=6)))
    assert fact == FlowBegan(
        ts=1000.0,
        tap=Tap.FLOW,
        mac=PHONE,
        via=Via.FLOW,
        src="192.0.2.7",
        sport=40000,
        dst="198.51.100.9",
        dport=443,
        protocol=6,
        hops=65,
    )
    assert dissector.counters(Tap.FLOW).flows == 1


@pytest.mark.parametrize("flags", [tcp.ACK, tcp.SYN | tcp.ACK, tcp.RST, tcp.FIN | tcp.ACK])
def test_other_empty_segments_say_nothing(dissector: Dissector, build: Any, flags: int) -> None:
    assert dissector.feed(build.frame(build.ipv4(build.tcp(flags=flags), protocol=6))) == []
    assert dissector.counters(Tap.FLOW).flows == 0


@pytest.mark.parametrize("syn_first", [True, False])
def test_a_hello_over_tcp(dissector: Dissector, build: Any, *, syn_first: bool) -> None:
    if syn_first:
        dissector.feed(build.frame(build.ipv6(build.tcp(flags=tcp.SYN), protocol=6)))
    stream = build.records(build.hello())
    assert dissector.feed(build.frame(build.ipv6(build.tcp(stream[:40], sequence=2), protocol=6))) == []
    (fact,) = dissector.feed(build.frame(build.ipv6(build.tcp(stream[40:], sequence=42), protocol=6)))
    assert isinstance(fact, MessageHeard)
    assert (fact.kind, hello(fact).sni) == (Kind.TLS_CLIENT_HELLO, "shop.example")
    assert (fact.src, fact.dport) == ("2001:db8::7", 443)


def test_a_hello_that_rides_on_the_syn(dissector: Dissector, build: Any) -> None:
    data = build.tcp(build.records(build.hello()), sequence=9, flags=tcp.SYN)
    facts = kinds(dissector.feed(build.frame(build.ipv4(data, protocol=6))))
    assert facts[0] is FlowBegan
    assert facts[-1] is Kind.TLS_CLIENT_HELLO


def test_a_hello_over_quic(dissector: Dissector, build: Any) -> None:
    datagram = build.udp(build.initial(build.crypto(0, build.hello())), dport=443)
    facts = dissector.feed(build.frame(build.ipv4(datagram, protocol=17)))
    assert kinds(facts) == [FlowBegan, Kind.QUIC_CLIENT_HELLO]
    assert hello(facts[1]).sni == "shop.example"


@pytest.mark.parametrize("dport", [53, 5353, 67])
def test_quic_to_a_port_of_another_service_is_read(dissector: Dissector, build: Any, dport: int) -> None:
    datagram = build.udp(build.initial(build.crypto(0, build.hello())), dport=dport)
    facts = dissector.feed(build.frame(build.ipv4(datagram, protocol=17)))
    assert kinds(facts) == [FlowBegan, Kind.QUIC_CLIENT_HELLO]


def test_a_datagram_flow_begins_once_and_its_answers_begin_none(dissector: Dissector, build: Any) -> None:
    there = build.frame(build.ipv4(build.udp(b"x", sport=5, dport=9), protocol=17))
    back = build.frame(build.ipv4(build.udp(b"y", sport=9, dport=5), protocol=17, src="198.51.100.9", dst="192.0.2.7"))
    assert [type(fact) for fact in dissector.feed(there)] == [FlowBegan, FlowOpened]
    assert dissector.feed(there) == []
    assert dissector.feed(back) == []
    assert dissector.feed(back) == []
    assert dissector.counters(Tap.FLOW).flows == 1


def test_remembered_datagram_flows_are_bounded(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "MAX_DATAGRAM_FLOWS", 8)
    dissector = Dissector()
    for port in range(1000, 1020):
        dissector.feed(build.frame(build.ipv4(build.udp(b"x", sport=port, dport=9), protocol=17)))
    counters = dissector.counters(Tap.FLOW)
    assert (counters.flows, counters.overflow) == (20, 12)
    assert dissector.counters(Tap.CHATTER).overflow == 0


def test_a_question_over_udp(dissector: Dissector, build: Any) -> None:
    frame = build.frame(build.ipv4(build.udp(build.question()), protocol=17), tap=Tap.DNS)
    (fact,) = dissector.feed(frame)
    assert isinstance(fact, MessageHeard)
    assert isinstance(fact.message, dns.Message)
    assert (fact.via, fact.kind) == (Via.DNS, Kind.DNS)
    assert fact.message.questions[0].name == "news.example"
    assert (fact.dst, fact.dport) == ("198.51.100.9", 53)


def test_an_answer_without_hardware_address(dissector: Dissector, build: Any) -> None:
    answer = build.udp(build.question(flags=0x8180), sport=53, dport=40000)
    (fact,) = dissector.feed(build.frame(build.ipv4(answer, protocol=17), tap=Tap.DNS, mac=None))
    assert isinstance(fact, MessageHeard)
    assert isinstance(fact.message, dns.Message)
    assert fact.message.response
    assert fact.mac is None


@pytest.mark.parametrize("payload", [b"short", None])
def test_port_53_as_a_source_port_hides_nothing(dissector: Dissector, build: Any, payload: bytes | None) -> None:
    data = payload or build.initial(build.crypto(0, build.hello()))
    facts = dissector.feed(build.frame(build.ipv4(build.udp(data, sport=53, dport=443), protocol=17)))
    assert isinstance(facts[0], FlowBegan)
    assert isinstance(facts[1], FlowOpened) == (payload is not None)


def test_questions_over_tcp(dissector: Dissector, build: Any) -> None:
    question = build.question()
    stream = 2 * (pack("!H", len(question)) + question)
    dissector.feed(build.frame(build.ipv4(build.tcp(flags=tcp.SYN, sequence=1, dport=53), protocol=6)))
    first = build.frame(build.ipv4(build.tcp(stream[:5], sequence=2, dport=53), protocol=6))
    second = build.frame(build.ipv4(build.tcp(stream[5:], sequence=7, dport=53), protocol=6))
    assert dissector.feed(first) == []
    facts = dissector.feed(second)
    assert kinds(facts) == [Kind.DNS, Kind.DNS]


def test_dhcp(dissector: Dissector, build: Any) -> None:
    datagram = build.udp(build.dhcp(b"\x35\x01\x01\xff"), sport=68, dport=67)
    packet = build.ipv4(datagram, protocol=17, src="0.0.0.0", dst="255.255.255.255")  # noqa: S104 (an address in a packet)
    (fact,) = dissector.feed(build.chatter(build.ethernet(packet)))
    assert isinstance(fact, MessageHeard)
    assert isinstance(fact.message, dhcp4.Message)
    assert (fact.mac, fact.src, fact.message.message_type) == (PHONE, None, 1)


@pytest.mark.req("R11")
@pytest.mark.parametrize(("kind", "dport"), [(1, 547), (7, 546)])
def test_dhcp_for_ipv6(dissector: Dissector, build: Any, kind: int, dport: int) -> None:
    data = bytes((kind, 1, 2, 3)) + b"\0\x06\0\x04\0\x17\0\x18"
    packet = build.ipv6(build.udp(data, sport=546, dport=dport), protocol=17, src="fe80::7", dst="ff02::1:2")
    (fact,) = dissector.feed(build.chatter(build.ethernet(packet, ethertype=0x86DD)))
    assert isinstance(fact, MessageHeard)
    assert isinstance(fact.message, dhcp6.Message)
    assert (fact.kind, fact.via, fact.src, fact.message.requested) == (Kind.DHCP6, Via.DHCP, "fe80::7", (23, 24))


@pytest.mark.req("R11")
def test_a_syn_says_how_its_system_opens_connections(dissector: Dissector, build: Any) -> None:
    facts = dissector.feed(build.frame(build.ipv6(build.tcp(flags=tcp.SYN), protocol=6)))
    assert kinds(facts) == [FlowBegan, Kind.TCP_SYN]
    assert isinstance(facts[1], MessageHeard)
    assert isinstance(facts[1].message, syn.Syn)
    assert facts[1].message.text == "6:255:1000,*:*::"


@pytest.mark.parametrize(("dport", "via"), [(67, Via.DHCP), (53, Via.DNS), (5353, Via.MDNS)])
def test_a_damaged_message_still_shows_its_sender(dissector: Dissector, build: Any, dport: int, via: Via) -> None:
    frame = build.chatter(build.ethernet(build.ipv4(build.udp(b"junk", dport=dport), protocol=17)))
    (fact,) = dissector.feed(frame)
    assert fact == Heard(ts=1000.0, tap=Tap.CHATTER, mac=PHONE, via=via, src="192.0.2.7")
    assert dissector.counters(Tap.CHATTER).unparsed == 1


def test_multicast_dns(dissector: Dissector, build: Any) -> None:
    datagram = build.udp(build.question("tv.local"), sport=5353, dport=5353)
    (fact,) = dissector.feed(build.chatter(build.ethernet(build.ipv4(datagram, protocol=17))))
    assert kinds([fact]) == [Kind.MDNS]
    assert fact.via is Via.MDNS


def test_arp(dissector: Dissector, build: Any) -> None:
    (fact,) = dissector.feed(build.chatter(build.ethernet(build.arp(), ethertype=0x0806)))
    assert isinstance(fact, ArpHeard)
    assert (fact.mac, fact.src, fact.target_ip) == (PHONE, "192.0.2.7", "192.0.2.1")


def test_an_arp_probe_shows_no_address(dissector: Dissector, build: Any) -> None:
    (fact,) = dissector.feed(build.chatter(build.ethernet(build.arp(ip=bytes(4)), ethertype=0x0806)))
    assert fact.src is None


def test_an_arp_packet_about_another_shows_no_address_of_its_sender(dissector: Dissector, build: Any) -> None:
    about = build.arp(sender=build.router)
    (fact,) = dissector.feed(build.chatter(build.ethernet(about, ethertype=0x0806)))
    assert isinstance(fact, ArpHeard)
    assert (fact.mac, fact.src, fact.sender_mac) == (PHONE, None, "00:00:5e:00:53:fe")


def test_arp_of_other_hardware(dissector: Dissector, build: Any) -> None:
    assert dissector.feed(build.chatter(build.ethernet(b"\0\x06" + build.arp()[2:], ethertype=0x0806))) == []


@pytest.mark.parametrize(
    ("kind", "src", "claimed"),
    [
        (135, "2001:db8::7", "2001:db8::7"),
        (135, "::", "2001:db8::99"),
        (136, "2001:db8::7", "2001:db8::99"),
        (133, "2001:db8::7", "2001:db8::7"),
        (133, "::", None),
    ],
)
def test_neighbour_discovery(dissector: Dissector, build: Any, kind: int, src: str, claimed: str | None) -> None:
    message = bytes((kind, 0, 0, 0)) + bytes(4) + build.address("2001:db8::99")
    packet = build.ipv6(message, protocol=58, src=src)
    (fact,) = dissector.feed(build.chatter(build.ethernet(packet, ethertype=0x86DD)))
    assert isinstance(fact, NeighbourHeard)
    assert (fact.mac, fact.src) == (PHONE, claimed)


@pytest.mark.req("R11")
@pytest.mark.parametrize("kind", [131, 132, 137, 143])
def test_a_multicast_report_or_a_redirect_shows_its_sender(dissector: Dissector, build: Any, kind: int) -> None:
    hop = bytes((58, 0, 5, 2, 0, 0, 1, 0))  # a router alert (RFC 3810 section 5)
    packet = build.ipv6(hop + bytes((kind, 0, 0, 0)) + bytes(4), protocol=0, src="fe80::7")
    (fact,) = dissector.feed(build.chatter(build.ethernet(packet, ethertype=0x86DD)))
    assert fact == Heard(ts=1000.0, tap=Tap.CHATTER, mac=PHONE, via=Via.ND, src="fe80::7")


def test_what_says_nothing(dissector: Dissector, build: Any) -> None:
    echo = build.ipv6(bytes((128, 0, 0, 0)), protocol=58)
    later = build.ipv4(b"\x9c\x40\x00\x35" + bytes(9), protocol=17, offset=9)
    for data in (echo, later, build.ipv4(b"", protocol=1)):
        assert dissector.feed(build.frame(data)) == []
    assert dissector.feed(build.chatter(build.ethernet(b"", ethertype=0x88CC))) == []
    assert dissector.counters(Tap.FLOW).unparsed == 0


def test_counters_are_kept_by_tap(dissector: Dissector, build: Any) -> None:
    dissector.feed(build.chatter(b"short"))
    dissector.feed(build.frame(build.ipv4(b"", protocol=1)))
    chatter, flow = dissector.counters(Tap.CHATTER), dissector.counters(Tap.FLOW)
    assert (chatter.frames, chatter.octets, chatter.unparsed) == (1, 5, 1)
    assert (flow.frames, flow.octets, flow.unparsed) == (1, 20, 0)
    flow.frames = 99
    assert dissector.counters(Tap.FLOW).frames == 1


def test_unread_streams_are_counted_with_their_tap(dissector: Dissector, build: Any) -> None:
    dissector.feed(build.frame(build.ipv4(build.tcp(b"\x16\x03\x01\0\x05\x01\xff\xff\xff\0"), protocol=6)))
    framed = b"\0\x0d" + bytes(4) + b"\0\x01" + bytes(6) + b"\x40"
    dissector.feed(build.frame(build.ipv4(build.tcp(framed, dport=53), protocol=6), tap=Tap.DNS))
    assert dissector.counters(Tap.FLOW).unparsed == 1
    assert dissector.counters(Tap.DNS).unparsed == 1
    assert dissector.counters(Tap.FILE).unparsed == 0


def test_sender(build: Any) -> None:
    assert sender(build.frame(b"")) == PHONE
    assert sender(build.chatter(build.ethernet(b""))) == PHONE
    assert sender(build.chatter(b"short")) is None
    assert sender(build.frame(b"\x45", mac=None)) is None


@given(
    data=st.binary(max_size=200),
    link=st.sampled_from(LinkType),
    tap=st.sampled_from(Tap),
    start=st.sampled_from([b"", b"\x45", b"\x60", bytes(12) + b"\x08\x00\x45", bytes(12) + b"\x08\x06"]),
)
def test_no_bytes_raise(data: bytes, link: LinkType, tap: Tap, start: bytes) -> None:
    Dissector().feed(Frame(ts=0.0, tap=tap, link=link, data=start + data))


@settings(max_examples=300)
@given(
    which=st.integers(0, 7),
    edits=st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), max_size=10),
    cut=st.integers(0, 1500),
)
def test_no_mutation_raises(
    build: Any, mutate: Callable[..., bytes], which: int, edits: list[tuple[int, int]], cut: int
) -> None:
    packets = (
        build.ipv4(build.tcp(build.records(build.hello())), protocol=6),
        build.ipv6(build.tcp(build.records(build.hello()), flags=tcp.SYN), protocol=6),
        build.ipv4(build.udp(build.initial(build.crypto(0, build.hello())), dport=443), protocol=17),
        build.ipv4(build.udp(build.question()), protocol=17),
        build.ipv6(build.udp(build.question("tv.local"), dport=5353), protocol=17),
        build.ipv4(build.udp(build.dhcp(b"\x35\x01\x01\x0c\x02tv\xff"), dport=67), protocol=17),
        build.ipv6(bytes((135, 0, 0, 0)) + bytes(24), protocol=58),
        build.ipv4(build.tcp(pack("!H", 30) + build.question(), dport=53), protocol=6),
    )
    Dissector().feed(build.frame(mutate(packets[which], edits)[: cut or None]))
