"""UDP: from a datagram to facts.

Enters: datagrams with their headers read. Leaves: facts. Bounded: QUIC connections as `streams`
says, `MAX_DATAGRAM_FLOWS` five-tuples remembered for `DATAGRAM_FLOW_AGE` seconds of packet time.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.messages import Via
from appliance.sensor.facts import Fact, Kind, MessageHeard, Parsed
from appliance.sensor.packet import dhcp4, dns, quic
from appliance.sensor.packet.cursor import Cursor, ParseError
from appliance.sensor.streams import QuicFlows
from appliance.sensor.table import AgedTable
from appliance.sensor.talk import Talk, began, heard, message

MAX_DATAGRAM_FLOWS = 32768
"""UDP five-tuples remembered; one pushed out early is counted, since it may be taken for new again."""
DATAGRAM_FLOW_AGE = 60.0

_DNS_PORT = 53
# By destination port only: any program may choose its own source port.
_SERVICES = {
    _DNS_PORT: Via.DNS,
    67: Via.DHCP,
    68: Via.DHCP,
    137: Via.NBNS,
    1900: Via.SSDP,
    5353: Via.MDNS,
    5355: Via.LLMNR,
}
_READERS: dict[Via, tuple[Kind, Callable[[Cursor], Parsed]]] = {
    Via.DNS: (Kind.DNS, lambda payload: dns.parse(payload.rest())),
    Via.MDNS: (Kind.MDNS, lambda payload: dns.parse(payload.rest())),
    Via.DHCP: (Kind.DHCP4, dhcp4.parse),
}


class Datagrams:
    """Reads datagrams; keeps what is needed to tell new flows and to join a QUIC hello."""

    def __init__(self) -> None:
        self._quic = QuicFlows()
        self._flows: AgedTable[bytes, bool] = AgedTable(bound=MAX_DATAGRAM_FLOWS, age=DATAGRAM_FLOW_AGE)
        self.began = 0
        """First datagrams of five-tuples, not of DNS, DHCP and LAN chatter."""
        self._unread = 0

    @property
    def unread(self) -> int:
        """Datagrams on a known port, or QUIC Initials, that no parser could read."""
        return self._unread + self._quic.unread

    @property
    def overflow(self) -> int:
        """What went over a bound."""
        return self._quic.overflow + self._flows.overflow

    def feed(self, talk: Talk) -> list[Fact]:
        """What a datagram says."""
        frame, _, packet, datagram = talk
        payload = Cursor(frame.data, datagram.start, datagram.end)
        via = _SERVICES.get(datagram.dport)
        if via is not None:
            reader = _READERS.get(via)
            if reader is None:
                return [heard(talk, via)]
            try:
                return [message(talk, via, reader[0], reader[1](payload))]
            except ParseError:
                if not quic.may_begin(payload.data, datagram.start):
                    self._unread += 1
                    return [heard(talk, via)]
        elif datagram.sport == _DNS_PORT and (answer := _answer(talk, payload)) is not None:
            return [answer]
        ports = frame.data[datagram.start - 8 : datagram.start - 4]
        key = packet.src + packet.dst + ports
        facts: list[Fact] = []
        if self._is_new(key, packet.dst + packet.src + ports[2:] + ports[:2], frame.ts):
            self.began += 1
            facts.append(began(talk))
        if quic.may_begin(frame.data, datagram.start):
            data = Cursor(frame.data, datagram.start, datagram.end).rest()
            facts.extend(
                message(talk, Via.FLOW, Kind.QUIC_CLIENT_HELLO, hello)
                for hello in self._quic.datagram(key, data, frame.ts)
            )
        return facts

    def _is_new(self, key: bytes, reverse: bytes, ts: float) -> bool:
        if self._flows.get(key, ts):
            return False
        new = not self._flows.get(reverse, ts)
        self._flows.put(key, True, ts)
        return new


def _answer(talk: Talk, payload: Cursor) -> MessageHeard | None:
    """A datagram from port 53 if it is an answer; any program may send from that port."""
    try:
        parsed = dns.parse(Cursor(payload.data, payload.position, payload.end).rest())
    except ParseError:
        return None
    return message(talk, Via.DNS, Kind.DNS, parsed) if parsed.response else None
