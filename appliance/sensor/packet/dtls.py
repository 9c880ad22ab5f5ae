"""DTLS ClientHello (RFC 6347 section 4.2.2, RFC 9147 section 5): records and handshake fragments.

Enters: a datagram. Leaves: the parts of a ClientHello it carries (`initials.DtlsFlows` joins them);
the joined message is read by `tls`. Bounded: `MAX_RECORDS` records, `MAX_FRAGMENTS` parts a datagram,
`tls.MAX_HELLO` octets a message.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from appliance.sensor.packet import tls
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_RECORDS = 16
MAX_FRAGMENTS = 32

_RECORD = Struct("!BHHHIH")
"""Type, version, epoch, sequence number (in two parts), length."""
_VERSIONS = frozenset({0xFEFF, 0xFEFD, 0x0100})
"""DTLS 1.0 and 1.2; 1.3 says 1.2 here (RFC 9147 section 5.3). 0x0100 is OpenSSL's from before RFC 4347."""
_SMALLEST = 13 + 12


class Fragment(NamedTuple):
    """A part of a ClientHello."""

    message: int
    """Message number: 0, then 1 if the server asked for a cookie."""
    length: int
    """Octets of the whole message, without its header."""
    offset: int
    data: bytes


def may_begin(data: bytes, at: int = 0) -> bool:
    """Whether an unprotected record at `at` begins with a part of a ClientHello; cheap."""
    return (
        len(data) - at >= _SMALLEST
        and data[at] == tls.HANDSHAKE
        and data[at + 13] == tls.CLIENT_HELLO
        and (data[at + 1] << 8 | data[at + 2]) in _VERSIONS
        and data[at + 3 : at + 5] == b"\0\0"
    )


def fragments(data: bytes) -> list[Fragment]:
    """Parts of ClientHellos in a datagram's unprotected records.

    Raises:
        ParseError: cut short, over a bound, or a part outside its message.
    """
    found: list[Fragment] = []
    cursor = Cursor(data)
    for _ in range(MAX_RECORDS):
        if not cursor.remaining:
            break
        kind, version, epoch, _, _, length = cursor.unpack(_RECORD)
        record = cursor.sub(length)
        if version not in _VERSIONS:
            raise ParseError(f"DTLS record of version {version:#06x}")
        if epoch != 0 or kind != tls.HANDSHAKE:
            break  # what follows is protected, or of another kind
        while record.remaining:
            if len(found) >= MAX_FRAGMENTS:
                raise ParseError(f"more than {MAX_FRAGMENTS} DTLS fragments")
            found.extend(_fragment(record))
    return found


def _fragment(record: Cursor) -> list[Fragment]:
    kind = record.u8()
    whole = record.u24()
    number = record.u16()
    offset = record.u24()
    data = record.take(record.u24())
    if whole > tls.MAX_HELLO or offset + len(data) > whole:
        raise ParseError(f"DTLS fragment at {offset} of a message of {whole} octets")
    return [Fragment(number, whole, offset, data)] if kind == tls.CLIENT_HELLO else []
