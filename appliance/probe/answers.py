"""Who answered: a hostile frame in, sender and address out, or None. Sans-IO.

Reads no more than tells an answer to our own question: the addresses, our port, our number. Never
raises; bounded by the frame, and options of a DHCP offer are walked once, from first to last.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from appliance.messages import ProbeKind
from appliance.probe.own import Own

MAX_FRAME = 2048
"""Octets of a frame that are looked at."""

_ARP, _IP4, _IP6 = 0x0806, 0x0800, 0x86DD
_ETHER = 14
_REPLY = struct.Struct("!HHBBH6s4s")  # RFC 826, up to the sender's protocol address
_COOKIE = b"\x63\x82\x53\x63"  # RFC 2131 3
_FIXED = 240  # octets of a DHCP message before its options, the cookie included


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A device, or for `ProbeKind.DHCP` a server, that answered."""

    mac: str
    ip: str


def read(kind: ProbeKind, frame: bytes, own: Own) -> Answer | None:
    """The answer to an errand of `kind` in `frame`; None for anything else."""
    frame = frame[:MAX_FRAME]
    if len(frame) < _ETHER or frame[6] & 1:
        return None  # nobody sends from a group address (IEEE 802-2014 8.2.2)
    mac = frame[6:12].hex(":")
    if mac == own.mac:
        return None
    ethertype = int.from_bytes(frame[12:14], "big")
    body = frame[_ETHER:]
    ip: str | None = None
    if ethertype == _ARP and kind is ProbeKind.SWEEP:
        ip = _arp(body, own)
    elif ethertype == _IP6 and kind is ProbeKind.SWEEP:
        ip = _echo(body, own)
    elif ethertype == _IP4 and kind in {ProbeKind.SERVICES, ProbeKind.DHCP}:
        ip = _datagram(kind, body, own)
    return None if ip is None else Answer(mac=mac, ip=ip)


def _arp(body: bytes, own: Own) -> str | None:
    if len(body) < _REPLY.size:
        return None
    hardware, protocol, hardware_length, protocol_length, operation, _sender, address = _REPLY.unpack_from(body)
    if (hardware, protocol, hardware_length, protocol_length, operation) != (1, _IP4, 6, 4, 2):
        return None
    found = IPv4Address(address)
    return str(found) if found in own.network and found != own.address else None


def _echo(body: bytes, own: Own) -> str | None:
    """An echo reply (RFC 4443 4.2) directly behind the header, as an answer on the link is."""
    if len(body) < 48 or body[0] >> 4 != 6 or body[6] != 58 or body[40] != 129:
        return None
    if int.from_bytes(body[44:46], "big") != own.number & 0xFFFF:
        return None
    source = IPv6Address(body[8:24])
    return None if source.is_multicast or source.is_unspecified else str(source)


def _datagram(kind: ProbeKind, body: bytes, own: Own) -> str | None:
    """A UDP answer over IPv4, whole: a later fragment has no ports."""
    if len(body) < 20 or body[0] >> 4 != 4 or body[9] != 17 or body[6] & 0x1F or body[7]:
        return None
    header = (body[0] & 0xF) * 4
    datagram = body[header:]
    if header < 20 or len(datagram) < 8:
        return None
    source_port, port = struct.unpack_from("!HH", datagram)
    source = IPv4Address(body[12:16])
    if kind is ProbeKind.DHCP:
        return _offer(datagram[8:], source, own) if (source_port, port) == (67, 68) else None
    return str(source) if port == own.port and source in own.network and source != own.address else None


def _offer(message: bytes, source: IPv4Address, own: Own) -> str | None:
    """The server that offers us an address and is not this box itself."""
    if len(message) < _FIXED or message[0] != 2 or message[236:240] != _COOKIE:
        return None
    if int.from_bytes(message[4:8], "big") != own.number:
        return None
    server, offers, position = source, False, _FIXED
    while position + 1 < len(message) and message[position] != 255:
        if message[position] == 0:  # padding has no length (RFC 2132 3.1)
            position += 1
            continue
        code, length = message[position], message[position + 1]
        value = message[position + 2 : position + 2 + length]
        if code == 53 and value == b"\x02":
            offers = True
        elif code == 54 and len(value) == 4:
            server = IPv4Address(value)
        position += 2 + length
    return str(server) if offers and server != own.address else None
