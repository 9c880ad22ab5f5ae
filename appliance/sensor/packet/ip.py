"""IPv4 (RFC 791) and IPv6 (RFC 8200) headers, as far as the transport.

Enters: bytes and where the IP header begins. Leaves: a `Packet` that says where the transport's
bytes are, or which part of a datagram this is. Bounded: `MAX_EXTENSIONS` IPv6 extension headers.

Checksums are not verified: a card that computes them later leaves them wrong on the way out.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address
from struct import Struct

import msgspec

from appliance.sensor.packet.cursor import Cursor, ParseError
from appliance.sensor.packet.ethernet import IPV4

IPV4_INSIDE = 4
"""IP in IP (RFC 2003)."""
TCP = 6
UDP = 17
IPV6_INSIDE = 41
"""IPv6 in IP (RFC 4213, RFC 2473)."""
GRE = 47
ESP = 50
ICMP6 = 58

MAX_EXTENSIONS = 8
"""IPv6 extension headers passed over; RFC 8200 section 4.1 knows seven places."""

_V4 = Struct("!BxHxxHxBxx4s4s")
_V6 = Struct("!B3xHBx16s16s")
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION = 0, 43, 44, 51, 60
# Mobility, HIP and shim6 (RFC 7045 section 4) have the common form too.
_COMMON_FORM = frozenset({_HOP_BY_HOP, _ROUTING, _DESTINATION, 135, 139, 140})
_WALKED = _COMMON_FORM | {_FRAGMENT, _AUTHENTICATION}
_FRAGMENT_HEADER = Struct("!BxHI")
_OFFSET_MASK, _MORE, _RESERVED_V6 = 0x1FFF, 0x2000, 0x0006
_FRAGMENTED = _OFFSET_MASK | _MORE
_MAPPED = bytes(10) + b"\xff\xff"


class Fragment(msgspec.Struct, frozen=True, gc=False):
    """What a fragment says of its place in the datagram."""

    identification: int
    offset: int
    """Octets of the datagram's payload before it."""
    more: bool
    """Whether another comes behind it."""
    cut: bool
    """Whether the frame holds less of it than its header says."""


class Packet(msgspec.Struct, frozen=True, gc=False):
    """What an IP header says; by position, because one is made for every packet of the live path."""

    src: bytes
    """Four or sixteen octets."""
    dst: bytes
    protocol: int
    """Of the payload, after extension headers; of a fragment, what the fragmented part begins with."""
    start: int
    """Where the payload begins."""
    end: int
    """Where it ends: by the header's length field, or earlier if the frame was cut."""
    header: int
    """Where the IP header begins."""
    fragment: Fragment | None = None
    """None for a whole datagram, and for one that is alone in its fragment header (RFC 6946)."""

    @property
    def later_fragment(self) -> bool:
        """Not the first fragment: the payload does not begin with a transport header."""
        return self.fragment is not None and self.fragment.offset != 0


def parse_v4(data: bytes, start: int) -> Packet:
    """Read an IPv4 header.

    Raises:
        ParseError: cut short, another version, or lengths that contradict each other.
    """
    size = len(data)
    if size - start < 20:
        raise ParseError("IPv4 header cut short")
    first, total, flags, protocol, src, dst = _V4.unpack_from(data, start)
    header = (first & 0x0F) * 4
    if first >> 4 != 4 or header < 20:
        raise ParseError("not an IPv4 header")
    # Total 0: segmentation offload, the card fills it in later.
    end = start + total if total else size
    payload = start + header
    if payload > end or payload > size:
        raise ParseError("IPv4 header longer than its packet")
    fragment = None
    if flags & _FRAGMENTED:
        identification = int.from_bytes(data[start + 4 : start + 6], "big")
        fragment = Fragment(identification, (flags & _OFFSET_MASK) * 8, flags & _MORE != 0, end > size)
    end = end if end < size else size  # noqa: FURB136 - min() costs four times as much, and this is the live path
    return Packet(src, dst, protocol, payload, end, start, fragment)


def parse_v6(data: bytes, start: int) -> Packet:
    """Read an IPv6 header and pass over its extension headers, up to that of a fragment.

    Raises:
        ParseError: cut short, another version, or too many extension headers.
    """
    size = len(data)
    if size - start < 40:
        raise ParseError("IPv6 header cut short")
    first, length, protocol, src, dst = _V6.unpack_from(data, start)
    if first >> 4 != 6:
        raise ParseError("not an IPv6 header")
    payload = start + 40
    # Length 0 means a jumbogram (RFC 2675) or segmentation offload: as far as the frame goes.
    end = payload + length if length and payload + length < size else size
    if protocol not in _WALKED:
        return Packet(src, dst, protocol, payload, end, start)
    cursor = Cursor(data, payload, end)
    for _ in range(MAX_EXTENSIONS):
        if protocol == _FRAGMENT:  # RFC 8200 section 4.5: fixed size, thirteen bits of offset
            protocol, place, identification = cursor.unpack(_FRAGMENT_HEADER)
            if place & ~_RESERVED_V6:
                fragment = Fragment(identification, place & ~7, place & 1 != 0, payload + length > size)
                return Packet(src, dst, protocol, cursor.position, end, start, fragment)
        elif protocol in _WALKED:
            protocol = _extension(cursor, protocol)
        else:
            return Packet(src, dst, protocol, cursor.position, end, start)
    if protocol in _WALKED:
        raise ParseError(f"more than {MAX_EXTENSIONS} IPv6 extension headers")
    return Packet(src, dst, protocol, cursor.position, end, start)


def _extension(cursor: Cursor, kind: int) -> int:
    following = cursor.u8()
    size = cursor.u8()
    if kind == _AUTHENTICATION:  # RFC 4302 section 2.2: in units of four octets, minus two
        cursor.skip((size + 2) * 4 - 2)
    else:  # RFC 8200 section 4.2: in units of eight octets, not counting the first
        cursor.skip(size * 8 + 6)
    return following


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
