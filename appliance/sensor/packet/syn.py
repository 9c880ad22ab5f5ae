"""What a TCP SYN says of the system that sent it (RFC 9293 section 3.2, options of RFC 7323, 2018).

Enters: IP and TCP header of a SYN. Leaves: a `Syn`. Bounded: a TCP header holds at most 40 octets of
options (RFC 9293 section 3.1).

The quirks bear the names that p0f gave them, because that is how others write them down too.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from appliance.sensor.packet import ip
from appliance.sensor.packet.cursor import ParseError

_TCP = Struct("!4xIIBBHxxH")
_IPV4_LENGTH = 4
_END, _NOTHING, _MSS, _SCALE, _TIMESTAMPS = 0, 1, 2, 3, 8
_PUSH, _ACK, _URGENT, _ECN = 0x08, 0x10, 0x20, 0xC0
_LARGEST_SCALE = 14
_NEVER = bytes(4)


class Syn(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a SYN that systems choose differently."""

    version: int
    """4 or 6."""
    ttl: int
    """Time to live or hop limit as heard."""
    window: int
    mss: int | None
    scale: int | None
    """Window scale."""
    options: tuple[int, ...]
    """Kinds in the sender's order; no-operation 1 included, 0 ends the list."""
    quirks: tuple[str, ...] = ()
    """`df` (do not fragment), `id+` (an identification in spite of it), `id-` (none without it), `flow` (an IPv6
    flow label), `ecn`, `0+` (reserved bits), `seq-` (sequence number 0), `ack+` (an acknowledgement number without
    the flag), `uptr+`, `urgf+`, `pushf+`, `ts1-` (own time stamp 0), `ts2+` (the peer's is not 0), `opt+` (octets
    behind the end of options), `exws` (a scale above 14), `bad` (damaged options);
    and one that p0f lacks: `ae` (asks for accurate ECN, RFC 9768)."""

    @property
    def text(self) -> str:
        """One line: version:ttl:window,scale:mss:options:quirks; `ttl` is rounded up to 32, 64, 128 or 255."""
        first = next(limit for limit in (32, 64, 128, 255) if self.ttl <= limit)
        scale = "*" if self.scale is None else str(self.scale)
        mss = "*" if self.mss is None else str(self.mss)
        kinds = ",".join(map(str, self.options))
        return f"{self.version}:{first}:{self.window},{scale}:{mss}:{kinds}:{','.join(self.quirks)}"


def parse(frame_data: bytes, packet: ip.Packet) -> Syn:
    """Read a SYN; whether the segment is one is the caller's to know.

    Raises:
        ParseError: the TCP header is cut short, or its data offset is outside the segment.
    """
    start = packet.start
    if packet.end - start < 20:
        raise ParseError("TCP header cut short")
    sequence, acknowledged, offset, flags, window, urgent = _TCP.unpack_from(frame_data, start)
    length = (offset >> 4) * 4
    if length < 20 or start + length > packet.end:
        raise ParseError(f"TCP data offset {length}")
    version, ttl, quirks = _internet(frame_data, packet)
    if flags & _ECN and "ecn" not in quirks:
        quirks.append("ecn")
    if offset & 0x0F:
        quirks += _reserved(offset, quirks)
    if not sequence:
        quirks.append("seq-")
    if acknowledged and not flags & _ACK:
        quirks.append("ack+")
    if urgent or flags & (_URGENT | _PUSH):
        quirks += _pressing(urgent, flags)
    kinds, mss, scale = _options(frame_data, start + 20, start + length, quirks)
    return Syn(version=version, ttl=ttl, window=window, mss=mss, scale=scale, options=kinds, quirks=tuple(quirks))


# Apart from `parse`: nearly no SYN has any of these, and this runs for every connection of the household.


def _reserved(offset: int, known: list[str]) -> list[str]:
    accurate = ["ae"] if offset & 0x01 else []
    return [*accurate, "0+"] if offset & 0x0E and "0+" not in known else accurate


def _pressing(urgent: int, flags: int) -> list[str]:
    found = ["uptr+"] if urgent and not flags & _URGENT else []
    if flags & _URGENT:
        found.append("urgf+")
    if flags & _PUSH:
        found.append("pushf+")
    return found


def _internet(data: bytes, packet: ip.Packet) -> tuple[int, int, list[str]]:
    at, quirks = packet.header, list[str]()
    if len(packet.src) == _IPV4_LENGTH:
        identified, flags = data[at + 4] or data[at + 5], data[at + 6] >> 5
        if flags & 0x02:
            quirks += ["df", "id+"] if identified else ["df"]
        elif not identified:
            quirks.append("id-")
        if data[at + 1] & 0x03:
            quirks.append("ecn")
        if flags & 0x04:  # RFC 791 section 3.1: must be zero
            quirks.append("0+")
        return 4, data[at + 8], quirks
    if data[at + 1] & 0x0F or data[at + 2] or data[at + 3]:
        quirks.append("flow")
    if data[at + 1] & 0x30:  # the two low bits of the traffic class, RFC 3168 section 5
        quirks.append("ecn")
    return 6, data[at + 7], quirks


def _options(data: bytes, at: int, end: int, quirks: list[str]) -> tuple[tuple[int, ...], int | None, int | None]:
    kinds: list[int] = []
    mss = scale = None
    while at < end:
        kind = data[at]
        kinds.append(kind)
        if kind == _NOTHING:
            at += 1
            continue
        if kind == _END:
            quirks += ["opt+"] if any(data[at + 1 : end]) else []
            break
        length = data[at + 1] if at + 1 < end else 0
        if length < 2 or at + length > end:
            quirks.append("bad")
            break
        if kind == _MSS and length == 4:
            mss = data[at + 2] << 8 | data[at + 3]
        elif kind == _SCALE and length == 3:
            scale = data[at + 2]
            quirks += ["exws"] if scale > _LARGEST_SCALE else []  # RFC 7323 section 2.3
        elif kind == _TIMESTAMPS and length == 10:
            quirks += _stamps(data, at + 2)
        at += length
    return tuple(kinds), mss, scale


def _stamps(data: bytes, at: int) -> list[str]:
    own = ["ts1-"] if data[at : at + 4] == _NEVER else []
    return own if data[at + 4 : at + 8] == _NEVER else [*own, "ts2+"]
