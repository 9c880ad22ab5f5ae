"""QUIC that never names itself.

Enters: beginnings of flows, their first octets, QUIC hellos. Leaves: NO_SNI with `quic` (a hello without a name),
QUIC_UNNAMED with `hidden` (it began as QUIC does, and no hello became readable within `WAIT_SECONDS`), `version` (a
version that is not read here) or `moved` (it goes on where nothing began: from before, or from another network).
Bounded: `MAX_WAITING` connections that wait for their hello, `MAX_NAMED` pairs of a device and a server that
showed one, for `NAMED_SECONDS` of packet time.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.sensor.facts import Fact, FlowBegan, FlowOpened, Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.packet import ip, tls
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.signals.told import Told
from appliance.sensor.table import FairTable
from appliance.signals import Signal

QUIC_PORT = 443
MAX_WAITING = 1024
WAIT_SECONDS = 5.0
"""A hello has come by then, lost packets and all."""
MAX_NAMED = 8192
NAMED_SECONDS = 7200.0
"""A connection may rest so long, and go on as one that the router does not remember."""

_Flow = tuple[str, int, str]
"""Hardware address, source port, far address."""


class QuicUnnamed(Detector):
    """Tells QUIC connections without a readable name."""

    __slots__ = ("_home", "_named", "_told", "_waiting")
    hears = (FlowBegan, FlowOpened, MessageHeard)

    def __init__(self, home: Home, told: Told) -> None:
        """Pass over what `told` knows a device was told; it must hear each fact first."""
        self._home = home
        self._told = told
        self._waiting: FairTable[_Flow, float] = FairTable(bound=MAX_WAITING, age=4 * WAIT_SECONDS)
        self._named: FairTable[tuple[str, str], bool] = FairTable(bound=MAX_NAMED, age=NAMED_SECONDS)

    @property
    def overflow(self) -> int:
        """Forgotten early: not told, or told though its hello was long ago."""
        return self._waiting.overflow + self._named.overflow

    def take(self, fact: Fact) -> Iterator[Noticed]:
        """What a fact shows of a QUIC connection."""
        mac = fact.mac
        if mac is None or not isinstance(fact, FlowBegan | FlowOpened | MessageHeard) or self._home.is_home(fact.dst):
            return
        if isinstance(fact, FlowBegan):
            if fact.protocol == ip.UDP and fact.dport == QUIC_PORT:
                self._waiting.put((mac, fact.sport, fact.dst), fact.ts, fact.ts)
        elif isinstance(fact, FlowOpened):
            if fact.protocol == ip.UDP and fact.dport == QUIC_PORT:
                yield from self._opened(fact, mac)
        elif fact.kind is Kind.QUIC_CLIENT_HELLO and isinstance(fact.message, tls.ClientHello):
            self._waiting.drop((mac, fact.sport, fact.dst))
            self._named.put((mac, fact.dst), True, fact.ts)
            if not fact.message.sni:
                yield _noticed(fact, mac, Signal.NO_SNI, "quic")
        else:  # another protocol, on the same port
            self._waiting.drop((mac, fact.sport, fact.dst))

    def _opened(self, fact: FlowOpened, mac: str) -> Iterator[Noticed]:
        """First octets that are no hello of a known version."""
        self._waiting.drop((mac, fact.sport, fact.dst))
        first = fact.first[0]
        is_known = self._named.get((mac, fact.dst), fact.ts) is not None
        if is_known or self._told.knows_address(mac, fact.dst, fact.ts):
            return
        # RFC 8999 section 5.1: the long header; RFC 9000 section 17.3.1: a short one, and its fixed bit.
        if first & 0x80 and fact.length >= _LEAST_LONG and any(fact.first[1:5]):
            yield _noticed(fact, mac, Signal.QUIC_UNNAMED, "version")
        elif first >> 6 == 1 and fact.length >= _LEAST_SHORT:
            yield _noticed(fact, mac, Signal.QUIC_UNNAMED, "moved")

    def tick(self, ts: float) -> Iterator[Noticed]:
        """Connections whose hello has not come."""
        for flow in self._waiting.older(ts - WAIT_SECONDS):
            began = self._waiting.get(flow, ts)
            self._waiting.drop(flow)
            mac, _, server = flow
            if (
                began is not None
                and self._named.get((mac, server), ts) is None
                and not self._told.knows_address(mac, server, ts)
            ):
                yield Noticed(
                    ts=began, mac=mac, signal=Signal.QUIC_UNNAMED, value="hidden", server=server, port=QUIC_PORT
                )


_LEAST_LONG = 1200
"""RFC 9000 section 14.1: a client's first datagram has at least so many; other versions keep to it."""
_LEAST_SHORT = 21
"""RFC 9000 section 10.3: the least by which a packet is not told from a reset."""


def _noticed(fact: FlowOpened | MessageHeard, mac: str, signal: Signal, value: str) -> Noticed:
    return Noticed(ts=fact.ts, mac=mac, signal=signal, value=value, server=fact.dst, port=fact.dport)
