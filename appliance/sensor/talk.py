"""Who sent what to whom: what dissectors of datagrams and connections share.

Enters: a frame with its headers read. Leaves: facts. Bounded by the frame.
"""

from __future__ import annotations

from typing import NamedTuple

from appliance.messages import Via
from appliance.sensor.facts import FIRST_OCTETS, FlowBegan, FlowOpened, Heard, Kind, MessageHeard, Parsed
from appliance.sensor.frame import Frame, Tap
from appliance.sensor.packet import ip, tcp, udp

_IPV4_OCTETS = 4
_MOST_HOPS = 255
_UNSPECIFIED = frozenset({bytes(4), bytes(16)})


class Talk(NamedTuple):
    """A packet with its headers; a tuple because one is made for every packet that may say something."""

    frame: Frame
    mac: str | None
    packet: ip.Packet
    ports: tcp.Segment | udp.Datagram


def sender(address: bytes) -> str | None:
    """An address as text; None for the unspecified one."""
    return None if address in _UNSPECIFIED else ip.text(address)


def heard(talk: Talk, via: Via) -> Heard:
    """The device spoke; no more is read."""
    frame, mac, packet, _ = talk
    return Heard(ts=frame.ts, tap=frame.tap, mac=mac, via=via, src=sender(packet.src))


def began(talk: Talk) -> FlowBegan:
    """A flow begins with this packet."""
    frame, mac, packet, ports = talk
    return FlowBegan(
        ts=frame.ts,
        tap=frame.tap,
        mac=mac,
        via=Via.FLOW,
        src=sender(packet.src),
        sport=ports.sport,
        dst=ip.text(packet.dst),
        dport=ports.dport,
        protocol=packet.protocol,
        hops=_hops(frame, packet),
    )


def opened(talk: Talk, data: bytes) -> FlowOpened:
    """A flow opens with these octets, which no parser could read."""
    frame, mac, packet, ports = talk
    return FlowOpened(
        ts=frame.ts,
        tap=frame.tap,
        mac=mac,
        via=Via.FLOW,
        src=sender(packet.src),
        sport=ports.sport,
        dst=ip.text(packet.dst),
        dport=ports.dport,
        protocol=packet.protocol,
        first=data[:FIRST_OCTETS],
        length=len(data),
    )


def _hops(frame: Frame, packet: ip.Packet) -> int:
    hops = frame.data[packet.header + (8 if len(packet.src) == _IPV4_OCTETS else 7)]
    # Where packets are forwarded, the kernel takes one off before it shows them (RFC 1812 section 5.3.1).
    return hops + 1 if frame.tap is Tap.FLOW and hops < _MOST_HOPS else hops


def is_of_resolver(talk: Talk) -> bool:
    """Whether an answer of the DNS is the router's own: its copies have no hardware address. A capture file is believed."""
    return talk.mac is None or talk.frame.tap is Tap.FILE


def message(talk: Talk, via: Via, kind: Kind, parsed: Parsed) -> MessageHeard:
    """A parser could read this."""
    frame, mac, packet, ports = talk
    return MessageHeard(
        ts=frame.ts,
        tap=frame.tap,
        mac=mac,
        via=via,
        src=sender(packet.src),
        sport=ports.sport,
        dst=ip.text(packet.dst),
        dport=ports.dport,
        kind=kind,
        message=parsed,
    )
