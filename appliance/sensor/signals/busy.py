"""One connection that goes on and moves much, both ways: as a tunnel for everything would, or a long call, or a backup.

Enters: counts of octets, and what the connections that they count were heard to be. Leaves: BUSY (`ssh`, `tls`, `quic`,
`udp`, `tcp`: what it was heard to be) with its octets, and SSTP with `hello` where a busy TLS connection offered no
protocol of the web and had the port of such tunnels.
What shows a name in its hello is told only where it carries nearly all that the device moves: a film does,
too, but then other pages are opened beside it.
Bounded: `MAX_BUSY` exchanges that go on, `MAX_HEARD` kinds heard, what `MAX_MASKED` devices moved. Time is that of the counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from appliance.messages import MAX_MASKED, Talk, TalksCounted
from appliance.sensor.facts import Fact, Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.packet import ip, tls
from appliance.sensor.packet.handshake import Handshake
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.table import AgedTable, FairTable
from appliance.signals import Signal

BUSY_SECONDS = 300.0
"""An exchange must go on for so long."""
BUSY_OCTETS = 5_000_000
BUSY_UP = 100_000
"""Of them from the device: what only fetches sends less, for as much."""
LEAST_SHARE = 0.9
"""Of all that the device moves, for an exchange whose name was shown."""
PAUSE_SECONDS = 180.0
"""An exchange that rests longer begins anew."""
BEGIN_OCTETS = 10_000
"""What moves less in a reading does not begin to count: of file sharing's thousands of peers nearly none does."""
MAX_BUSY = 4096
MAX_HEARD = 8192
HEARD_SECONDS = 86400.0

_TUNNEL_PORTS = frozenset({443, 992, 1194, 5555})
"""As servers of such tunnels listen by default (SSTP: 443; SoftEther: 443, 992, 1194, 5555)."""

_Key = tuple[str, str, int, int]
"""Hardware address, far address, protocol, port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Going:
    """An exchange that goes on."""

    since: float
    up: int = 0
    down: int = 0
    base: int = 0
    """What the device had moved in all, before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What the beginning of an exchange showed."""

    kind: str
    named: bool = False
    web: bool = False
    """It offered a protocol of the web."""


class Busy(Detector):
    """Adds up exchanges over time."""

    __slots__ = ("_going", "_heard", "_home", "_moved")
    hears = (MessageHeard,)

    def __init__(self, home: Home) -> None:
        self._home = home
        self._going: FairTable[_Key, _Going] = FairTable(bound=MAX_BUSY, age=PAUSE_SECONDS)
        self._moved: AgedTable[str, int] = AgedTable(bound=MAX_MASKED, age=HEARD_SECONDS)
        self._heard: FairTable[_Key, _Heard] = FairTable(bound=MAX_HEARD, age=HEARD_SECONDS)

    @property
    def overflow(self) -> int:
        """Exchanges that begin anew though they went on; kinds forgotten early."""
        return self._going.overflow + self._heard.overflow

    def take(self, fact: Fact) -> Iterable[Noticed]:
        """Remember what a connection was heard to be."""
        if fact.mac is not None and isinstance(fact, MessageHeard):
            heard = _heard(fact)
            if heard is not None:
                protocol = ip.TCP if heard.kind in {"ssh", "tls"} else ip.UDP
                key = (fact.mac, fact.dst, protocol, fact.dport)
                before = self._heard.get(key, fact.ts)
                # One connection of several with a name does not name the others.
                if before is None or before.named or not heard.named:
                    self._heard.put(key, heard, fact.ts)
        return ()

    def counted(self, counted: TalksCounted) -> Iterator[Noticed]:
        """What counts of octets show together with those before."""
        # A reading may come in several messages, one device's exchanges among them: what it moves is added up over all.
        ts, before = counted.ts, {talk.mac: self._moved.get(talk.mac, counted.ts) or 0 for talk in counted.talks}
        for talk in counted.talks:
            self._moved.put(talk.mac, (self._moved.get(talk.mac, ts) or 0) + talk.up + talk.down, ts)
        for talk in counted.talks:
            if talk.up and talk.down and not self._home.is_home(talk.server):
                yield from self._talk(talk, ts, counted.seconds, before[talk.mac])

    def _talk(self, talk: Talk, ts: float, seconds: float, base: int) -> Iterator[Noticed]:
        key = (talk.mac, talk.server, talk.protocol, talk.port)
        before = self._going.get(key, ts)
        if before is None:
            if talk.up + talk.down < BEGIN_OCTETS:
                return
            before = _Going(since=ts - seconds, base=base)
        going = _Going(
            since=before.since,
            up=before.up + talk.up,
            down=before.down + talk.down,
            base=before.base,
        )
        self._going.put(key, going, ts)
        octets = going.up + going.down
        if ts - going.since < BUSY_SECONDS or octets < BUSY_OCTETS or going.up < BUSY_UP:
            return
        heard = self._heard.get(key, ts) or _Heard(kind="tcp" if talk.protocol == ip.TCP else "udp")
        moved = self._moved.get(talk.mac, ts) or 0
        if heard.named and octets < LEAST_SHARE * (moved - going.base):
            return
        self._going.put(key, _Going(since=going.since, base=moved), ts)
        signals = [(Signal.BUSY, heard.kind)]
        if heard.kind == "tls" and not heard.web and talk.port in _TUNNEL_PORTS:
            signals.append((Signal.SSTP, "hello"))
        for signal, value in signals:
            yield Noticed(
                ts=ts,
                mac=talk.mac,
                signal=signal,
                value=value,
                server=talk.server,
                port=talk.port,
                octets=octets if signal is Signal.BUSY else None,
            )


def _heard(fact: MessageHeard) -> _Heard | None:
    message = fact.message
    if isinstance(message, tls.ClientHello) and fact.kind is not Kind.DTLS_CLIENT_HELLO:
        kind = "quic" if fact.kind is Kind.QUIC_CLIENT_HELLO else "tls"
        return _Heard(kind=kind, named=bool(message.sni), web=bool(message.alpn))
    return _Heard(kind="ssh") if isinstance(message, Handshake) and message.protocol == "ssh" else None
