"""Tunnels through the DNS, as their programs ask, and the everyday questions that look a little like them."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.sensor.facts import Fact
from appliance.sensor.packet import dns
from appliance.sensor.signals import dns_tunnels
from appliance.sensor.signals.dns_tunnels import DnsTunnels, registered
from appliance.signals import Signal

NULL, PRIVATE, KEY = 10, 65399, 25


def coded(number: int, octets: int, code: Callable[[bytes], bytes] = base64.b32encode) -> str:
    """Made-up data as a tunnel codes it, in labels of at most 57."""
    text = code(random.Random(number).randbytes(octets)).decode().rstrip("=").lower()  # noqa: S311 - made-up data
    return ".".join(text[at : at + 57] for at in range(0, len(text), 57))


def raw(number: int, octets: int) -> str:
    """As iodine's base 128: octets beyond ASCII, which names in text have escaped."""
    letters = random.Random(number).choices(range(128, 256), k=octets)  # noqa: S311 - made-up data
    return "".join(f"\\{letter:03d}" for letter in letters)


def ask(facts: Any, names: list[str], *, qtype: int = dns.A, over: float = 30.0) -> Iterator[Fact]:
    for at, name in enumerate(names):
        yield facts.ask(name, qtype=qtype, ts=1000.0 + over * at / len(names))


def values(found: Any) -> list[set[str]]:
    assert all(one.signal is Signal.DNS_TUNNEL for one in found)
    return [set(one.value.split(",")) for one in found]


@pytest.fixture
def detector() -> DnsTunnels:
    return DnsTunnels()


@pytest.mark.req("R18")
@pytest.mark.parametrize("qtype", [NULL, PRIVATE])
def test_types_that_carry_octets_are_enough(detector: DnsTunnels, facts: Any, hear: Any, qtype: int) -> None:
    idle = [f"p{coded(number, 4)}.t.tunnel.test" for number in range(15)]
    assert values(hear(detector, ask(facts, idle, qtype=qtype))) == [{"null"}]


@pytest.mark.req("R18")
@pytest.mark.parametrize("code", [base64.b32encode, base64.urlsafe_b64encode, "raw"], ids=["32", "64", "128"])
@pytest.mark.parametrize("qtype", [dns.A, dns.TXT, dns.CNAME, dns.MX, KEY, NULL])
def test_a_busy_tunnel_of_any_code_and_type(detector: DnsTunnels, facts: Any, hear: Any, code: Any, qtype: int) -> None:
    one = raw if code == "raw" else lambda number, octets: coded(number, octets, code)
    names = [f"{one(number, 100)}.t.tunnel.test" for number in range(60)]
    found = values(hear(detector, ask(facts, names, qtype=qtype)))
    assert found
    assert {"length", "entropy", "rate"} <= found[-1]


def test_hexadecimal_in_many_types_and_full_answers(detector: DnsTunnels, facts: Any, hear: Any) -> None:
    said: list[Fact] = []
    for number in range(45):
        data = random.Random(number).randbytes(60).hex()  # noqa: S311 - made-up data
        name = f"{data[:60]}.{data[60:]}.c2.test"
        said.append(facts.ask(name, qtype=(dns.TXT, dns.CNAME, dns.MX)[number % 3], ts=1000.0 + number))
        record = dns.Answer(name=name, rtype=dns.TXT, ttl=0, value=None, data=(data.encode(),))
        said.append(facts.told(name, record, ts=1000.0 + number))
    found = values(hear(detector, said))
    assert {"types", "length", "rate", "answers"} <= found[-1]


@pytest.mark.parametrize("qtype", [dns.CNAME, dns.MX, dns.SRV, KEY, dns.TXT])
def test_a_tunnel_that_only_begins(detector: DnsTunnels, facts: Any, hear: Any, qtype: int) -> None:
    """Its two ends try out, in some twenty questions, what the resolvers between them let through."""
    said: list[Fact] = []
    for number in range(12):
        name = f"{coded(number, 40)}.t.tunnel.test"
        said.append(facts.ask(name, qtype=qtype, ts=1000.0 + number / 100))
        record = dns.Answer(name=name, rtype=dns.CNAME, ttl=0, value=f"{coded(99 + number, 100)}.t.tunnel.test")
        said.append(facts.told(name, record, ts=1000.0 + number / 100))
    found = values(hear(detector, said))
    assert {"entropy", "answers", "txt" if qtype == dns.TXT else "types"} <= found[-1]


def page(number: int) -> list[str]:
    return [f"{word}{number}.site{number % 12}.example" for word in ("www", "img", "cdn", "api", "static")]


