"""Looked-up names: what a fact shows that its sender asked for on the internet.

Enters: a fact. Leaves: names in their one spelling, each with where it was read. They say what a person
does: only `observe` decides whether one may leave this process, and only `gatehouse replay` prints them.
Bounded by the fact; of an answer, `MAX_LED_TO` names. Questions of the home's own protocols (mDNS, LLMNR, NetBIOS) are no such names.
"""

from __future__ import annotations

import re

from appliance.messages import How
from appliance.sensor.facts import AnswerHeard, Fact, Kind, MessageHeard
from appliance.sensor.packet import dns, http, names, svcb, tls

MAX_LED_TO = 8
"""Names taken of one answer; a chain of content networks has two to five."""

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


def led_to(answer: AnswerHeard) -> list[tuple[str, str]]:
    """Names to which an answer leads from the question, in its order, each with the name asked for.

    Aliases (CNAME) and targets of services (SVCB, HTTPS: RFC 9460 section 2.4) that hang together with the
    question; a record that stands by itself says nothing of what was asked.
    """
    asked = answer.asked[0].name
    leads = [
        (record.name, record.value)
        for record in answer.message.answers
        if (record.rtype == dns.CNAME or isinstance(record.data, svcb.Svcb)) and record.value
    ]
    found = [asked]
    # Records may come in any order: a name that is found is looked for among all of them.
    for name in found:
        for owner, target in leads:
            if owner == name and target not in found and len(found) <= MAX_LED_TO:
                found.append(target)
    return [(name, asked) for name in found[1:]]


def _host(host: str | None) -> str | None:
    """A host field as a name, None where it is empty or an address."""
    if not host or _ADDRESS.fullmatch(host):
        return None
    if len(host) <= names.MAX_NAME and not host.endswith(".") and host.isascii() and host.isprintable():
        return host.lower()
    return names.from_bytes(host.lower().encode("utf-8", "surrogateescape")) or None
