"""TLS ClientHello (RFC 8446 section 4.1.2 and all its forerunners that use the record layer).

Enters: the prefix of a TCP stream (`read_stream`), of QUIC's CRYPTO stream (`read_handshake`), or the body
of a DTLS message (`read_body`). Leaves: a `ClientHello` that keeps the order of cipher suites and
extensions, as fingerprints need.
Bounded: `MAX_HELLO` octets, `MAX_RECORDS` records; every list ends where its extension ends. Lists of up to
`MAX_CACHED` octets that were read before are not read again, `CACHED` of each kind.

An observer must still record what an endpoint would refuse: unknown versions are kept, and an
extension whose inside is malformed counts as present but empty. A hello in the form of SSL 2
(RFC 5246 appendix E.2) is none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

import msgspec

from appliance.sensor.packet import ech, ja, names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_HELLO = 16 * 1024
"""Octets of one hello; with post-quantum key shares real ones have about 2,000."""
MAX_RECORDS = 64
"""Records over which a hello may be spread."""
MAX_RECORD = 16384 + 256
"""RFC 8446 section 5.2."""
MAX_CACHED = 256
CACHED = 512

HANDSHAKE, CHANGE_CIPHER_SPEC = 22, 20
CLIENT_HELLO = 1
SERVER_NAME, GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, ALPN = 0, 10, 11, 13, 16
SESSION_TICKET, PRE_SHARED_KEY, EARLY_DATA, SUPPORTED_VERSIONS, KEY_SHARE = 35, 41, 42, 43, 51

# RFC 8446 appendix D.4: before its second hello a client may say ChangeCipherSpec, always these octets.
_CHANGE_CIPHER_SPEC_RECORDS = tuple(bytes((CHANGE_CIPHER_SPEC, 3, minor, 0, 1, 1)) for minor in (1, 3))

_EXTENSION = struct.Struct("!HH").unpack_from
_U16 = struct.Struct("!H").unpack_from
_READ_INSIDE = frozenset(
    {
        SERVER_NAME,
        GROUPS,
        POINT_FORMATS,
        SIGNATURE_ALGORITHMS,
        ALPN,
        SESSION_TICKET,
        SUPPORTED_VERSIONS,
        KEY_SHARE,
        ech.EXTENSION,
    }
)

_Item = TypeVar("_Item", int, bytes)


class Carrier(StrEnum):
    """What carried the hello; the value is JA4's first letter."""

    TCP = "t"
    QUIC = "q"
    DTLS = "d"


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
    key_shares: tuple[int, ...] = ()
    """Groups of which a share came along (RFC 8446 section 4.2.8)."""
    carrier: Carrier = Carrier.TCP
    ticket: bool = False
    """A session ticket came along (RFC 5077): the client was here before."""
    ech: ech.Ech = ech.Ech.NONE
    """What the extension for hidden names is, as far as it can be told (see `ech`)."""
    ech_body: bytes | None = None

    @property
    def sni(self) -> str | None:
        """The server name in its one spelling; None where the client names none."""
        return names.from_bytes(self.server_name) if self.server_name else None

    @property
    def early_data(self) -> bool:
        """The client sends data with its hello (RFC 8446 section 4.2.10)."""
        return EARLY_DATA in self.extensions

    @property
    def resumes(self) -> bool:
        """The client takes up an earlier session: a pre-shared key or a ticket (or filler that looks like one)."""
        return self.ticket or PRE_SHARED_KEY in self.extensions

    @property
    def ja3_text(self) -> str:
        """JA3 before its digest."""
        return ja.ja3_text(self.legacy_version, self.ciphers, self.extensions, self.groups, self.point_formats)

    @property
    def ja3(self) -> str:
        """JA3: 32 hexadecimal digits."""
        return ja.ja3_digest(self.ja3_text)

    @property
    def ja4(self) -> str:
        """JA4, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`."""
        return ja.ja4(
            self.carrier.value,
            version=ja.highest(self.supported_versions, self.legacy_version),
            ciphers=self.ciphers,
            extensions=self.extensions,
            alpn=self.alpn[0] if self.alpn else None,
            signature_algorithms=self.signature_algorithms,
        )


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
    if (alone := _one_record(prefix)) is not None:
        return alone
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
        hello = read_handshake(b"".join(parts) if len(parts) > 1 else fragment)
        if hello is not None:
            return hello, cursor.position
        if len(fragment) < length:
            return None
    raise ParseError(f"hello over more than {MAX_RECORDS} TLS records")


def _one_record(prefix: bytes) -> tuple[ClientHello, int] | None:
    """The short way for nearly all hellos: one record that came whole, with nothing else in it."""
    if len(prefix) < 9 or prefix[0] != HANDSHAKE or prefix[1] != 3:
        return None
    end = 5 + (prefix[3] << 8 | prefix[4])
    if not 9 < end <= len(prefix) or prefix[5:9] != b"\x01" + (end - 9).to_bytes(3, "big") or end > MAX_HELLO:
        return None
    return read_body(prefix[9:end], Carrier.TCP), end


def read_handshake(prefix: bytes, carrier: Carrier = Carrier.TCP) -> ClientHello | None:
    """Read a hello without record layer, as QUIC carries it (RFC 9001 section 4).

    Raises:
        ParseError: another handshake message, malformed, or larger than `MAX_HELLO`.
    """
    if prefix and prefix[0] != CLIENT_HELLO:
        raise ParseError("not a ClientHello")
    if len(prefix) < 4:
        return None
    length = int.from_bytes(prefix[1:4], "big")
    if length > MAX_HELLO:
        raise ParseError(f"ClientHello of {length} octets")
    if len(prefix) - 4 < length:
        return None
    return read_body(prefix[4 : 4 + length], carrier)


