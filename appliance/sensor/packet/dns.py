"""DNS messages (RFC 1035 section 4), over UDP and TCP, unicast and multicast (RFC 6762, LLMNR RFC 4795).

Enters: a message, or the prefix of a TCP stream of them. Leaves: a `Message`: questions, and the
records of all sections, with the data of those types that a reader needs.
Bounded: `MAX_QUESTIONS`, `MAX_ANSWERS` records over all sections, `MAX_STRINGS` of a TXT,
`MAX_OPTIONS` of EDNS, names as `labels` says; nothing recurses.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet import ip, svcb
from appliance.sensor.packet.cursor import Cursor, ParseError
from appliance.sensor.packet.labels import Names

MAX_QUESTIONS = 32
"""Questions read; one is usual, a multicast query may hold some more."""
MAX_ANSWERS = 64
"""Records read, over all sections; the rest is left, `complete` says so."""
MAX_STRINGS = 64
"""Character strings read of one TXT record; the rest is left, `complete` says so."""
MAX_OPTIONS = 16
"""EDNS options read; the rest is left, `complete` says so."""

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
    extended_rcode: int
    """Upper eight bits of the response code."""
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


class Further(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind the answers."""

    authorities: tuple[Answer, ...] = ()
    additionals: tuple[Answer, ...] = ()
    """Without the OPT record: that is `edns`."""
    edns: Edns | None = None
    complete: bool = True
    """As `Message.complete`, of these sections."""


_NOTHING = Further()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. What stands behind the answers is read when it is asked for: few readers do."""

    id: int
    response: bool
    opcode: int
    rcode: int
    """Of the header: four bits; EDNS may have more."""
    questions: tuple[Question, ...]
    answers: tuple[Answer, ...]
    complete: bool
    """False when answers were left out or read in part: damaged, cut, or over a bound."""
    records: _Records | None = None
    """Where the sections behind the answers are read from; None if there are none."""

    @property
    def further(self) -> Further:
        """The sections behind the answers; reading them raises nothing and is done once."""
        return self.records.further() if self.records else _NOTHING

    @property
    def authorities(self) -> tuple[Answer, ...]:
        """Records of the authority section."""
        return self.further.authorities

    @property
    def additionals(self) -> tuple[Answer, ...]:
        """Records of the additional section, without OPT."""
        return self.further.additionals

    @property
    def edns(self) -> Edns | None:
        """The OPT record."""
        return self.further.edns


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
    answers: tuple[Answer, ...] = ()
    complete = True
    records = None
    if answered or authoritative or additional:
        records = _Records(data, position, names_of, (authoritative, additional))
        answers = records.section(answered)
        complete = records.complete
    return Message(
        id=identity,
        response=flags & _RESPONSE != 0,
        opcode=flags >> 11 & 0x0F,
        rcode=flags & 0x0F,
        questions=tuple(questions),
        answers=answers,
        complete=complete,
        records=records if authoritative or additional else None,
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
    """Reads the records behind the questions, in order. Equal where what is left to read is equal."""

    __slots__ = ("_counts", "_data", "_edns", "_end", "_further", "_left", "_names", "_position", "complete")

    def __init__(self, data: bytes, position: int, names_of: Names, counts: tuple[int, int]) -> None:
        self._data = data
        self._end = len(data)
        self._position = position
        self._names = names_of
        self._counts = counts
        self._left = MAX_ANSWERS
        self._edns: Edns | None = None
        self._further: Further | None = None
        self.complete = True
        """Whether all records so far could be read whole."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Records) and self.further() == other.further()

    def __hash__(self) -> int:
        return hash(self.further())

    def further(self) -> Further:
        """The authority and additional sections; to be called after the answers were read."""
        if self._further is None:
            # Answers that could not be told from each other hide where the next section begins.
            self.complete = True
            authorities, additionals = (self.section(count) for count in self._counts)
            self._further = Further(
                authorities=authorities, additionals=additionals, edns=self._edns, complete=self.complete
            )
        return self._further

    def section(self, count: int) -> tuple[Answer, ...]:
        """The next `count` records, as far as they can be read; nothing once a record could not."""
        if not count:
            return ()
        found: list[Answer] = []
        wanted = min(count, self._left)
        self._left -= wanted
        try:
            for _ in range(wanted):
                record = self._record(self._data, self._end)
                if record is not None:
                    found.append(record)
        except ParseError:
            wanted = 0
        if wanted < count:
            self.complete = False
            self._left = 0  # where the next section begins is not known
        return tuple(found)

    def _record(self, data: bytes, limit: int) -> Answer | None:
        name, at = self._names.at(data, self._position, limit)
        start = at + 10
        if start > limit:
            raise ParseError("DNS record cut short")
        rtype, rclass, ttl, length = _RECORD.unpack_from(data, at)
        end = self._position = start + length
        if end > limit:
            raise ParseError("DNS record cut short")
        value: str | None = None
        extra: _Data = None
        if (size := _ADDRESSED.get(rtype)) is not None:
            if length == size:
                value = ip.text(data[start:end])
        elif rtype == OPT:
            self._options(rclass, ttl, Cursor(data, start, end))
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
        service = svcb.parse(priority, target, body)
        if service.cut:
            self.complete = False
        return target, service

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

    def _options(self, rclass: int, ttl: int, body: Cursor) -> None:
        """Fields of the OPT record stand where others have class and TTL (RFC 6891 section 6.1.3)."""
        if self._edns is not None:
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
        self._edns = Edns(
            extended_rcode=ttl >> 24,
            udp_size=rclass,
            version=ttl >> 16 & 0xFF,
            dnssec_ok=ttl & _DNSSEC_OK != 0,
            options=tuple(options),
        )
