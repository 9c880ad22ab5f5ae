"""A box without sockets that lives through a week in seconds: the real sensor and keeper, simulated clocks.

Frames, the warden's events and its counts of octets in; what the server would know of the household out
(`devices`, `findings`, `proposals`, each at its last revision, and `told`: findings as they came). The store
is a real database in a folder of the run, the authority is signed with keys of the run. No clock is read: the
story's time is the time. Bounded: as the household and its findings are.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import messages as m
from appliance.keeper.core import Core, Parts, Peer, Send
from appliance.keeper.devices.fingerprint import shipped
from appliance.keeper.household.record import Ids
from appliance.keeper.household.tamper import Ground
from appliance.keeper.law.desk import Desk
from appliance.keeper.lists.match import Lists
from appliance.keeper.signs.tamper import Place
from appliance.keeper.steady import Steady
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity
from appliance.sensor.dissect import Dissector
from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.home import Home
from appliance.sensor.observe import Observer
from lab.week.terms import SITE, TENANT, Terms, authority
from wire.authority import sign
from wire.base import Payload
from wire.codec import open_sealed, payload_json, seal, topic_for
from wire.findings import Finding
from wire.models import Command, CommandResult, Device, Outcome, Proposal, Receipt, Session, type_of
from wire.orders import Order

IDLE_TICK = 240.0
"""Seconds between ticks while nothing happens; finer only costs time."""
RENEW_SECONDS = 20.0
"""A live keeper renews its mask all the time; here before anything is heard after so long."""
WAN_PORT = "wan0"
HOME = Home((ip_network("192.0.2.0/24"), ip_network("2001:db8::/64")))
"""The household's own addresses."""
RECEIVED = 16
"""The server says what it has after so many messages, and with each tick."""
_CREDIT = 1000
_BOOTED = 1000.0
"""The monotonic clock when the box starts."""
_DNS_PORT = (53).to_bytes(2, "big")

