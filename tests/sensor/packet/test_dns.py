from __future__ import annotations

from collections.abc import Callable
from struct import pack
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import dns as parser
from appliance.sensor.packet import labels, svcb
from appliance.sensor.packet.cursor import ParseError


def answered() -> bytes:
    """An answer of another implementation, with compression."""
    message = dns.message.make_response(dns.message.make_query("www.shop.example", "A", id=7))
    message.answer = [
        dns.rrset.from_text("www.shop.example.", 60, "IN", "CNAME", "cdn.shop.example."),
        dns.rrset.from_text("cdn.shop.example.", 30, "IN", "A", "192.0.2.80"),
        dns.rrset.from_text("cdn.shop.example.", 30, "IN", "AAAA", "2001:db8::80"),
        dns.rrset.from_text("cdn.shop.example.", 30, "IN", "TXT", '"words"'),
    ]
    wire: bytes = message.to_wire()
    return wire


def test_question(build: Any) -> None:
    message = parser.parse(build.question("News.Example", qtype=28))
    assert message.questions == (parser.Question(name="news.example", qtype=28),)
    assert (message.id, message.response, message.opcode, message.rcode) == (7, False, 0, 0)
    assert message.complete


def test_answers() -> None:
    message = parser.parse(answered())
    assert message.response
    assert message.complete
    assert [(answer.name, answer.rtype, answer.ttl, answer.value) for answer in message.answers] == [
        ("www.shop.example", 5, 60, "cdn.shop.example"),
        ("cdn.shop.example", 1, 30, "192.0.2.80"),
        ("cdn.shop.example", 28, 30, "2001:db8::80"),
        ("cdn.shop.example", 16, 30, None),
    ]
    assert message.answers[3].data == (b"words",)


def test_an_address_of_the_wrong_size_has_no_value(build: Any) -> None:
    wire = build.question(flags=0x8180)[:6] + pack("!HHH", 1, 0, 0) + build.question()[12:]
    wire += b"\xc0\x0c" + pack("!HHIH", 1, 1, 5, 3) + b"abc"
    assert parser.parse(wire).answers[0].value is None


def test_the_root(build: Any) -> None:
    assert parser.parse(build.question("")).questions[0].name == ""


def test_a_question_is_kept_when_the_answers_are_damaged() -> None:
    wire = answered()
    message = parser.parse(wire[:-3])
    assert message.questions[0].name == "www.shop.example"
    assert len(message.answers) == 3
    assert not message.complete


def test_answers_are_bounded(build: Any) -> None:
    count = parser.MAX_ANSWERS + 6
    wire = build.question()[:6] + pack("!HHH", count, 0, 0) + build.question()[12:]
    wire += (b"\xc0\x0c" + pack("!HHIH", 1, 1, 5, 4) + bytes(4)) * count
    message = parser.parse(wire)
    assert len(message.answers) == parser.MAX_ANSWERS
    assert not message.complete


def test_questions_are_bounded() -> None:
    count = parser.MAX_QUESTIONS
    assert len(parser.parse(pack("!HHHHHH", 1, 0, count, 0, 0, 0) + bytes(5) * count).questions) == count
    with pytest.raises(ParseError, match="questions"):
        parser.parse(pack("!HHHHHH", 1, 0, count + 1, 0, 0, 0) + bytes(5) * (count + 1))


def test_labels_of_a_message_are_bounded() -> None:
    """Pointers make many labels of few octets: 32 questions of 126 labels each fit into 500 octets."""
    longest = b"\x01a" * 126 + b"\0" + bytes(4)
    whole = labels.MAX_LABELS // 126
    pointer = b"\xc0\x0c" + bytes(4)
    assert len(parser.parse(pack("!HHHHHH", 1, 0, whole, 0, 0, 0) + longest + pointer * (whole - 1)).questions) == whole
    with pytest.raises(ParseError, match="labels"):
        parser.parse(pack("!HHHHHH", 1, 0, whole + 1, 0, 0, 0) + longest + pointer * whole)
    record = b"\xc0\x0c" + pack("!HHIH", 1, 1, 5, 4) + bytes(4)
    message = parser.parse(pack("!HHHHHH", 1, 0x8000, 1, 20, 0, 0) + longest + record * 20)
    assert len(message.answers) == whole - 1
    assert not message.complete


