"""DHCPv4 messages (RFC 2131, options RFC 2132), both directions.

Enters: the UDP data. Leaves: a `Message` with its options in the sender's order; what they mean is
read when it is asked for. Bounded: `MAX_OPTIONS` options over all fields, `MAX_OCTETS` of
them; overloaded fields (option 52) are read once each.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet import names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_OPTIONS = 255
"""Options of one message, overloaded fields included."""
MAX_OCTETS = 4096
"""Of the options field; a message is a datagram of at most 576 octets unless both sides agree on more."""

HOST_NAME, REQUESTED_ADDRESS, OVERLOAD, MESSAGE_TYPE, SERVER_ID = 12, 50, 52, 53, 54
PARAMETERS, VENDOR_CLASS, CLIENT_ID, USER_CLASS, CLIENT_FQDN = 55, 60, 61, 77, 81
ARCHITECTURE, IPV6_ONLY, CAPTIVE_PORTAL = 93, 108, 114
_PAD, _END = 0, 255

_FIXED = Struct("!BBBxI4x4s4s8x16s192xI")
_SNAME_AT, _FILE_AT, _FILE_END, _OPTIONS_AT = 44, 108, 236, 240
_COOKIE = 0x63825363
_FILE_OVERLOADED, _SNAME_OVERLOADED = 1, 2
_FQDN_ENCODED = 0x04
_LONGEST_NAME = 255
"""Octets of a name in wire form (RFC 1035 section 2.3.4), and more than any written with dots."""


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One DHCPv4 message."""

    from_client: bool
    """op 1, BOOTREQUEST."""
    transaction: int
    client_mac: bytes | None
    """chaddr of six octets; None for other hardware."""
    client_ip: bytes
    """ciaddr: set by a client that renews."""
    your_ip: bytes
    """yiaddr: what the server gives."""
    options: tuple[tuple[int, bytes], ...]
    """(code, value) in the sender's order; a code may come more than once (RFC 3396)."""

    def option(self, code: int) -> bytes | None:
        """Value of an option, its parts joined (RFC 3396 section 5); None if it is absent."""
        parts = [value for found, value in self.options if found == code]
        return b"".join(parts) if parts else None

    @property
    def message_type(self) -> int:
        """Option 53; 0 where it is absent (plain BOOTP) or empty."""
        return (self.option(MESSAGE_TYPE) or b"\0")[0]

    @property
    def parameters(self) -> tuple[int, ...]:
        """Option 55 in the client's order, at most 255."""
        return tuple((self.option(PARAMETERS) or b"")[:255])

    @property
    def requested_ip(self) -> bytes | None:
        """Option 50, four octets."""
        value = self.option(REQUESTED_ADDRESS)
        return value if value is not None and len(value) == 4 else None

    @property
    def server_id(self) -> bytes | None:
        """Option 54, four octets: which server the message is from, or meant for."""
        value = self.option(SERVER_ID)
        return value if value is not None and len(value) == 4 else None

    @property
    def vendor_class(self) -> str | None:
        """Option 60 as text."""
        return _text(self.option(VENDOR_CLASS))

    @property
    def user_class(self) -> str | None:
        """Option 77 as text; several classes are joined by commas.

        RFC 3004 puts a length before each class; Microsoft's and iPXE's clients send plain text.
        """
        value = self.option(USER_CLASS)
        return _text(b",".join(_counted(value) or [value])) if value else None

    @property
    def architectures(self) -> tuple[int, ...]:
        """Option 93 (RFC 4578 section 2.1): what a network boot may load, in the client's order."""
        value = self.option(ARCHITECTURE) or b""
        return tuple(int.from_bytes(value[at : at + 2], "big") for at in range(0, min(len(value), 254) - 1, 2))

    @property
    def prefers_ipv6_only(self) -> bool:
        """A client that asks for option 108 can do without IPv4 (RFC 8925 section 3.2)."""
        return self.from_client and IPV6_ONLY in self.parameters

    @property
    def ipv6_only_wait(self) -> int | None:
        """Option 108 of a server: seconds that the client leaves IPv4 alone (RFC 8925 section 3.1)."""
        value = self.option(IPV6_ONLY)
        return int.from_bytes(value, "big") if value is not None and len(value) == 4 else None

    @property
    def captive_portal(self) -> str | None:
        """Option 114 of a server (RFC 8910 section 2.1): a URI."""
        return _text(self.option(CAPTIVE_PORTAL))

    @property
    def client_id(self) -> str | None:
        """Option 61 in hexadecimal."""
        value = self.option(CLIENT_ID)
        return value.hex()[:510] if value else None

    @property
    def fqdn(self) -> str | None:
        """The name in option 81 (RFC 4702)."""
        return _fqdn(self.option(CLIENT_FQDN))

    @property
    def host_name(self) -> str | None:
        """Option 12, or else the name in option 81."""
        return _text(self.option(HOST_NAME)) or self.fqdn


