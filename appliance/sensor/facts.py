"""What a frame says, without opinion: the dissector's output.

A fact knows no authority, no list and no registration. Each names the frame's time, tap and
sender (`mac`: text, None where the tap has no hardware address). Addresses are canonical text.
Facts and frames are structs, not dataclasses: some are made for every packet, in a tenth of the time.
"""

from __future__ import annotations

import msgspec

from appliance.messages import How, Via
from appliance.sensor.frame import Tap
from appliance.sensor.packet import dhcp4, dns, tls


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Common part of all facts; by itself: a device spoke, in a protocol of which no more is read."""

    ts: float
    """Time of the frame, Unix seconds."""
    tap: Tap
    mac: str | None
    via: Via
    src: str | None = None
    """The sender's IP address, None where the frame has none (0.0.0.0 and :: count as none)."""


class ArpHeard(Heard, frozen=True, kw_only=True):
    """An ARP packet; `src` is the sender's protocol address if the packet speaks of its own sender."""

    operation: int
    """1 request, 2 reply."""
    sender_mac: str
    sender_ip: str
    target_ip: str


class NeighbourHeard(Heard, frozen=True, kw_only=True):
    """An IPv6 neighbour-discovery message; `src` is the address the sender claims."""

    kind: int
    """ICMPv6 type, 133 to 136."""
    target: str | None


class _Flow(Heard, frozen=True, kw_only=True):
    sport: int
    dst: str
    dport: int


class FlowBegan(_Flow, frozen=True, kw_only=True):
    """A TCP SYN, or the first datagram of a UDP five-tuple."""

    protocol: int
    """6 TCP, 17 UDP."""


class Dhcp4Heard(_Flow, frozen=True, kw_only=True):
    """A DHCPv4 message of a client or a server."""

    message: dhcp4.Message


class DnsHeard(_Flow, frozen=True, kw_only=True):
    """A DNS message, unicast or multicast (`via` tells)."""

    message: dns.Message


class ClientHelloHeard(_Flow, frozen=True, kw_only=True):
    """A ClientHello; `how` says whether TLS or QUIC carried it."""

    how: How
    hello: tls.ClientHello


Fact = Heard | ArpHeard | NeighbourHeard | FlowBegan | Dhcp4Heard | DnsHeard | ClientHelloHeard
