"""QUIC Initial packets (RFC 9000 section 17.2.2): opened as any observer on the way may open them.

Enters: a UDP datagram. Leaves: its Initial packets, their plain text, their CRYPTO frames; whether it is
a Retry or a Version Negotiation. The keys
come from the destination connection id alone (RFC 9001 section 5.2): this is no decryption of
content, but the reading of a header that is obfuscated by design.
Bounded: `MAX_COALESCED` packets a datagram, `MAX_FRAMES` frames a packet.
Versions: 1, 2 (RFC 9369) and drafts 29 to 32.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_COALESCED = 8
"""Packets of one datagram that are looked at (RFC 9000 section 12.2)."""
MAX_FRAMES = 2048
"""Frames of one packet; a full datagram of PING frames has fewer."""
MAX_CONNECTION_ID = 20

_MAX_NEGOTIATED = 32
"""Versions of a negotiation; real servers offer fewer than ten."""
_LONG_HEADER = 0xC0
"""Header form and fixed bit (RFC 9000 section 17.2)."""
_SMALLEST = 7
"""Octets of a long header with empty connection ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    salt: bytes
    prefix: str
    initial: int
    """Packet type bits of an Initial."""


_V1 = _Version(salt=bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), prefix="quic", initial=0)
_V2 = _Version(salt=bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), prefix="quicv2", initial=1)
_DRAFT = _Version(salt=bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899"), prefix="quic", initial=0)
_VERSIONS = {0x00000001: _V1, 0x6B3343CF: _V2} | {0xFF000000 + draft: _DRAFT for draft in range(29, 33)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Initial:
    """One protected Initial packet."""

    version: int
    destination: bytes
    """Destination connection id."""
    packet: bytes
    """From its first octet to the end of its payload."""
    number_at: int
    """Where the packet number begins in `packet`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys of the client's Initial packets of one connection."""

    key: bytes
    iv: bytes
    header: bytes


def may_begin(data: bytes, at: int = 0) -> bool:
    """Whether a packet at `at` has a long header of a version that is read here; cheap."""
    return (
        len(data) - at >= _SMALLEST
        and data[at] & _LONG_HEADER == _LONG_HEADER
        and int.from_bytes(data[at + 1 : at + 5], "big") in _VERSIONS
    )


def initials(data: bytes) -> list[Initial]:
    """Initial packets of a datagram, coalesced ones too; packets of other types are passed over.

    Raises:
        ParseError: a long header of a known version is cut short or malformed.
    """
    found: list[Initial] = []
    cursor = Cursor(data)
    for _ in range(MAX_COALESCED):
        # What follows may be a short header or padding: neither says its length, so here it ends.
        if not may_begin(data, cursor.position):
            break
        packet = _long_header(cursor)
        if packet is not None:
            found.append(packet)
    return found


def _long_header(cursor: Cursor) -> Initial | None:
    began = cursor.position
    first = cursor.u8()
    number = cursor.u32()
    version = _VERSIONS[number]
    destination = _connection_id(cursor)
    _connection_id(cursor)
    kind = (first >> 4 & 3) - version.initial & 3
    if kind == 3:  # Retry has no length: it fills the datagram
        cursor.rest()
        return None
    if kind == 0:
        cursor.skip(_variable(cursor))  # token
    length = _variable(cursor)
    number_at = cursor.position - began
    cursor.skip(length)
    if kind != 0:
        return None
    return Initial(
        version=number,
        destination=destination,
        packet=Cursor(cursor.data, began, cursor.position).rest(),
        number_at=number_at,
    )


def retry(data: bytes) -> tuple[tuple[str, str], ...] | None:
    """Whether a datagram is a Retry (RFC 9000 section 17.2.5), in the form of `handshake.Handshake.detail`."""
    if not may_begin(data):
        return None
    version = int.from_bytes(data[1:5], "big")
    if (data[0] >> 4 & 3) - _VERSIONS[version].initial & 3 != 3:
        return None
    cursor = Cursor(data, 5)
    try:
        _connection_id(cursor)
        _connection_id(cursor)
    except ParseError:
        return None
    # A token, which may not be empty, and the integrity tag.
    return (("version", f"{version:#010x}"),) if cursor.remaining > 16 else None


def negotiation(data: bytes) -> tuple[tuple[str, str], ...] | None:
    """Whether a datagram is a Version Negotiation (RFC 9000 section 17.2.1), in the form of `Handshake.detail`."""
    if len(data) < _SMALLEST + 4 or not data[0] & 0x80 or data[1:5] != bytes(4):
        return None
    cursor = Cursor(data, 5)
    try:
        _connection_id(cursor)
        _connection_id(cursor)
        count, odd = divmod(cursor.remaining, 4)
        if odd or not 0 < count <= _MAX_NEGOTIATED:
            return None
        offered = [cursor.u32() for _ in range(count)]
    except ParseError:
        return None
    # One version that is known here tells it from other datagrams with a first bit and four zeros.
    if not any(version in _VERSIONS for version in offered):
        return None
    return (("versions", ",".join(f"{version:#010x}" for version in offered)),)


def _connection_id(cursor: Cursor) -> bytes:
    length = cursor.u8()
    if length > MAX_CONNECTION_ID:
        raise ParseError(f"QUIC connection id of {length} octets")
    return cursor.take(length)


def _variable(cursor: Cursor) -> int:
    """Variable-length integer (RFC 9000 section 16)."""
    first = cursor.u8()
    following = (1 << (first >> 6)) - 1
    return (first & 0x3F) << 8 * following | int.from_bytes(cursor.take(following), "big")


def client_keys(version: int, destination: bytes) -> Keys:
    """Keys of the client's Initials (RFC 9001 section 5.2) from the first one's destination id."""
    form = _VERSIONS[version]
    secret = hmac.digest(form.salt, destination, "sha256")
    client = _expand(secret, "client in", 32)
    return Keys(
        key=_expand(client, f"{form.prefix} key", 16),
        iv=_expand(client, f"{form.prefix} iv", 12),
        header=_expand(client, f"{form.prefix} hp", 16),
    )


def _expand(secret: bytes, label: str, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 section 7.1); one round of HMAC is enough for 32 octets."""
    full = f"tls13 {label}".encode()
    info = length.to_bytes(2, "big") + bytes((len(full),)) + full + b"\0"
    return hmac.digest(secret, info + b"\x01", "sha256")[:length]


def unprotect(initial: Initial, keys: Keys) -> bytes | None:
    """Plain text of an Initial (RFC 9001 section 5.4); None if these are not its keys.

    Raises:
        ParseError: too short to hold a sample.
    """
    cursor = Cursor(initial.packet, initial.number_at)
    cursor.skip(4)
    sample = cursor.take(16)
    mask = Cipher(AES(keys.header), ECB()).encryptor().update(sample)  # noqa: S305 - RFC 9001 section 5.4.3
    first = initial.packet[0] ^ mask[0] & 0x0F
    number_length = (first & 3) + 1
    cursor = Cursor(initial.packet)
    cursor.skip(1)
    between = cursor.take(initial.number_at - 1)
    number = bytes(a ^ b for a, b in zip(cursor.take(number_length), mask[1:5], strict=False))
    # Initials of a hello are numbered from 0, so the truncated number is the number.
    nonce = (int.from_bytes(keys.iv, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    try:
        return AESGCM(keys.key).decrypt(nonce, cursor.rest(), bytes((first,)) + between + number)
    except InvalidTag:
        return None


_PADDING, _PING, _ACK, _ACK_ECN, _CRYPTO, _CLOSE = 0x00, 0x01, 0x02, 0x03, 0x06, 0x1C


def crypto_frames(plain: bytes) -> list[tuple[int, bytes]]:
    """CRYPTO frames of an Initial's plain text: (offset in the CRYPTO stream, data).

    Raises:
        ParseError: cut short, over `MAX_FRAMES`, or a frame that no Initial may hold (RFC 9000 section 17.2.2).
    """
    found: list[tuple[int, bytes]] = []
    cursor = Cursor(plain)
    for _ in range(MAX_FRAMES):
        if not cursor.remaining:
            return found
        kind = cursor.u8()
        if kind == _PADDING:
            rest = cursor.rest()
            cursor.position -= len(rest.lstrip(b"\0"))
        elif kind in {_ACK, _ACK_ECN}:
            _acknowledgement(cursor, ecn=kind == _ACK_ECN)
        elif kind == _CRYPTO:
            offset = _variable(cursor)
            found.append((offset, cursor.take(_variable(cursor))))
        elif kind == _CLOSE:
            return found
        elif kind != _PING:
            raise ParseError(f"QUIC frame type {kind} in an Initial")
    raise ParseError(f"more than {MAX_FRAMES} QUIC frames")


def _acknowledgement(cursor: Cursor, *, ecn: bool) -> None:
    _variable(cursor)
    _variable(cursor)
    ranges = _variable(cursor)
    if ranges > cursor.remaining:
        raise ParseError(f"{ranges} QUIC acknowledgement ranges")
    for _ in range(1 + 2 * ranges + (3 if ecn else 0)):
        _variable(cursor)
