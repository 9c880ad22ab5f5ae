"""UDP: from a datagram to facts.

Enters: datagrams with their headers read. Leaves: facts. Bounded: hellos as `initials` and
`hidden` say, `MAX_DATAGRAM_FLOWS` five-tuples remembered for `DATAGRAM_FLOW_AGE` seconds of packet time.
Flows are those between two: what is sent to a group is read where a parser knows it, else left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from appliance.messages import Via
from appliance.sensor.facts import Fact, Kind, MessageHeard, Parsed
from appliance.sensor.hidden import HiddenNames
from appliance.sensor.initials import DtlsFlows, QuicFlows
from appliance.sensor.packet import dhcp4, dhcp6, dns, dtls, handshake, nbns, quic, ssdp, vpn
from appliance.sensor.packet.cursor import Cursor, ParseError
from appliance.sensor.table import AgedTable
from appliance.sensor.talk import Talk, began, heard, is_of_resolver, message, opened

MAX_DATAGRAM_FLOWS = 32768
"""UDP five-tuples remembered; one pushed out early is counted, since it may be taken for new again."""
DATAGRAM_FLOW_AGE = 60.0
"""Seconds of silence, give or take `_REFRESH`, after which a five-tuple begins anew."""
_REFRESH = 10.0
"""Seconds after which a five-tuple that goes on is put in the table again: not for every datagram."""


class _Service(NamedTuple):
    """What is spoken on a well-known port."""

    via: Via
    kind: Kind
    read: Callable[[Cursor], Parsed]


def _dns(payload: Cursor) -> dns.Message:
    return dns.parse(payload.rest())


_DHCP4 = _Service(Via.DHCP, Kind.DHCP4, dhcp4.parse)
_DHCP6 = _Service(Via.DHCP, Kind.DHCP6, dhcp6.parse)
_ANSWERING = {
    53: _Service(Via.DNS, Kind.DNS, _dns),
    137: _Service(Via.NBNS, Kind.NBNS, nbns.parse),
    1900: _Service(Via.SSDP, Kind.SSDP, ssdp.parse),
    5353: _Service(Via.MDNS, Kind.MDNS, _dns),
    5355: _Service(Via.LLMNR, Kind.LLMNR, _dns),
}
"""Services whose answers, too, are read: those go from this port to one that the asker chose."""
_SERVICES = _ANSWERING | {67: _DHCP4, 68: _DHCP4, 546: _DHCP6, 547: _DHCP6}
"""By destination port."""
_BROADCAST = b"\xff\xff\xff\xff"


class Datagrams:
    """Reads datagrams; keeps what is needed to tell new flows and to join a QUIC hello."""

    def __init__(self, hidden: HiddenNames) -> None:
        """Judge hidden names by what `hidden` has heard, here and elsewhere."""
        self._quic = QuicFlows()
        self._dtls = DtlsFlows()
        self._hidden = hidden
        self._flows: AgedTable[bytes, float] = AgedTable(bound=MAX_DATAGRAM_FLOWS, age=DATAGRAM_FLOW_AGE)
        self.began = 0
        """First datagrams of five-tuples, not of DNS, DHCP and LAN chatter."""
        self._unread = 0
        self._cut = 0

    @property
    def unread(self) -> int:
        """Datagrams on a known port, QUIC Initials, or DTLS hellos, that no parser could read."""
        return self._unread + self._quic.unread + self._dtls.unread

    @property
    def overflow(self) -> int:
        """What went over a bound."""
        return self._quic.overflow + self._dtls.overflow + self._flows.overflow + self._cut

    def feed(self, talk: Talk) -> list[Fact]:
        """What a datagram says."""
        frame, _, packet, datagram = talk
        service = _SERVICES.get(datagram.dport)
        if service is not None:
            try:
                parsed = service.read(Cursor(frame.data, datagram.start, datagram.end))
                return self._said(talk, message(talk, service.via, service.kind, parsed))
            except ParseError:
                data = frame.data[datagram.start : datagram.end]
                # Nobody opens a connection to a group: what claims to, there, is noise of a device that is to be seen.
                if is_group(packet.dst) or not _is_disguised(data, datagram.sport, datagram.dport):
                    self._unread += 1
                    return [heard(talk, service.via)]
        elif (answering := _ANSWERING.get(datagram.sport)) and (answer := _answer(talk, answering)):
            return self._said(talk, answer)
        if is_group(packet.dst):
            return []  # chatter in a protocol that is not read here: nobody is connected to
        return self._flow(talk)

    def sealed(self, talk: Talk) -> list[Fact]:
        """What an ESP packet (RFC 4303) says: that there is a tunnel between two, without ports."""
        key = talk.packet.src + talk.packet.dst
        if is_group(talk.packet.dst) or self._flows.get(key, talk.frame.ts) is not None:
            return []
        is_first = self._flows.get(talk.packet.dst + talk.packet.src, talk.frame.ts) is None
        self._flows.put(key, talk.frame.ts, talk.frame.ts)
        self.began += is_first
        return [began(talk)] if is_first else []

    def _said(self, talk: Talk, fact: MessageHeard) -> list[Fact]:
        if fact.kind is Kind.DNS and isinstance(fact.message, dns.Message):
            self._hidden.hear(fact.message, fact.ts, of_resolver=is_of_resolver(talk))
        elif isinstance(fact.message, nbns.Message | ssdp.Message) and not fact.message.complete:
            self._cut += 1
        return [fact]

    def _flow(self, talk: Talk) -> list[Fact]:
        frame, _, packet, datagram = talk
        ports = frame.data[datagram.start - 8 : datagram.start - 4]
        key = packet.src + packet.dst + ports
        data = frame.data[datagram.start : datagram.end]
        facts: list[Fact] = []
        put = self._flows.get(key, frame.ts)
        if put is None:
            reverse = packet.dst + packet.src + ports[2:] + ports[:2]
            is_first = self._flows.get(reverse, frame.ts) is None
            if is_first:
                self.began += 1
                facts.append(began(talk))
            self._flows.put(key, frame.ts, frame.ts)
            # The first words of either side.
            if shaken := handshake.datagram(data, datagram.sport, datagram.dport):
                facts.append(message(talk, Via.FLOW, Kind.HANDSHAKE, shaken))
            elif is_first and data and not quic.may_begin(data) and not dtls.may_begin(data):
                facts.append(opened(talk, data))
        elif vpn.may_be_initiation(data) and (again := handshake.datagram(data, datagram.sport, datagram.dport)):
            # WireGuard shakes hands anew every two minutes while it is used: the rhythm is part of what is seen.
            facts.append(message(talk, Via.FLOW, Kind.HANDSHAKE, again))
        elif abs(frame.ts - put) > _REFRESH:
            self._flows.put(key, frame.ts, frame.ts)
        if quic.may_begin(data):
            kind, hellos = Kind.QUIC_CLIENT_HELLO, self._quic.datagram(key, data, frame.ts)
        elif dtls.may_begin(data):
            kind, hellos = Kind.DTLS_CLIENT_HELLO, self._dtls.datagram(key, data, frame.ts)
        else:
            return facts
        facts.extend(message(talk, Via.FLOW, kind, self._hidden.judge(hello, frame.ts)) for hello in hellos)
        return facts


def _is_disguised(data: bytes, sport: int, dport: int) -> bool:
    """Whether a datagram that is not what its port says is something else that can be read."""
    return quic.may_begin(data) or dtls.may_begin(data) or handshake.datagram(data, sport, dport) is not None


def _answer(talk: Talk, service: _Service) -> MessageHeard | None:
    """A datagram from a well-known port if it is an answer; any program may send from that port."""
    try:
        parsed = service.read(Cursor(talk.frame.data, talk.ports.start, talk.ports.end))
    except ParseError:
        return None
    if isinstance(parsed, dns.Message | nbns.Message | ssdp.Message) and parsed.response:
        return message(talk, service.via, service.kind, parsed)
    return None


def is_group(address: bytes) -> bool:
    """Whether an address stands for many: multicast (RFC 5771, RFC 4291 section 2.7) or limited broadcast."""
    if len(address) == 4:
        return address[0] >> 4 == 0xE or address == _BROADCAST
    return address[0] == 0xFF
