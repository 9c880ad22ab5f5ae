"""DHCPv6 messages (RFC 8415), of clients and servers, relayed ones too.

Enters: the UDP data. Leaves: a `Message` with its options in the sender's order. Bounded:
`MAX_OPTIONS` options of the message and as many inside its addresses' associations, `MAX_RELAYS`
relays around it, `MAX_ADDRESSES` addresses.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet import names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_OPTIONS = 128
"""Options of the top level; more are refused. As many again are read inside associations."""
MAX_RELAYS = 8
"""Relay messages around one another (RFC 8415 section 7.6: HOP_COUNT_LIMIT)."""
MAX_ADDRESSES = 32
"""Addresses that are kept."""
MAX_REQUESTED = 255
"""Codes of the option request option that are kept."""

CLIENT_ID, SERVER_ID, REQUESTED, RELAY_MESSAGE, VENDOR_CLASS, CLIENT_FQDN = 1, 2, 6, 9, 16, 39
_IA_NA, _IA_TA, _IA_ADDRESS = 3, 4, 5
_ASSOCIATIONS = {_IA_NA: 12, _IA_TA: 4}
"""Octets before the options inside (RFC 8415 sections 21.4 and 21.5)."""
_RELAY_FORWARD, _RELAY_REPLY = 12, 13
_RELAYS = frozenset({_RELAY_FORWARD, _RELAY_REPLY})
_RELAY_FIXED = 33
_LARGEST_DUID = 130
"""A type of two octets and at most 128 more (RFC 8415 section 11.1)."""

_LONGEST_TEXT = 4 * names.MAX_ANNOUNCED
"""Octets of text that are looked at: as many as its characters may have in UTF-8."""
_LONGEST_NAME = 255
"""Octets of a name in wire form (RFC 1035 section 2.3.4)."""

_OPTION = Struct("!HH")

Options = tuple[tuple[int, bytes], ...]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One DHCPv6 message; of a relayed one (RFC 8415 section 9) the innermost."""

    message_type: int
    """1 SOLICIT, 3 REQUEST, 11 INFORMATION-REQUEST, 2 ADVERTISE, 7 REPLY ..."""
    transaction: int
    options: tuple[tuple[int, bytes], ...]
    """(code, value) of the top level in the sender's order."""
    client_duid: bytes | None = None
    """Option 1 (RFC 8415 section 11); the first two octets give its kind: 1 LLT, 2 EN, 3 LL, 4 UUID."""
    server_duid: bytes | None = None
    requested: tuple[int, ...] = ()
    """Option Request Option (6) in the client's order."""
    vendor_class: tuple[int, str] | None = None
    """Option 16: enterprise number and the first string of its data."""
    fqdn: str | None = None
    """Option 39 (RFC 4704)."""
    addresses: tuple[bytes, ...] = ()
    """Addresses inside IA_NA and IA_TA options, sixteen octets each."""
    relays: int = 0
    """Relay messages that were around this one: then the frame's sender is a relay, not the client."""

    @property
    def from_client(self) -> bool:
        """Whether a client sends this type."""
        return self.message_type in {1, 3, 4, 5, 6, 8, 9, 11}


def parse(cursor: Cursor) -> Message:
    """Read a DHCPv6 message, out of its relay messages if it has some.

    Raises:
        ParseError: cut short, an option that crosses the end, too many options or relays, or a
            relay message with nothing in it.
    """
    relays = 0
    kind = cursor.u8()
    while kind in _RELAYS:
        if relays == MAX_RELAYS:
            raise ParseError(f"more than {MAX_RELAYS} DHCPv6 relays")
        relays += 1
        cursor.skip(_RELAY_FIXED)
        inner = _first(_options(cursor, MAX_OPTIONS), RELAY_MESSAGE)
        if not inner:
            raise ParseError("a DHCPv6 relay message with nothing in it")
        cursor = Cursor(inner)
        kind = cursor.u8()
    transaction = cursor.u24()
    options = tuple(_options(cursor, MAX_OPTIONS))
    return Message(
        message_type=kind,
        transaction=transaction,
        options=options,
        client_duid=_duid(_first(options, CLIENT_ID)),
        server_duid=_duid(_first(options, SERVER_ID)),
        requested=_numbers(_first(options, REQUESTED)),
        vendor_class=_vendor_class(_first(options, VENDOR_CLASS)),
        fqdn=_fqdn(_first(options, CLIENT_FQDN)),
        addresses=_addresses(options),
        relays=relays,
    )


def _options(cursor: Cursor, most: int) -> list[tuple[int, bytes]]:
    options: list[tuple[int, bytes]] = []
    while cursor.remaining:
        if len(options) == most:
            raise ParseError(f"more than {most} DHCPv6 options")
        code, length = cursor.unpack(_OPTION)
        options.append((code, cursor.take(length)))
    return options


def _first(options: Options | list[tuple[int, bytes]], code: int) -> bytes | None:
    """The first option of this code: none of those read here may come twice (RFC 8415 section 24)."""
    return next((value for found, value in options if found == code), None)


def _duid(value: bytes | None) -> bytes | None:
    return value if value and len(value) <= _LARGEST_DUID else None


def _numbers(value: bytes | None) -> tuple[int, ...]:
    if not value:
        return ()
    return Cursor(value).u16s(min(len(value) // 2, MAX_REQUESTED))


def _vendor_class(value: bytes | None) -> tuple[int, str] | None:
    """RFC 8415 section 21.16: enterprise number, then strings with two octets of length before each."""
    if value is None or len(value) < 4:
        return None
    cursor = Cursor(value)
    enterprise = cursor.u32()
    if cursor.remaining < 2:
        return enterprise, ""
    length = cursor.u16()
    return enterprise, names.announced(cursor.take(min(length, cursor.remaining, _LONGEST_TEXT)))


def _fqdn(value: bytes | None) -> str | None:
    """RFC 4704 section 4: flags, then wire labels without compression; a partial name has no final zero."""
    if value is None or not 2 <= len(value) <= 1 + _LONGEST_NAME:
        return None
    cursor, labels = Cursor(value, 1), list[bytes]()
    while cursor.remaining:
        length = cursor.u8()
        if length == 0:
            break
        if length > min(63, cursor.remaining):
            return None
        labels.append(cursor.take(length))
    return names.from_labels(labels) or None


def _addresses(options: Options) -> tuple[bytes, ...]:
    """Addresses of all associations; a damaged association ends with what stands before the damage."""
    addresses: list[bytes] = []
    budget = MAX_OPTIONS
    for code, value in options:
        before = _ASSOCIATIONS.get(code)
        if before is None:
            continue
        cursor = Cursor(value, before)
        while cursor.remaining >= _OPTION.size and budget and len(addresses) < MAX_ADDRESSES:
            budget -= 1
            inner, length = cursor.unpack(_OPTION)
            if length > cursor.remaining:
                break
            body = cursor.take(length)
            if inner == _IA_ADDRESS and length >= 16:
                addresses.append(body[:16])
    return tuple(addresses)