_Revised = TypeVar("_Revised", Device, Finding, Proposal, Session)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A finding that was new, graded otherwise, or closed."""

    at: float
    finding: Finding
    before: Finding | None


class Box:
    """See the module's text. The folder is made if absent."""

    def __init__(
        self,
        folder: Path,
        *,
        starts: float,
        ends: float,
        router: str,
        terms: Terms | None = None,
        store: Store | None = None,
    ) -> None:
        """`starts` and `ends` bound the authority, Unix seconds; frames of the MAC `router` are the box's own.

        `store`: one that was opened otherwise than a box does by itself.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._terms = terms or Terms()
        self._router = bytes.fromhex(router.replace(":", ""))
        self._starts = starts
        self.now = starts
        self._box_key, self._box_opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self._server_key, self._server_opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self._issuer = Ed25519PrivateKey.generate()
        self._numbers: dict[str, Iterator[int]] = {}
        self._starts_so_far = 0
        self._up, self._ticked = True, starts
        self._store = store or Store(folder / "keeper.db")
        document = sign(authority(starts, ends, self._terms.clauses), self._issuer)
        self._document = document.model_dump_json().encode()
        self._gathered: list[m.Observation] = []
        self._gathered_at = starts
        self._ticks: list[float] = []
        self._received: list[int] = []
        self._orders = self._tokens = 0
        self.observations = 0
        """Messages of the sensor that the keeper was given."""
        self.devices: dict[str, Device] = {}
        self.known_by: dict[str, tuple[str, ...]] = {}
        """Addresses that each device was first reported with; one that was joined to another has none later."""
        self.findings: dict[str, Finding] = {}
        self.told: list[Told] = []
        """In the order in which the server heard."""
        self.proposals: dict[str, Proposal] = {}
        self.first_proposed: dict[str, Proposal] = {}
        """Proposals as they were first made."""
        self.sessions: dict[str, Session] = {}
        self.results: list[CommandResult] = []
        self._start()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self._store.close()

    def frame(self, ts: float, data: bytes) -> None:
        """A frame on the household's network."""
        self.wait(ts)
        if data[6:12] != self._router:
            self._hear(Frame(ts=ts, tap=Tap.FILE, link=LinkType.ETHERNET, data=data))
        elif data[12:14] == b"\x08\0" and data[34:36] == _DNS_PORT:
            # Of what the box itself sends, the taps hear the answers of its resolver, without a link header.
            self._hear(Frame(ts=ts, tap=Tap.DNS, link=LinkType.RAW_IP, data=data[14:]))

    def upstream(self, ts: float, data: bytes) -> None:
        """A frame on the provider's side."""
        self.wait(ts)
        self._hear(Frame(ts=ts, tap=Tap.WAN, link=LinkType.ETHERNET, data=data))

    def counted(self, talks: m.TalksCounted) -> None:
        """The warden has counted octets."""
        self.wait(talks.ts)
        if self._up:
            self._renew()
            self._gather(self._observer.counted(talks, self._monotonic))

    def event(self, event: m.StationChanged | m.NeighbourChanged | m.LinkChanged) -> None:
        """The warden heard something from hostapd or the kernel."""
        self.wait(event.ts)
        if not self._up:
            return
        self._flush()
        self._take(self._core.heard(Peer.WARDEN, (event,), now=self.now, monotonic=self._monotonic))
        self._soon()

    def wait(self, until: float) -> None:
        """Let time pass, with a tick every while."""
        if self._gathered and until - self._gathered_at > self._terms.gather:
            self.now = max(self.now, self._gathered_at + self._terms.gather)
            self._flush()
        while self._up and (due := min((*self._ticks, self.now + IDLE_TICK))) < until:
            self._ticks = [tick for tick in self._ticks if tick > due]
            self.now = due
            self._tick()
            self._gather(self._observer.tick(self.now, self._monotonic))
        self.now = max(self.now, until)

    def statements(self, told: Callable[[str], object]) -> None:
        """Tell each statement that the store gives to SQLite from now on, for those who count them."""
        self._store._db.conn.set_trace_callback(told)  # noqa: SLF001 - the lab looks inside

    def lose_power(self, ts: float) -> None:
        """From one moment to the next the box hears nothing and remembers what it had written down."""
        self.wait(ts)
        self._up, self._gathered, self._ticks = False, [], []

    def regain_power(self, ts: float) -> None:
        """It starts."""
        self.now = max(self.now, ts)
        self._starts, self._up = self.now, True
        self._start()

    def order(self, body: Order) -> CommandResult:
        """Tell the box what an officer wants; its answer.

        Raises:
            RuntimeError: it did not answer.
        """
        self._flush()
        self._orders += 1
        at = _utc(self.now)
        command = Command(
            command_id=f"c-{self._orders}",
            sequence=self._orders,
            issued_at=at,
            expires_at=at + timedelta(minutes=5),
            by="officer-1",
            body=body,
        )
        self._down(command)
        self._tick()
        answers = [result for result in self.results if result.command_id == command.command_id]
        if not answers:
            raise RuntimeError(f"the box did not answer {command.command_id}")
        self._soon()
        return answers[-1]

    def refusals(self) -> list[str]:
        """Why orders were not followed."""
        return [result.detail for result in self.results if result.outcome is not Outcome.APPLIED]

    @property
    def _monotonic(self) -> float:
        return self.now - self._starts + _BOOTED

    def _parts(self) -> Parts:
        def numbered(letter: str) -> Callable[[], str]:
            numbers = self._numbers.setdefault(letter, itertools.count(1))
            return lambda: f"{letter}-{next(numbers)}"

        accepted = self._store.get("authority_document")
        place = Place(boot=f"start-{self._starts_so_far}", machine="machine", filesystem="filesystem")
        return Parts(
            store=self._store,
            desk=Desk(
                issuers=[self._issuer.public_key()],
                tenant=TENANT,
                site=SITE,
                accepted=None if accepted is None else accepted.encode(),
                withdrawn=False,
            ),
            identity=Identity(
                tenant=TENANT,
                site=SITE,
                signer=self._box_key,
                opener=self._box_opener,
                server_verify=(self._server_key.public_key(),),
                server_seal=self._server_opener.public_key(),
            ),
            lists=Lists(self._terms.lists),
            rules=shipped(),
            ids=Ids(
                device=numbered("d"),
                finding=numbered("f"),
                proposal=numbered("p"),
                session=numbered("s"),
                record=numbered("r"),
                arrangement=numbered("a"),
            ),
            heartbeat_seconds=3600.0,
            ground=Ground(place=place, wan=WAN_PORT) if self._terms.watched else None,
        )

    def _start(self) -> None:
        self._starts_so_far += 1
        self._dissector, self._observer = Dissector(), Observer(HOME)
        self._core = self._made()
        self._take(self._core.document(self._document, now=self.now, monotonic=self._monotonic))
        self._meet()

    def _made(self) -> Core | Steady:
        return Core(self._parts(), monotonic=self._monotonic)

    def _meet(self) -> None:
        """The other processes connect."""
        at = {"now": self.now, "monotonic": self._monotonic}
        for peer in (Peer.COURIER, Peer.SENSOR, Peer.WARDEN):
            self._take(self._core.connected(peer, **at))
        started = m.SensorStarted(ts=self.now, taps=("chatter", "dns", "flow"))
        self._take(self._core.heard(Peer.SENSOR, (started,), **at))
        self._take(self._core.heard(Peer.COURIER, (m.BrokerState(connected=True), m.Credit(count=_CREDIT)), **at))

    def _hear(self, frame: Frame) -> None:
        if not self._up:
            return
        self._renew()
        for fact in self._dissector.feed(frame):
            self._gather(self._observer.take(fact, self._monotonic))

    def _renew(self) -> None:
        if self.now - self._ticked > RENEW_SECONDS:
            self._tick()

    def _gather(self, observations: list[m.Observation]) -> None:
        if observations and not self._gathered:
            self._gathered_at = self.now
        self._gathered += observations

    def _flush(self) -> None:
        if not self._gathered:
            return
        batch, self._gathered = self._gathered, []
        self.observations += len(batch)
        self._take(self._core.heard(Peer.SENSOR, batch, now=self.now, monotonic=self._monotonic))
        self._soon()

    def _soon(self) -> None:
        self._ticks = [self.now + later for later in self._terms.ticks]

    def _tick(self) -> None:
        self._ticked = self.now
        self._take(self._core.tick(now=self.now, monotonic=self._monotonic))

    def _take(self, sends: list[Send]) -> None:
        for message in (message for send in sends for message in send.messages):
            match message:
                case m.CollectionMask():
                    self._observer.set_mask(message, self._monotonic)
                case m.Outbound():
                    self._sent(message)
                case m.Enforcement():
                    applied = m.WardenState(ts=self.now, generation=message.generation, applied=True)
                    self._take(self._core.heard(Peer.WARDEN, (applied,), now=self.now, monotonic=self._monotonic))
                case _:
                    pass
        if len(self._received) >= (1 if self._ticked == self.now else RECEIVED):
            ranges = tuple((number, number) for number in sorted(self._received)[:256])
            self._received = []
            self._down(Receipt(epoch=self._store.epoch, ranges=ranges, at=_utc(self.now)), m.Credit(count=_CREDIT))

    def _sent(self, message: m.Outbound) -> None:
        opened = open_sealed(
            message.body,
            topic=message.topic,
            recipient=self._server_opener,
            signers=(self._box_key.public_key(),),
        )
        match opened.payload:
            case Device() as device:
                self.devices[device.device_id] = _later(self.devices.get(device.device_id), device)
                if device.addresses:
                    self.known_by.setdefault(device.device_id, tuple(item.mac for item in device.addresses))
            case Finding() as finding:
                before = self.findings.get(finding.finding_id)
                if before is None or _standing_of(before) != _standing_of(finding):
                    self.told.append(Told(at=self.now, finding=finding, before=before))
                self.findings[finding.finding_id] = _later(self.findings.get(finding.finding_id), finding)
            case Proposal() as proposal:
                self.first_proposed.setdefault(proposal.proposal_id, proposal)
                self.proposals[proposal.proposal_id] = _later(self.proposals.get(proposal.proposal_id), proposal)
            case Session() as session:
                self.sessions[session.session_id] = _later(self.sessions.get(session.session_id), session)
            case CommandResult() as result:
                self.results.append(result)
            case _:
                return  # health has no place in the outbox
        self._received.append(int(opened.envelope.sequence))

    def _down(self, payload: Payload, *more: m.Message) -> None:
        topic = topic_for(payload, tenant=TENANT, site=SITE)
        self._tokens += 1
        body = seal(
            payload_json(payload),
            type_=type_of(payload).ce_type,
            topic=topic,
            id_=f"s-{self._tokens}",
            sequence=self._tokens,
            at=_utc(self.now),
            signer=self._server_key,
            recipient=self._box_opener.public_key(),
        )
        inbound = m.Inbound(token=self._tokens, topic=str(topic), body=body)
        self._take(self._core.heard(Peer.COURIER, (inbound, *more), now=self.now, monotonic=self._monotonic))


def _later(old: _Revised | None, new: _Revised) -> _Revised:
    return new if old is None or new.revision >= old.revision else old


def _standing_of(finding: Finding) -> tuple[str, str | None, str]:
    return finding.severity, finding.grade, finding.state


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
