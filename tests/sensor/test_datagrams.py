from __future__ import annotations

from struct import pack
from typing import Any

import pytest

from appliance.messages import Via
from appliance.sensor.datagrams import is_group
from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import FIRST_OCTETS, Fact, FlowBegan, FlowOpened, Heard, Kind, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.packet import dns, nbns, ssdp

NB_QUESTION = pack("!HHHHHH", 7, 0x0110, 1, 0, 0, 0) + b"\x20" + b"CA" * 16 + b"\0" + pack("!HH", 0x20, 1)
NB_ANSWER = pack("!HHHHHH", 7, 0x8500, 0, 1, 0, 0) + NB_QUESTION[12:46] + pack("!HHIHH", 0x20, 1, 60, 6, 0) + bytes(4)
SEARCH = b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n"
FOUND = b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n"


@pytest.fixture
def dissector() -> Dissector:
    return Dissector()


def fed(dissector: Dissector, build: Any, data: bytes, *, sport: int, dport: int, dst: str = "192.0.2.9") -> list[Fact]:
    return dissector.feed(build.frame(build.ipv4(build.udp(data, sport=sport, dport=dport), protocol=17, dst=dst)))


@pytest.mark.req("R11")
@pytest.mark.parametrize(
    ("data", "port", "expected"),
    [
        (None, 53, (Kind.DNS, Via.DNS, dns.Message)),
        (None, 5353, (Kind.MDNS, Via.MDNS, dns.Message)),
        (None, 5355, (Kind.LLMNR, Via.LLMNR, dns.Message)),
        (NB_QUESTION, 137, (Kind.NBNS, Via.NBNS, nbns.Message)),
        (SEARCH, 1900, (Kind.SSDP, Via.SSDP, ssdp.Message)),
    ],
)
def test_messages_to_a_known_port(
    dissector: Dissector, build: Any, data: bytes | None, port: int, expected: tuple[Kind, Via, type]
) -> None:
    (fact,) = fed(dissector, build, data or build.question("tv.local"), sport=40000, dport=port)
    assert isinstance(fact, MessageHeard)
    assert (fact.kind, fact.via, type(fact.message)) == expected
    assert (fact.src, fact.dport) == ("192.0.2.7", port)
    assert dissector.counters(Tap.FLOW).flows == 0


@pytest.mark.req("R11")
@pytest.mark.parametrize(
    ("data", "port", "kind"),
    [
        (None, 53, Kind.DNS),
        (None, 5353, Kind.MDNS),
        (None, 5355, Kind.LLMNR),
        (NB_ANSWER, 137, Kind.NBNS),
        (FOUND, 1900, Kind.SSDP),
    ],
)
def test_answers_from_a_known_port(dissector: Dissector, build: Any, data: bytes | None, port: int, kind: Kind) -> None:
    (fact,) = fed(dissector, build, data or build.question(flags=0x8180), sport=port, dport=40000)
    assert isinstance(fact, MessageHeard)
    assert (fact.kind, fact.sport, fact.dport) == (kind, port, 40000)


@pytest.mark.parametrize(
    ("data", "port"), [(None, 5353), (NB_QUESTION, 137), (SEARCH, 1900), (b"something else", 5355), (b"", 53)]
)
def test_what_else_comes_from_such_a_port_is_a_flow(
    dissector: Dissector, build: Any, data: bytes | None, port: int
) -> None:
    """Any program may choose its own source port: only an answer shows the service."""
    facts = fed(dissector, build, build.question() if data is None else data, sport=port, dport=40000)
    assert [type(fact) for fact in facts] == ([FlowBegan, FlowOpened] if data != b"" else [FlowBegan])
    assert dissector.counters(Tap.FLOW).unparsed == 0


@pytest.mark.parametrize(
    ("port", "via"), [(53, Via.DNS), (137, Via.NBNS), (1900, Via.SSDP), (5353, Via.MDNS), (5355, Via.LLMNR)]
)
def test_what_no_parser_could_read_is_counted(dissector: Dissector, build: Any, port: int, via: Via) -> None:
    (fact,) = fed(dissector, build, b"?", sport=40000, dport=port)
    assert fact == Heard(ts=1000.0, tap=Tap.FLOW, mac=build.phone.hex(":"), via=via, src="192.0.2.7")
    assert dissector.counters(Tap.FLOW).unparsed == 1


@pytest.mark.parametrize(
    ("data", "port", "cut"),
    [
        (SEARCH[:-2] + b"A: b\r\n" * (ssdp.MAX_HEADERS - 1) + b"\r\n", 1900, 0),
        (SEARCH[:-2] + b"A: b\r\n" * ssdp.MAX_HEADERS + b"\r\n", 1900, 1),
        (SEARCH[:-2] + b"no field\r\n" * ssdp.MAX_HEADERS * 2 + b"\r\n", 1900, 1),
        (SEARCH + bytes(ssdp.MAX_OCTETS), 1900, 1),
        (NB_ANSWER, 137, 0),
        (NB_ANSWER[:6] + b"\0\x05" + NB_ANSWER[8:], 137, 1),
    ],
)
def test_a_message_over_a_bound_is_counted(dissector: Dissector, build: Any, data: bytes, port: int, cut: int) -> None:
    (fact,) = fed(dissector, build, data, sport=40000, dport=port)
    assert isinstance(fact, MessageHeard)
    assert isinstance(fact.message, nbns.Message | ssdp.Message)
    assert fact.message.complete is (cut == 0)
    assert dissector.counters(Tap.FLOW).overflow == cut