def test_a_name_in_a_record_must_end_inside_it(build: Any) -> None:
    wire = build.question()[:6] + pack("!HHH", 1, 0, 0) + build.question()[12:]
    wire += b"\xc0\x0c" + pack("!HHIH", 5, 1, 5, 2) + b"\x03www\xc0\x0c"
    message = parser.parse(wire)
    assert [(answer.name, answer.value) for answer in message.answers] == [("news.example", None)]
    assert not message.complete


def test_stream_is_read_message_by_message(build: Any) -> None:
    question = build.question()
    framed = pack("!H", len(question)) + question
    for end in range(len(framed)):
        assert parser.may_begin(framed[:end])
        assert parser.read_stream(framed[:end]) is None
    read = parser.read_stream(framed + framed)
    assert read is not None
    assert read[0].questions[0].name == "news.example"
    assert read[1] == len(framed)


def test_a_stream_that_is_no_dns() -> None:
    assert not parser.may_begin(b"\0\x05")
    assert not parser.may_begin(b"SSH-2.0-example")
    with pytest.raises(ParseError):
        parser.read_stream(b"\0\x05abcde")


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for read in (parser.parse, parser.read_stream):
        try:
            read(data)
        except ParseError:
            continue


@given(st.binary(max_size=300), st.integers(0, 32), st.integers(0, 300))
def test_any_bytes_behind_a_header(data: bytes, questions: int, answers: int) -> None:
    try:
        message = parser.parse(pack("!HHHHHH", 1, 0x8180, questions, answers, 0, 0) + data)
    except ParseError:
        return
    assert len(message.questions) == questions
    assert len(message.answers) <= min(answers, parser.MAX_ANSWERS)


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=12))
def test_mutations(mutate: Callable[..., bytes], edits: list[tuple[int, int]]) -> None:
    try:
        message = parser.parse(mutate(answered(), edits))
    except ParseError:
        return
    assert all(len(question.name) <= 253 for question in message.questions)


RECORDS = [
    ("a.example.", "NS", "ns.a.example."),
    ("a.example.", "SOA", "ns.a.example. root.a.example. 1 2 3 4 5"),
    ("a.example.", "MX", "10 mail.a.example."),
    ("4.3.2.1.in-addr.arpa.", "PTR", "a.example."),
    ("_ipp._tcp.a.example.", "SRV", "1 2 631 printer.a.example."),
    ("a.example.", "TXT", '"one=1" "" "three"'),
    ("a.example.", "HTTPS", '1 . alpn="h3,h2" port="8443" ipv4hint="192.0.2.1" ech="AARhYmNk"'),
    ("a.example.", "CAA", '0 issue "ca.example"'),
]


def sections(authority: int = 0) -> bytes:
    """All records: the last `authority` of them behind the answers, an OPT record at the end."""
    message = dns.message.make_response(dns.message.make_query("a.example", "ANY", id=7))
    message.use_edns(
        0,
        dns.flags.DO,
        1232,
        options=[dns.edns.ECSOption("192.0.2.0", 24), dns.edns.CookieOption(b"12345678", b"")],
    )
    message.set_rcode(dns.rcode.BADCOOKIE)
    made = [dns.rrset.from_text(name, 60, "IN", kind, value) for name, kind, value in RECORDS]
    message.answer, message.authority = made[: len(made) - authority], made[len(made) - authority :]
    message.additional = [dns.rrset.from_text("ns.a.example.", 60, "IN", "A", "192.0.2.53")]
    wire: bytes = message.to_wire()
    return wire


@pytest.mark.req("R11")
def test_data_of_each_type() -> None:
    values = {answer.rtype: (answer.value, answer.data) for answer in parser.parse(sections()).answers}
    assert values == {
        parser.NS: ("ns.a.example", None),
        parser.SOA: ("ns.a.example", None),
        parser.MX: ("mail.a.example", None),
        parser.PTR: ("a.example", None),
        parser.SRV: (
            "printer.a.example",
            parser.Srv(priority=1, weight=2, port=631, target="printer.a.example"),
        ),
        parser.TXT: (None, (b"one=1", b"", b"three")),
        parser.HTTPS: (
            "",
            svcb.Svcb(
                priority=1,
                target="",
                keys=(1, 3, 4, 5),
                alpn=("h3", "h2"),
                port=8443,
                ipv4hint=("192.0.2.1",),
                ech=b"\0\x04abcd",
            ),
        ),
        257: (None, None),
    }


