"""Looked-up names: what a fact shows that its sender asked for on the internet.

Enters: a fact. Leaves: names in their one spelling, each with where it was read. They say what a person
does: only `observe` decides whether one may leave this process, and only `gatehouse replay` prints them.
Bounded by the fact. Questions of the home's own protocols (mDNS, LLMNR, NetBIOS) are no such names.
"""

from __future__ import annotations

import re

from appliance.messages import How
from appliance.sensor.facts import Fact, Kind, MessageHeard
from appliance.sensor.packet import dns, http, names, tls

_HELLOS = {Kind.TLS_CLIENT_HELLO: How.TLS, Kind.QUIC_CLIENT_HELLO: How.QUIC}
_ADDRESS = re.compile(r"[0-9.]+|.*:.*|\[.*")
"""What stands where a host name could, and is an address (RFC 3986 section 3.2.2)."""


def looked_up(fact: Fact) -> list[tuple[str, How]]:
    """Names that the fact's sender asked for, in its order; a DTLS hello's are left out: calls, not look-ups."""
    if not isinstance(fact, MessageHeard):
        return []
    message = fact.message
    if isinstance(message, tls.ClientHello):
        how = _HELLOS.get(fact.kind)
        return [(name, how)] if how is not None and (name := message.sni) else []
    if isinstance(message, http.Request):
        return [(name, How.HTTP)] if (name := _host(message.host)) else []
    if fact.kind is Kind.DNS and isinstance(message, dns.Message) and not message.response:
        return [(question.name, How.DNS) for question in message.questions if question.name]
    return []


def _host(host: str | None) -> str | None:
    """A host field as a name, None where it is empty or an address."""
    if not host or _ADDRESS.fullmatch(host):
        return None
    if len(host) <= names.MAX_NAME and not host.endswith(".") and host.isascii() and host.isprintable():
        return host.lower()
    return names.from_bytes(host.lower().encode("utf-8", "surrogateescape")) or None
