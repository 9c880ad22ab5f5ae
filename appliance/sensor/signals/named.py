"""Names that say where a device may turn instead of to the box: told by the table's word, never by the name.

Enters: questions, hellos, requests. Leaves: signals RESOLVER_NAMED, VPN_NAMED, TOR_NAMED, RELAY, CANARY,
DISCOVERY and the question of DNSCRYPT. Keeps nothing.
`server` and `port` are of whom a hello went to; a question went to the resolver, which says nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.messages import How
from appliance.sensor.facts import Fact, FlowOpened, Kind, MessageHeard
from appliance.sensor.known import Purpose, named
from appliance.sensor.lookups import looked_up
from appliance.sensor.packet import dns, ip
from appliance.sensor.packet.cursor import ParseError
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.signals import Signal

_SIGNALS = {
    Purpose.RESOLVER: Signal.RESOLVER_NAMED,
    Purpose.VPN: Signal.VPN_NAMED,
    Purpose.TOR: Signal.TOR_NAMED,
    Purpose.RELAY: Signal.RELAY,
    Purpose.CANARY: Signal.CANARY,
}
_RESOLVER_ARPA = "_dns.resolver.arpa"
_DESIGNATED = "_dns."
_CERTIFICATE = "2.dnscrypt-cert."
"""First labels of a provider's name (DNSCrypt, section "Certificates"): version 2 of the protocol."""


class Named(Detector):
    """Looks every name up in the shipped tables."""

    __slots__ = ()
    hears = (FlowOpened, MessageHeard)

    def take(self, fact: Fact) -> Iterator[Noticed]:
        """What the names of a fact stand for."""
        if fact.mac is None:
            return
        if isinstance(fact, FlowOpened):
            yield from _certificate(fact, fact.mac)
        if not isinstance(fact, MessageHeard):
            return
        for name, how in looked_up(fact):
            known = named(name)
            if known is not None:
                shown = how is not How.DNS
                yield Noticed(
                    ts=fact.ts,
                    mac=fact.mac,
                    signal=_SIGNALS[known.purpose],
                    value=known.word,
                    server=fact.dst if shown else None,
                    port=fact.dport if shown else None,
                )
        if fact.kind is Kind.DNS and isinstance(fact.message, dns.Message) and not fact.message.response:
            yield from _special(fact, fact.mac, fact.message)


def _special(fact: MessageHeard, mac: str, message: dns.Message) -> Iterator[Noticed]:
    """Questions that are about resolvers themselves."""
    for question in message.questions:
        if question.name == _RESOLVER_ARPA:
            yield Noticed(ts=fact.ts, mac=mac, signal=Signal.DISCOVERY, value="opportunistic")
        elif question.qtype == dns.SVCB and question.name.startswith(_DESIGNATED):
            yield Noticed(ts=fact.ts, mac=mac, signal=Signal.DISCOVERY, value="named")  # RFC 9462 section 5
        elif question.qtype == dns.TXT and question.name.startswith(_CERTIFICATE):
            yield Noticed(
                ts=fact.ts, mac=mac, signal=Signal.DNSCRYPT, value="certificate", server=fact.dst, port=fact.dport
            )


def _certificate(fact: FlowOpened, mac: str) -> Iterator[Noticed]:
    """The question for a certificate goes in the clear, to the port on which the rest will be hidden."""
    question = question_of(fact)
    if question is not None and question.qtype == dns.TXT and question.name.startswith(_CERTIFICATE):
        yield Noticed(
            ts=fact.ts, mac=mac, signal=Signal.DNSCRYPT, value="certificate", server=fact.dst, port=fact.dport
        )


def question_of(fact: FlowOpened) -> dns.Question | None:
    """The question with which a flow to any port begins; None where it begins with something else."""
    data = fact.first
    if fact.protocol == ip.TCP:
        if len(data) < 2 or int.from_bytes(data[:2], "big") != fact.length - 2:
            return None
        data = data[2:]
    # Opcode 0, no answers, one question (RFC 1035 section 4.1.1): of noise, one in 2**40 looks like that.
    if len(data) < 17 or data[2] & 0xFA or data[4:10] != b"\0\1\0\0\0\0":
        return None
    try:
        message = dns.parse(data)
    except ParseError:
        return None
    question = message.questions[0]
    return question if question.name and question.qclass == 1 else None
