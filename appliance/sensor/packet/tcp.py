"""TCP segments (RFC 9293 section 3.1).

Enters: bytes and the range of an IP payload. Leaves: ports, sequence number, flags and where the
data is. Bounded: fixed size; options are passed over.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet.cursor import ParseError

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

_TCP = Struct("!HHI4xBB6x")


class Segment(msgspec.Struct, frozen=True, gc=False):
    """One segment's header."""

    sport: int
    dport: int
    sequence: int
    flags: int
    start: int
    """Where the data begins."""
    end: int


def parse(data: bytes, start: int, end: int) -> Segment:
    """Read a TCP header.

    Raises:
        ParseError: cut short, or a data offset outside the segment.
    """
    if end - start < 20:
        raise ParseError("TCP header cut short")
    sport, dport, sequence, offset, flags = _TCP.unpack_from(data, start)
    header = (offset >> 4) * 4
    payload = start + header
    if header < 20 or payload > end:
        raise ParseError(f"TCP data offset {header}")
    return Segment(sport, dport, sequence, flags, payload, end)
