"""Fragments of IP datagrams put together again (RFC 791 section 3.2, RFC 8200 section 4.5).

Enters: fragments with their IP header read. Leaves: a whole packet, once its last part has come.
Bounded: `MAX_DATAGRAMS` datagrams wait, of at most `MAX_OCTETS` and `MAX_PIECES` pieces each, for
`AGE` seconds of packet time from their first piece on.

Pieces that overlap, other than one that comes again unchanged, end the datagram (RFC 5722, and for
IPv4 as systems do it since): there is no honest reason for them, and receivers disagree about them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import pack

from appliance.sensor.packet import ip
from appliance.sensor.table import AgedTable

MAX_DATAGRAMS = 64
"""Datagrams that wait for a part; the one that began first is dropped for a new one, and counted."""
MAX_OCTETS = 65535
"""Of one datagram's payload (RFC 791 section 3.1)."""
MAX_PIECES = 64
"""Of one datagram: 64 KiB in parts for Ethernet are 45."""
AGE = 30.0
"""Seconds; RFC 8200 gives 60, but nobody here must answer for what comes late."""

_IPV4_LENGTH = 4
_UNIT = 8
"""Octets; all parts but the last are a multiple of it long."""


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """A datagram of which a part is not there yet."""

    pieces: dict[int, bytes] = field(default_factory=dict)
    """By offset."""
    total: int | None = None
    """Octets of the payload, once the last part has come."""
    protocol: int | None = None
    """What the first part says."""
    spoiled: bool = False
    """Went over a bound or against the rules; kept so that its rest begins nothing new."""


class Fragments:
    """Datagrams that wait for their parts."""

    __slots__ = ("_waiting", "refused")

    def __init__(self) -> None:
        self._waiting: AgedTable[tuple[bytes, bytes, int, int], _Waiting] = AgedTable(bound=MAX_DATAGRAMS, age=AGE)
        self.refused = 0
        """Datagrams given up: their parts overlap, are cut, or go over a bound."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def overflow(self) -> int:
        """Datagrams given up, and those pushed out before their time."""
        return self.refused + self._waiting.overflow

    def feed(self, data: bytes, packet: ip.Packet, ts: float) -> bytes | None:
        """Take the fragment that `packet` is in `data`; returns a whole IP packet when it was the last missing part."""
        fragment = packet.fragment
        if fragment is None:
            return None
        # RFC 791 tells datagrams apart by protocol too; RFC 8200 does not.
        kind = packet.protocol if len(packet.src) == _IPV4_LENGTH else -1
        key = (packet.src, packet.dst, kind, fragment.identification)
        waiting = self._waiting.get(key, ts)
        if waiting is None:
            waiting = _Waiting()
            # Put once only, so that the age counts from the first part.
            self._waiting.drop(key)
            self._waiting.put(key, waiting, ts)
        if waiting.spoiled:
            return None
        piece = data[packet.start : packet.end]
        if not _take(waiting, fragment, piece):
            self.refused += 1
            waiting.spoiled = True
            waiting.pieces.clear()
            return None
        if fragment.offset == 0:
            waiting.protocol = packet.protocol
        payload = _whole(waiting)
        if payload is None or waiting.protocol is None:
            return None
        self._waiting.drop(key)
        return _packet(packet, waiting.protocol, payload)


def _take(waiting: _Waiting, fragment: ip.Fragment, piece: bytes) -> bool:
    """Keep a part; False if it is against the rules, or over a bound."""
    offset = fragment.offset
    end = offset + len(piece)
    if fragment.cut or end > MAX_OCTETS or not piece or (fragment.more and len(piece) % _UNIT):
        return False
    if waiting.pieces.get(offset) == piece:
        return fragment.more == (end != waiting.total)
    overlaps = any(offset < at + len(known) and at < end for at, known in waiting.pieces.items())
    if overlaps or len(waiting.pieces) == MAX_PIECES or not _fits(waiting, fragment, end):
        return False
    if not fragment.more:
        waiting.total = end
    waiting.pieces[offset] = piece
    return True


def _fits(waiting: _Waiting, fragment: ip.Fragment, end: int) -> bool:
    """Whether a new part agrees with the others about where the datagram ends."""
    if fragment.more:
        return waiting.total is None or end < waiting.total
    return waiting.total is None and all(at < end for at in waiting.pieces)


def _whole(waiting: _Waiting) -> bytes | None:
    # Parts do not overlap and none lies behind the end: as many octets as that are all of them.
    if waiting.total is None or sum(map(len, waiting.pieces.values())) != waiting.total:
        return None
    return b"".join(piece for _, piece in sorted(waiting.pieces.items()))


def _packet(packet: ip.Packet, protocol: int, payload: bytes) -> bytes:
    """A header of our own before the payload; length 0 says that it goes as far as the frame."""
    if len(packet.src) == _IPV4_LENGTH:
        return pack("!BBHHHBBH", 0x45, 0, 0, 0, 0, 64, protocol, 0) + packet.src + packet.dst + payload
    return pack("!IHBB", 6 << 28, 0, protocol, 64) + packet.src + packet.dst + payload
