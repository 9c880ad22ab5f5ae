"""Link layers: from a frame's first octet to the network layer it carries.

Enters: frame bytes of one of the link types of `LinkType`. Leaves: ethertype, where its payload
begins, and the sender's hardware address if the header has one. Bounded: `MAX_TAGS` VLAN tags.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet.cursor import Cursor, ParseError

IPV4 = 0x0800
ARP = 0x0806
IPV6 = 0x86DD
PPPOE = 0x8864
"""PPPoE in its session stage (RFC 2516)."""
BRIDGED = 0x6558
"""Transparent Ethernet bridging: a whole frame (RFC 1701)."""
UNKNOWN = 0
"""No ethertype: an IEEE 802.3 length field with LLC behind it (802.3 clause 3.2.6), but no SNAP."""

MAX_TAGS = 4
"""VLAN tags passed over; 802.1ad stacks two, some switches three."""

_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
_SMALLEST_ETHERTYPE = 0x0600
# SAP 170 and unnumbered information (IEEE 802 clause 9.2), then the OUI under which RFC 1042 puts an ethertype.
_SNAP = b"\xaa\xaa\x03\0\0\0"

_ETHERNET = Struct("!6x6sH")
_SLL = Struct("!HHH8sH")
_SLL2 = Struct("!HHIHBB8s")
_ARPHRD_ETHER = 1
_MAC_LENGTH = 6

# BSD, Darwin, FreeBSD and Linux disagree on the number of AF_INET6.
_FAMILIES = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}


class Carried(msgspec.Struct, frozen=True, gc=False):
    """What a link header says; by position, because one is made for every frame of the live path."""

    ethertype: int
    start: int
    """Where the network layer begins."""
    mac: bytes | None
    """The sender's hardware address, six octets."""


def ethernet(data: bytes) -> Carried:
    """Ethernet II or 802.3 with SNAP, VLAN tags passed over."""
    if len(data) < 14:
        raise ParseError(f"Ethernet frame of {len(data)} octets")
    source, ethertype = _ETHERNET.unpack_from(data)
    start = 14
    if ethertype in _TAGS:
        cursor = Cursor(data, start)
        for _ in range(MAX_TAGS):
            cursor.skip(2)
            ethertype = cursor.u16()
            if ethertype not in _TAGS:
                break
        else:
            raise ParseError(f"more than {MAX_TAGS} VLAN tags")
        start = cursor.position
    if ethertype < _SMALLEST_ETHERTYPE:
        return _llc(data, start, source)
    return Carried(ethertype, start, source)


def cooked_v1(data: bytes) -> Carried:
    """Linux cooked capture (LINKTYPE_LINUX_SLL)."""
    cursor = Cursor(data)
    _, hardware, length, address, ethertype = cursor.unpack(_SLL)
    return Carried(_ethertype(ethertype), cursor.position, _mac(hardware, length, address))


def cooked_v2(data: bytes) -> Carried:
    """Linux cooked capture version 2 (LINKTYPE_LINUX_SLL2)."""
    cursor = Cursor(data)
    ethertype, _, _, hardware, _, length, address = cursor.unpack(_SLL2)
    return Carried(_ethertype(ethertype), cursor.position, _mac(hardware, length, address))


def raw(data: bytes) -> Carried:
    """No link header: the version field of the IP header decides."""
    if not data:
        raise ParseError("empty packet")
    version = data[0] >> 4
    if version == 4:
        return Carried(IPV4, 0, None)
    if version == 6:
        return Carried(IPV6, 0, None)
    raise ParseError(f"IP version {version}")


def loopback(data: bytes) -> Carried:
    """BSD null or loopback: four octets of address family in either byte order."""
    cursor = Cursor(data)
    field = cursor.take(4)
    family = min(int.from_bytes(field, "big"), int.from_bytes(field, "little"))
    return Carried(_FAMILIES.get(family, UNKNOWN), cursor.position, None)


def _llc(data: bytes, start: int, source: bytes) -> Carried:
    ethertype_at = start + len(_SNAP)
    if data.startswith(_SNAP, start) and len(data) >= ethertype_at + 2:
        ethertype = int.from_bytes(data[ethertype_at : ethertype_at + 2], "big")
        return Carried(_ethertype(ethertype), ethertype_at + 2, source)
    return Carried(UNKNOWN, start, source)


def _ethertype(field: int) -> int:
    return field if field >= _SMALLEST_ETHERTYPE else UNKNOWN


def _mac(hardware: int, length: int, address: bytes) -> bytes | None:
    return address[:_MAC_LENGTH] if hardware == _ARPHRD_ETHER and length == _MAC_LENGTH else None
