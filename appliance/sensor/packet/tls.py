"""TLS ClientHello (RFC 8446 section 4.1.2 and all its forerunners that use the record layer).

Enters: the prefix of a TCP stream (`read_stream`) or of QUIC's CRYPTO stream (`read_handshake`).
Leaves: a `ClientHello` that keeps the order of cipher suites and extensions, as fingerprints need.
Bounded: `MAX_HELLO` octets, `MAX_RECORDS` records; every list ends where its extension ends.

An observer must still record what an endpoint would refuse: unknown versions are kept, and an
extension whose inside is malformed counts as present but empty.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import TypeVar

import msgspec

from appliance.sensor.packet import names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_HELLO = 16 * 1024
"""Octets of one hello; with post-quantum key shares real ones have about 2,000."""
MAX_RECORDS = 64
"""Records over which a hello may be spread."""
MAX_RECORD = 16384 + 256
"""RFC 8446 section 5.2."""

HANDSHAKE, CHANGE_CIPHER_SPEC = 22, 20
CLIENT_HELLO = 1
SERVER_NAME, GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS = 0, 10, 11, 13, 16, 43

# RFC 8446 appendix D.4: before its second hello a client may say ChangeCipherSpec, always these octets.
_CHANGE_CIPHER_SPEC_RECORDS = tuple(bytes((CHANGE_CIPHER_SPEC, 3, minor, 0, 1, 1)) for minor in (1, 3))

_EXTENSION = Struct("!HH")
_READ_INSIDE = frozenset({SERVER_NAME, GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS})

_Item = TypeVar("_Item", int, bytes)


class ClientHello(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says of itself before anything is encrypted."""

    legacy_version: int
    ciphers: tuple[int, ...]
    """In the client's order, GREASE (RFC 8701) included."""
    extensions: tuple[int, ...]
    """Types in the client's order, GREASE included."""
    server_name: bytes | None = None
    """First host_name of SNI (RFC 6066 section 3)."""
    alpn: tuple[bytes, ...] = ()
    """RFC 7301; bytes, since nothing makes them text."""
    supported_versions: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    point_formats: tuple[int, ...] = ()
    signature_algorithms: tuple[int, ...] = ()

    @property
    def sni(self) -> str | None:
        """The server name in its one spelling; None where the client names none."""
        return names.from_bytes(self.server_name) if self.server_name else None


def may_begin(prefix: bytes) -> bool:
    """Whether these octets, as far as they go, may begin a record with a ClientHello."""
    if prefix[:1] == b"\x14":
        for record in _CHANGE_CIPHER_SPEC_RECORDS:
            if prefix.startswith(record):
                return may_begin_hello(prefix[len(record) :])
        return any(record.startswith(prefix) for record in _CHANGE_CIPHER_SPEC_RECORDS)
    return may_begin_hello(prefix)


def may_begin_hello(prefix: bytes) -> bool:
    """As `may_begin`, without a ChangeCipherSpec before it."""
    return (
        prefix[:1] in {b"", b"\x16"}
        and prefix[1:2] in {b"", b"\x03"}
        and (len(prefix) < 6 or prefix[5] == CLIENT_HELLO)
    )


def read_stream(prefix: bytes) -> tuple[ClientHello, int] | None:
    """Read a hello at the beginning of a TCP stream's prefix, joined over its records.

    Returns:
        The hello and how many octets of the stream its records took; None while more are needed.

    Raises:
        ParseError: what stands there is no hello, or is over a bound.
    """
    cursor = Cursor(prefix)
    parts: list[bytes] = []
    for _ in range(MAX_RECORDS):
        if cursor.remaining < 5:
            return None
        kind = cursor.u8()
        major = cursor.u16() >> 8
        length = cursor.u16()
        if major != 3 or not 0 < length <= MAX_RECORD:
            raise ParseError("not a TLS record")
        if kind == CHANGE_CIPHER_SPEC and not parts:
            if cursor.remaining < length:
                return None
            cursor.skip(length)
            continue
        if kind != HANDSHAKE:
            raise ParseError(f"TLS record of type {kind} where a hello was expected")
        fragment = cursor.take(min(length, cursor.remaining))
        parts.append(fragment)
        # Ask for each record, so that a foreign handshake type is refused before its end has come.
        hello = read_handshake(b"".join(parts))
        if hello is not None:
            return hello, cursor.position
        if len(fragment) < length:
            return None
    raise ParseError(f"hello over more than {MAX_RECORDS} TLS records")


def read_handshake(prefix: bytes) -> ClientHello | None:
    """Read a hello without record layer, as QUIC carries it (RFC 9001 section 4).

    Raises:
        ParseError: another handshake message, malformed, or larger than `MAX_HELLO`.
    """
    cursor = Cursor(prefix)
    if cursor.remaining and cursor.u8() != CLIENT_HELLO:
        raise ParseError("not a ClientHello")
    if cursor.remaining < 3:
        return None
    length = cursor.u24()
    if length > MAX_HELLO:
        raise ParseError(f"ClientHello of {length} octets")
    if cursor.remaining < length:
        return None
    return _hello(cursor.sub(length))


def _hello(cursor: Cursor) -> ClientHello:
    legacy_version = cursor.u16()
    cursor.skip(32)
    cursor.skip(cursor.u8())  # session id
    ciphers = _u16s(cursor.sub(cursor.u16()))
    cursor.skip(cursor.u8())  # compression methods
    found: dict[int, Cursor] = {}
    order: list[int] = []
    if cursor.remaining:  # RFC 5246 section 7.4.1.2: extensions may be absent
        body = cursor.sub(cursor.u16())
        while body.remaining:
            kind, length = body.unpack(_EXTENSION)
            order.append(kind)
            # The first of a repeated type counts (RFC 8446 section 4.2 forbids repeats).
            if kind in _READ_INSIDE and kind not in found:
                found[kind] = body.sub(length)
            else:
                body.skip(length)
    return ClientHello(
        legacy_version=legacy_version,
        ciphers=ciphers,
        extensions=tuple(order),
        server_name=next(iter(_inside(found.get(SERVER_NAME), _host_names)), None),
        alpn=_inside(found.get(ALPN), _protocols),
        supported_versions=_inside(found.get(SUPPORTED_VERSIONS), lambda body: _u16s(body.sub(body.u8()))),
        groups=_inside(found.get(GROUPS), lambda body: _u16s(body.sub(body.u16()))),
        point_formats=_inside(found.get(POINT_FORMATS), lambda body: tuple(body.take(body.u8()))),
        signature_algorithms=_inside(found.get(SIGNATURE_ALGORITHMS), lambda body: _u16s(body.sub(body.u16()))),
    )


def _inside(body: Cursor | None, reader: Callable[[Cursor], tuple[_Item, ...]]) -> tuple[_Item, ...]:
    if body is None:
        return ()
    try:
        return reader(body)
    except ParseError:
        return ()


def _u16s(body: Cursor) -> tuple[int, ...]:
    return body.u16s(body.remaining // 2)


def _host_names(body: Cursor) -> tuple[bytes, ...]:
    entries = body.sub(body.u16())
    found: list[bytes] = []
    while entries.remaining:
        kind = entries.u8()
        name = entries.take(entries.u16())
        if kind == 0 and name:
            found.append(name)
    return tuple(found)


def _protocols(body: Cursor) -> tuple[bytes, ...]:
    entries = body.sub(body.u16())
    found: list[bytes] = []
    while entries.remaining:
        found.append(entries.take(entries.u8()))
    return tuple(found)
