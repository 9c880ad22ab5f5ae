"""What a device says in datagrams: DHCP, DHCPv6, mDNS, SSDP, NetBIOS, LLMNR and DNS as octets.

A persona and its address of the moment in, UDP payloads out. Bounded by the persona.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Iterator
from functools import cache
from ipaddress import IPv4Address, IPv6Address

import dns.message
from zeroconf import DNSOutgoing, DNSQuestion, ServiceInfo  # type: ignore[attr-defined]  # re-exported without saying so

from lab import announce
from lab.personas import Persona
from lab.week.frames import octets

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
LEASE_SECONDS = 3600
_BOOTP = struct.Struct("!4BIHH4s4s4s4s6s10x192x4s")
_COOKIE = b"\x63\x82\x53\x63"
_QUERY, _RESPONSE = 0x0000, 0x8400
_PTR, _IN = 12, 1


def duid(persona: Persona, device: str) -> bytes:
    """Its DHCPv6 identifier (RFC 8415 section 11); `device` is what a UUID or enterprise number stands for.

    Raises:
        ValueError: the persona asks nothing by DHCPv6.
    """
    if persona.dhcp6 is None:
        raise ValueError(f"{persona.name} has no identifier")
    own = hashlib.sha256(device.encode()).digest()
    match persona.dhcp6.duid:
        case "llt":
            return struct.pack("!HHI", 1, 1, 0x2A000000) + octets(persona.mac)
        case "ll":
            return struct.pack("!HH", 3, 1) + octets(persona.mac)
        case "en":
            return struct.pack("!HI", 2, 43793) + own[:8]
        case "uuid":
            return struct.pack("!H", 4) + own[:16]


def dhcp(
    persona: Persona, kind: int, *, mac: str, transaction: int, address: IPv4Address, server: IPv4Address
) -> bytes:
    """A client's message of `kind`; a REQUEST selects `address` of `server` (RFC 2131 section 4.3.2)."""
    values: dict[int, bytes] = {
        12: (persona.host_name or "").encode(),
        50: address.packed if kind == REQUEST else b"",
        51: struct.pack("!I", 90 * 86400),
        53: bytes([kind]),
        54: server.packed if kind == REQUEST else b"",
        55: bytes(persona.parameters),
        57: struct.pack("!H", 1500),
        60: (persona.vendor_class or "").encode(),
        61: b"\x01" + octets(mac) if persona.client_id == "mac" else b"",
        77: (persona.user_class or "").encode(),
        145: b"\x01",  # RFC 6704: that it can be forced to renew
    }
    order = list(persona.options or (53, 61, 12, 60, 77, 55))
    if kind == REQUEST:
        order[1:1] = [50, 54]
    if persona.client_id == "duid" and persona.dhcp6 is not None:
        values[61] = b"\xff" + octets(mac)[2:] + duid(persona, persona.name)  # RFC 4361 section 6.1
    fields = b"".join(bytes([code, len(values[code])]) + values[code] for code in order if values.get(code))
    head = _BOOTP.pack(1, 1, 6, 0, transaction, 0, 0, bytes(4), bytes(4), bytes(4), bytes(4), octets(mac), _COOKIE)
    return head + fields + b"\xff"


def dhcp_answer(kind: int, *, mac: str, transaction: int, address: IPv4Address, server: IPv4Address) -> bytes:
    """The router's OFFER or ACK."""
    options = {
        53: bytes([kind]),
        54: server.packed,
        51: struct.pack("!I", LEASE_SECONDS),
        1: b"\xff\xff\xff\x00",
        3: server.packed,
        6: server.packed,
    }
    fields = b"".join(bytes([code, len(value)]) + value for code, value in options.items())
    head = _BOOTP.pack(
        2, 1, 6, 0, transaction, 0, 0, bytes(4), address.packed, server.packed, bytes(4), octets(mac), _COOKIE
    )
    return head + fields + b"\xff"


