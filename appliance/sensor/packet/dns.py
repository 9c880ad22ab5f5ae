"""DNS messages (RFC 1035 section 4), over UDP and TCP, unicast and multicast (RFC 6762, LLMNR RFC 4795).

Enters: a message, or the prefix of a TCP stream of them. Leaves: a `Message`: questions, and the
records of all sections, with the data of those types that a reader needs.
Bounded: `MAX_QUESTIONS`, `MAX_ANSWERS` records over all sections, `MAX_STRINGS` of a TXT,
`MAX_OPTIONS` of EDNS, `MAX_LABELS`, `MAX_POINTERS` in one name, 255 octets a name (section 2.3.4).
A compression pointer must point before the labels it ends (section 4.1.4: "a prior occurrence"),
so every name ends; nothing recurses.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet import ip, names, svcb
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_QUESTIONS = 32
"""Questions read; one is usual, a multicast query may hold some more."""
MAX_ANSWERS = 64
"""Records read, over all sections; the rest is left, `complete` says so."""
MAX_STRINGS = 64
"""Character strings read of one TXT record; the rest is left, `complete` says so."""
MAX_OPTIONS = 16
"""EDNS options read; the rest is left, `complete` says so."""
MAX_LABELS = 1024
"""Labels read in one message: pointers let a few octets stand for many labels, again and again."""
MAX_POINTERS = 64
"""Compression pointers followed in one name."""
MAX_WIRE_NAME = 255

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, SVCB, HTTPS, ANY = 1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 64, 65, 255
CLIENT_SUBNET, COOKIE = 8, 10
"""EDNS options of RFC 7871 and RFC 7873."""
_ADDRESSED = {A: 4, AAAA: 16}
_NAMED = frozenset({NS, CNAME, PTR, SOA})
_READ = _NAMED | {MX, TXT, SRV, SVCB, HTTPS}

_HEADER = Struct("!HHHHHH")
_QUESTION = Struct("!HH")
_RECORD = Struct("!HHIH")
_SRV = Struct("!HHH")
_RESPONSE = 0x8000
_POINTER = 0xC0
_LONGEST = 63
_TOP_BIT = 0x8000
_DNSSEC_OK = 0x8000


class Question(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is asked."""

    name: str
    """Lower case, no final dot; empty for the root."""
    qtype: int
    qclass: int = 1
    """Without its top bit."""
    unicast: bool = False
    """The top bit of the class: of multicast DNS, an answer by unicast is wanted (RFC 6762 section 5.4)."""


