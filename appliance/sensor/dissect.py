"""From a frame to facts.

Enters: frames of any tap. Leaves: facts, in the order of the frame's layers. Whatever the bytes
are, nothing is raised; what no parser could read is counted.
Bounded: flows as `streams` says, `MAX_DATAGRAM_FLOWS` UDP five-tuples remembered for
`DATAGRAM_FLOW_AGE` seconds of packet time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from appliance.messages import How, Via
from appliance.sensor.facts import (
    ArpHeard,
    ClientHelloHeard,
    Dhcp4Heard,
    DnsHeard,
    Fact,
    FlowBegan,
    Heard,
    NeighbourHeard,
)
from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.packet import arp, dhcp4, dns, ethernet, icmp6, ip, quic, tcp, tls, udp
from appliance.sensor.packet.cursor import Cursor, ParseError
from appliance.sensor.streams import QuicFlows, Reader, TcpStreams
from appliance.sensor.table import AgedTable

MAX_DATAGRAM_FLOWS = 32768
"""UDP five-tuples remembered; one pushed out early is counted, since it may be taken for new again."""
DATAGRAM_FLOW_AGE = 60.0

_LINKS = {
    LinkType.ETHERNET: ethernet.ethernet,
    LinkType.RAW_IP: ethernet.raw,
    LinkType.NULL: ethernet.loopback,
    LinkType.SLL: ethernet.cooked_v1,
    LinkType.SLL2: ethernet.cooked_v2,
}
_DNS_PORT = 53
# By destination port only: any program may choose its own source port.
_SERVICES = {
    _DNS_PORT: Via.DNS,
    67: Via.DHCP,
    68: Via.DHCP,
    137: Via.NBNS,
    1900: Via.SSDP,
    5353: Via.MDNS,
    5355: Via.LLMNR,
}
_UNSPECIFIED = frozenset({bytes(4), bytes(16)})
_SYN_ONLY = tcp.SYN
_SYN_OR_ACK = tcp.SYN | tcp.ACK


@dataclass(slots=True, kw_only=True)
class Counters:
    """What one tap delivered since the start, and what became of it."""

    frames: int = 0
    octets: int = 0
    """As captured, after the tap's snap length."""
    unparsed: int = 0
    """Frames or streams no parser could read."""
    overflow: int = 0
    """What went over a bound and was counted instead of kept."""
    flows: int = 0
    """TCP SYNs, and first datagrams of UDP five-tuples (not of DNS, DHCP and LAN chatter)."""