def test_sections_behind_the_answers() -> None:
    message = parser.parse(sections(authority=3))
    assert len(message.answers) == 5
    assert [record.rtype for record in message.authorities] == [parser.TXT, parser.HTTPS, 257]
    assert [(record.name, record.value) for record in message.additionals] == [("ns.a.example", "192.0.2.53")]
    assert message.complete
    assert message.further.complete
    assert message == parser.parse(sections(authority=3))
    assert hash(message) == hash(parser.parse(sections(authority=3)))
    assert message != parser.parse(sections(authority=2))


def test_edns() -> None:
    message = parser.parse(sections())
    edns = message.edns
    assert edns is not None
    assert (edns.udp_size, edns.version, edns.dnssec_ok, edns.client_subnet, edns.cookie) == (1232, 0, True, True, True)
    assert edns.option(8) == b"\0\x01\x18\0\xc0\0\x02"
    assert edns.option(3) is None
    assert message.rcode | edns.extended_rcode << 4 == dns.rcode.BADCOOKIE


def test_no_further_sections(build: Any) -> None:
    message = parser.parse(build.question())
    assert (message.authorities, message.additionals, message.edns) == ((), (), None)


OPT = b"\0" + pack("!HHIH", 41, 1232, 0, 0)


def with_additionals(build: Any, *records: bytes) -> parser.Message:
    question = build.question()
    return parser.parse(question[:10] + pack("!H", len(records)) + question[12:] + b"".join(records))


def test_only_one_opt_record_counts(build: Any) -> None:
    message = with_additionals(build, OPT, b"\0" + pack("!HHIH", 41, 4096, 0, 0))
    assert message.edns is not None
    assert message.edns.udp_size == 1232
    assert not message.further.complete


def test_edns_options_are_bounded(build: Any) -> None:
    options = pack("!HH", 10, 0) * parser.MAX_OPTIONS
    message = with_additionals(build, b"\0" + pack("!HHIH", 41, 1232, 0, len(options)) + options)
    assert message.edns is not None
    assert len(message.edns.options) == parser.MAX_OPTIONS
    assert message.further.complete
    options += pack("!HH", 10, 0)
    message = with_additionals(build, b"\0" + pack("!HHIH", 41, 1232, 0, len(options)) + options)
    assert message.edns is not None
    assert len(message.edns.options) == parser.MAX_OPTIONS
    assert not message.further.complete


def test_damaged_edns_options(build: Any) -> None:
    message = with_additionals(build, b"\0" + pack("!HHIH", 41, 1232, 0, 5) + pack("!HHB", 10, 8, 1))
    assert message.edns is not None
    assert message.edns.options == ()
    assert not message.further.complete


def test_strings_of_a_text_are_bounded(build: Any) -> None:
    for count, complete in ((parser.MAX_STRINGS, True), (parser.MAX_STRINGS + 1, False)):
        message = with_additionals(build, b"\0" + pack("!HHIH", 16, 1, 5, count) + bytes(count))
        assert message.additionals[0].data == (b"",) * parser.MAX_STRINGS
        assert message.further.complete is complete


def test_lists_in_service_records_are_bounded(build: Any) -> None:
    for count, complete in ((svcb.MAX_ENTRIES, True), (svcb.MAX_ENTRIES + 1, False)):
        body = b"\0\x01\0" + pack("!HH", svcb.IPV4HINT, 4 * count) + bytes(4 * count)
        message = with_additionals(build, b"\0" + pack("!HHIH", parser.HTTPS, 1, 5, len(body)) + body)
        assert isinstance(message.additionals[0].data, svcb.Svcb)
        assert message.further.complete is complete


def test_a_damaged_record_does_not_hide_the_next(build: Any) -> None:
    broken = b"\0" + pack("!HHIH", 16, 1, 5, 2) + b"\x05a"
    message = with_additionals(build, broken, OPT)
    assert [(record.rtype, record.data) for record in message.additionals] == [(16, None)]
    assert message.edns is not None
    assert not message.further.complete


def test_records_are_bounded_over_all_sections(build: Any) -> None:
    record = b"\0" + pack("!HHIH", 1, 1, 5, 4) + bytes(4)
    question = build.question()
    counts = pack("!HHH", parser.MAX_ANSWERS - 2, 1, 9)
    wire = question[:6] + counts + question[12:] + record * (parser.MAX_ANSWERS + 8)
    message = parser.parse(wire)
    assert message.complete
    assert (len(message.authorities), len(message.additionals)) == (1, 1)
    assert not message.further.complete


