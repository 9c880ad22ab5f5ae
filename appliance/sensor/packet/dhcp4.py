"""DHCPv4 messages (RFC 2131, options RFC 2132), both directions.

Enters: the UDP data. Leaves: a `Message` with its options in the sender's order. Bounded:
`MAX_OPTIONS` options over all fields; overloaded fields (option 52) are read once each.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet import names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_OPTIONS = 255
"""Options of one message, overloaded fields included."""

HOST_NAME, REQUESTED_ADDRESS, OVERLOAD, MESSAGE_TYPE = 12, 50, 52, 53
PARAMETERS, VENDOR_CLASS, CLIENT_ID, CLIENT_FQDN = 55, 60, 61, 81
_PAD, _END = 0, 255

_FIXED = Struct("!BBBxI4x4s4s8x16s")
_SNAME, _FILE = 64, 128
_COOKIE = 0x63825363
_FILE_OVERLOADED, _SNAME_OVERLOADED = 1, 2
_FQDN_ENCODED = 0x04


class Message(msgspec.Struct, frozen=True, kw_only=True):
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
        return tuple(self.option(PARAMETERS) or b"")[:255]

    @property
    def requested_ip(self) -> bytes | None:
        """Option 50, four octets."""
        value = self.option(REQUESTED_ADDRESS)
        return value if value is not None and len(value) == 4 else None

    @property
    def vendor_class(self) -> str | None:
        """Option 60 as text."""
        return _text(self.option(VENDOR_CLASS))

    @property
    def client_id(self) -> str | None:
        """Option 61 in hexadecimal."""
        value = self.option(CLIENT_ID)
        return value.hex()[:510] if value else None

    @property
    def host_name(self) -> str | None:
        """Option 12, or else the name in option 81 (RFC 4702)."""
        return _text(self.option(HOST_NAME)) or _fqdn(self.option(CLIENT_FQDN))


def parse(cursor: Cursor) -> Message:
    """Read a DHCPv4 message. A missing end option is forgiven, as servers do.

    Raises:
        ParseError: cut short, no DHCP cookie, too many options, or an option that crosses its field's end.
    """
    operation, hardware, length, transaction, client_ip, your_ip, address = cursor.unpack(_FIXED)
    sname, file = cursor.sub(_SNAME), cursor.sub(_FILE)
    if cursor.u32() != _COOKIE:
        raise ParseError("no DHCP cookie")
    options: list[tuple[int, bytes]] = []
    _read_options(cursor, options)
    overload = next((value[0] for code, value in options if code == OVERLOAD and value), 0)
    # RFC 2131 section 4.1: file first, then sname; an overload option inside them means nothing.
    if overload & _FILE_OVERLOADED:
        _read_options(file, options)
    if overload & _SNAME_OVERLOADED:
        _read_options(sname, options)
    return Message(
        from_client=operation == 1,
        transaction=transaction,
        client_mac=address[:6] if (hardware, length) == (1, 6) else None,
        client_ip=client_ip,
        your_ip=your_ip,
        options=tuple(options),
    )


def _read_options(cursor: Cursor, options: list[tuple[int, bytes]]) -> None:
    while cursor.remaining:
        code = cursor.u8()
        if code == _PAD:
            continue
        if code == _END:
            return
        if len(options) == MAX_OPTIONS:
            raise ParseError(f"more than {MAX_OPTIONS} DHCP options")
        options.append((code, cursor.take(cursor.u8())))


def _text(value: bytes | None) -> str | None:
    return names.announced(value) or None if value else None


def _fqdn(value: bytes | None) -> str | None:
    if value is None or len(value) <= 3:
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