def test_a_flow_that_goes_on_begins_once_and_after_a_silence_again(dissector: Dissector, build: Any) -> None:
    packet = build.ipv4(build.udp(b"x", sport=5, dport=9), protocol=17)
    began = [ts for ts in [*range(0, 400, 7), 475] if dissector.feed(build.frame(packet, ts=1000.0 + ts))]
    assert began == [0, 475]


@pytest.mark.req("R11")
@pytest.mark.parametrize("dst", ["224.0.0.251", "255.255.255.255"])
def test_a_device_that_says_something_else_to_a_group_is_still_seen(dissector: Dissector, build: Any, dst: str) -> None:
    data = build.initial(build.crypto(0, build.hello()))
    (fact,) = fed(dissector, build, data, sport=40000, dport=5353, dst=dst)
    assert (type(fact), fact.via, fact.src) == (Heard, Via.MDNS, "192.0.2.7")


@pytest.mark.parametrize("dst", ["239.255.0.7", "255.255.255.255"])
def test_what_is_said_to_all_begins_no_flow(dissector: Dissector, build: Any, dst: str) -> None:
    assert fed(dissector, build, b"hello", sport=40000, dport=9999, dst=dst) == []
    assert dissector.counters(Tap.FLOW).flows == 0
    (fact,) = fed(dissector, build, SEARCH, sport=40000, dport=1900, dst=dst)
    assert isinstance(fact, MessageHeard)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("224.0.0.251", True),
        ("239.255.255.250", True),
        ("255.255.255.255", True),
        ("192.0.2.255", False),
        ("240.0.0.1", False),
        ("ff02::fb", True),
        ("2001:db8::1", False),
        ("fe80::1", False),
    ],
)
def test_groups(build: Any, address: str, group: bool) -> None:
    assert is_group(build.address(address)) is group


INITIATION = b"\x01\0\0\0" + bytes(range(7, 7 + 128)) + bytes(16)


@pytest.mark.req("R11")
def test_a_flow_that_no_parser_reads_opens_once_with_its_first_octets(dissector: Dissector, build: Any) -> None:
    first = bytes(range(256)) + b"tail"
    frame = build.frame(build.ipv4(build.udp(first, sport=5, dport=9), protocol=17))
    _, opened = dissector.feed(frame)
    assert isinstance(opened, FlowOpened)
    assert (opened.protocol, opened.first, opened.length) == (17, first[:FIRST_OCTETS], 260)
    assert dissector.feed(frame) == []
    back = build.ipv4(build.udp(b"answer", sport=9, dport=5), protocol=17, src="198.51.100.9", dst="192.0.2.7")
    assert dissector.feed(build.frame(back)) == []


@pytest.mark.parametrize("first", [b"", INITIATION, b"\xc0\0\0\0\x01\x08" + bytes(60)])
def test_what_a_parser_reads_or_may_read_does_not_open_so(dissector: Dissector, build: Any, first: bytes) -> None:
    facts = fed(dissector, build, first, sport=5, dport=9)
    assert not [fact for fact in facts if isinstance(fact, FlowOpened)]


@pytest.mark.req("R11")
def test_a_tunnel_that_shakes_hands_again_is_heard_again(dissector: Dissector, build: Any) -> None:
    frames = [
        build.frame(build.ipv4(build.udp(data, sport=5, dport=51820), protocol=17), ts=1000.0 + at)
        for at, data in ((0, INITIATION), (1, bytes(148)), (5, b"\x04\0\0\0" + bytes(144)), (120, INITIATION))
    ]
    shaken = [
        fact.ts
        for frame in frames
        for fact in dissector.feed(frame)
        if isinstance(fact, MessageHeard) and fact.kind is Kind.HANDSHAKE
    ]
    assert shaken == [1000.0, 1120.0]


@pytest.mark.req("R11")
def test_a_sealed_tunnel_between_two_begins_once(dissector: Dissector, build: Any) -> None:
    there = build.frame(build.ipv4(b"\0\0\x10\x01" + bytes(60), protocol=50))
    back = build.frame(build.ipv4(bytes(64), protocol=50, src="198.51.100.9", dst="192.0.2.7"))
    (began,) = dissector.feed(there)
    assert isinstance(began, FlowBegan)
    assert (began.protocol, began.sport, began.dport, began.dst) == (50, 0, 0, "198.51.100.9")
    assert dissector.feed(there) == dissector.feed(back) == []
    assert dissector.feed(build.frame(build.ipv4(bytes(64), protocol=50, dst="224.0.0.5"))) == []


@pytest.mark.req("R11", "N11")
@pytest.mark.parametrize(("tap", "hops"), [(Tap.FLOW, 65), (Tap.DNS, 64), (Tap.FILE, 64)])
def test_hops_are_told_as_the_device_s_frame_had_them(build: Any, tap: Tap, hops: int) -> None:
    """Where packets are forwarded the kernel has taken one off already."""
    began = Dissector().feed(build.frame(build.ipv4(build.udp(b"x", dport=9), protocol=17), tap=tap))[0]
    assert isinstance(began, FlowBegan)
    assert began.hops == hops
    six = Dissector().feed(build.frame(build.ipv6(build.udp(b"x", dport=9), protocol=17), tap=tap))[0]
    assert isinstance(six, FlowBegan)
    assert six.hops == 255