def read_body(body: bytes, carrier: Carrier) -> ClientHello:
    """Read what stands behind the header of a ClientHello message; with DTLS there is a cookie in it.

    Raises:
        ParseError: malformed.
    """
    try:
        return _hello(body, carrier)
    except (IndexError, struct.error) as error:
        raise ParseError("ClientHello cut short") from error


def _hello(body: bytes, carrier: Carrier) -> ClientHello:
    # Written for speed: this runs for every connection of the household. Indexing past the end raises
    # IndexError or struct.error, which `read_body` turns into ParseError; a slice does neither, so each is
    # checked against the end.
    size = len(body)
    (legacy_version,) = _U16(body)
    at = 34  # behind version and random
    at += 1 + body[at]  # session id
    if carrier is Carrier.DTLS:
        at += 1 + body[at]  # cookie (RFC 6347 section 4.2.1)
    (length,) = _U16(body, at)
    at += 2
    end = at + length
    if end >= size:
        raise ParseError("ClientHello cut short in its cipher suites")
    ciphers = _u16s(body[at:end])
    at = end + 1 + body[end]  # compression methods
    if at > size:
        raise ParseError("ClientHello cut short in its compression methods")
    found: dict[int, bytes] = {}
    order: list[int] = []
    if at < size:  # RFC 5246 section 7.4.1.2: extensions may be absent
        (length,) = _U16(body, at)
        at += 2
        end = at + length
        if end > size:
            raise ParseError("ClientHello cut short in its extensions")
        while at < end:
            kind, length = _EXTENSION(body, at)
            at += 4
            after = at + length
            if after > end:
                raise ParseError(f"TLS extension {kind} over the end of the hello")
            order.append(kind)
            # The first of a repeated type counts (RFC 8446 section 4.2 forbids repeats).
            if kind in _READ_INSIDE and kind not in found:
                found[kind] = body[at:after]
            at = after
    inside = found.get
    hidden = inside(ech.EXTENSION)
    server_name = _server_name(inside(SERVER_NAME, b""))
    return ClientHello(
        legacy_version=legacy_version,
        ciphers=ciphers,
        extensions=tuple(order),
        server_name=server_name,
        alpn=_protocols(inside(ALPN, b"")),
        supported_versions=_after_u8(inside(SUPPORTED_VERSIONS, b"")),
        groups=_after_u16(inside(GROUPS, b"")),
        point_formats=_octets(inside(POINT_FORMATS, b"")),
        signature_algorithms=_after_u16(inside(SIGNATURE_ALGORITHMS, b"")),
        key_shares=_key_shares(inside(KEY_SHARE, b"")),
        carrier=carrier,
        ticket=bool(inside(SESSION_TICKET)),
        ech=ech.Ech.NONE if hidden is None else ech.judge(hidden, server_name),
        ech_body=hidden,
    )


def _remembered(reader: Callable[[bytes], tuple[_Item, ...]]) -> Callable[[bytes], tuple[_Item, ...]]:
    """The same reader, which remembers short lists: clients of one kind all send the same."""
    cached = lru_cache(maxsize=CACHED)(reader)

    def read(data: bytes) -> tuple[_Item, ...]:
        return cached(data) if len(data) <= MAX_CACHED else reader(data)

    return read


@_remembered
def _u16s(data: bytes) -> tuple[int, ...]:
    """All of it as numbers of two octets; a last odd octet is none."""
    return struct.unpack_from(f"!{len(data) // 2}H", data)


@_remembered
def _after_u16(data: bytes) -> tuple[int, ...]:
    """Numbers of two octets behind a length of two; none if that length is wrong."""
    length = int.from_bytes(data[:2], "big")
    return struct.unpack_from(f"!{length // 2}H", data, 2) if 2 <= 2 + length <= len(data) else ()


@_remembered
def _after_u8(data: bytes) -> tuple[int, ...]:
    """As `_after_u16`, behind a length of one octet."""
    return struct.unpack_from(f"!{data[0] // 2}H", data, 1) if data and data[0] < len(data) else ()


@_remembered
def _octets(data: bytes) -> tuple[int, ...]:
    """Numbers of one octet behind a length of one."""
    return tuple(data[1 : 1 + data[0]]) if data and data[0] < len(data) else ()


@_remembered
def _protocols(data: bytes) -> tuple[bytes, ...]:
    """Protocol names of ALPN; none if a length is wrong."""
    end = 2 + int.from_bytes(data[:2], "big")
    if end > len(data):
        return ()
    found: list[bytes] = []
    at = 2
    while at < end:
        after = at + 1 + data[at]
        if after > end:
            return ()
        found.append(data[at + 1 : after])
        at = after
    return tuple(found)


def _server_name(data: bytes) -> bytes | None:
    """The first host_name (type 0) that is not empty; None if a length is wrong."""
    end = 2 + int.from_bytes(data[:2], "big")
    if end > len(data):
        return None
    name: bytes | None = None
    at = 2
    while at < end:
        if at + 3 > end:
            return None
        after = at + 3 + (data[at + 1] << 8 | data[at + 2])
        if after > end:
            return None
        if name is None and data[at] == 0:
            name = data[at + 3 : after] or None
        at = after
    return name


def _key_shares(data: bytes) -> tuple[int, ...]:
    """Groups of the shares; none if a length is wrong. The shares are random: not remembered."""
    end = 2 + int.from_bytes(data[:2], "big")
    if end > len(data):
        return ()
    found: list[int] = []
    at = 2
    while at + 4 <= end:
        group, length = _EXTENSION(data, at)
        found.append(group)
        at += 4 + length
    return tuple(found) if at == end else ()
