"""NetBIOS name service (RFC 1002 section 4.2): who claims or asks for which name.

Enters: the UDP data. Leaves: a `Message`: the question, the first record with addresses, and of a
node status response (section 4.2.18) the names the node has.
Bounded: `MAX_RECORDS` records looked at, `MAX_ADDRESSES` of them, `MAX_NAMES` of a status response. A name may
be a pointer only to the question's name, as RFC 1002 uses it; nothing is followed further.
"""

from __future__ import annotations

from contextlib import suppress
from struct import Struct

import msgspec

from appliance.sensor.packet import ip, names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_RECORDS = 4
"""Records looked at; RFC 1002 knows no packet with more than one."""
MAX_ADDRESSES = 16
"""Addresses kept of one record."""
MAX_NAMES = 32
"""Names kept of a status response."""
MAX_SCOPE = 16
"""Labels of a scope (RFC 1001 section 9) passed over."""

QUERY, REGISTRATION, RELEASE, REFRESH, OTHER_REFRESH, MULTIHOMED = 0, 5, 6, 8, 9, 15
"""Operations (RFC 1002 section 4.2.1.1); refresh is 8 in its text and 9 in its table, 15 is Microsoft's."""
_CLAIMING = frozenset({REGISTRATION, REFRESH, OTHER_REFRESH, MULTIHOMED})

_NB, _NBSTAT = 0x20, 0x21
_HEADER = Struct("!HHHHHH")
_RECORD = Struct("!HHIH")
_RESPONSE = 0x8000
_POINTER = 0xC0
_GROUP = 0x8000
_ENCODED = 32
_ENTRY = 6
"""Octets of an address with its flags."""
_MOST_NAMES = bytes((MAX_NAMES,))


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """A name in a node status response."""

    name: str
    suffix: int
    group: bool


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One packet's question and what it claims."""

    transaction: int
    response: bool
    opcode: int
    """0 query, 5 registration, 6 release, 8 and 9 refresh, 15 registration of a host with several addresses."""
    rcode: int
    name: str | None
    """The name in the question or the first record, decoded (RFC 1001 section 14.1), padding removed."""
    suffix: int | None
    """Its sixteenth octet: 0x00 workstation, 0x20 file server, 0x1b to 0x1e browsing ..."""
    group: bool = False
    """A group name: nobody's own."""
    addresses: tuple[str, ...] = ()
    """Of the NB record claimed or answered."""
    owned: tuple[Owned, ...] = ()
    """Names of the node that answers a status query."""
    unit: bytes | None = None
    """Its hardware address by its own word, six octets."""
    complete: bool = True
    """False when records, addresses or names over a bound were left out."""

    @property
    def claims(self) -> bool:
        """Whether the sender says that the name is its own."""
        return not self.response and self.opcode in _CLAIMING and not self.group


def parse(payload: Cursor) -> Message:
    """Read a packet.

    The question must be right; a record that is damaged says nothing more.

    Raises:
        ParseError: cut short, more than one question, or no NetBIOS name where one must be.
    """
    transaction, flags, questions, *counts = payload.unpack(_HEADER)
    if questions > 1:
        raise ParseError(f"{questions} NetBIOS questions")
    asked: tuple[str, int] | None = None
    if questions:
        asked = _name(payload)
        payload.skip(4)
    named = asked
    group = False
    addresses: tuple[str, ...] = ()
    owned: tuple[Owned, ...] = ()
    unit: bytes | None = None
    complete = sum(counts) <= MAX_RECORDS
    with suppress(ParseError):
        for _ in range(min(sum(counts), MAX_RECORDS)):
            own = _name(payload, asked)
            named = named or own
            rtype, _, _, length = payload.unpack(_RECORD)
            body = payload.sub(length)
            if rtype == _NB and not addresses:
                group, addresses = _addresses(body)
                complete = complete and body.remaining < _ENTRY
            elif rtype == _NBSTAT and not owned:
                complete = complete and body.data[body.position : body.position + 1] <= _MOST_NAMES
                owned, unit = _status(body)
    if named is None:
        raise ParseError("NetBIOS packet without a name")
    return Message(
        transaction=transaction,
        response=flags & _RESPONSE != 0,
        opcode=flags >> 11 & 0x0F,
        rcode=flags & 0x0F,
        name=named[0],
        suffix=named[1],
        group=group,
        addresses=addresses,
        owned=owned,
        unit=unit,
        complete=complete,
    )


def _name(cursor: Cursor, asked: tuple[str, int] | None = None) -> tuple[str, int]:
    """The next name: sixteen octets in thirty-two letters (RFC 1001 section 14.1), its scope passed over."""
    length = cursor.u8()
    if length >= _POINTER:
        if asked is None or cursor.u8() != _HEADER.size or length != _POINTER:
            raise ParseError("NetBIOS pointer to something else than the question")
        return asked
    if length != _ENCODED:
        raise ParseError(f"NetBIOS name of {length} octets")
    letters = cursor.take(_ENCODED)
    if min(letters) < 0x41 or max(letters) > 0x50:
        raise ParseError("NetBIOS name with letters beyond A to P")
    for _ in range(MAX_SCOPE):
        length = cursor.u8()
        if length == 0:
            break
        if length >= 64:
            raise ParseError("NetBIOS scope with a pointer")
        cursor.skip(length)
    else:
        raise ParseError(f"NetBIOS scope of more than {MAX_SCOPE} labels")
    octets = bytes((high - 0x41) << 4 | (low - 0x41) for high, low in zip(letters[::2], letters[1::2], strict=True))
    return text(octets[:15]), octets[15]


def text(octets: bytes) -> str:
    """A name as text; padding is blanks, or zeros for `*` (RFC 1001 section 17.2). Old code pages give escapes."""
    return names.announced(octets.rstrip(b" \0"))


def _addresses(body: Cursor) -> tuple[bool, tuple[str, ...]]:
    """Flags and address, once or more often (RFC 1002 section 4.2.13)."""
    group = False
    found: list[str] = []
    while body.remaining >= _ENTRY and len(found) < MAX_ADDRESSES:
        group = bool(body.u16() & _GROUP) or group
        found.append(ip.text(body.take(4)))
    return group, tuple(found)


def _status(body: Cursor) -> tuple[tuple[Owned, ...], bytes | None]:
    """Names of sixteen octets with two of flags, then the unit's id (RFC 1002 section 4.2.18)."""
    count = body.u8()
    found: list[Owned] = []
    for _ in range(count):
        octets = body.take(16)
        group = body.u16() & _GROUP != 0
        if len(found) < MAX_NAMES:
            found.append(Owned(name=text(octets[:15]), suffix=octets[15], group=group))
    unit = body.take(6) if body.remaining >= 6 else b""
    return tuple(found), unit if any(unit) else None
