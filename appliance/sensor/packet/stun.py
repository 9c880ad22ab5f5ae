"""STUN messages (RFC 8489 section 5): how calls and games find a way through a router.

Enters: a datagram. Leaves: what kind of message, and which software says so. Bounded: `MAX_ATTRIBUTES`.
"""

from __future__ import annotations

from appliance.sensor.packet import names
from appliance.sensor.packet.cursor import Cursor, ParseError

MAX_ATTRIBUTES = 32
COOKIE = b"\x21\x12\xa4\x42"

_SOFTWARE = 0x8022
_MAX_SOFTWARE = 128
_CLASSES = ("request", "indication", "success", "error")
_METHODS = {
    0x001: "binding",
    0x003: "allocate",
    0x004: "refresh",
    0x006: "send",
    0x007: "data",
    0x008: "create-permission",
    0x009: "channel-bind",
}


def detail(data: bytes) -> tuple[tuple[str, str], ...] | None:
    """What a STUN message says; None if it is none."""
    # The two zero bits, the cookie, and the length must agree: by chance once in 2^46 datagrams.
    if len(data) < 20 or data[4:8] != COOKIE or data[0] & 0xC0:
        return None
    length = int.from_bytes(data[2:4], "big")
    if length != len(data) - 20 or length % 4:
        return None
    kind = int.from_bytes(data[:2], "big")
    # RFC 8489 figure 3: the class bits stand amid the method's.
    sort = _CLASSES[(kind >> 7 & 2) | (kind >> 4 & 1)]
    method = (kind & 0x3E00) >> 2 | (kind & 0xE0) >> 1 | kind & 0x0F
    said = [("type", f"{_METHODS.get(method, f'method-{method:#05x}')}-{sort}")]
    if software := _software(Cursor(data, 20)):
        said.append(("software", software))
    return tuple(said)


def _software(attributes: Cursor) -> str | None:
    try:
        for _ in range(MAX_ATTRIBUTES):
            if not attributes.remaining:
                return None
            kind = attributes.u16()
            length = attributes.u16()
            value = attributes.take(length)
            if kind == _SOFTWARE:
                return names.announced(value)[:_MAX_SOFTWARE]
            attributes.skip(-length % 4)
    except ParseError:
        return None
    return None