def test_sections_behind_answers_that_were_lost_are_not_guessed(build: Any) -> None:
    question = build.question()
    message = parser.parse(question[:6] + pack("!HHH", 1, 0, 1) + question[12:] + b"\x40" + OPT)
    assert not message.complete
    assert message.edns is None
    assert not message.further.complete


@pytest.mark.parametrize("rtype", [parser.SRV, parser.MX, parser.HTTPS, parser.NS])
def test_records_without_data(build: Any, rtype: int) -> None:
    message = with_additionals(build, b"\0" + pack("!HHIH", rtype, 1, 5, 0))
    assert [(record.value, record.data) for record in message.additionals] == [(None, None)]
    assert not message.further.complete


@pytest.mark.parametrize("tail", [b"", b"\0" + pack("!HHI", 1, 1, 5), b"\0" + pack("!HHIH", 1, 1, 5, 4) + b"abc"])
def test_records_cut_short(build: Any, tail: bytes) -> None:
    message = with_additionals(build, tail)
    assert message.additionals == ()
    assert not message.further.complete


def test_multicast_bits(build: Any) -> None:
    question = build.name("tv.local") + pack("!HH", 255, 0x8001)
    record = b"\xc0\x0c" + pack("!HHIH", 1, 0x8001, 5, 4) + bytes((192, 0, 2, 7))
    message = parser.parse(pack("!HHHHHH", 0, 0, 1, 0, 1, 0) + question + record)
    assert message.questions == (parser.Question(name="tv.local", qtype=255, qclass=1, unicast=True),)
    assert message.authorities == (
        parser.Answer(name="tv.local", rtype=1, ttl=5, value="192.0.2.7", rclass=1, flush=True),
    )


@pytest.mark.parametrize("wire", [b"", bytes(11), pack("!HHHHHH", 1, 0, 1, 0, 0, 0) + bytes(4)])
def test_messages_cut_short(wire: bytes) -> None:
    with pytest.raises(ParseError):
        parser.parse(wire)


@pytest.mark.req("N8")
@pytest.mark.parametrize("run", [1, 3, 40])
def test_pointers_make_no_work_that_grows_with_the_message(monkeypatch: pytest.MonkeyPatch, run: int) -> None:
    """Every record's names end in the longest chain of pointers; octets walked over are counted, not seconds."""
    walked = 0
    walk = labels._run

    def counted(data: bytes, position: int, end: int, found: list[bytes]) -> tuple[int, int]:
        nonlocal walked
        behind, target = walk(data, position, end, found)
        walked += behind - position
        return behind, target

    monkeypatch.setattr(labels, "_run", counted)
    sizes = {}
    for records in (parser.MAX_ANSWERS, 1000):
        walked = 0
        head = b"\0" + pack("!HHIH", 99, 1, 5, 0)
        chain, last = b"", 12 + len(head)
        chain += b"\0"
        for _ in range(labels.MAX_POINTERS):
            here = 12 + len(head) + len(chain)
            chain += bytes((run,)) + b"x" * run + pack("!H", 0xC000 | last)
            last = here
        head = head[:-2] + pack("!H", len(chain))
        record = pack("!H", 0xC000 | last) + pack("!HHIH", parser.PTR, 1, 5, 2) + pack("!H", 0xC000 | last)
        wire = pack("!HHHHHH", 1, 0x8000, 0, 1 + records, 0, 0) + head + chain + record * records
        parser.parse(wire)
        sizes[records] = walked
    names = 2 * parser.MAX_ANSWERS
    assert sizes[1000] <= sizes[parser.MAX_ANSWERS] + names
    assert max(sizes.values()) <= names * (labels.MAX_WIRE_NAME + 3 * labels.MAX_POINTERS)


@pytest.mark.req("N8")
@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=12), st.integers(0, 8))
def test_mutations_of_all_sections(mutate: Callable[..., bytes], edits: list[tuple[int, int]], behind: int) -> None:
    try:
        message = parser.parse(mutate(sections(authority=behind), edits))
    except ParseError:
        return
    found = [*message.answers, *message.authorities, *message.additionals]
    assert len(found) <= parser.MAX_ANSWERS
    assert all(len(record.name) <= 253 for record in found)
