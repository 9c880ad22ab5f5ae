"""From a frame to facts: link and network layer here, datagrams and connections in their own modules.

Enters: frames of any tap. Leaves: facts, in the order of the frame's layers. Whatever the bytes
are, nothing is raised; what no parser could read is counted. Of a datagram in fragments the first
shows who speaks, and the whole is read when it is there.
Frames inside frames (PPPoE, GRE, VXLAN, IP in IP) are read from capture files only: on the live path
a device's tunnel is itself what is to be seen. Of their outer headers nothing is told.
Bounded: `MAX_NESTING` frames inside one another; else as `datagrams`, `connections` and `fragments` say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.messages import Via
from appliance.sensor.connections import Connections
from appliance.sensor.datagrams import Datagrams
from appliance.sensor.facts import ArpHeard, Fact, Heard, NeighbourHeard
from appliance.sensor.fragments import Fragments
from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.hidden import HiddenNames
from appliance.sensor.packet import arp, ethernet, icmp6, ip, tcp, tunnel, udp
from appliance.sensor.packet.cursor import Cursor, ParseError
from appliance.sensor.talk import Talk
from appliance.sensor.talk import sender as _sender

MAX_NESTING = 4
"""Frames inside one another that are read, and datagrams put together from fragments among them."""

_LINKS = {
    LinkType.ETHERNET: ethernet.ethernet,
    LinkType.RAW_IP: ethernet.raw,
    LinkType.NULL: ethernet.loopback,
    LinkType.SLL: ethernet.cooked_v1,
    LinkType.SLL2: ethernet.cooked_v2,
}


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


_Read = tuple[list[Fact], Frame | None]
"""What a frame says, and the frame that was inside it or that it completed."""


def _ip_inside(_: bytes, start: int, end: int) -> tunnel.Inner:
    return tunnel.Inner(False, start, end)


def _udp_inside(data: bytes, start: int, end: int) -> tunnel.Inner | None:
    if data[start + 2 : start + 4] != _VXLAN_PORT:
        return None
    datagram = udp.parse(data, start, end)
    return tunnel.vxlan(data, datagram.start, datagram.end)


_TUNNELS: dict[int, Callable[[bytes, int, int], tunnel.Inner | None]] = {
    ip.GRE: tunnel.gre,
    ip.IPV4_INSIDE: _ip_inside,
    ip.IPV6_INSIDE: _ip_inside,
    ip.UDP: _udp_inside,
}
_VXLAN_PORT = tunnel.VXLAN_PORT.to_bytes(2, "big")


class Dissector:
    """Reads frames; each tap has its own state, so that its counters speak of it alone."""

    def __init__(self) -> None:
        self._counters = {tap: Counters() for tap in Tap}
        # One tap hears the DNS, another the hellos.
        hidden = HiddenNames()
        self._connections = {tap: Connections(hidden) for tap in Tap}
        self._datagrams = {tap: Datagrams(hidden) for tap in Tap}
        self._fragments = {tap: Fragments() for tap in Tap}

    def feed(self, frame: Frame) -> list[Fact]:
        """What a frame says; an empty list when it says nothing new, or cannot be read."""
        counters = self._counters[frame.tap]
        counters.frames += 1
        counters.octets += len(frame.data)
        facts: list[Fact] = []
        try:
            for _ in range(MAX_NESTING + 1):
                more, inner = self._read(frame)
                if inner is None:
                    return facts + more if facts else more
                facts += more
                frame = inner
        except ParseError:
            counters.unparsed += 1
            return facts
        counters.overflow += 1
        return facts

    def counters(self, tap: Tap) -> Counters:
        """Counters of a tap, a copy."""
        base, datagrams, connections = self._counters[tap], self._datagrams[tap], self._connections[tap]
        return Counters(
            frames=base.frames,
            octets=base.octets,
            unparsed=base.unparsed + datagrams.unread + connections.unread,
            overflow=base.overflow + datagrams.overflow + connections.overflow + self._fragments[tap].overflow,
            flows=datagrams.began + connections.began,
        )

    def _read(self, frame: Frame) -> _Read:
        carried = _LINKS[frame.link](frame.data)
        mac = frame.source_mac or carried.mac
        name = mac.hex(":") if mac else None
        if carried.ethertype == ethernet.IPV4:
            return self._internet(frame, name, ip.parse_v4(frame.data, carried.start))
        if carried.ethertype == ethernet.IPV6:
            return self._internet(frame, name, ip.parse_v6(frame.data, carried.start))
        if carried.ethertype == ethernet.ARP:
            return _arp(frame, name, carried.start), None
        if carried.ethertype == ethernet.PPPOE and frame.tap is Tap.FILE:
            return [], _inside(frame, mac, tunnel.pppoe(frame.data, carried.start))
        return [], None

    def _internet(self, frame: Frame, mac: str | None, packet: ip.Packet) -> _Read:
        if packet.fragment is not None:
            return self._fragment(frame, mac, packet)
        if frame.tap is Tap.FILE and (inner := _tunnelled(frame, mac, packet)) is not None:
            return [], inner
        if packet.protocol == ip.TCP:
            segment = tcp.parse(frame.data, packet.start, packet.end)
            return self._connections[frame.tap].feed(Talk(frame, mac, packet, segment)), None
        if packet.protocol == ip.UDP:
            datagram = udp.parse(frame.data, packet.start, packet.end)
            return self._datagrams[frame.tap].feed(Talk(frame, mac, packet, datagram)), None
        if packet.protocol == ip.ICMP6:
            return _control(frame, mac, packet), None
        return self._sealed(frame, mac, packet), None

    def _sealed(self, frame: Frame, mac: str | None, packet: ip.Packet) -> list[Fact]:
        if packet.protocol != ip.ESP:
            return []
        whole = udp.Datagram(0, 0, packet.start, packet.end)
        return self._datagrams[frame.tap].sealed(Talk(frame, mac, packet, whole))

    def _fragment(self, frame: Frame, mac: str | None, packet: ip.Packet) -> _Read:
        whole = self._fragments[frame.tap].feed(frame.data, packet, frame.ts)
        # Later parts say nothing by themselves: anybody may send such, and the first has shown its sender.
        facts = [] if packet.later_fragment else [_spoke(frame, mac, packet, Via.FLOW)]
        if whole is None:
            return facts, None
        return facts, _framed(frame, _octets(mac), LinkType.RAW_IP, whole)


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


def _control(frame: Frame, mac: str | None, packet: ip.Packet) -> list[Fact]:
    message = icmp6.parse(Cursor(frame.data, packet.start, packet.end))
    if message is None:
        # A message that could be read is not empty.
        return [_spoke(frame, mac, packet, Via.ND)] if frame.data[packet.start] in icmp6.SHOWN else []
    source = _sender(packet.src)
    claims = message.kind == icmp6.NEIGHBOUR_ADVERTISEMENT or source is None
    return [
        NeighbourHeard(
            ts=frame.ts,
            tap=frame.tap,
            mac=mac,
            via=Via.ND,
            # An advertisement, and a probe from the unspecified address (RFC 4862 section 5.4.2), claim the target.
            src=_sender(message.target) if claims and message.target else source,
            kind=message.kind,
            target=ip.text(message.target) if message.target else None,
            message=message,
        )
    ]


def _spoke(frame: Frame, mac: str | None, packet: ip.Packet, via: Via) -> Heard:
    return Heard(ts=frame.ts, tap=frame.tap, mac=mac, via=via, src=_sender(packet.src))


def _tunnelled(frame: Frame, mac: str | None, packet: ip.Packet) -> Frame | None:
    opened = _TUNNELS.get(packet.protocol)
    return _inside(frame, _octets(mac), opened(frame.data, packet.start, packet.end)) if opened else None


def _inside(frame: Frame, mac: bytes | None, inner: tunnel.Inner | None) -> Frame | None:
    """The frame in a tunnel, with the outer one's sender if it names none itself."""
    if inner is None:
        return None
    data = frame.data[inner.start : inner.end]
    return (
        _framed(frame, None, LinkType.ETHERNET, data) if inner.ethernet else _framed(frame, mac, LinkType.RAW_IP, data)
    )


def _framed(frame: Frame, mac: bytes | None, link: LinkType, data: bytes) -> Frame:
    return Frame(ts=frame.ts, tap=frame.tap, link=link, data=data, source_mac=mac, port=frame.port)


def _octets(mac: str | None) -> bytes | None:
    return bytes.fromhex(mac.replace(":", "")) if mac else None