class Srv(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a service is (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


_Data = svcb.Svcb | Srv | tuple[bytes, ...] | None


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record of any section."""

    name: str
    rtype: int
    ttl: int
    """Seconds."""
    value: str | None
    """Address (A, AAAA) or name (CNAME, NS, PTR, MX, SOA's first, target of SRV, SVCB, HTTPS); else None."""
    data: _Data = None
    """What SVCB and HTTPS, SRV, or TXT (its strings) say; None for other types, and where damaged."""
    rclass: int = 1
    """Without its top bit."""
    flush: bool = False
    """The top bit of the class: of multicast DNS, the record is the sender's alone (RFC 6762 section 10.2)."""


class Edns(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an OPT record says (RFC 6891 section 6.1)."""

    udp_size: int
    version: int
    dnssec_ok: bool
    options: tuple[tuple[int, bytes], ...] = ()
    """(code, value) in the sender's order."""

    def option(self, code: int) -> bytes | None:
        """Value of the first option of this code; None without one."""
        return next((value for found, value in self.options if found == code), None)

    @property
    def client_subnet(self) -> bool:
        """Whether the message tells the resolver's resolver where the client is."""
        return self.option(CLIENT_SUBNET) is not None

    @property
    def cookie(self) -> bool:
        """Whether client and server know each other again by a cookie."""
        return self.option(COOKIE) is not None


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message."""

    id: int
    response: bool
    opcode: int
    rcode: int
    """With the upper eight bits of EDNS, where it has them."""
    questions: tuple[Question, ...]
    answers: tuple[Answer, ...]
    complete: bool
    """False when records were left out or read in part: damaged, cut, or over a bound."""
    authorities: tuple[Answer, ...] = ()
    additionals: tuple[Answer, ...] = ()
    """Without the OPT record: that is `edns`."""
    edns: Edns | None = None


def parse(data: bytes) -> Message:
    """Read a message whole.

    The questions must be right. Records that are damaged end the list instead of hiding the question:
    a resolver may well answer such a query.

    Raises:
        ParseError: header or questions are cut short, malformed or too many.
    """
    size = len(data)
    if size < _HEADER.size:
        raise ParseError("DNS header cut short")
    identity, flags, asked, answered, authoritative, additional = _HEADER.unpack_from(data)
    if asked > MAX_QUESTIONS:
        raise ParseError(f"{asked} DNS questions")
    names_of = Names()
    position = _HEADER.size
    questions: list[Question] = []
    for _ in range(asked):
        name, at = names_of.at(data, position, size)
        position = at + _QUESTION.size
        if position > size:
            raise ParseError("DNS question cut short")
        qtype, qclass = _QUESTION.unpack_from(data, at)
        if qclass == 1:
            questions.append(Question(name=name, qtype=qtype))
        else:
            top = qclass & _TOP_BIT != 0
            questions.append(Question(name=name, qtype=qtype, qclass=qclass & ~_TOP_BIT, unicast=top))
    rcode = flags & 0x0F
    answers: tuple[Answer, ...] = ()
    authorities: tuple[Answer, ...] = ()
    additionals: tuple[Answer, ...] = ()
    edns, complete = None, True
    if answered or authoritative or additional:
        records = _Records(data, position, names_of)
        answers = records.section(answered)
        authorities = records.section(authoritative)
        additionals = records.section(additional)
        edns, complete = records.edns, records.complete
        rcode |= records.extended_rcode
    return Message(
        id=identity,
        response=flags & _RESPONSE != 0,
        opcode=flags >> 11 & 0x0F,
        rcode=rcode,
        questions=tuple(questions),
        answers=answers,
        complete=complete,
        authorities=authorities,
        additionals=additionals,
        edns=edns,
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


class _Records:
    """Reads the records behind the questions, in order."""

    __slots__ = ("_data", "_left", "_names", "_position", "complete", "edns", "extended_rcode")

    def __init__(self, data: bytes, position: int, names_of: Names) -> None:
        self._data = data
        self._position = position
        self._names = names_of
        self._left = MAX_ANSWERS
        self.complete = True
        self.edns: Edns | None = None
        self.extended_rcode = 0

    def section(self, count: int) -> tuple[Answer, ...]:
        """The next `count` records, as far as they can be read; nothing once a record could not."""
        if not count:
            return ()
        found: list[Answer] = []
        wanted = min(count, self._left)
        try:
            for _ in range(wanted):
                record = self._record()
                if record is not None:
                    found.append(record)
        except ParseError:
            wanted = self._left = 0  # where the next record begins is not known
        self._left -= wanted
        if wanted < count:
            self.complete = False
            self._left = 0
        return tuple(found)

    def _record(self) -> Answer | None:
        data = self._data
        name, at = self._names.at(data, self._position, len(data))
        start = at + _RECORD.size
        if start > len(data):
            raise ParseError("DNS record cut short")
        rtype, rclass, ttl, length = _RECORD.unpack_from(data, at)
        end = self._position = start + length
        if end > len(data):
            raise ParseError("DNS record cut short")
        value: str | None = None
        extra: _Data = None
        if (size := _ADDRESSED.get(rtype)) is not None:
            if length == size:
                value = ip.text(data[start:end])
        elif rtype == OPT:
            self._edns(rclass, ttl, Cursor(data, start, end))
            return None
        elif rtype in _READ:
            # The record's data may point back anywhere in the message, but must end where it says.
            try:
                value, extra = self._content(rtype, start, end)
            except ParseError:
                self.complete = False
                self._names.charge()
        if rclass == 1:
            return Answer(name=name, rtype=rtype, ttl=ttl, value=value, data=extra)
        return Answer(
            name=name,
            rtype=rtype,
            ttl=ttl,
            value=value,
            data=extra,
            rclass=rclass & ~_TOP_BIT,
            flush=rclass & _TOP_BIT != 0,
        )

    def _content(self, rtype: int, start: int, end: int) -> tuple[str | None, _Data]:
        if rtype in _NAMED:
            return self._names.at(self._data, start, end)[0], None
        body = Cursor(self._data, start, end)
        if rtype == TXT:
            return None, self._strings(body)
        if rtype == MX:
            body.skip(2)
            return self._names.read(body), None
        if rtype == SRV:
            priority, weight, port = body.unpack(_SRV)
            target = self._names.read(body)
            return target, Srv(priority=priority, weight=weight, port=port, target=target)
        priority = body.u16()  # SVCB and HTTPS
        target = self._names.read(body)
        return target, svcb.parse(priority, target, body)

    def _strings(self, body: Cursor) -> tuple[bytes, ...]:
        found: list[bytes] = []
        data, at, end = body.data, body.position, body.end
        while at < end:
            after = at + 1 + data[at]
            if after > end:
                raise ParseError("TXT string cut short")
            if len(found) == MAX_STRINGS:
                self.complete = False
                break
            found.append(data[at + 1 : after])
            at = after
        return tuple(found)

    def _edns(self, rclass: int, ttl: int, body: Cursor) -> None:
        """Fields of the OPT record stand where others have class and TTL (RFC 6891 section 6.1.3)."""
        if self.edns is not None:
            self.complete = False  # section 6.1.1: only one may be there
            return
        options: list[tuple[int, bytes]] = []
        try:
            while body.remaining and len(options) < MAX_OPTIONS:
                code = body.u16()
                options.append((code, body.take(body.u16())))
        except ParseError:
            self.complete = False
        if body.remaining:
            self.complete = False
        self.extended_rcode = ttl >> 24 << 4
        self.edns = Edns(
            udp_size=rclass, version=ttl >> 16 & 0xFF, dnssec_ok=ttl & _DNSSEC_OK != 0, options=tuple(options)
        )


class Names:
    """Reads the names of one message, `MAX_LABELS` in all."""

    __slots__ = ("_known", "_left")

    def __init__(self) -> None:
        self._left = MAX_LABELS
        # Where a name was read: its text, labels, octets on the wire, pointers. An entry a name, bounded as names are.
        self._known: dict[int, tuple[str, list[bytes], int, int]] = {}

    def charge(self) -> None:
        """Count a name that could not be read as if it had been as long as one may be."""
        self._left -= MAX_WIRE_NAME // 2

    def read(self, cursor: Cursor) -> str:
        """Read a name, following compression pointers backward; the cursor ends behind it.

        Raises:
            ParseError: as `at`.
        """
        text, cursor.position = self.at(cursor.data, cursor.position, cursor.end)
        return text

    def at(self, data: bytes, start: int, end: int) -> tuple[str, int]:
        """Read the name that begins at `start` and must end before `end`; always of the same `data`.

        Returns:
            Its text, and the position behind it.

        Raises:
            ParseError: cut short, too long, a reserved label type, a pointer that is not backward, or too many
                pointers or labels.
        """
        if start + 2 <= end and data[start] >= _POINTER:
            target = (data[start] & 0x3F) << 8 | data[start + 1]
            known = self._known.get(target)
            if known is not None and target < start and known[3] < MAX_POINTERS:  # most owners of records
                self._left -= len(known[1])
                if self._left >= 0:
                    return known[0], start + 2
        labels: list[bytes] = []
        position, target = _run(data, start, end, labels)
        if target == _ENDED:
            text, octets, pointers = names.from_labels(labels), position - start, 0
        else:
            text, octets, pointers = self._follow(data, start, end, target, labels)
        self._left -= len(labels)
        if self._left < 0:
            raise ParseError(f"more than {MAX_LABELS} DNS labels in a message")
        self._known[start] = (text, labels, octets, pointers)
        return text, position

    def _follow(self, data: bytes, start: int, end: int, target: int, labels: list[bytes]) -> tuple[str, int, int]:
        """The rest of a name that has `labels` before its first pointer: its text, octets and pointers."""
        octets = sum(map(len, labels)) + len(labels) + 1
        began = start
        for pointers in range(1, MAX_POINTERS + 1):
            if target >= began:
                raise ParseError("DNS pointer does not point backward")
            known = self._known.get(target)
            if known is not None:
                tail, of_tail, more, followed = known
                if octets + more - 1 > MAX_WIRE_NAME or pointers + followed > MAX_POINTERS:
                    raise ParseError("DNS name too long, or with too many pointers")
                text = names.from_labels(labels + of_tail) if labels else tail
                labels += of_tail
                return text, octets + more - 1, pointers + followed
            began = target
            before = len(labels)
            _, target = _run(data, began, end, labels)
            octets += sum(map(len, labels[before:])) + len(labels) - before
            if octets > MAX_WIRE_NAME:
                raise ParseError("DNS name too long")
            if target == _ENDED:
                return names.from_labels(labels), octets, pointers
        raise ParseError(f"more than {MAX_POINTERS} DNS pointers in a name")


_ENDED = -1


def _run(data: bytes, position: int, end: int, labels: list[bytes]) -> tuple[int, int]:
    """Labels as far as the root or a pointer: the position behind it, and where it points (`_ENDED`: the root)."""
    end = min(end, position + MAX_WIRE_NAME)
    while position < end:
        length = data[position]
        position += 1
        if length == 0:
            return position, _ENDED
        if length > _LONGEST:
            if length < _POINTER:
                raise ParseError("reserved DNS label type")
            if position >= end:
                break
            return position + 1, (length & 0x3F) << 8 | data[position]
        # A label that goes over the end is never handed on: the loop ends behind it.
        labels.append(data[position : position + length])
        position += length
    raise ParseError("DNS name cut short or too long")
