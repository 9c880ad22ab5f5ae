"""Encrypted ClientHello (RFC 9849): whether the extension hides a name or is filler (GREASE, section 6.2).

Enters: the body of extension 0xfe0d and the server name beside it; the keys of an HTTPS record. Leaves: one
of `none`, `grease`, `real`, `unknown`; config ids and public names. Bounded: fixed offsets, `MAX_KEYS` keys.

Filler is made to look real, so one hello alone mostly cannot tell, and then the answer is `unknown`.
What does tell, and how surely:
- `real`, certain: no encapsulated key, as only the second hello of a real exchange has it (section 6.1.5).
- `real`, nearly certain: the name in the clear is the public name of a known provider; nobody visits it.
- `grease`, certain: a key no key exchange puts out, or a payload too short for any hello.
What several hellos, and answers of the DNS, tell is in `hidden`.
"""

from __future__ import annotations

from enum import StrEnum
from struct import Struct

from appliance.sensor.packet.cursor import Cursor, ParseError

EXTENSION = 0xFE0D
MAX_KEYS = 16
"""Keys of one record."""

_OUTER = Struct("!BHHBH")
"""Type, KDF, AEAD, config id, length of the encapsulated key (section 5)."""
_X25519, _P256 = 32, 65
_SMALLEST = 71
"""A hello of one cipher suite that knows only TLS 1.3, encoded (55 octets), and the tag of its AEAD (16)."""

PUBLIC_NAMES = frozenset({b"cloudflare-ech.com", b"public.tls-ech.dev", b"cover.defo.ie"})
"""Names in the clear that providers publish in their ECH keys (their HTTPS records); no site of its own."""


class Ech(StrEnum):
    """What the extension is."""

    NONE = "none"
    GREASE = "grease"
    REAL = "real"
    UNKNOWN = "unknown"


def judge(body: bytes | None, outer_name: bytes | None) -> Ech:
    """What one hello says by itself; `body` is None without the extension."""
    if body is None:
        return Ech.NONE
    if len(body) < _OUTER.size:
        return Ech.UNKNOWN
    kind, _, _, _, length = _OUTER.unpack_from(body)
    payload = len(body) - _OUTER.size - length - 2
    if kind != 0 or payload < 0:
        verdict = Ech.UNKNOWN
    elif length == 0:
        verdict = Ech.REAL
    elif payload < _SMALLEST or not _is_key(body[_OUTER.size : _OUTER.size + length]):
        verdict = Ech.GREASE
    else:
        named = outer_name is not None and outer_name.lower() in PUBLIC_NAMES
        verdict = Ech.REAL if named else Ech.UNKNOWN
    return verdict


def config_id(body: bytes) -> tuple[int, bytes] | None:
    """The config id, and the beginning of the extension with its key (another for each hello); None if cut short."""
    if len(body) < _OUTER.size + _X25519:
        return None
    return body[5], body[: _OUTER.size + _X25519]


def published(keys: bytes) -> tuple[tuple[int, bytes], ...]:
    """Config ids and public names of an ECHConfigList (section 4), as far as it is whole; of this version only."""
    found: list[tuple[int, bytes]] = []
    cursor = Cursor(keys)
    try:
        entries = cursor.sub(cursor.u16())
        while entries.remaining and len(found) < MAX_KEYS:
            version = entries.u16()
            content = entries.sub(entries.u16())
            if version == EXTENSION:
                found.append(_published(content))
    except ParseError:
        pass
    return tuple(found)


def _published(content: Cursor) -> tuple[int, bytes]:
    config = content.u8()
    content.skip(2)  # which key exchange
    content.skip(content.u16())  # its key
    content.skip(content.u16())  # suites
    content.skip(1)  # longest name
    return config, content.take(content.u8())


def _is_key(key: bytes) -> bool:
    """Whether a key exchange puts out such a key, where its length says which one it is."""
    if len(key) == _X25519:
        return key[-1] < 0x80  # RFC 7748 section 5: below 2^255 - 19
    return len(key) != _P256 or key[0] == 4  # RFC 9180 section 7.1.1: uncompressed
