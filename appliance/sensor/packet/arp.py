"""ARP for IPv4 over Ethernet (RFC 826).

Enters: the ARP packet without its link header. Leaves: a `Packet`, or None for other hardware or
protocol types. Bounded: fixed size.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet.cursor import Cursor

_ARP = Struct("!HHBBH6s4s6s4s")
_FIXED = Struct("!HHBB")
_IPV4_OVER_ETHERNET = (1, 0x0800, 6, 4)


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """One ARP packet."""

    operation: int
    """1 request, 2 reply."""
    sender_mac: bytes
    sender_ip: bytes
    """0.0.0.0 in an address probe (RFC 5227 section 2.1.1)."""
    target_ip: bytes


def parse(cursor: Cursor) -> Packet | None:
    """Read an ARP packet.

    Raises:
        ParseError: it is cut short.
    """
    if cursor.unpack(_FIXED) != _IPV4_OVER_ETHERNET:
        return None
    cursor.position -= _FIXED.size
    *_, operation, sender_mac, sender_ip, _, target_ip = cursor.unpack(_ARP)
    return Packet(operation=operation, sender_mac=sender_mac, sender_ip=sender_ip, target_ip=target_ip)
