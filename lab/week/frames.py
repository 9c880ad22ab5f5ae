"""Frames as octets: Ethernet, ARP, IPv4, IPv6, UDP, TCP and ICMPv6 headers with their checksums.

Addresses and payloads in, whole frames out. Bounded: a payload is at most one Ethernet frame's.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

MTU = 1500
UDP, TCP, ICMP6 = 17, 6, 58
_IPV4, _IPV6, _ARP = 0x0800, 0x86DD, 0x0806
BROADCAST = "ff:ff:ff:ff:ff:ff"

Address = IPv4Address | IPv6Address


def octets(mac: str) -> bytes:
    """A MAC as six octets."""
    return bytes.fromhex(mac.replace(":", ""))


def checksum(data: bytes) -> int:
    """Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def group_mac(address: Address) -> str:
    """Where a multicast packet goes (RFC 1112 section 6.4, RFC 2464 section 7)."""
    packed = address.packed
    if address.version == 4:
        return (b"\x01\x00\x5e" + bytes([packed[1] & 0x7F]) + packed[2:]).hex(":")
    return (b"\x33\x33" + packed[12:]).hex(":")


def arp(*, sender: str, sender_ip: IPv4Address, target_ip: IPv4Address, probe: bool = False) -> bytes:
    """A request (RFC 826); a probe claims no address yet (RFC 5227 section 2.1.1)."""
    own = bytes(4) if probe else sender_ip.packed
    body = struct.pack("!HHBBH", 1, _IPV4, 6, 4, 1) + octets(sender) + own + bytes(6) + target_ip.packed
    return _ethernet(BROADCAST, sender, _ARP, body)


def udp(src: Address, dst: Address, sport: int, dport: int, data: bytes) -> bytes:
    """A UDP datagram (RFC 768)."""
    header = struct.pack("!HHHH", sport, dport, 8 + len(data), 0)
    total = checksum(_pseudo(src, dst, UDP, 8 + len(data)) + header + data) or 0xFFFF
    return header[:6] + struct.pack("!H", total) + data


def tcp(
    src: Address,
    dst: Address,
    *,
    sport: int,
    dport: int,
    sequence: int,
    acknowledged: int = 0,
    flags: int,
    window: int,
    options: bytes = b"",
    data: bytes = b"",
) -> bytes:
    """A TCP segment (RFC 9293 section 3.1); `options` are whole 32-bit words."""
    offset = (20 + len(options)) // 4 << 4
    head = struct.pack("!HHIIBBH", sport, dport, sequence, acknowledged, offset, flags, window)
    tail = struct.pack("!H", 0) + options + data
    length = len(head) + 2 + len(tail)
    total = checksum(_pseudo(src, dst, TCP, length) + head + bytes(2) + tail)
    return head + struct.pack("!H", total) + tail


def icmp6(src: IPv6Address, dst: IPv6Address, kind: int, body: bytes) -> bytes:
    """An ICMPv6 message of code 0 (RFC 4443)."""
    head = struct.pack("!BB", kind, 0)
    total = checksum(_pseudo(src, dst, ICMP6, 4 + len(body)) + head + bytes(2) + body)
    return head + struct.pack("!H", total) + body


def packet(
    src: Address,
    dst: Address,
    protocol: int,
    payload: bytes,
    *,
    source: str,
    destination: str,
    ttl: int,
    ident: int = 0,
) -> bytes:
    """A frame with an IPv4 (RFC 791) or IPv6 (RFC 8200) packet; to a group, `destination` is worked out.

    Raises:
        ValueError: it is longer than Ethernet carries.
    """
    if dst.is_multicast:
        destination = group_mac(dst)
    if dst.version == 4:
        length = 20 + len(payload)
        head = struct.pack("!BBHHHBBH", 0x45, 0, length, ident, 0x4000, ttl, protocol, 0) + src.packed + dst.packed
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    else:
        length = 40 + len(payload)
        head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, ttl) + src.packed + dst.packed
    if length > MTU:
        raise ValueError(f"a packet of {length} octets; the most is {MTU}")
    return _ethernet(destination, source, _IPV4 if dst.version == 4 else _IPV6, head + payload)


def _ethernet(destination: str, source: str, ethertype: int, payload: bytes) -> bytes:
    return octets(destination) + octets(source) + struct.pack("!H", ethertype) + payload


def _pseudo(src: Address, dst: Address, protocol: int, length: int) -> bytes:
    if src.version == 4:
        return src.packed + dst.packed + struct.pack("!BBH", 0, protocol, length)
    return src.packed + dst.packed + struct.pack("!IHBB", length, 0, 0, protocol)
