"""Frames inside frames: PPPoE, GRE, VXLAN, IP in IP.

Enters: bytes and the range of what carries the tunnel. Leaves: an `Inner` that says what begins
where, or None where the tunnel carries nothing that is read here. Bounded: fixed headers; how deep
tunnels may be nested is for the caller to say.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet import ethernet
from appliance.sensor.packet.cursor import Cursor, ParseError

VXLAN_PORT = 4789

_PPPOE = Struct("!BBxxHH")
_PPPOE_SESSION = (0x11, 0)
_PPP = {0x0021: ethernet.IPV4, 0x0057: ethernet.IPV6}

_CHECKSUM, _ROUTING, _KEY, _SEQUENCE = 0x8000, 0x4000, 0x2000, 0x1000
_GRE_VERSION = 0x0007

_VXLAN = Struct("!BxxxxxxB")
_VXLAN_VALID = 0x08

_IP = frozenset({ethernet.IPV4, ethernet.IPV6})


class Inner(msgspec.Struct, frozen=True, gc=False):
    """What a tunnel carries."""

    ethernet: bool
    """A whole Ethernet frame; else an IP packet."""
    start: int
    end: int


def pppoe(data: bytes, start: int) -> Inner | None:
    """A PPPoE session packet (RFC 2516 section 4) behind its ethertype.

    Raises:
        ParseError: cut short.
    """
    cursor = Cursor(data, start)
    version, code, length, protocol = cursor.unpack(_PPPOE)
    if (version, code) != _PPPOE_SESSION or protocol not in _PPP:
        return None
    # The length counts the two octets of PPP protocol too.
    return Inner(False, cursor.position, min(cursor.position + max(length - 2, 0), cursor.end))


def gre(data: bytes, start: int, end: int) -> Inner | None:
    """A GRE packet (RFC 2784, RFC 2890); that of PPTP and of source routing are not read.

    Raises:
        ParseError: cut short.
    """
    cursor = Cursor(data, start, end)
    flags, protocol = cursor.u16(), cursor.u16()
    if flags & (_ROUTING | _GRE_VERSION):
        return None
    for present in (_CHECKSUM, _KEY, _SEQUENCE):
        if flags & present:
            cursor.skip(4)
    if protocol == ethernet.BRIDGED:
        return Inner(True, cursor.position, cursor.end)
    return Inner(False, cursor.position, cursor.end) if protocol in _IP else None


def vxlan(data: bytes, start: int, end: int) -> Inner | None:
    """A VXLAN packet (RFC 7348 section 5); None for what only uses its port."""
    cursor = Cursor(data, start, end)
    try:
        flags, reserved = cursor.unpack(_VXLAN)
    except ParseError:
        return None
    if flags & _VXLAN_VALID == 0 or reserved or cursor.remaining == 0:
        return None
    return Inner(True, cursor.position, cursor.end)
