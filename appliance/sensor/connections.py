"""TCP: from a segment to facts.

Enters: segments with their headers read. Leaves: facts. Bounded as `streams` and `hidden` say;
`MAX_SILENT` connections that have begun and said nothing yet are remembered, for `SILENT_AGE` seconds of packet time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from appliance.messages import Via
from appliance.sensor.facts import Fact, Kind, Parsed
from appliance.sensor.hidden import HiddenNames
from appliance.sensor.packet import dns, greetings, handshake, http, syn, tcp, tls, vpn
from appliance.sensor.packet.cursor import Cursor
from appliance.sensor.streams import Reader, TcpStreams
from appliance.sensor.table import AgedTable
from appliance.sensor.talk import Talk, began, is_of_resolver, message, opened

MAX_SILENT = 8192
"""Connections whose first octets are still to come; of one pushed out early they are not shown, which is counted."""
SILENT_AGE = 30.0

_DNS_PORT = 53
_MODULUS = 1 << 32
_SYN_ONLY = tcp.SYN
_SYN_OR_ACK = tcp.SYN | tcp.ACK


class _Protocol(NamedTuple):
    kind: Kind
    may_begin: Callable[[bytes], bool]
    read: Callable[[bytes], tuple[Parsed, int] | None]


_TLS = _Protocol(Kind.TLS_CLIENT_HELLO, tls.may_begin, tls.read_stream)
_HTTP = _Protocol(Kind.HTTP_REQUEST, http.may_begin, http.read_stream)
_SSH = _Protocol(Kind.HANDSHAKE, greetings.may_begin_ssh, handshake.read_ssh)
_BITTORRENT = _Protocol(Kind.HANDSHAKE, greetings.may_begin_bittorrent, handshake.read_bittorrent)
_OPENVPN = _Protocol(Kind.HANDSHAKE, vpn.may_begin_openvpn, handshake.read_openvpn)
# By first octet: nearly every segment that begins nothing is passed over with one look.
_BEGINNINGS: dict[int, _Protocol] = {
    0x14: _TLS,
    0x16: _TLS,
    **{method[0]: _HTTP for method in http.METHODS},
    ord("S"): _SSH,
    0x13: _BITTORRENT,
    **dict.fromkeys(range(vpn.MAX_OPENVPN // 256 + 1), _OPENVPN),
}


def _may_begin(prefix: bytes) -> bool:
    protocol = _BEGINNINGS.get(prefix[0]) if prefix else None
    return protocol is not None and protocol.may_begin(prefix)


def _read(prefix: bytes) -> tuple[tuple[Kind, Parsed], int] | None:
    protocol = _BEGINNINGS[prefix[0]]  # `TcpStreams` asks only for what may begin
    found = protocol.read(prefix)
    return None if found is None else ((protocol.kind, found[0]), found[1])


class Connections:
    """Reads the first words of TCP connections; keeps what is needed to join them over segments."""

    def __init__(self, hidden: HiddenNames) -> None:
        """Judge hidden names by what `hidden` has heard, here and elsewhere."""
        self._words = TcpStreams(Reader(may_begin=_may_begin, read=_read))
        self._questions = TcpStreams(Reader(may_begin=dns.may_begin, read=dns.read_stream))
        self._hidden = hidden
        self._silent: AgedTable[bytes, int] = AgedTable(bound=MAX_SILENT, age=SILENT_AGE)
        self.began = 0
        """SYNs."""

    @property
    def unread(self) -> int:
        """Beginnings of content that turned out to be none."""
        return self._words.unread + self._questions.unread

    @property
    def overflow(self) -> int:
        """What went over a bound."""
        return self._words.overflow + self._questions.overflow + self._silent.overflow

    def feed(self, talk: Talk) -> list[Fact]:
        """What a segment says."""
        frame, _, packet, segment = talk
        assert isinstance(segment, tcp.Segment)  # noqa: S101 - for the type checker; the caller has read TCP
        is_syn = segment.flags & _SYN_OR_ACK == _SYN_ONLY
        if segment.start == segment.end and not is_syn:
            return []
        key = packet.src + packet.dst + frame.data[packet.start : packet.start + 4]
        asks = _DNS_PORT in {segment.sport, segment.dport}
        facts: list[Fact] = []
        sequence = segment.sequence
        if is_syn:
            self.began += 1
            self._words.begin(key, sequence, frame.ts)
            if asks:
                self._questions.begin(key, sequence, frame.ts)
            facts.append(began(talk))
            facts.append(message(talk, Via.FLOW, Kind.TCP_SYN, syn.parse(frame.data, packet)))
            sequence += 1  # TCP Fast Open (RFC 7413): data may ride on the SYN
            self._silent.put(key, sequence % _MODULUS, frame.ts)
        if segment.start == segment.end:
            return facts
        data = Cursor(frame.data, segment.start, segment.end).rest()
        found = self._words.segment(key, sequence, data, frame.ts)
        if self._silent.get(key, frame.ts) == sequence % _MODULUS:
            self._silent.drop(key)
            if not found and not asks and not _may_begin(data):
                facts.append(opened(talk, data))
        for kind, said in found:
            parsed = self._hidden.judge(said, frame.ts) if isinstance(said, tls.ClientHello) else said
            facts.append(message(talk, Via.FLOW, kind, parsed))
        if asks:
            for asked in self._questions.segment(key, sequence, data, frame.ts):
                self._hidden.hear(asked, frame.ts, of_resolver=is_of_resolver(talk))
                facts.append(message(talk, Via.DNS, Kind.DNS, asked))
        return facts
