from __future__ import annotations

from collections.abc import Callable
from struct import pack
from typing import Any

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.packet import dns as parser
from appliance.sensor.packet.cursor import Cursor, ParseError


def answered() -> bytes:
    """An answer of another implementation, with compression."""
    message = dns.message.make_response(dns.message.make_query("www.shop.example", "A"))
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
    whole = parser.MAX_LABELS // 126
    pointer = b"\xc0\x0c" + bytes(4)
    assert len(parser.parse(pack("!HHHHHH", 1, 0, whole, 0, 0, 0) + longest + pointer * (whole - 1)).questions) == whole
    with pytest.raises(ParseError, match="labels"):
        parser.parse(pack("!HHHHHH", 1, 0, whole + 1, 0, 0, 0) + longest + pointer * whole)
    record = b"\xc0\x0c" + pack("!HHIH", 1, 1, 5, 4) + bytes(4)
    message = parser.parse(pack("!HHHHHH", 1, 0x8000, 1, 20, 0, 0) + longest + record * 20)
    assert len(message.answers) == whole - 1
    assert not message.complete


def name_at(wire: bytes, start: int) -> str:
    return parser.Names().read(Cursor(wire, start))


def test_a_pointer_to_itself_ends() -> None:
    with pytest.raises(ParseError, match="backward"):
        name_at(b"\xc0\x00", 0)


def test_two_pointers_at_each_other_end() -> None:
    with pytest.raises(ParseError, match="backward"):
        name_at(b"\xc0\x02\xc0\x00", 2)


def test_a_pointer_into_the_labels_it_ends() -> None:
    with pytest.raises(ParseError, match="backward"):
        name_at(b"\x01a\x01b\xc0\x02", 0)


def test_3000_chained_pointers_end() -> None:
    wire = b"\0" + b"\0" + b"".join(pack("!H", 0xC000 | 2 * number) for number in range(3000))
    with pytest.raises(ParseError, match="pointers"):
        name_at(wire, len(wire) - 2)
    assert name_at(wire, 2 * parser.MAX_POINTERS) == ""


def test_a_name_over_255_octets() -> None:
    longest = b"\x3f" + b"x" * 63
    assert name_at(longest * 3 + b"\x3d" + b"y" * 61 + b"\0", 0) == ".".join(["x" * 63] * 3 + ["y" * 61])
    with pytest.raises(ParseError, match="too long"):
        name_at(longest * 3 + b"\x3e" + b"y" * 62 + b"\0", 0)


@pytest.mark.parametrize("wire", [b"\x40a", b"\x80a", b"\x05ab", b"\xc0", b""])
def test_broken_names(wire: bytes) -> None:
    with pytest.raises(ParseError):
        name_at(wire, 0)


def test_a_name_in_a_record_must_end_inside_it(build: Any) -> None:
    wire = build.question()[:6] + pack("!HHH", 1, 0, 0) + build.question()[12:]
    wire += b"\xc0\x0c" + pack("!HHIH", 5, 1, 5, 2) + b"\x03www\xc0\x0c"
    message = parser.parse(wire)
    assert message.answers == ()
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


@given(st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=5).filter(lambda ls: sum(map(len, ls)) < 200))
def test_reads_names_as_dnspython_does(labels: list[bytes]) -> None:
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    theirs = dns.name.from_wire(wire, 0)[0].canonicalize().to_text(omit_final_dot=True)
    ours = name_at(wire, 0)
    assert ours == theirs or (len(theirs) > 253 and theirs.endswith("." + ours))
