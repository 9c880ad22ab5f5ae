"""Frames inside frames, and datagrams in fragments: what is read from a capture, and what on the live path."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.dissect import MAX_NESTING, Dissector
from appliance.sensor.facts import Fact, FlowBegan, Heard, Kind, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.packet import dns

PHONE = "00:00:5e:00:53:01"


@pytest.fixture
def dissector() -> Dissector:
    return Dissector()


def kinds(facts: list[Fact]) -> list[Kind | type[Fact]]:
    """What facts are: the kind of a message, else the class."""
    return [fact.kind if isinstance(fact, MessageHeard) else type(fact) for fact in facts]


def fragments_of(build: Any, datagram: bytes, *, size: int = 24) -> list[bytes]:
    return [
        build.ipv4(datagram[at : at + size], protocol=17, offset=at // 8 | (0x2000 if at + size < len(datagram) else 0))
        for at in range(0, len(datagram), size)
    ]


@pytest.mark.req("R11")
def test_a_question_in_fragments_is_read_when_it_is_whole(dissector: Dissector, build: Any) -> None:
    first, *between, last = fragments_of(build, build.udp(build.question()))
    assert kinds(dissector.feed(build.frame(first))) == [Heard]
    for part in between:
        assert dissector.feed(build.frame(part)) == []
    (fact,) = dissector.feed(build.frame(last))
    assert isinstance(fact, MessageHeard)
    assert (fact.kind, fact.mac, fact.src, fact.dport) == (Kind.DNS, PHONE, "192.0.2.7", 53)
    assert isinstance(fact.message, dns.Message)
    assert fact.message.questions[0].name == "news.example"


def test_a_quic_hello_in_fragments(dissector: Dissector, build: Any) -> None:
    datagram = build.udp(build.initial(build.crypto(0, build.hello())), dport=443)
    found = [fact for part in fragments_of(build, datagram, size=400) for fact in dissector.feed(build.frame(part))]
    assert kinds(found) == [Heard, FlowBegan, Kind.QUIC_CLIENT_HELLO]


def test_fragments_in_ipv6(dissector: Dissector, build: Any) -> None:
    datagram = build.udp(build.question())
    for at, more in ((16, 0), (0, 1)):
        header = bytes((17, 0)) + pack("!HI", at | more, 7)
        part = build.ipv6(header + datagram[at : 16 if more else None], protocol=44)
        found = dissector.feed(build.frame(part))
    assert kinds(found) == [Heard, Kind.DNS]


def test_fragments_that_are_given_up_are_counted_with_their_tap(dissector: Dissector, build: Any) -> None:
    for part in fragments_of(build, build.udp(build.question()))[:1] * 2 + [
        build.ipv4(b"x" * 8, protocol=17, offset=1)
    ]:
        dissector.feed(build.frame(part))
    assert dissector.counters(Tap.FLOW).overflow == 1
    assert dissector.counters(Tap.DNS).overflow == 0


def tunnels(build: Any, inner: bytes) -> dict[str, bytes]:
    """The same IP packet carried in every way that is read."""
    framed = build.ethernet(inner, source=build.router)
    return {
        "pppoe": build.ethernet(pack("!BBHHH", 0x11, 0, 7, len(inner) + 2, 0x21) + inner, ethertype=0x8864),
        "gre": build.ethernet(build.ipv4(pack("!HH", 0, 0x0800) + inner, protocol=47)),
        "gre-bridged": build.ethernet(build.ipv4(pack("!HH", 0, 0x6558) + framed, protocol=47)),
        "vxlan": build.ethernet(
            build.ipv4(build.udp(b"\x08" + bytes(7) + framed, sport=50000, dport=4789), protocol=17)
        ),
        "ip-in-ip": build.ethernet(build.ipv4(inner, protocol=4)),
        "ip-in-ipv6": build.ethernet(build.ipv6(inner, protocol=4), ethertype=0x86DD),
        "snap": build.ethernet(b"\xaa\xaa\x03\0\0\0\x08\0" + inner, ethertype=len(inner) + 8),
    }


WAYS = ("pppoe", "gre", "gre-bridged", "vxlan", "ip-in-ip", "ip-in-ipv6", "snap")


@pytest.mark.req("R11")
@pytest.mark.parametrize("way", WAYS)
def test_a_frame_inside_a_frame_is_read_from_a_capture(dissector: Dissector, build: Any, way: str) -> None:
    inner = build.ipv4(build.udp(build.question()), protocol=17, src="203.0.113.5")
    (fact,) = dissector.feed(build.chatter(tunnels(build, inner)[way], tap=Tap.FILE))
    assert kinds([fact]) == [Kind.DNS]
    own = way in {"gre-bridged", "vxlan"}
    assert (fact.src, fact.mac) == ("203.0.113.5", "00:00:5e:00:53:fe" if own else PHONE)


@pytest.mark.parametrize("way", WAYS[:-1])
def test_a_tunnel_on_the_live_path_is_not_looked_into(dissector: Dissector, build: Any, way: str) -> None:
    inner = build.ipv4(build.udp(build.question()), protocol=17)
    facts = dissector.feed(build.chatter(tunnels(build, inner)[way], tap=Tap.WAN))
    assert Kind.DNS not in kinds(facts)


def test_ipv6_in_ipv4(dissector: Dissector, build: Any) -> None:
    inner = build.ipv6(build.udp(build.question()), protocol=17)
    facts = dissector.feed(build.frame(build.ipv4(inner, protocol=41), tap=Tap.FILE))
    assert kinds(facts) == [Kind.DNS]


def test_nesting_is_bounded(dissector: Dissector, build: Any) -> None:
    data = build.ipv4(build.udp(build.question()), protocol=17)
    for _ in range(MAX_NESTING):
        data = build.ipv4(data, protocol=4)
    assert kinds(dissector.feed(build.frame(data, tap=Tap.FILE))) == [Kind.DNS]
    assert dissector.counters(Tap.FILE).overflow == 0
    assert dissector.feed(build.frame(build.ipv4(data, protocol=4), tap=Tap.FILE)) == []
    assert dissector.counters(Tap.FILE).overflow == 1


def test_a_broken_frame_inside_a_good_one_is_counted(dissector: Dissector, build: Any) -> None:
    assert dissector.feed(build.frame(build.ipv4(b"\x45", protocol=4), tap=Tap.FILE)) == []
    assert dissector.counters(Tap.FILE).unparsed == 1


@given(
    data=st.binary(max_size=120),
    start=st.sampled_from(
        [
            b"\x11\0\0\0\0\x40\0\x21\x45",
            b"\0\0\x65\x58" + bytes(12) + b"\x08\0\x45",
            b"\x45\0\0\0\0\0\x20\0\x40\x11" + bytes(10),
            b"\x45\0\0\0\0\0\0\1\x40\x11" + bytes(10),
        ]
    ),
    protocol=st.sampled_from([4, 17, 41, 44, 47]),
)
def test_no_bytes_in_a_tunnel_raise(build: Any, data: bytes, start: bytes, protocol: int) -> None:
    dissector = Dissector()
    for packet in (
        build.ethernet(start + data, ethertype=0x8864),
        build.ethernet(build.ipv4(start + data, protocol=protocol)),
        build.ethernet(build.ipv6(start + data, protocol=protocol), ethertype=0x86DD),
    ):
        dissector.feed(build.chatter(packet, tap=Tap.FILE))
    assert dissector.counters(Tap.FILE).frames == 3
