"""Questions of the resolver room itself: is a dnsmasq there, and what are the addresses of a name.

One datagram out, one back, by dnspython. Bounded: `PATIENCE` seconds a question; what comes back is
believed only with the question's id and name, from the address asked (dnspython checks all three).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from appliance.resolver.safesearch import MAX_ADDRESSES, Addresses

PATIENCE = 0.7

_TYPES = (dns.rdatatype.A, dns.rdatatype.AAAA)


def addresses(name: str, server: str, port: int = 53) -> Addresses:
    """All addresses of a name; empty when it has none, or nobody answers."""
    found: list[IPv4Address | IPv6Address] = []
    for type_ in _TYPES:
        answer = _ask(name, type_, server, port)
        if answer is None:
            continue
        for rrset in answer.answer:
            if rrset.rdtype == type_:
                found += [ip_address(record.address) for record in rrset]
    return tuple(sorted(set(found), key=lambda each: (each.version, each.packed))[:MAX_ADDRESSES])


def answers(name: str, expected: str, server: str, port: int) -> bool:
    """Whether a resolver answers a name with an address."""
    answer = _ask(name, dns.rdatatype.A, server, port)
    return answer is not None and any(
        record.address == expected for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A for record in rrset
    )


def _ask(name: str, type_: dns.rdatatype.RdataType, server: str, port: int) -> dns.message.Message | None:
    try:
        return dns.query.udp(dns.message.make_query(name, type_), server, port=port, timeout=PATIENCE)
    except (dns.exception.DNSException, OSError, ValueError):
        return None
