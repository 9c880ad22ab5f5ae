"""Answers find their questions, and what nobody asked for finds none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import Via
from appliance.sensor import answers
from appliance.sensor.answers import Answers
from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import Kind, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.packet import dns

LAPTOP, PHONE = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
BOX, CLIENT = "192.0.2.1", "192.0.2.7"
ALIAS = dns.Answer(name="a.example", rtype=dns.CNAME, ttl=60, value="b.example")


def heard(*, name: str = "a.example", response: bool = False, identity: int = 7, **more: Any) -> MessageHeard:
    """A question, or with `response` the answer that goes the other way without a hardware address."""
    message = dns.Message(
        id=identity,
        response=response,
        opcode=0,
        rcode=0,
        questions=(dns.Question(name=name, qtype=dns.A),),
        answers=(ALIAS,) if response else (),
        complete=True,
    )
    ends = {"src": BOX, "sport": 53, "dst": CLIENT, "dport": 4000, "mac": None}
    if not response:
        ends = {"src": CLIENT, "sport": 4000, "dst": BOX, "dport": 53, "mac": LAPTOP}
    what: dict[str, Any] = {"ts": 1000.0} | ends | more
    return MessageHeard(tap=Tap.DNS, via=Via.DNS, kind=Kind.DNS, message=message, **what)


@pytest.fixture
def pairing() -> Answers:
    return Answers()


@pytest.mark.req("R24")
def test_an_answer_counts_as_its_askers(pairing: Answers) -> None:
    assert pairing.take(heard()) is None
    found = pairing.take(heard(response=True, ts=1000.2))
    assert found is not None
    assert (found.mac, found.src, found.sport, found.dst, found.dport) == (LAPTOP, CLIENT, 4000, BOX, 53)
    assert (found.ts, found.asked[0].name, found.message.answers) == (1000.2, "a.example", (ALIAS,))
    assert (pairing.unasked, pairing.overflow) == (0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"identity": 8},
        {"dport": 4001},
        {"dst": "192.0.2.8"},
        {"src": "203.0.113.53"},
        {"sport": 5300},
        {"name": "other.example"},
        {"ts": 1010.5},
        {"src": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_not_asked_for_so_is_dropped_and_counted(pairing: Answers, change: dict[str, Any]) -> None:
    pairing.take(heard())
    assert pairing.take(heard(response=True, **change)) is None
    assert pairing.unasked == 1


def test_a_forged_answer_does_not_use_up_the_question(pairing: Answers) -> None:
    pairing.take(heard())
    assert pairing.take(heard(response=True, name="other.example")) is None
    assert pairing.take(heard(response=True)) is not None


def test_a_question_is_answered_once(pairing: Answers) -> None:
    pairing.take(heard())
    assert pairing.take(heard(response=True)) is not None
    assert pairing.take(heard(response=True)) is None


def test_an_error_may_come_without_the_question(pairing: Answers) -> None:
    pairing.take(heard())
    answer = heard(response=True)
    short = msgspec.structs.replace(answer, message=msgspec.structs.replace(answer.message, questions=()))
    found = pairing.take(short)
    assert found is not None
    assert found.asked[0].name == "a.example"


def test_what_is_no_dns_is_none(pairing: Answers) -> None:
    assert pairing.take(msgspec.structs.replace(heard(response=True), kind=Kind.MDNS)) is None
    assert pairing.take(heard(mac=None)) is None
    assert len(pairing) == 0
    assert pairing.unasked == 0


def test_a_flood_of_questions_pushes_out_its_own_only(pairing: Answers) -> None:
    pairing.take(heard())
    for number in range(answers.MAX_PENDING + 5):
        pairing.take(heard(src="192.0.2.66", mac=PHONE, identity=number))
    assert pairing.overflow == 5
    assert pairing.take(heard(response=True)) is not None


def test_a_flood_of_who_is_not_watched_pushes_out_no_question_of_who_is(pairing: Answers) -> None:
    """From whatever address: it may put the watched device's own on its questions."""
    pairing.take(heard(), is_watched=True)
    for number in range(answers.MAX_ASKERS + answers.MAX_PENDING):
        pairing.take(heard(mac=PHONE, identity=number), is_watched=False)
        pairing.take(heard(src=f"198.51.{number // 250}.{number % 250}", mac=PHONE), is_watched=False)
    assert pairing.overflow > 0
    found = pairing.take(heard(response=True))
    assert found is not None
    assert found.mac == LAPTOP


def test_askers_are_bounded(pairing: Answers) -> None:
    for number in range(answers.MAX_ASKERS + 4):
        pairing.take(heard(src=f"198.51.{number // 250}.{number % 250}"))
    assert len(pairing) == answers.MAX_ASKERS
    assert pairing.overflow == 4


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.floats(0, 60)), max_size=60))
def test_never_more_answers_than_questions(script: list[tuple[bool, int, float]]) -> None:
    pairing = Answers()
    found = sum(
        pairing.take(heard(response=response, identity=identity, ts=ts)) is not None
        for response, identity, ts in script
    )
    assert found <= sum(not response for response, _, _ in script)
    assert found + pairing.unasked == sum(response for response, _, _ in script)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("version", [4, 6])
def test_from_bytes_of_the_tap(build: Any, transport: str, version: int) -> None:
    question = build.question("www.news.example")
    answer = question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:] + b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\3cdn\xc0\x10"
    client, box = ("192.0.2.7", "192.0.2.1") if version == 4 else ("2001:db8::7", "2001:db8::1")
    around = build.ipv4 if version == 4 else build.ipv6

    def frame(data: bytes, *, asks: bool) -> Any:
        ports = {"sport": 4000, "dport": 53} if asks else {"sport": 53, "dport": 4000}
        ends = {"src": client, "dst": box} if asks else {"src": box, "dst": client}
        if transport == "tcp":
            segment = build.tcp(len(data).to_bytes(2, "big") + data, **ports)
            return build.frame(around(segment, protocol=6, **ends), tap=Tap.DNS, mac=build.phone if asks else None)
        datagram = build.udp(data, **ports)
        return build.frame(around(datagram, protocol=17, **ends), tap=Tap.DNS, mac=build.phone if asks else None)

    dissector, pairing = Dissector(), Answers()
    paired = [
        pairing.take(fact)
        for made in (frame(question, asks=True), frame(answer, asks=False))
        for fact in dissector.feed(made)
    ]
    (found,) = [one for one in paired if one is not None]
    assert found.mac == build.phone.hex(":")
    assert [record.value for record in found.message.answers] == ["cdn.news.example"]