class Dissector:
    """Reads frames; keeps only what is needed to join a hello or a DNS message over several."""

    def __init__(self) -> None:
        self._counters = {tap: Counters() for tap in Tap}
        self._hellos = TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))
        self._questions = TcpStreams(Reader(may_begin=dns.may_begin, read=dns.read_stream))
        self._quic = QuicFlows()
        self._datagram_flows: AgedTable[bytes, bool] = AgedTable(bound=MAX_DATAGRAM_FLOWS, age=DATAGRAM_FLOW_AGE)

    def feed(self, frame: Frame) -> list[Fact]:
        """What a frame says; an empty list when it says nothing new, or cannot be read."""
        counters = self._counters[frame.tap]
        counters.frames += 1
        counters.octets += len(frame.data)
        try:
            carried = _LINKS[frame.link](frame.data)
            mac = frame.source_mac or carried.mac
            name = mac.hex(":") if mac else None
            if carried.ethertype == ethernet.IPV4:
                return self._internet(frame, name, ip.parse_v4(frame.data, carried.start), counters)
            if carried.ethertype == ethernet.IPV6:
                return self._internet(frame, name, ip.parse_v6(frame.data, carried.start), counters)
            if carried.ethertype == ethernet.ARP:
                return _arp(frame, name, carried.start)
        except ParseError:
            counters.unparsed += 1
        return []

    def counters(self, tap: Tap) -> Counters:
        """Counters of a tap, a copy. Flow tables serve all taps: their overflow is told with the tap they are for."""
        base = self._counters[tap]
        flows = tap in {Tap.FLOW, Tap.FILE}
        questions = tap in {Tap.DNS, Tap.FILE}
        return Counters(
            frames=base.frames,
            octets=base.octets,
            unparsed=base.unparsed
            + (self._hellos.unread + self._quic.unread if flows else 0)
            + (self._questions.unread if questions else 0),
            overflow=base.overflow
            + (self._hellos.overflow + self._quic.overflow + self._datagram_flows.overflow if flows else 0)
            + (self._questions.overflow if questions else 0),
            flows=base.flows,
        )

    def _internet(self, frame: Frame, mac: str | None, packet: ip.Packet, counters: Counters) -> list[Fact]:
        if packet.later_fragment:
            return []  # no transport header: the first fragment has said who talks to whom
        if packet.protocol == ip.TCP:
            return self._tcp(frame, mac, packet, counters)
        if packet.protocol == ip.UDP:
            return self._udp(frame, mac, packet, counters)
        if packet.protocol == ip.ICMP6:
            return _neighbour(frame, mac, packet)
        return []

    def _tcp(self, frame: Frame, mac: str | None, packet: ip.Packet, counters: Counters) -> list[Fact]:
        segment = tcp.parse(frame.data, packet.start, packet.end)
        if segment.start == segment.end and segment.flags & _SYN_OR_ACK != _SYN_ONLY:
            return []
        key = packet.src + packet.dst + frame.data[packet.start : packet.start + 4]
        asks = _DNS_PORT in {segment.sport, segment.dport}
        talk = _Talk(frame, mac, packet, segment)
        facts: list[Fact] = []
        sequence = segment.sequence
        if segment.flags & _SYN_OR_ACK == _SYN_ONLY:
            counters.flows += 1
            self._hellos.begin(key, sequence, frame.ts)
            if asks:
                self._questions.begin(key, sequence, frame.ts)
            facts.append(_began(talk))
            sequence += 1  # TCP Fast Open (RFC 7413): data may ride on the SYN
        if segment.start == segment.end:
            return facts
        data = Cursor(frame.data, segment.start, segment.end).rest()
        hellos = self._hellos.segment(key, sequence, data, frame.ts)
        facts.extend(_hello(talk, How.TLS, hello) for hello in hellos)
        if asks:
            messages = self._questions.segment(key, sequence, data, frame.ts)
            facts.extend(_dns(talk, Via.DNS, message) for message in messages)
        return facts

    def _udp(self, frame: Frame, mac: str | None, packet: ip.Packet, counters: Counters) -> list[Fact]:
        datagram = udp.parse(frame.data, packet.start, packet.end)
        payload = Cursor(frame.data, datagram.start, datagram.end)
        talk = _Talk(frame, mac, packet, datagram)
        via = _SERVICES.get(datagram.dport)
        if via is not None:
            try:
                return [_service(talk, via, payload)]
            except ParseError:
                if not quic.may_begin(payload.data, datagram.start):
                    counters.unparsed += 1
                    return [Heard(ts=frame.ts, tap=frame.tap, mac=mac, via=via, src=_sender(packet.src))]
        elif datagram.sport == _DNS_PORT and (answer := _answer(talk, payload)) is not None:
            return [answer]
        ports = frame.data[packet.start : packet.start + 4]
        key = packet.src + packet.dst + ports
        facts: list[Fact] = []
        if self._is_new(key, packet.dst + packet.src + ports[2:] + ports[:2], frame.ts):
            counters.flows += 1
            facts.append(_began(talk))
        if quic.may_begin(frame.data, datagram.start):
            data = Cursor(frame.data, datagram.start, datagram.end).rest()
            facts.extend(_hello(talk, How.QUIC, hello) for hello in self._quic.datagram(key, data, frame.ts))
        return facts

    def _is_new(self, key: bytes, reverse: bytes, ts: float) -> bool:
        if self._datagram_flows.get(key, ts):
            return False
        new = not self._datagram_flows.get(reverse, ts)
        self._datagram_flows.put(key, True, ts)
        return new


def sender(frame: Frame) -> str | None:
    """The hardware address that sent a frame; None if it has none, or its link header cannot be read."""
    if frame.source_mac:
        return frame.source_mac.hex(":")
    try:
        mac = _LINKS[frame.link](frame.data).mac
    except ParseError:
        return None
    return mac.hex(":") if mac else None


