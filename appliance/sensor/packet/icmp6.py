"""Neighbour discovery (RFC 4861 section 4), enough to see who is there.

Enters: the ICMPv6 message. Leaves: a `Message` for solicitations and advertisements of neighbours
and routers, None for all else. Bounded: fixed size; options are not read.
"""

from __future__ import annotations

import msgspec

from appliance.sensor.packet.cursor import Cursor

ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = 133, 134, 135, 136


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One neighbour-discovery message."""

    kind: int
    """ICMPv6 type, 133 to 136."""
    target: bytes | None
    """Sixteen octets: whose address is asked for or announced; None for router messages."""


def parse(cursor: Cursor) -> Message | None:
    """Read an ICMPv6 message.

    Raises:
        ParseError: it is cut short.
    """
    kind = cursor.u8()
    cursor.skip(3)
    if kind in {ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT}:
        return Message(kind=kind, target=None)
    if kind in {NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT}:
        cursor.skip(4)
        return Message(kind=kind, target=cursor.take(16))
    return None
