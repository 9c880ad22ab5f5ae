"""What a device is used for, and what it does by itself: pages, films, games, calls, work, backups, push.

A `Speaker`, a `Life` and moments in; frames, and how much each exchange moved, out. Nothing is drawn by chance
but from the dice given. Bounded by the times given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from random import Random
from typing import NamedTuple

from lab.week import answers, frames, shakes
from lab.week.household import Life, Use
from lab.week.speech import ROUTER, Speaker, Spoken

_BESIDE = (
    "static.pages.example",
    "fonts.pages.example",
    "pictures.pages.example",
    "count.ads.example",
    "banners.ads.example",
    "consent.ads.example",
)
"""What pages fetch beside themselves."""
_CACHED = 300.0
_STUN, _GAME = "stun.calls.example", "match.games.example"
_WORK, _CALLS, _BACKUP = "vpn.work.example", "calls.phone-company.example", "backup.store.example"
_RELAY, _DESIGNATED = "mask.icloud.com", "_dns.resolver.arpa"
_BACKUP_HOUR, _HOUR, _DAY = 2.2, 3600.0, 86400.0
_GAME_PORT, _TIME_PORT, _TLS_DNS_PORT = 3074, 123, 853


class Moved(NamedTuple):
    """An exchange from `ts` to `until`, with so many octets from and to the device."""

    ts: float
    until: float
    mac: str
    server: str
    protocol: int
    port: int
    up: int
    down: int


Done = Spoken | Moved


@dataclass(slots=True, kw_only=True)
class Device:
    """A device during one stay."""

    speaker: Speaker
    life: Life
    dice: Random
    online: Callable[[float], bool]
    """Whether the provider's line is up."""
    resolver: Callable[[float], IPv4Address | None] = lambda _ts: ROUTER
    """Whom it asks for names; None: somebody that nobody here can hear."""
    _asked: dict[str, float] = field(default_factory=dict)

    # --- parts ----------------------------------------------------------------------------------

    def ask(self, ts: float, name: str, *kinds: str) -> Iterator[Spoken]:
        """Look a name up, if that was not done lately."""
        of = self.resolver(ts)
        if of is None or ts - self._asked.get(name, float("-inf")) < _CACHED:
            return
        self._asked[name] = ts
        said = self.speaker.ask(ts, name, kinds=kinds or ("A", "AAAA", "HTTPS"), of=of)
        yield from (one for one in said if self.online(ts) or one.data[6:12] == frames.octets(self.speaker.mac))

    def visit(
        self, ts: float, name: str, *, up: int, down: int, seconds: float = 30.0, port: int = 443
    ) -> Iterator[Done]:
        """Look a name up and speak to it."""
        yield from self.ask(ts, name)
        if self.online(ts):
            yield from self.speaker.greet(ts + 0.1, name, port=port)
            yield self.moved(ts, seconds, str(answers.place(name).ip4), frames.TCP, port, up=up, down=down)

    def moved(self, ts: float, seconds: float, server: str, protocol: int, port: int, *, up: int, down: int) -> Moved:
        """How much an exchange of this device moved."""
        return Moved(ts, ts + seconds, self.speaker.mac, server, protocol, port, up, down)

    # --- by itself ------------------------------------------------------------------------------

    def joined(self, ts: float) -> Iterator[Done]:
        """What its system does when it has joined."""
        if "relay" in self.life.asks:
            yield from self.ask(ts + 4.0, _RELAY)
        if "designated" in self.life.asks:
            yield from self.ask(ts + 4.2, _DESIGNATED, "SVCB")
        if "encrypted-here" in self.life.asks:
            yield self.speaker.knock(ts + 4.4, ROUTER, _TLS_DNS_PORT)
        if "calls" in self.life.asks and self.online(ts + 5.0):
            yield from self.ask(ts + 5.0, _CALLS, "A")
            gate, own = answers.place(_CALLS).ip4, self.dice.randrange(49152, 65536)
            yield from self.speaker.send(ts + 5.2, gate, shakes.IKE_PORT, shakes.ike_initial(self.dice))
            first = bytes(4) + shakes.ike_initial(self.dice)
            yield from self.speaker.send(ts + 5.4, gate, shakes.NAT_TRAVERSAL_PORT, first, own=own)
            yield from self.speaker.send(
                ts + 5.6, gate, shakes.NAT_TRAVERSAL_PORT, shakes.sealed(self.dice, 1), own=own
            )
            yield self.moved(ts + 5.2, 600.0, str(gate), frames.UDP, shakes.NAT_TRAVERSAL_PORT, up=30_000, down=40_000)

    def in_the_background(self, ts: float) -> Iterator[Done]:
        """What it does now and then, used or not: its maker's push service, the time, its lease, what it announces."""
        yield Spoken(ts, self.speaker.keep_alive())
        names = self.speaker.persona.reports_to
        if names:
            name = names[0] if self.dice.random() < 0.6 else self.dice.choice(names)
            if name.startswith("time"):
                yield from self.ask(ts + 0.2, name, "A")
                if self.online(ts):
                    server = answers.place(name).ip4
                    yield from self.speaker.send(ts + 0.4, server, _TIME_PORT, answers.time_question())
            else:
                yield from self.visit(ts + 0.2, name, up=3_000, down=6_000)
        if self.dice.random() < 0.2:
            yield from self.speaker.renew(ts + 1.0)
            yield from self.speaker.announce(ts + 1.2)

    def backup(self, midnight: float) -> Iterator[Done]:
        """A night's backup."""
        ts = midnight + _BACKUP_HOUR * _HOUR + self.dice.uniform(0, 600)
        yield from self.visit(
            ts, _BACKUP, up=self.dice.randrange(80_000_000, 200_000_000), down=2_000_000, seconds=1500.0
        )

    # --- used -----------------------------------------------------------------------------------

    def use(self, use: Use, began: float, ended: float) -> Iterator[Done]:
        """What a use comes to, between two moments."""
        match use.kind:
            case "pages":
                yield from self.pages(began, ended, self.life.sites)
            case "film":
                yield from self.film(began, ended)
            case "game":
                yield from self.game(began, ended)
            case "call":
                yield from self.call(began, ended)
            case "work":
                yield from self.work(began, ended)

    def pages(self, began: float, ended: float, sites: tuple[str, ...]) -> Iterator[Done]:
        """Page after page."""
        ts = began + self.dice.uniform(10, 120)
        while ts < ended:
            for number, name in enumerate((self.dice.choice(sites), *self.dice.sample(_BESIDE, 2))):
                up, down = self.dice.randrange(4_000, 40_000), self.dice.randrange(30_000, 900_000)
                yield from self.visit(ts + number * 0.4, name, up=up, down=down)
            ts += self.dice.uniform(300, 800)

    def film(self, began: float, ended: float) -> Iterator[Done]:
        """A film, or a station: a connection that goes on for long, and a new one now and then."""
        ts = began + self.dice.uniform(10, 120)
        while ts < ended - 60:
            seconds = min(self.dice.uniform(900, 1500), ended - ts)
            yield from self.visit(
                ts, self.life.sites[0], up=int(seconds * 2_000), down=int(seconds * 300_000), seconds=seconds
            )
            yield from self.visit(ts + 5.0, self.dice.choice(self.life.sites), up=3_000, down=60_000)
            ts += seconds

    def game(self, began: float, ended: float) -> Iterator[Done]:
        """Rounds of a game: datagrams both ways."""
        ts = began + self.dice.uniform(10, 120)
        while ts < ended - 60:
            seconds = min(self.dice.uniform(700, 1200), ended - ts)
            yield from self.visit(ts, self.dice.choice(self.life.sites), up=4_000, down=90_000)
            yield from self.ask(ts + 1.0, _GAME)
            if self.online(ts):
                server = answers.place(_GAME).ip4
                yield from self.speaker.send(ts + 1.2, server, _GAME_PORT, shakes.game(self.dice, 1))
                octets = int(seconds * 12_000)
                yield self.moved(ts + 1.2, seconds, str(server), frames.UDP, _GAME_PORT, up=octets, down=2 * octets)
            ts += seconds

    def call(self, began: float, ended: float) -> Iterator[Done]:
        """A call with pictures: a server is asked by name for a way, the other end has an address only."""
        ts = began + self.dice.uniform(10, 200)
        if not self.online(ts) or ts > ended - 120:
            return
        yield from self.ask(ts, _STUN, "A", "AAAA")
        own, other = self.dice.randrange(49152, 65536), IPv4Address(f"198.51.100.{self.dice.randrange(60, 100)}")
        port = self.dice.randrange(20000, 60000)
        yield from self.speaker.send(
            ts + 0.2, answers.place(_STUN).ip4, shakes.STUN_PORT, shakes.stun_binding(self.dice), own=own
        )
        yield from self.speaker.send(ts + 0.6, other, port, shakes.stun_binding(self.dice), own=own)
        octets = int((ended - ts) * 150_000)
        yield self.moved(ts + 0.6, ended - ts, str(other), frames.UDP, port, up=octets, down=octets)

    def work(self, began: float, ended: float) -> Iterator[Done]:
        """A day's work through the employer's VPN, with a break."""
        noon = (began + ended) / 2
        for start, end in ((began, noon - 1200), (noon + 1200, ended)):
            ts = start + self.dice.uniform(10, 300)
            if ts > end - 600 or not self.online(ts):
                continue
            yield from self.ask(ts, _WORK, "A", "AAAA")
            server, own = answers.place(_WORK).ip4, self.dice.randrange(49152, 65536)
            first = shakes.openvpn_reset(self.dice, ts)
            yield from self.speaker.send(ts + 0.2, server, shakes.OPENVPN_PORT, first, own=own)
            up, down = int((end - ts) * 5_000), int((end - ts) * 30_000)
            yield self.moved(ts, end - ts, str(server), frames.UDP, shakes.OPENVPN_PORT, up=up, down=down)
