"""A keeper whose authority lets signs of some devices be kept, and signals to play to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.signals import Signal
from wire.authority import CollectClause, DataClass, RegisterClause
from wire.base import Standing
from wire.findings import Finding

LAPTOP = "00:00:5e:00:53:01"
WATCHED = (Standing.REGISTERED, Standing.UNKNOWN, Standing.WORK)
CLAUSES = (
    CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,)),
    RegisterClause(number="2"),
    CollectClause(number="7", standings=WATCHED, classes=(DataClass.SIGNS,)),
)


class Played:
    """Signals in, findings out."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.ids: dict[str, str] = {}

    def owns(self, mac: str = LAPTOP, standing: Standing = Standing.REGISTERED) -> str:
        """Give a device a standing."""
        self.ids[mac] = self.bench.give(mac, standing)
        self.bench.acknowledge()
        return self.ids[mac]

    def hear(
        self, signal: Signal, value: str = "", *, mac: str = LAPTOP, count: int = 1, **fields: Any
    ) -> list[Finding]:
        """A signal, and what is told of it within a second."""
        generation = fields.pop("generation", self.bench.generation)
        ts = fields.pop("ts", self.bench.wall)
        since = fields.pop("since", ts)
        message = m.SignalSeen(
            ts=ts, since=since, mac=mac, signal=signal, value=value, generation=generation, count=count, **fields
        )
        heard = self.bench.hear(Peer.SENSOR, message)
        return self.told(heard + self.bench.wait(1))

    def told(self, heard: list[m.Message]) -> list[Finding]:
        found = [item for item in self.bench.payloads(heard) if isinstance(item, Finding)]
        self.bench.acknowledge()
        return found

    def days(self, count: float) -> list[Finding]:
        """Let days pass, an hour at a time."""
        return [item for _ in range(int(count * 24)) for item in self.told(self.bench.wait(3600))]

    def open(self) -> list[Any]:
        return list(self.bench.store.findings.of_kind(KINDS))

    def latest(self, kind: str) -> Finding:
        found = [item.finding for item in self.bench.store.findings.of_kind([kind])]
        assert len(found) == 1
        return found[0]


KINDS = [
    "encrypted-dns",
    "other-resolver",
    "private-relay",
    "tunnel",
    "tor",
    "proxy",
    "dns-tunnel",
    "unknown-protocol",
    "hidden-names",
    "device-behind",
    "second-router",
    "other-dhcp-server",
    "upstream-device",
]


@pytest.fixture
def played(make_bench: Callable[..., Any], signed: Callable[..., bytes]) -> Played:
    """A keeper that may keep signs for a year, with a registered laptop."""
    made = make_bench(signed(clauses=CLAUSES, not_after=datetime.fromtimestamp(1_930_000_000.0, UTC)))
    made.online(credit=10**9)
    script = Played(made)
    script.owns()
    return script