class _Talk(NamedTuple):
    """Who sent what to whom; a tuple because one is made for every packet that may say something."""

    frame: Frame
    mac: str | None
    packet: ip.Packet
    ports: tcp.Segment | udp.Datagram


def _sender(address: bytes) -> str | None:
    return None if address in _UNSPECIFIED else ip.text(address)


def _began(talk: _Talk) -> FlowBegan:
    frame, mac, packet, ports = talk
    return FlowBegan(
        ts=frame.ts,
        tap=frame.tap,
        mac=mac,
        via=Via.FLOW,
        src=_sender(packet.src),
        sport=ports.sport,
        dst=ip.text(packet.dst),
        dport=ports.dport,
        protocol=packet.protocol,
    )


def _hello(talk: _Talk, how: How, hello: tls.ClientHello) -> ClientHelloHeard:
    frame, mac, packet, ports = talk
    return ClientHelloHeard(
        ts=frame.ts,
        tap=frame.tap,
        mac=mac,
        via=Via.FLOW,
        src=_sender(packet.src),
        sport=ports.sport,
        dst=ip.text(packet.dst),
        dport=ports.dport,
        how=how,
        hello=hello,
    )


def _dns(talk: _Talk, via: Via, message: dns.Message) -> DnsHeard:
    frame, mac, packet, ports = talk
    return DnsHeard(
        ts=frame.ts,
        tap=frame.tap,
        mac=mac,
        via=via,
        src=_sender(packet.src),
        sport=ports.sport,
        dst=ip.text(packet.dst),
        dport=ports.dport,
        message=message,
    )


def _service(talk: _Talk, via: Via, payload: Cursor) -> Fact:
    frame, mac, packet, ports = talk
    if via is Via.DHCP:
        return Dhcp4Heard(
            ts=frame.ts,
            tap=frame.tap,
            mac=mac,
            via=via,
            src=_sender(packet.src),
            sport=ports.sport,
            dst=ip.text(packet.dst),
            dport=ports.dport,
            message=dhcp4.parse(payload),
        )
    if via in {Via.DNS, Via.MDNS}:
        return _dns(talk, via, dns.parse(payload.rest()))
    return Heard(ts=frame.ts, tap=frame.tap, mac=mac, via=via, src=_sender(packet.src))


def _answer(talk: _Talk, payload: Cursor) -> DnsHeard | None:
    """A datagram from port 53 if it is an answer; any program may send from that port."""
    try:
        message = dns.parse(Cursor(payload.data, payload.position, payload.end).rest())
    except ParseError:
        return None
    return _dns(talk, Via.DNS, message) if message.response else None


def _arp(frame: Frame, mac: str | None, start: int) -> list[Fact]:
    packet = arp.parse(Cursor(frame.data, start))
    if packet is None:
        return []
    sender = packet.sender_mac.hex(":")
    return [
        ArpHeard(
            ts=frame.ts,
            tap=frame.tap,
            mac=mac or sender,
            via=Via.ARP,
            # A proxy, or a forger, speaks of another's address: then the frame shows no address of its sender.
            src=_sender(packet.sender_ip) if mac in {None, sender} else None,
            operation=packet.operation,
            sender_mac=sender,
            sender_ip=ip.text(packet.sender_ip),
            target_ip=ip.text(packet.target_ip),
        )
    ]


def _neighbour(frame: Frame, mac: str | None, packet: ip.Packet) -> list[Fact]:
    message = icmp6.parse(Cursor(frame.data, packet.start, packet.end))
    if message is None:
        return []
    claims = message.kind == icmp6.NEIGHBOUR_ADVERTISEMENT or packet.src in _UNSPECIFIED
    return [
        NeighbourHeard(
            ts=frame.ts,
            tap=frame.tap,
            mac=mac,
            via=Via.ND,
            # An advertisement, and a probe from the unspecified address (RFC 4862 section 5.4.2), claim the target.
            src=_sender(message.target) if claims and message.target else _sender(packet.src),
            kind=message.kind,
            target=ip.text(message.target) if message.target else None,
        )
    ]
