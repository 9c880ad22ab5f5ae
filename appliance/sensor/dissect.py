"""From a frame to facts: link and network layer here, datagrams and connections in their own modules.

Enters: frames of any tap. Leaves: facts, in the order of the frame's layers. Whatever the bytes
are, nothing is raised; what no parser could read is counted.
Bounded: as `datagrams` and `connections` say.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages import Via
from appliance.sensor.connections import Connections
from appliance.sensor.datagrams import Datagrams
from appliance.sensor.facts import ArpHeard, Fact, NeighbourHeard
from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.packet import arp, ethernet, icmp6, ip, tcp, udp
from appliance.sensor.packet.cursor import Cursor, ParseError
from appliance.sensor.talk import Talk
from appliance.sensor.talk import sender as _sender

_LINKS = {
    LinkType.ETHERNET: ethernet.ethernet,
    LinkType.RAW_IP: ethernet.raw,
    LinkType.NULL: ethernet.loopback,
    LinkType.SLL: ethernet.cooked_v1,
    LinkType.SLL2: ethernet.cooked_v2,
}
_UNSPECIFIED = frozenset({bytes(4), bytes(16)})


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
    """Reads frames; each tap has its own state, so that its counters speak of it alone."""

    def __init__(self) -> None:
        self._counters = {tap: Counters() for tap in Tap}
        self._connections = {tap: Connections() for tap in Tap}
        self._datagrams = {tap: Datagrams() for tap in Tap}

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
                return self._internet(frame, name, ip.parse_v4(frame.data, carried.start))
            if carried.ethertype == ethernet.IPV6:
                return self._internet(frame, name, ip.parse_v6(frame.data, carried.start))
            if carried.ethertype == ethernet.ARP:
                return _arp(frame, name, carried.start)
        except ParseError:
            counters.unparsed += 1
        return []

    def counters(self, tap: Tap) -> Counters:
        """Counters of a tap, a copy."""
        base, datagrams, connections = self._counters[tap], self._datagrams[tap], self._connections[tap]
        return Counters(
            frames=base.frames,
            octets=base.octets,
            unparsed=base.unparsed + datagrams.unread + connections.unread,
            overflow=base.overflow + datagrams.overflow + connections.overflow,
            flows=datagrams.began + connections.began,
        )

    def _internet(self, frame: Frame, mac: str | None, packet: ip.Packet) -> list[Fact]:
        if packet.later_fragment:
            return []  # no transport header: the first fragment has said who talks to whom
        if packet.protocol == ip.TCP:
            segment = tcp.parse(frame.data, packet.start, packet.end)
            return self._connections[frame.tap].feed(Talk(frame, mac, packet, segment))
        if packet.protocol == ip.UDP:
            datagram = udp.parse(frame.data, packet.start, packet.end)
            return self._datagrams[frame.tap].feed(Talk(frame, mac, packet, datagram))
        if packet.protocol == ip.ICMP6:
            return _neighbour(frame, mac, packet)
        return []


def sender(frame: Frame) -> str | None:
    """The hardware address that sent a frame; None if it has none, or its link header cannot be read."""
    if frame.source_mac:
        return frame.source_mac.hex(":")
    try:
        mac = _LINKS[frame.link](frame.data).mac
    except ParseError:
        return None
    return mac.hex(":") if mac else None


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
            message=message,
        )
    ]
