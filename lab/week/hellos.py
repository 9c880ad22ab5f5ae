"""TLS ClientHellos from their lists: the shape of a kind of client and a name in, one record out.

Bounded: the shapes are shipped; a record is below 2 KiB.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from wire.files import load_toml

FILE = Path(__file__).with_name("hellos.toml")
GREASE = 0x0A0A
"""In a shape: a GREASE value, of the sixteen of RFC 8701 section 2."""

Number = Annotated[int, Field(ge=0, le=65535)]


class Shape(BaseModel):
    """What a kind of client offers, in its order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    ciphers: tuple[Number, ...] = Field(min_length=1)
    extensions: tuple[Number, ...]
    groups: tuple[Number, ...]
    signatures: tuple[Number, ...]
    versions: tuple[Number, ...]
    alpn: tuple[str, ...]


class _Shapes(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    chrome: Shape
    android: Shape
    apple: Shape
    firefox: Shape
    schannel: Shape
    embedded: Shape


@cache
def shapes() -> dict[str, Shape]:
    """Every shape there is, by name.

    Raises:
        FileError: the file is wrong.
    """
    read = load_toml(FILE, _Shapes, purpose="shapes of hellos")
    return {name: getattr(read, name) for name in _Shapes.model_fields}


def hello(shape: Shape, name: str, dice: Random) -> bytes:
    """A TLS record with a ClientHello for `name`."""
    grease = _grease(dice)
    body = struct.pack("!H", 0x0303) + dice.randbytes(32) + _long8(dice.randbytes(32))
    body += _long16(_numbers(_greased(shape.ciphers, grease))) + _long8(b"\0")
    extensions = b""
    seen_grease = 0
    for kind in shape.extensions:
        if kind == GREASE:
            # The two GREASE extensions of a hello differ; the second has one octet (BoringSSL, ssl/extensions.cc).
            value, data = (grease, b"") if not seen_grease else (grease ^ 0x1010, b"\0")
            seen_grease += 1
        else:
            value, data = kind, _DATA.get(kind, _empty)(shape, name, dice, grease)
        extensions += struct.pack("!H", value) + _long16(data)
    body += _long16(extensions)
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + _long16(message)


def _grease(dice: Random) -> int:
    return dice.randrange(16) * 0x1010 + GREASE


def _greased(values: tuple[int, ...], grease: int) -> list[int]:
    return [grease if value == GREASE else value for value in values]


def _numbers(values: list[int]) -> bytes:
    return struct.pack(f"!{len(values)}H", *values)


def _long8(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _long16(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


_Builder = Callable[[Shape, str, Random, int], bytes]


def _empty(_shape: Shape, _name: str, _dice: Random, _grease: int) -> bytes:
    return b""


def _key_share(shape: Shape, _name: str, dice: Random, grease: int) -> bytes:
    shares = struct.pack("!H", 29) + _long16(dice.randbytes(32))
    if GREASE in shape.groups:
        shares = struct.pack("!H", grease) + _long16(b"\0") + shares
    return _long16(shares)


def _ech(_shape: Shape, _name: str, dice: Random, _grease: int) -> bytes:
    """GREASE ECH (RFC 9849 section 6.2): made-up key and payload under real algorithm numbers."""
    cipher = struct.pack("!BHHB", 0, 1, 1, dice.randrange(256))
    return cipher + _long16(dice.randbytes(32)) + _long16(dice.randbytes(144))


_DATA: dict[int, _Builder] = {
    0: lambda _shape, name, _dice, _grease: _long16(b"\0" + _long16(name.encode("ascii"))),
    5: lambda *_: b"\x01\0\0\0\0",
    10: lambda shape, _name, _dice, grease: _long16(_numbers(_greased(shape.groups, grease))),
    11: lambda *_: b"\x01\0",
    13: lambda shape, *_: _long16(_numbers(list(shape.signatures))),
    16: lambda shape, *_: _long16(b"".join(_long8(item.encode()) for item in shape.alpn)),
    21: lambda *_: bytes(64),
    27: lambda *_: b"\x02\0\x02",
    28: lambda *_: b"\x40\x01",
    34: lambda *_: _long16(_numbers([0x0403, 0x0503, 0x0603, 0x0203])),
    43: lambda shape, _name, _dice, grease: _long8(_numbers(_greased(shape.versions, grease))),
    45: lambda *_: b"\x01\x01",
    51: _key_share,
    17613: lambda *_: _long16(_long8(b"h2")),
    0xFE0D: _ech,
    0xFF01: lambda *_: b"\0",
}
