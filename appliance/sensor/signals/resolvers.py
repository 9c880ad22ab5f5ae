"""Devices that turn to a resolver that is not the box: seen by port, protocol, address, or by what they never ask.

Enters: facts of every device. Leaves: OTHER_RESOLVER, RESOLVER_REACHED, DOT, DOQ, the queries of DNSCRYPT.
Bounded: `MAX_CERTIFICATES` pairs of a device and a resolver that it asked for a certificate, and
`MAX_CONNECTIONS` connections to port 53.
A resolver inside the household is no sign: it asks the box in turn, or is seen as a device itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from appliance.sensor.facts import Fact, FlowBegan, FlowOpened, Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.known import resolver_at
from appliance.sensor.packet import dns, ip, tls
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.signals.named import Named, question_of
from appliance.sensor.table import FairTable
from appliance.signals import Signal

MAX_CERTIFICATES = 1024
CERTIFICATE_SECONDS = 86400.0
"""Certificates are valid for a day (DNSCrypt: 24 hours are recommended)."""

MAX_CONNECTIONS = 1024
CONNECTION_SECONDS = 120.0
"""A connection to port 53 is remembered so long, by its port."""

DNS_PORT, TLS_DNS_PORT, HTTPS_PORT = 53, 853, 443
_DOQ = ("doq", "doq-i")
"""RFC 9250 section 4.1.1, and the drafts before it (`doq-i00` and so on)."""


class Resolvers(Detector):
    """Tells who asks elsewhere."""

    __slots__ = ("_certificates", "_connections", "_home")
    hears = (FlowBegan, FlowOpened, MessageHeard)

    def __init__(self, home: Home) -> None:
        self._home = home
        self._certificates: FairTable[tuple[str, str, int], bool] = FairTable(
            bound=MAX_CERTIFICATES, age=CERTIFICATE_SECONDS
        )
        self._connections: FairTable[tuple[str, str, int], bool] = FairTable(
            bound=MAX_CONNECTIONS, age=CONNECTION_SECONDS
        )

    @property
    def overflow(self) -> int:
        """Forgotten before its time: queries after a certificate are missed, questions over TCP called `udp`."""
        return self._certificates.overflow + self._connections.overflow

    def take(self, fact: Fact) -> Iterable[Noticed]:
        """What a fact shows of whom its device asks."""
        mac = fact.mac
        if mac is None:
            return ()
        if isinstance(fact, FlowBegan):
            return () if self._home.is_home(fact.dst) else self._began(fact, mac)
        if isinstance(fact, MessageHeard):
            return () if self._home.is_home(fact.dst) else self._heard(fact, mac)
        if isinstance(fact, FlowOpened):
            return () if self._home.is_home(fact.dst) else self._opened(fact, mac)
        return ()

    def _began(self, fact: FlowBegan, mac: str) -> Iterator[Noticed]:
        if fact.dport == DNS_PORT and fact.protocol == ip.TCP:
            # The SYN, too, is copied to the tap; it is the question that counts.
            self._connections.put((mac, fact.dst, fact.sport), True, fact.ts)
        elif fact.dport == TLS_DNS_PORT and fact.protocol == ip.TCP:
            yield _noticed(fact, mac, Signal.DOT, "syn")
        elif fact.dport == TLS_DNS_PORT and fact.protocol == ip.UDP:
            yield _noticed(fact, mac, Signal.DOQ, "datagram")
        elif fact.protocol == ip.UDP and self._certificates.get((mac, fact.dst, fact.dport), fact.ts):
            yield _noticed(fact, mac, Signal.DNSCRYPT, "query")

    def _heard(self, fact: MessageHeard, mac: str) -> Iterator[Noticed]:
        message = fact.message
        if fact.kind is Kind.DNS and isinstance(message, dns.Message):
            if not message.response and fact.dport == DNS_PORT:
                how = "tcp" if self._connections.get((mac, fact.dst, fact.sport), fact.ts) else "udp"
                yield _noticed(fact, mac, Signal.OTHER_RESOLVER, how)
        elif isinstance(message, tls.ClientHello) and fact.kind is not Kind.DTLS_CLIENT_HELLO:
            protocols = {protocol.decode("ascii", "replace") for protocol in message.alpn}
            if fact.kind is Kind.QUIC_CLIENT_HELLO:
                if fact.dport == TLS_DNS_PORT or any(protocol.startswith(_DOQ) for protocol in protocols):
                    yield _noticed(fact, mac, Signal.DOQ, "hello")
            elif fact.dport == TLS_DNS_PORT or "dot" in protocols:
                yield _noticed(fact, mac, Signal.DOT, "hello")
            if fact.dport == HTTPS_PORT and (word := resolver_at(fact.dst)):
                yield _noticed(fact, mac, Signal.RESOLVER_REACHED, word)

    def _opened(self, fact: FlowOpened, mac: str) -> Iterator[Noticed]:
        question = question_of(fact)
        if question is None:
            return
        if any(one.signal is Signal.DNSCRYPT for one in Named().take(fact)):
            self._certificates.put((mac, fact.dst, fact.dport), True, fact.ts)
        elif question.qtype in _USUAL:
            yield _noticed(fact, mac, Signal.OTHER_RESOLVER, "tcp" if fact.protocol == ip.TCP else "udp")


_USUAL = frozenset(
    {dns.A, dns.AAAA, dns.HTTPS, dns.SVCB, dns.TXT, dns.MX, dns.NS, dns.SOA, dns.SRV, dns.CNAME, dns.PTR}
)


def _noticed(fact: FlowBegan | FlowOpened | MessageHeard, mac: str, signal: Signal, value: str) -> Noticed:
    return Noticed(ts=fact.ts, mac=mac, signal=signal, value=value, server=fact.dst, port=fact.dport)
