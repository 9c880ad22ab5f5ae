"""What the box's resolver answers in the story: where a made-up name lives, and the answer as octets.

A name in, its aliases and addresses out: always the same for the same name. A third of the names are aliases
into a made-up content network, as large sites are. Addresses are of documentation ranges (RFC 5737, RFC 3849).
Bounded: a chain of one alias, one address of each family.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

TTL_SECONDS = 300
_FIRST, _PLACES = 110, 130
"""Last octets of the addresses of names; those of the lab's own machines are below."""
_EDGES = 5
NOT_THERE = frozenset({"_dns.resolver.arpa", "use-application-dns.net"})
"""Names to which the answer is that there is no such thing."""


class Place(NamedTuple):
    """Where a name lives."""

    alias: str | None
    """Name that an answer leads to; None where there is none."""
    ip4: IPv4Address
    ip6: IPv6Address


def place(name: str) -> Place:
    """Where a name lives."""
    number = zlib.crc32(name.lower().rstrip(".").encode())
    last = _FIRST + number % _PLACES
    alias = None if number % 3 else f"{name.split('.', maxsplit=1)[0]}.edge-{number % _EDGES}.cdn.example"
    return Place(alias, IPv4Address(f"203.0.113.{last}"), IPv6Address(f"2001:db8:53:1::{last:x}"))


def answer(name: str, kind: str, *, transaction: int) -> bytes:
    """The answer to a question: an address, what a service needs (RFC 9460), or that there is nothing."""
    return struct.pack("!H", transaction) + _answer(name, kind)[2:]


@cache
def _answer(name: str, kind: str) -> bytes:
    question = dns.message.make_query(name, kind)
    told = dns.message.make_response(question, recursion_available=True)
    if name in NOT_THERE:
        return told.to_wire()
    lives = place(name)
    last = name
    if lives.alias is not None:
        told.answer.append(dns.rrset.from_text(f"{name}.", TTL_SECONDS, "IN", "CNAME", f"{lives.alias}."))
        last = lives.alias
    data = {"A": str(lives.ip4), "AAAA": str(lives.ip6), "HTTPS": '1 . alpn="h2,h3"'}.get(kind)
    if data is not None:
        told.answer.append(dns.rrset.from_text(f"{last}.", TTL_SECONDS, "IN", kind, data))
    return told.to_wire()


def time_question() -> bytes:
    """A question for the time (RFC 5905 section 7.3): version 4, from a client, all else left open."""
    return struct.pack("!B", 0x23) + bytes(47)