def dhcp6(persona: Persona, device: str, *, transaction: int) -> bytes:
    """A SOLICIT (RFC 8415 section 18.2.1).

    Raises:
        ValueError: the persona asks nothing by DHCPv6.
    """
    own = persona.dhcp6
    if own is None:
        raise ValueError(f"{persona.name} asks nothing by DHCPv6")
    options = [(8, bytes(2)), (1, duid(persona, device)), (3, struct.pack("!III", 1, 0, 0))]
    if own.fqdn and persona.host_name:
        name = persona.host_name.encode()
        options.append((39, b"\0" + bytes([len(name)]) + name))
    if own.enterprise and own.vendor_class:
        word = own.vendor_class.encode()
        options.append((16, struct.pack("!IH", own.enterprise, len(word)) + word))
    options.append((6, struct.pack(f"!{len(own.requested)}H", *own.requested)))
    fields = b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options)
    return b"\x01" + transaction.to_bytes(3, "big") + fields


def mdns_questions(persona: Persona) -> Iterator[bytes]:
    """One packet that asks for every service type it looks for (RFC 6762 section 5.2)."""
    if not persona.asks:
        return
    out = DNSOutgoing(_QUERY)
    for kind in persona.asks:
        out.add_question(DNSQuestion(f"{kind}.local.", _PTR, _IN))
    yield from out.packets()


def mdns_announcements(persona: Persona, *, ip4: IPv4Address, ip6: IPv6Address) -> Iterator[bytes]:
    """One packet a service: pointer, server, text and addresses (RFC 6762 section 8.3)."""
    for service in persona.services:
        kind = f"{service.kind}.local."
        info = ServiceInfo(
            kind,
            f"{service.name}.{kind}",
            addresses=[ip4.packed, ip6.packed],
            port=service.port,
            properties=dict(service.text),
            server=f"{persona.mdns_host or persona.host_name or persona.name}.local.",
        )
        out = DNSOutgoing(_RESPONSE)
        for record in (info.dns_pointer(), info.dns_service(), info.dns_text(), *info.dns_addresses()):
            out.add_answer_at_time(record, 0)
        yield from out.packets()


def ssdp(persona: Persona, *, ip4: IPv4Address) -> list[bytes]:
    """What it announces and what it looks for."""
    host = f"{announce.SSDP[0][0]}:{announce.SSDP[0][1]}"
    return announce.notifications(persona, host=host, location=str(ip4)) + announce.searches(persona, host=host)


def netbios(persona: Persona, *, transaction: int, ip4: IPv4Address) -> bytes:
    """A registration of its own name as a workstation (RFC 1002 section 4.2.2)."""
    padded = (persona.host_name or persona.name).upper().encode()[:15].ljust(15) + b"\0"
    encoded = b"\x20" + bytes(half + 0x41 for octet in padded for half in (octet >> 4, octet & 15)) + b"\0"
    head = struct.pack("!6H", transaction, 0x2910, 1, 0, 0, 1)
    record = struct.pack("!HHHIHH", 0xC00C, 32, 1, 300000, 6, 0) + ip4.packed
    return head + encoded + struct.pack("!HH", 32, 1) + record


def llmnr(persona: Persona, *, transaction: int) -> bytes:
    """Whether anybody else has its name (RFC 4795 section 4.1)."""
    return _question(f"{persona.host_name or persona.name}.", "ANY", transaction, flags=0)


def dns_question(name: str, kind: str, *, transaction: int) -> bytes:
    """A question to the resolver."""
    return struct.pack("!H", transaction) + _asked(name, kind)[2:]


@cache
def _asked(name: str, kind: str) -> bytes:
    return _question(name, kind, 0, flags=dns.flags.RD)


def _question(name: str, kind: str, transaction: int, *, flags: int) -> bytes:
    question = dns.message.make_query(name, kind)
    question.id, question.flags = transaction, flags
    return question.to_wire()


def stable_id(device: str) -> bytes:
    """A UUID's worth of octets that stand for a device."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"https://household.example/{device}").bytes