def parse(cursor: Cursor) -> Message:
    """Read a DHCPv4 message. A missing end option is forgiven, as servers do.

    Raises:
        ParseError: cut short, no DHCP cookie, too many options, or an option that crosses its field's end.
    """
    data, start, end = cursor.data, cursor.position, cursor.end
    if end - start < _OPTIONS_AT:
        raise ParseError(f"DHCP message of {end - start} octets")
    operation, hardware, length, transaction, client_ip, your_ip, address, cookie = _FIXED.unpack_from(data, start)
    if cookie != _COOKIE:
        raise ParseError("no DHCP cookie")
    options: list[tuple[int, bytes]] = []
    overload = _read_options(data, start + _OPTIONS_AT, end, options)
    # RFC 2131 section 4.1: file first, then sname; an overload option inside them means nothing.
    if overload & _FILE_OVERLOADED:
        _read_options(data, start + _FILE_AT, start + _FILE_END, options)
    if overload & _SNAME_OVERLOADED:
        _read_options(data, start + _SNAME_AT, start + _FILE_AT, options)
    return Message(
        from_client=operation == 1,
        transaction=transaction,
        client_mac=address[:6] if hardware == 1 and length == 6 else None,
        client_ip=client_ip,
        your_ip=your_ip,
        options=tuple(options),
    )


def _read_options(data: bytes, at: int, end: int, options: list[tuple[int, bytes]]) -> int:
    """Append the options of one field; returns the first overload option's value, or 0."""
    # Without a Cursor: this loop is most of a message's cost. `end` is never outside `data`.
    if end - at > MAX_OCTETS:
        raise ParseError(f"{end - at} octets of DHCP options")
    overload = 0
    append = options.append
    try:
        while at < end:
            code = data[at]
            if code == _PAD:
                at += 1
                continue
            if code == _END:
                break
            value = at + 2
            at = value + data[at + 1]
            append((code, data[value:at]))
            if code == OVERLOAD and at > value:
                overload = overload or data[value]
    except IndexError:
        raise ParseError("a DHCP option without length") from None
    if at > end:
        raise ParseError("a DHCP option that crosses its field's end")
    if len(options) > MAX_OPTIONS:
        raise ParseError(f"more than {MAX_OPTIONS} DHCP options")
    return overload


def _counted(value: bytes) -> list[bytes] | None:
    """Classes with a length before each (RFC 3004 section 4); None if the lengths do not fit."""
    cursor, classes = Cursor(value), list[bytes]()
    while cursor.remaining:
        length = cursor.u8()
        if not 0 < length <= cursor.remaining:
            return None
        classes.append(cursor.take(length))
    return classes


def _text(value: bytes | None) -> str | None:
    return names.announced(value) or None if value else None


def _fqdn(value: bytes | None) -> str | None:
    if value is None or not 3 < len(value) <= 3 + _LONGEST_NAME:
        return None
    cursor = Cursor(value)
    encoded = cursor.u8() & _FQDN_ENCODED
    cursor.skip(2)
    if not encoded:
        return _text(cursor.rest())
    labels: list[bytes] = []
    # RFC 4702 section 2.3.1: wire labels without compression; a partial name has no final zero.
    while cursor.remaining:
        length = cursor.u8()
        if length == 0:
            break
        if length > min(63, cursor.remaining):
            return None
        labels.append(cursor.take(length))
    return names.from_labels(labels) or None
