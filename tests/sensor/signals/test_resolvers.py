from __future__ import annotations

from typing import Any

import pytest

from appliance.sensor.facts import Kind
from appliance.sensor.home import Home
from appliance.sensor.packet import dns
from appliance.sensor.signals import resolvers
from appliance.sensor.signals.resolvers import Resolvers
from appliance.signals import Signal

OTHER, OTHER6 = "203.0.113.53", "2001:db8:53::53"
GOOGLE = "8.8.8.8"


@pytest.fixture
def detector(home: Home) -> Resolvers:
    return Resolvers(home)


@pytest.mark.req("R18")
@pytest.mark.parametrize("other", [OTHER, OTHER6, "10.1.1.1"])
def test_a_question_to_another_resolver(detector: Resolvers, facts: Any, hear: Any, other: str) -> None:
    (one,) = hear(detector, [facts.ask("news.example", to=other)])
    assert (one.signal, one.value, one.server, one.port) == (Signal.OTHER_RESOLVER, "udp", other, 53)


@pytest.mark.parametrize("box", ["192.0.2.1", "2001:db8:1::1", "fe80::1"])
def test_a_question_to_the_box_is_none(detector: Resolvers, facts: Any, hear: Any, box: str) -> None:
    assert hear(detector, [facts.ask("news.example", to=box), facts.began(box, 853), facts.hello(None, dst=box)]) == []


def test_over_tcp_the_question_counts_and_not_the_connection(detector: Resolvers, facts: Any, hear: Any) -> None:
    said = [facts.began(OTHER, 53, sport=5000), facts.ask("news.example", to=OTHER, sport=5000)]
    (one,) = hear(detector, said)
    assert (one.signal, one.value) == (Signal.OTHER_RESOLVER, "tcp")
    assert hear(detector, [facts.ask("news.example", to=OTHER, sport=5001)])[0].value == "udp"


def test_dns_over_tls_by_port_and_by_what_is_spoken(detector: Resolvers, facts: Any, hear: Any) -> None:
    said = [
        facts.began(OTHER, 853),
        facts.hello("dns.example", dst=OTHER, dport=853, alpn=()),
        facts.hello("dns.example", dst=OTHER, dport=443, alpn=(b"dot",)),
    ]
    assert [(one.signal, one.value, one.port) for one in hear(detector, said)] == [
        (Signal.DOT, "syn", 853),
        (Signal.DOT, "hello", 853),
        (Signal.DOT, "hello", 443),
    ]


def test_dns_over_quic_by_port_and_by_what_is_spoken(detector: Resolvers, facts: Any, hear: Any) -> None:
    said = [
        facts.began(OTHER, 853, protocol=17),
        facts.hello("dns.example", dst=OTHER, dport=853, alpn=(), kind=Kind.QUIC_CLIENT_HELLO),
        facts.hello("dns.example", dst=OTHER, dport=8853, alpn=(b"doq-i03",), kind=Kind.QUIC_CLIENT_HELLO),
    ]
    assert [(one.signal, one.value, one.port) for one in hear(detector, said)] == [
        (Signal.DOQ, "datagram", 853),
        (Signal.DOQ, "hello", 853),
        (Signal.DOQ, "hello", 8853),
    ]


@pytest.mark.parametrize("kind", [Kind.TLS_CLIENT_HELLO, Kind.QUIC_CLIENT_HELLO])
def test_a_hello_to_a_resolvers_address(detector: Resolvers, facts: Any, hear: Any, kind: Kind) -> None:
    (one,) = hear(detector, [facts.hello(None, dst=GOOGLE, kind=kind)])
    assert (one.signal, one.value, one.server, one.port) == (Signal.RESOLVER_REACHED, "google", GOOGLE, 443)
    assert hear(detector, [facts.hello(None, dst=GOOGLE, dport=993, kind=kind)]) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda facts: facts.hello("www.news.example"),
        lambda facts: facts.hello("www.news.example", kind=Kind.QUIC_CLIENT_HELLO, alpn=(b"h3",)),
        lambda facts: facts.hello(None, dst=GOOGLE, kind=Kind.DTLS_CLIENT_HELLO),
        lambda facts: facts.began("198.51.100.9", 443, protocol=17),
        lambda facts: facts.began("198.51.100.9", 123, protocol=17),
        lambda facts: facts.request("www.news.example"),
        lambda facts: facts.opened(b"\x16\xfe\xfd" + bytes(60)),
        lambda facts: facts.lease(),
    ],
    ids=["tls", "quic", "dtls", "udp-443", "ntp", "http", "noise", "dhcp"],
)
def test_everyday_traffic_is_none(detector: Resolvers, facts: Any, hear: Any, make: Any) -> None:
    assert hear(detector, [make(facts)]) == []


def _wire(name: str, qtype: int) -> bytes:
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    return b"\0\7\1\0\0\1\0\0\0\0\0\0" + labels + b"\0" + qtype.to_bytes(2, "big") + b"\0\1"


def test_a_plain_question_on_another_port(detector: Resolvers, facts: Any, hear: Any) -> None:
    question = _wire("news.example", dns.A)
    in_stream = len(question).to_bytes(2, "big") + question
    said = [
        facts.opened(question, dst=OTHER, dport=5353),
        facts.opened(in_stream, dst=OTHER, dport=5300, protocol=6),
        facts.opened(_wire("news.example", 4000), dst=OTHER, dport=5300),
        facts.opened(question, dst="192.0.2.9", dport=5300),
    ]
    assert [(one.signal, one.value, one.port) for one in hear(detector, said)] == [
        (Signal.OTHER_RESOLVER, "udp", 5353),
        (Signal.OTHER_RESOLVER, "tcp", 5300),
    ]


def test_what_follows_a_certificate_to_the_same_port_is_a_query(detector: Resolvers, facts: Any, hear: Any) -> None:
    certificate = _wire("2.dnscrypt-cert.resolver.example", dns.TXT)
    said = [
        facts.began(OTHER, 443, protocol=17),
        facts.opened(certificate, dst=OTHER, dport=443),
        facts.began(OTHER, 443, protocol=17, sport=4001),
        facts.began(OTHER, 443, protocol=6),
        facts.began(OTHER, 8443, protocol=17),
        facts.began(OTHER, 443, protocol=17, mac=facts.phone),
    ]
    (one,) = hear(detector, said)
    assert (one.signal, one.value, one.server, one.port) == (Signal.DNSCRYPT, "query", OTHER, 443)


def test_certificates_and_connections_are_bounded(detector: Resolvers, facts: Any, hear: Any) -> None:
    hear(detector, (facts.began(OTHER, 53, sport=number) for number in range(resolvers.MAX_CONNECTIONS + 3)))
    assert detector.overflow == 3
    certificate = _wire("2.dnscrypt-cert.resolver.example", dns.TXT)
    hear(
        detector,
        (facts.opened(certificate, dst=OTHER, dport=number) for number in range(resolvers.MAX_CERTIFICATES + 2)),
    )
    assert detector.overflow == 5
