"""DNS messages (RFC 1035 section 4), over UDP and TCP, unicast and multicast (RFC 6762).

Enters: a message, or the prefix of a TCP stream of them. Leaves: a `Message`: its questions, and of
its answers those a reader needs. Bounded: `MAX_QUESTIONS`, `MAX_ANSWERS`, `MAX_LABELS`, `MAX_POINTERS` in one name,
255 octets a name (section 2.3.4). A compression pointer must point before the labels it ends
(section 4.1.4: "a prior occurrence"), so every name ends; nothing recurses.
"""

from __future__ import annotations

from contextlib import suppress
from struct import Struct

import msgspec

from appliance.sensor.packet import ip, names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_QUESTIONS = 32
"""Questions read; one is usual, a multicast query may hold some more."""
MAX_ANSWERS = 64
"""Answer records read; the rest is left, `complete` says so."""
MAX_LABELS = 1024
"""Labels read in one message: pointers let a few octets stand for many labels, again and again."""
MAX_POINTERS = 64
"""Compression pointers followed in one name."""
MAX_WIRE_NAME = 255

A, CNAME, PTR, AAAA = 1, 5, 12, 28
_NAMED = frozenset({2, CNAME, PTR})
_ADDRESSED = {A: 4, AAAA: 16}

_HEADER = Struct("!HHHHHH")
_QUESTION = Struct("!HH")
_RECORD = Struct("!HHIH")
_RESPONSE = 0x8000
_POINTER = 0xC0


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked."""

    name: str
    """Lower case, no final dot; empty for the root."""
    qtype: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the answer section."""

    name: str
    rtype: int
    ttl: int
    """Seconds."""
    value: str | None
    """Address (A, AAAA) or name (CNAME, NS, PTR); None for types that nobody reads here."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message; authority and additional sections are not read."""

    id: int
    response: bool
    opcode: int
    rcode: int
    questions: tuple[Question, ...]
    answers: tuple[Answer, ...]
    complete: bool
    """False when answers were left out: damaged, cut, or over `MAX_ANSWERS`."""


def parse(data: bytes) -> Message:
    """Read a message whole.

    The questions must be right. Answers that are damaged end the list instead of hiding the question:
    a resolver may well answer such a query.

    Raises:
        ParseError: header or questions are cut short, malformed or too many.
    """
    cursor = Cursor(data)
    identity, flags, question_count, answer_count, _, _ = cursor.unpack(_HEADER)
    if question_count > MAX_QUESTIONS:
        raise ParseError(f"{question_count} DNS questions")
    names_of = Names()
    questions = [_question(cursor, names_of) for _ in range(question_count)]
    answers: list[Answer] = []
    with suppress(ParseError):
        answers.extend(_answer(cursor, names_of) for _ in range(min(answer_count, MAX_ANSWERS)))
    return Message(
        id=identity,
        response=bool(flags & _RESPONSE),
        opcode=flags >> 11 & 0x0F,
        rcode=flags & 0x0F,
        questions=tuple(questions),
        answers=tuple(answers),
        complete=len(answers) == answer_count,
    )


def may_begin(prefix: bytes) -> bool:
    """Whether these octets, as far as they go, may begin a message in a TCP stream."""
    return (len(prefix) < 2 or int.from_bytes(prefix[:2], "big") >= _HEADER.size) and (
        len(prefix) < 8 or int.from_bytes(prefix[6:8], "big") <= MAX_QUESTIONS
    )


def read_stream(prefix: bytes) -> tuple[Message, int] | None:
    """Read the first message of a TCP stream (RFC 1035 section 4.2.2: two octets of length before each).

    Returns:
        The message and how many octets of the stream it took; None while more are needed.

    Raises:
        ParseError: what stands there is no message.
    """
    cursor = Cursor(prefix)
    if cursor.remaining < 2:
        return None
    length = cursor.u16()
    if length < _HEADER.size:
        raise ParseError(f"DNS message of {length} octets")
    if cursor.remaining < length:
        return None
    return parse(cursor.take(length)), cursor.position


def _question(cursor: Cursor, names_of: Names) -> Question:
    name = names_of.read(cursor)
    qtype, _ = cursor.unpack(_QUESTION)
    return Question(name=name, qtype=qtype)


def _answer(cursor: Cursor, names_of: Names) -> Answer:
    name = names_of.read(cursor)
    rtype, _, ttl, length = cursor.unpack(_RECORD)
    # The record's data may point back anywhere in the message, but must end where it says.
    body = cursor.sub(length)
    value = None
    if rtype in _NAMED:
        value = names_of.read(body)
    elif _ADDRESSED.get(rtype) == length:
        value = ip.text(body.rest())
    return Answer(name=name, rtype=rtype, ttl=ttl, value=value)


class Names:
    """Reads the names of one message, `MAX_LABELS` in all."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MAX_LABELS

    def read(self, cursor: Cursor) -> str:
        """Read a name, following compression pointers backward; the cursor ends behind it.

        Raises:
            ParseError: cut short, too long, a reserved label type, a pointer that is not backward, or too many
                pointers or labels.
        """
        labels: list[bytes] = []
        total = 1
        began = cursor.position
        reader = cursor
        for _ in range(MAX_POINTERS + 1):
            while (length := reader.u8()) < _POINTER:
                if length == 0:
                    self._left -= len(labels)
                    if self._left < 0:
                        raise ParseError(f"more than {MAX_LABELS} DNS labels in a message")
                    return names.from_labels(labels) if labels else ""
                if length > 63:
                    raise ParseError("reserved DNS label type")
                total += length + 1
                if total > MAX_WIRE_NAME:
                    raise ParseError("DNS name too long")
                labels.append(reader.take(length))
            target = (length & 0x3F) << 8 | reader.u8()
            if target >= began:
                raise ParseError("DNS pointer does not point backward")
            began = target
            reader = Cursor(cursor.data, target, cursor.end)
        raise ParseError(f"more than {MAX_POINTERS} DNS pointers in a name")
