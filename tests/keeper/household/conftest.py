"""A keeper whose authority lets signs of some devices be kept, and signals to play to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.authority import Scope
from appliance.keeper.core import Peer
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.household.agents import Agents
from appliance.keeper.household.away import AwayTimes
from appliance.keeper.household.habits import Habits
from appliance.keeper.household.past import Past
from appliance.keeper.household.record import Ids, Record
from appliance.keeper.household.rhythm import Rhythm
from appliance.keeper.household.signs import Signs
from appliance.keeper.household.stays import Stays
from appliance.keeper.now import Now
from appliance.keeper.store.database import Store
from appliance.signals import Signal
from wire.authority import Authority, CollectClause, DataClass, RegisterClause
from wire.base import Standing
from wire.findings import Finding, FindingKind
from wire.models import LooksLike

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


class Weeks:
    """The parts that judge use over time, played through weeks of packet time."""

    FIRST = 21_990 * 24
    """Number of the first hour; near `START`."""

    def __init__(self, store: Store, scope: Scope) -> None:
        self.store, self.scope = store, scope
        self.hour = self.FIRST
        self._ids = itertools.count(1)
        self.start()

    def start(self) -> None:
        """Start the parts (again) on the same store."""

        def new(prefix: str) -> Callable[[], str]:
            return lambda: f"{prefix}-{next(self._ids)}"

        ids = Ids(
            device=new("d"),
            finding=new("f"),
            proposal=new("p"),
            session=new("s"),
            record=new("r"),
            arrangement=new("a"),
        )
        self.record = Record(self.store, ids)
        self.stays = Stays(self.record)
        self.away = AwayTimes(self.record)
        self.signs = Signs(self.record)
        self.past = Past(self.record, self.away)
        self.agents = Agents(self.record, past=self.past, signs=self.signs)
        habits = Habits(self.record, self.stays, past=self.past, signs=self.signs, trends=("adult",))
        self.rhythm = Rhythm(self.record, self.stays, self.away, past=self.past, habits=habits, signs=self.signs)

    @property
    def at(self) -> float:
        return self.hour * 3600.0

    @property
    def now(self) -> Now:
        return Now(scope=self.scope, ts=self.at, at=self.at)

    def device(
        self, device_id: str, mac: str, standing: Standing = Standing.REGISTERED, category: str = "laptop"
    ) -> Device:
        """A device that is known from now on."""
        looks = LooksLike(text=category, confidence=0.9, reasons=("Made up.",), category=category)
        address = Address(mac=mac, first_seen=self.at, last_seen=self.at)
        device = Device(
            device_id=device_id,
            revision=1,
            standing=standing,
            addresses=(address,),
            first_seen=self.at,
            last_seen=self.at,
            reported_at=self.at,
            looks_like=looks,
        )
        with self.store.transaction():
            return self.record.keep(device)

    def active(self, mac: str, **counts: Any) -> None:
        """What a device did in the present hour."""
        fields: dict[str, Any] = {
            "flows": 60,
            "unnamed": 6,
            "octets": 0,
            "unnamed_octets": 0,
            "classes": {},
            "others": 50,
        }
        heard = m.ActivitySeen(ts=self.at + 300, since=self.at, mac=mac, generation=1, **(fields | counts))
        self.past.active(heard, self.at + 300)

    def run(self, days: float, script: Callable[[int], dict[str, dict[str, Any]]], *, watching: bool = True) -> None:
        """Days in steps of ten minutes; `script` says for each hour of a week which addresses do what."""
        for _ in range(int(days * 24)):
            with self.store.transaction():
                for mac, counts in script(self.hour % 168).items():
                    self.active(mac, **counts)
                for step in range(6):
                    if watching:
                        at = self.at + 600.0 * step
                        self.rhythm.tick(Now(scope=self.scope, ts=at, at=at))
            self.hour += 1

    def findings(self, kind: FindingKind = FindingKind.SILENT_DEVICE, *, state: str = "open") -> list[Finding]:
        """Findings of a kind, oldest first."""
        found = [item.finding for item in self.store.findings._all("kind = ? order by rowid", kind.value)]
        return [finding for finding in found if finding.state == state]


@pytest.fixture
def weeks(store: Store, make_authority: Callable[..., Authority]) -> Weeks:
    """Weeks under an authority that lets signs of the person's and the household's devices be kept."""
    whose = (Standing.REGISTERED, Standing.HOUSEHOLD)
    clauses = (
        CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,)),
        CollectClause(number="7", standings=whose, classes=(DataClass.SIGNS,)),
    )
    return Weeks(store, Scope(authority=make_authority(clauses=clauses)))
