"""Who sent what to whom: what dissectors of datagrams and connections share.

Enters: a frame with its headers read. Leaves: facts. Bounded by the frame.
"""

from __future__ import annotations

from typing import NamedTuple

from appliance.messages import Via
from appliance.sensor.facts import FlowBegan, Heard, Kind, MessageHeard, Parsed
from appliance.sensor.frame import Frame
from appliance.sensor.packet import ip, tcp, udp

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
    )


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
