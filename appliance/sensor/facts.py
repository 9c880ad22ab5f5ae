"""What a frame says, without opinion: the dissector's output.

A fact knows no authority, no list and no registration. Each names the frame's time, tap and
sender (`mac`: text, None where the tap has no hardware address). Addresses are canonical text.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.messages import How, Via
from appliance.sensor.frame import Tap
from appliance.sensor.packet import dhcp4, dns, tls


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Common part of all facts; by itself: a device spoke, in a protocol of which no more is read."""

    ts: float
    """Time of the frame, Unix seconds."""
    tap: Tap
    mac: str | None
    via: Via
    src: str | None = None
    """The sender's IP address, None where the frame has none (0.0.0.0 and :: count as none)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArpHeard(Heard):
    """An ARP packet; `src` is the sender's protocol address if the packet speaks of its own sender."""

    operation: int
    """1 request, 2 reply."""
    sender_mac: str
    sender_ip: str
    target_ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourHeard(Heard):
    """An IPv6 neighbour-discovery message; `src` is the address the sender claims."""

    kind: int
    """ICMPv6 type, 133 to 136."""
    target: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow(Heard):
    sport: int
    dst: str
    dport: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowBegan(_Flow):
    """A TCP SYN, or the first datagram of a UDP five-tuple."""

    protocol: int
    """6 TCP, 17 UDP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dhcp4Heard(_Flow):
    """A DHCPv4 message of a client or a server."""

    message: dhcp4.Message


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsHeard(_Flow):
    """A DNS message, unicast or multicast (`via` tells)."""

    message: dns.Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHelloHeard(_Flow):
    """A ClientHello; `how` says whether TLS or QUIC carried it."""

    how: How
    hello: tls.ClientHello


Fact = Heard | ArpHeard | NeighbourHeard | FlowBegan | Dhcp4Heard | DnsHeard | ClientHelloHeard
