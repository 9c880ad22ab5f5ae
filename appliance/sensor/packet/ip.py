"""IPv4 (RFC 791) and IPv6 (RFC 8200) headers, as far as the transport.

Enters: bytes and where the IP header begins. Leaves: a `Packet` that says where the transport's
bytes are. Bounded: `MAX_EXTENSIONS` IPv6 extension headers.

Checksums are not verified: a card that computes them later leaves them wrong on the way out.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address
from struct import Struct
from typing import NamedTuple

from appliance.sensor.packet.cursor import Cursor, ParseError
from appliance.sensor.packet.ethernet import IPV4

ICMP6 = 58
TCP = 6
UDP = 17

MAX_EXTENSIONS = 8
"""IPv6 extension headers passed over; RFC 8200 section 4.1 knows seven places."""

_V4 = Struct("!BxHxxHxBxx4s4s")
_V6 = Struct("!B3xHBx16s16s")
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION = 0, 43, 44, 51, 60
# Mobility, HIP and shim6 (RFC 7045 section 4) have the common form too.
_COMMON_FORM = frozenset({_HOP_BY_HOP, _ROUTING, _DESTINATION, 135, 139, 140})
_WALKED = _COMMON_FORM | {_FRAGMENT, _AUTHENTICATION}
_OFFSET_MASK = 0x1FFF
_MAPPED = bytes(10) + b"\xff\xff"


class Packet(NamedTuple):
    """What an IP header says; a tuple because one is made for every packet of the live path."""

    src: bytes
    """Four or sixteen octets."""
    dst: bytes
    protocol: int
    """Of the payload, after extension headers."""
    later_fragment: bool
    """Not the first fragment: the payload does not begin with a transport header."""
    start: int
    """Where the payload begins."""
    end: int
    """Where it ends: by the header's length field, or earlier if the frame was cut."""


def parse_v4(data: bytes, start: int) -> Packet:
    """Read an IPv4 header.

    Raises:
        ParseError: cut short, another version, or lengths that contradict each other.
    """
    if len(data) - start < _V4.size:
        raise ParseError("IPv4 header cut short")
    first, total, fragment, protocol, src, dst = _V4.unpack_from(data, start)
    header = (first & 0x0F) * 4
    if first >> 4 != 4 or header < _V4.size:
        raise ParseError("not an IPv4 header")
    if total == 0:
        total = len(data) - start  # segmentation offload: the card fills it in later
    end = min(start + total, len(data))
    payload = start + header
    if payload > end:
        raise ParseError("IPv4 header longer than its packet")
    return Packet(src, dst, protocol, fragment & _OFFSET_MASK != 0, payload, end)


def parse_v6(data: bytes, start: int) -> Packet:
    """Read an IPv6 header and pass over its extension headers.

    Raises:
        ParseError: cut short, another version, or too many extension headers.
    """
    if len(data) - start < _V6.size:
        raise ParseError("IPv6 header cut short")
    first, length, protocol, src, dst = _V6.unpack_from(data, start)
    if first >> 4 != 6:
        raise ParseError("not an IPv6 header")
    payload = start + _V6.size
    # Length 0 means a jumbogram (RFC 2675) or segmentation offload: as far as the frame goes.
    end = min(payload + length, len(data)) if length else len(data)
    if protocol not in _WALKED:
        return Packet(src, dst, protocol, False, payload, end)
    cursor = Cursor(data, payload, end)
    later = False
    for _ in range(MAX_EXTENSIONS):
        if later or protocol not in _WALKED:
            return Packet(src, dst, protocol, later, cursor.position, end)
        protocol, later = _extension(cursor, protocol)
    raise ParseError(f"more than {MAX_EXTENSIONS} IPv6 extension headers")


def _extension(cursor: Cursor, kind: int) -> tuple[int, bool]:
    following = cursor.u8()
    size = cursor.u8()
    if kind == _FRAGMENT:  # RFC 8200 section 4.5: fixed size, thirteen bits of offset
        offset = cursor.u16() >> 3
        cursor.skip(4)
        return following, offset != 0
    if kind == _AUTHENTICATION:  # RFC 4302 section 2.2: in units of four octets, minus two
        cursor.skip((size + 2) * 4 - 2)
    else:  # RFC 8200 section 4.2: in units of eight octets, not counting the first
        cursor.skip(size * 8 + 6)
    return following, False


def parse(data: bytes, start: int, ethertype: int) -> Packet:
    """Read the IP header that `ethertype` announces (`ethernet.IPV4` or `ethernet.IPV6`)."""
    return parse_v4(data, start) if ethertype == IPV4 else parse_v6(data, start)


@lru_cache(maxsize=8192)
def text(address: bytes) -> str:
    """Canonical text of an address of four or sixteen octets (RFC 5952); the last 8192 are remembered."""
    if len(address) == 4:
        return ".".join(map(str, address))
    if address.startswith(_MAPPED):  # RFC 5952 section 5; Python before 3.13 prints it otherwise
        return "::ffff:" + text(address[12:])
    return str(IPv6Address(address))
