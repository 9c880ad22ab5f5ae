"""A keeper whose authority lets signs of some devices be kept, and signals to play to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from appliance import messages as m
from appliance import notice as text
from appliance.keeper import words
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.devices.passphrases import Binding, Purpose
from appliance.keeper.household.agents import Agents
from appliance.keeper.household.away import AwayTimes
from appliance.keeper.household.doorway import Doorway
from appliance.keeper.household.habits import Habits
from appliance.keeper.household.past import Past
from appliance.keeper.household.record import Ids, Record
from appliance.keeper.household.rhythm import Rhythm
from appliance.keeper.household.signs import Signs
from appliance.keeper.household.stays import Stays
from appliance.keeper.law.acts import Given
from appliance.keeper.now import Now
from appliance.keeper.peers import Peer
from appliance.keeper.store.database import Store
from appliance.settings import NoticeSettings
from appliance.signals import Signal
from wire.acts import IssueCode
from wire.authority import Authority, CollectClause, DataClass, RegisterClause
from wire.base import Standing
from wire.findings import Finding, FindingKind
from wire.household import HouseholdRequest
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


NOTICE_SETTINGS = NoticeSettings(
    operator="the Example Service", contact="01632 960000", complaints="Write to example.org."
)


def new_ids(numbers: Iterator[int]) -> Ids:
    """Ids from one row of numbers."""

    def new(prefix: str) -> Callable[[], str]:
        return lambda: f"{prefix}-{next(numbers)}"

    return Ids(
        device=new("d"), finding=new("f"), proposal=new("p"), session=new("s"), record=new("r"), arrangement=new("a")
    )


@pytest.fixture
def record(store: Store) -> Record:
    """An empty household."""
    return Record(store, new_ids(itertools.count(1)))


class Hall:
    """The doorway with the porch's and the warden's ends in hand."""

    def __init__(self, store: Store, scope: Scope, settings: NoticeSettings | None = NOTICE_SETTINGS) -> None:
        self.store, self.settings = store, settings
        self.scope: Scope | None = scope
        self.sealed = False
        """What is heard is sealed at present."""
        self.at, self.monotonic = 1_900_000_000.0, 500.0
        self.sent: list[tuple[Peer, m.Message]] = []
        self.neighbours: dict[str, tuple[str, bool]] = {}
        """Who has an IP address, and whether by Wi-Fi."""
        self._numbers = itertools.count(1)
        self._tickets = itertools.count(1)
        self.start()

    @property
    def recording(self) -> Scope | None:
        return None if self.sealed else self.scope

    def start(self) -> None:
        """Start (again) on the same store."""

        self.record = Record(self.store, new_ids(self._numbers))
        self.doorway = Doorway(self.record, self.settings, send=lambda peer, message: self.sent.append((peer, message)))
        self.tick()

    def tick(self, seconds: float = 0.0) -> None:
        self.at += seconds
        self.monotonic += seconds
        with self.store.transaction():
            self.doorway.tick(self.scope, recording=self.recording, at=self.at, monotonic=self.monotonic)

    def device(self, device_id: str, *macs: str, standing: Standing = Standing.UNKNOWN, **changes: Any) -> Device:
        addresses = tuple(Address(mac=mac, first_seen=self.at, last_seen=self.at) for mac in macs)
        made = Device(
            device_id=device_id,
            revision=1,
            standing=standing,
            addresses=addresses,
            first_seen=self.at,
            last_seen=self.at,
            reported_at=self.at,
        )
        with self.store.transaction():
            return self.record.keep(replace(made, **changes))

    def seen(self, *macs: str) -> None:
        with self.store.transaction():
            for mac in macs:
                self.doorway.notices.seen(mac, self.scope, self.at)
            self.doorway.tick(self.scope, recording=self.recording, at=self.at, monotonic=self.monotonic)

    def led(self) -> dict[str, float]:
        """Who is led to the notice, by the last word the warden had."""
        said = [item for peer, item in self.sent if peer is Peer.WARDEN and isinstance(item, m.NoticeDue)]
        return {each.mac: each.seconds for each in said[-1].devices} if said else {}

    def ask(self, message: m.FormSent | m.OwnPageAsked) -> m.Message:
        """What the porch hears back; the warden answers from `neighbours`."""
        before = len(self.sent)
        with self.store.transaction():
            self.doorway.asked(message, self.monotonic)
            for _peer, question in self.sent[before:]:
                if isinstance(question, m.WhoIs):
                    mac, wireless = self.neighbours.get(question.ip, (None, False))
                    answer = m.ThisIs(token=question.token, mac=mac, wireless=wireless)
                    self.doorway.this_is(answer, self.recording, self.at)
            self.doorway.tick(self.scope, recording=self.recording, at=self.at, monotonic=self.monotonic)
        (answered,) = [item for peer, item in self.sent[before:] if peer is Peer.PORCH]
        return answered

    def form(self, kind: m.FormKind, client: str = "192.0.2.17", **fields: Any) -> m.FormAnswered:
        answer = self.ask(m.FormSent(ticket=next(self._tickets), client=client, kind=kind, **fields))
        assert isinstance(answer, m.FormAnswered)
        return answer

    def page(self, client: str = "192.0.2.17", code: str = "") -> tuple[m.OwnSection, ...]:
        answer = self.ask(m.OwnPageAsked(ticket=next(self._tickets), client=client, code=code))
        assert isinstance(answer, m.OwnPage)
        return answer.sections

    def digest(self) -> str:
        assert self.settings is not None
        return text.digest(text.sections(words.notice(self.scope), self.settings))

    def payloads(self, type_: str) -> list[str]:
        rows = self.store.outbox.waiting(without=(), most=10_000)
        return [row.body for row in rows if row.type == type_]

    def requests(self) -> list[HouseholdRequest]:
        return [HouseholdRequest.model_validate_json(body) for body in self.payloads("gatehouse.request.v1")]

    def issue(self, device_id: str, code: str = "K7QM-2XPA", *, seconds: float = 3600.0) -> str | None:
        order = IssueCode(
            device_id=device_id,
            code_sha256=sha256(f"{device_id}:{code}".encode()).hexdigest(),
            expires=datetime.fromtimestamp(self.at + seconds, UTC),
        )
        given = Given(
            command_id="c-1", by="officer-1", second=None, broken=False, reason="", scope=self.scope, at=self.at
        )
        with self.store.transaction():
            return self.doorway.own.issue(order, given)

    def joined(self, mac: str, key_id: str | None, *, joined: bool = True) -> None:
        self.doorway.own.station(m.StationChanged(ts=self.at, mac=mac, joined=joined, key_id=key_id))

    def bind(self, key_id: str, device_id: str | None, purpose: Purpose = Purpose.DEVICE) -> None:
        kinship = self.store.kinship
        with self.store.transaction():
            binding = Binding(key_id=key_id, purpose=purpose, device_id=device_id)
            kinship.put_passphrases(kinship.passphrases().bind(binding))


@pytest.fixture
def new_hall(store: Store) -> Callable[..., Hall]:
    """Makes a doorway under an authority, with the porch's and the warden's ends in hand."""
    return lambda scope, **changes: Hall(store, scope, **changes)


@pytest.fixture
def hall(new_hall: Callable[..., Hall], scope: Scope) -> Hall:
    return new_hall(scope)
