from __future__ import annotations

from struct import pack
from typing import Any

import pytest

from appliance.sensor.packet import dns
from appliance.sensor.signals.named import Named, question_of
from appliance.signals import Signal


def query(name: str, *, qtype: int = dns.A, flags: int = 0x0100) -> bytes:
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    return pack("!6H", 7, flags, 1, 0, 0, 0) + labels + b"\0" + pack("!2H", qtype, 1)


@pytest.mark.req("R18")
@pytest.mark.parametrize(
    ("name", "signal", "word"),
    [
        ("dns.google", Signal.RESOLVER_NAMED, "google"),
        ("abc123.dns.nextdns.io", Signal.RESOLVER_NAMED, "nextdns"),
        ("dns.mullvad.net", Signal.RESOLVER_NAMED, "mullvad"),
        ("api.mullvad.net", Signal.VPN_NAMED, "mullvad"),
        ("engage.cloudflareclient.com", Signal.VPN_NAMED, "warp"),
        ("www.torproject.org", Signal.TOR_NAMED, "project"),
        ("xyz.onion", Signal.TOR_NAMED, "onion"),
        ("mask.icloud.com", Signal.RELAY, "icloud"),
        ("use-application-dns.net", Signal.CANARY, "firefox"),
    ],
)
def test_a_name_of_the_tables_is_told_by_its_word(facts: Any, hear: Any, name: str, signal: Signal, word: str) -> None:
    asked, shown = hear(Named(), [facts.ask(name), facts.hello(name)])
    assert (asked.signal, asked.value, asked.server, asked.port) == (signal, word, None, None)
    assert (shown.signal, shown.value, shown.server, shown.port) == (signal, word, "198.51.100.9", 443)


@pytest.mark.parametrize(
    "name", ["news.example", "google", "dns.google.example", "mydns.google", "xonion", "icloud.com", "apple.com"]
)
def test_other_names_say_nothing(facts: Any, hear: Any, name: str) -> None:
    assert hear(Named(), [facts.ask(name), facts.hello(name), facts.request(name)]) == []


def test_questions_about_resolvers(facts: Any, hear: Any) -> None:
    said = [
        facts.ask("_dns.resolver.arpa", qtype=dns.SVCB),
        facts.ask("_dns.dns.example", qtype=dns.SVCB),
        facts.ask("2.dnscrypt-cert.resolver.example", qtype=dns.TXT, to="198.51.100.53"),
        facts.ask("_dns.dns.example"),
        facts.ask("2.dnscrypt-cert.resolver.example"),
        facts.ask("2.dnscrypt.example", qtype=dns.TXT),
    ]
    assert [(one.signal, one.value, one.server) for one in hear(Named(), said)] == [
        (Signal.DISCOVERY, "opportunistic", None),
        (Signal.DISCOVERY, "named", None),
        (Signal.DNSCRYPT, "certificate", "198.51.100.53"),
    ]


def test_a_certificate_is_asked_for_on_any_port(facts: Any, hear: Any) -> None:
    question = query("2.dnscrypt-cert.resolver.example", qtype=dns.TXT)
    in_stream = pack("!H", len(question)) + question
    said = [
        facts.opened(question, dport=8443),
        facts.opened(in_stream, protocol=6),
        facts.opened(query("www.news.example", qtype=dns.TXT)),
    ]
    found = hear(Named(), said)
    assert [(one.signal, one.value, one.port) for one in found] == [
        (Signal.DNSCRYPT, "certificate", 8443),
        (Signal.DNSCRYPT, "certificate", 443),
    ]


@pytest.mark.parametrize(
    "first",
    [
        b"",
        query("a.example")[:16],
        query("a.example", flags=0x8180),
        query("a.example", flags=0x2800),
        query("a.example")[:-1],
        query(""),
        bytes(256),
        b"\xff" * 256,
        pack("!6H", 7, 0x0100, 2, 0, 0, 0) + bytes(40),
    ],
)
def test_what_is_no_question_is_none(facts: Any, first: bytes) -> None:
    assert question_of(facts.opened(first)) is None
    assert question_of(facts.opened(first, protocol=6)) is None


def test_facts_without_a_sender_say_nothing(facts: Any, hear: Any) -> None:
    import msgspec

    assert hear(Named(), [msgspec.structs.replace(facts.ask("dns.google"), mac=None)]) == []
