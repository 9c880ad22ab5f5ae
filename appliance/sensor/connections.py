"""TCP: from a segment to facts.

Enters: segments with their headers read. Leaves: facts. Bounded as `streams` says.
"""

from __future__ import annotations

from appliance.messages import Via
from appliance.sensor.facts import Fact, Kind
from appliance.sensor.packet import dns, tcp, tls
from appliance.sensor.packet.cursor import Cursor
from appliance.sensor.streams import Reader, TcpStreams
from appliance.sensor.talk import Talk, began, message

_DNS_PORT = 53
_SYN_ONLY = tcp.SYN
_SYN_OR_ACK = tcp.SYN | tcp.ACK


class Connections:
    """Reads the first words of TCP connections; keeps what is needed to join them over segments."""

    def __init__(self) -> None:
        self._hellos = TcpStreams(Reader(may_begin=tls.may_begin, read=tls.read_stream))
        self._questions = TcpStreams(Reader(may_begin=dns.may_begin, read=dns.read_stream))
        self.began = 0
        """SYNs."""

    @property
    def unread(self) -> int:
        """Beginnings of content that turned out to be none."""
        return self._hellos.unread + self._questions.unread

    @property
    def overflow(self) -> int:
        """What went over a bound."""
        return self._hellos.overflow + self._questions.overflow

    def feed(self, talk: Talk) -> list[Fact]:
        """What a segment says."""
        frame, _, packet, segment = talk
        assert isinstance(segment, tcp.Segment)  # noqa: S101 - for the type checker; the caller has read TCP
        syn = segment.flags & _SYN_OR_ACK == _SYN_ONLY
        if segment.start == segment.end and not syn:
            return []
        key = packet.src + packet.dst + frame.data[packet.start : packet.start + 4]
        asks = _DNS_PORT in {segment.sport, segment.dport}
        facts: list[Fact] = []
        sequence = segment.sequence
        if syn:
            self.began += 1
            self._hellos.begin(key, sequence, frame.ts)
            if asks:
                self._questions.begin(key, sequence, frame.ts)
            facts.append(began(talk))
            sequence += 1  # TCP Fast Open (RFC 7413): data may ride on the SYN
        if segment.start == segment.end:
            return facts
        data = Cursor(frame.data, segment.start, segment.end).rest()
        hellos = self._hellos.segment(key, sequence, data, frame.ts)
        facts.extend(message(talk, Via.FLOW, Kind.TLS_CLIENT_HELLO, hello) for hello in hellos)
        if asks:
            questions = self._questions.segment(key, sequence, data, frame.ts)
            facts.extend(message(talk, Via.DNS, Kind.DNS, question) for question in questions)
        return facts
