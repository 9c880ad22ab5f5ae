from __future__ import annotations

from itertools import pairwise

import pytest

from appliance.messages import How, Via
from appliance.sensor.facts import AnswerHeard, Fact, Heard, Kind, MessageHeard, Parsed
from appliance.sensor.frame import Tap
from appliance.sensor.lookups import MAX_LED_TO, led_to, looked_up
from appliance.sensor.packet import dns, http, svcb, tls


def fact(kind: Kind, message: Parsed, via: Via = Via.FLOW) -> MessageHeard:
    return MessageHeard(
        ts=1.0,
        tap=Tap.FLOW,
        mac="00:00:5e:00:53:01",
        via=via,
        src="192.0.2.7",
        sport=40000,
        dst="198.51.100.9",
        dport=443,
        kind=kind,
        message=message,
    )


def hello(name: bytes | None) -> tls.ClientHello:
    return tls.ClientHello(legacy_version=771, ciphers=(), extensions=(), server_name=name)


def question(*names: str, response: bool = False) -> dns.Message:
    asked = tuple(dns.Question(name=name, qtype=1) for name in names)
    return dns.Message(id=1, response=response, opcode=0, rcode=0, questions=asked, answers=(), complete=True)


def request(host: str | None) -> http.Request:
    return http.Request(method="GET", host=host, user_agent="x/1", version="1.1")


@pytest.mark.parametrize(
    ("said", "names"),
    [
        (fact(Kind.DNS, question("a.example", "b.example", "")), [("a.example", How.DNS), ("b.example", How.DNS)]),
        (fact(Kind.TLS_CLIENT_HELLO, hello(b"Shop.Example.")), [("shop.example", How.TLS)]),
        (fact(Kind.QUIC_CLIENT_HELLO, hello(b"shop.example")), [("shop.example", How.QUIC)]),
        (fact(Kind.HTTP_REQUEST, request("News.Example")), [("news.example", How.HTTP)]),
        (fact(Kind.HTTP_REQUEST, request("news.example.")), [("news.example", How.HTTP)]),
    ],
)
def test_what_a_device_asks_the_internet_for(said: Fact, names: list[tuple[str, How]]) -> None:
    assert looked_up(said) == names


@pytest.mark.parametrize(
    "said",
    [
        Heard(ts=1.0, tap=Tap.CHATTER, mac=None, via=Via.ARP),
        fact(Kind.DNS, question("a.example", response=True)),
        fact(Kind.MDNS, question("tv.local")),
        fact(Kind.LLMNR, question("laptop")),
        fact(Kind.TLS_CLIENT_HELLO, hello(None)),
        fact(Kind.DTLS_CLIENT_HELLO, hello(b"call.example")),
        *(fact(Kind.HTTP_REQUEST, request(host)) for host in (None, "", "192.0.2.1", "2001:db8::1", "[2001:db8::1]")),
    ],
)
def test_what_is_no_look_up(said: Fact) -> None:
    assert looked_up(said) == []


def test_a_host_is_a_name_of_bounded_length_whatever_it_holds() -> None:
    ((name, _),) = looked_up(fact(Kind.HTTP_REQUEST, request("x\x1b\udcff" * 400 + ".example")))
    assert len(name) <= 253
    assert name.isprintable()
    assert name.endswith("example")


def answer(*records: dns.Answer, asked: str = "a.example") -> AnswerHeard:
    questions = (dns.Question(name=asked, qtype=1),)
    message = dns.Message(id=1, response=True, opcode=0, rcode=0, questions=questions, answers=records, complete=True)
    return AnswerHeard(
        ts=1.0,
        tap=Tap.DNS,
        mac="00:00:5e:00:53:01",
        via=Via.DNS,
        src="192.0.2.7",
        sport=40000,
        dst="192.0.2.1",
        dport=53,
        asked=questions,
        message=message,
    )


def alias(name: str, target: str) -> dns.Answer:
    return dns.Answer(name=name, rtype=dns.CNAME, ttl=60, value=target)


def service(name: str, target: str, priority: int = 1) -> dns.Answer:
    said = svcb.Svcb(priority=priority, target=target)
    return dns.Answer(name=name, rtype=dns.HTTPS, ttl=60, value=target, data=said)


@pytest.mark.req("R24")
def test_an_answer_leads_along_its_chain() -> None:
    said = answer(
        alias("a.example", "b.example"),
        alias("b.example", "c.test"),
        dns.Answer(name="c.test", rtype=dns.A, ttl=60, value="198.51.100.1"),
    )
    assert led_to(said) == [("b.example", "a.example"), ("c.test", "a.example")]
    assert led_to(answer(service("a.example", "pool.test", 0))) == [("pool.test", "a.example")]


def test_what_does_not_hang_together_with_the_question_is_left() -> None:
    assert led_to(answer(alias("x.example", "y.example"), service("z.example", "y.example"))) == []
    assert led_to(answer(alias("a.example", "a.example"), service("a.example", ""))) == []
    assert led_to(answer(dns.Answer(name="a.example", rtype=dns.MX, ttl=60, value="mail.example"))) == []
    assert led_to(answer()) == []


def test_a_chain_without_end_is_bounded() -> None:
    names = ["a.example", *(f"n{number}.example" for number in range(50))]
    said = answer(*(alias(name, target) for name, target in pairwise(names)))
    assert len(led_to(said)) == MAX_LED_TO
    assert len(led_to(answer(alias("a.example", "b.example"), alias("b.example", "a.example")))) == 1


@pytest.mark.req("R24")
def test_an_answer_whose_records_stand_in_another_order_leads_as_far() -> None:
    chain = ("a.example", "b.example", "c.example", "d.example")
    records = tuple(dns.Answer(name=name, rtype=dns.CNAME, ttl=60, value=target) for name, target in pairwise(chain))
    asked = (dns.Question(name="a.example", qtype=dns.A),)
    for answers in (records, records[::-1]):
        message = dns.Message(id=1, response=True, opcode=0, rcode=0, questions=asked, answers=answers, complete=True)
        heard = AnswerHeard(
            ts=1.0, tap=Tap.DNS, mac="02:00:5e:00:53:0a", via=Via.DNS, src="192.0.2.7", sport=1, dst="192.0.2.1",
            dport=53, asked=asked, message=message,
        )  # fmt: skip
        assert led_to(heard) == [(name, "a.example") for name in chain[1:]]