QUIET: dict[str, tuple[int, list[str]]] = {
    "pages": (dns.A, [name for number in range(40) for name in page(number)]),
    "content network": (dns.A, [f"r{n}---sn-{coded(n, 5)}.video.example" for n in range(39)]),
    "anti-virus": (dns.A, [f"{hashlib.md5(bytes([n])).hexdigest()}.4e.avqs.example" for n in range(60)]),  # noqa: S324 - as such programs do
    "long hashes": (dns.A, [f"{hashlib.sha256(bytes([n])).hexdigest()[:60]}.hash.example" for n in range(35)]),
    "block list": (dns.A, [f"{n}.113.0.203.bl.example" for n in range(200)]),
    "mail keys": (dns.TXT, [f"s{n}._domainkey.mail.example" for n in range(30)]),
    "reverse": (dns.PTR, [".".join(f"{n:032x}"[::-1]) + ".ip6.arpa" for n in range(200)]),
    "one long name": (dns.A, [f"{coded(1, 100)}.t.tunnel.test"] * 200),
    "services": (dns.SRV, [f"_sip._udp.s{n}.example" for n in range(30)]),
    "directory": (
        dns.SRV,
        [f"_{service}._tcp.site{n}._sites.dc.corp.example" for service in ("ldap", "kerberos") for n in range(9)],
    ),
    "mail": (dns.MX, [f"firm{n}.example" for n in range(50)]),
    "platform": (dns.A, [f"{coded(n, 20)}.user{n}.github.io" for n in range(60)]),
}


@pytest.mark.parametrize("habit", QUIET)
def test_everyday_questions_are_none(detector: DnsTunnels, facts: Any, hear: Any, habit: str) -> None:
    qtype, names = QUIET[habit]
    said: list[Fact] = list(ask(facts, names, qtype=qtype, over=59.0))
    said += [facts.told(name, facts.address(name, "198.51.100.9"), ts=1059.0) for name in names]
    assert hear(detector, said) == []


def test_a_trickle_is_none(detector: DnsTunnels, facts: Any, hear: Any) -> None:
    names = [f"p{coded(number, 4)}.t.tunnel.test" for number in range(60)]
    assert hear(detector, ask(facts, names, over=1800.0)) == []


def test_each_window_tells_for_itself(detector: DnsTunnels, facts: Any, hear: Any) -> None:
    names = [f"p{coded(number, 4)}.t.tunnel.test" for number in range(60)]
    found = hear(detector, ask(facts, names, qtype=NULL, over=240.0))
    assert values(found) == [{"null"}] * len(found)
    assert 3 <= len(found) <= 4


def test_devices_and_domains_are_bounded_and_a_flood_hides_nobody(detector: DnsTunnels, facts: Any, hear: Any) -> None:
    tunnel = list(ask(facts, [f"p{coded(number, 4)}.t.tunnel.test" for number in range(8)], qtype=NULL))
    hear(detector, tunnel[:4])
    hear(detector, (facts.ask(f"d{n}.a{n}.example", mac=facts.phone) for n in range(2000)))
    assert detector.overflow == 2000 - dns_tunnels.MAX_DOMAINS
    assert hear(detector, tunnel[4:])
    for number in range(dns_tunnels.MAX_DEVICES):
        hear(detector, [facts.ask("a.b.example", mac=f"02:00:5e:10:00:{number:02x}")])
    assert detector.overflow == 2000 - dns_tunnels.MAX_DOMAINS + 2


def test_names_of_a_window_are_bounded(detector: DnsTunnels, facts: Any, hear: Any) -> None:
    hear(detector, (facts.ask(f"{raw(n, 40)}.t.tunnel.test", ts=1000.0 + n / 1000) for n in range(5000)))
    domains = detector._devices.get(facts.laptop, 1005.0)
    assert domains is not None
    window = domains.get("tunnel.test", 1005.0)
    assert window is not None
    assert len(window.names) == dns_tunnels.MAX_NAMES
    assert len(window.letters) <= 128


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("a.b.tunnel.test", "tunnel.test"),
        ("www.shop.co.uk", "shop.co.uk"),
        ("co.uk", None),
        ("box", None),
        ("", None),
        ("1.2.0.192.in-addr.arpa", None),
        ("x" * 60 + ".a.b.c.d.e.f.g.example.com", "example.com"),
        ("..", None),
        ("\\046.\\000.example.com", "example.com"),
    ],
)
def test_registered_domains(name: str, domain: str | None) -> None:
    assert registered(name) == domain
