"""The keeper without sockets and clocks: messages and moments in, messages out.

Each call is one turn: judge the authority, do the work, settle who may be collected of, commit;
only then does anything go out, so what others were told is never lost. An exception ends the
process, which starts again from what is committed.

`now` is the wall clock, `monotonic` the monotonic clock, both in seconds. Call `tick` at least every
`TICK_SECONDS`: an authority that expires stops within that time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from appliance import messages as m
from appliance.keeper import orders, words
from appliance.keeper.authority import NOTHING, Desk, FloorClock, Judgement
from appliance.keeper.book import Book
from appliance.keeper.collection import Collection
from appliance.keeper.devices.fingerprint import Rules
from appliance.keeper.health import Health
from appliance.keeper.household.record import Ids
from appliance.keeper.lists.match import Lists
from appliance.keeper.probing import ANSWERS_DHCP, Probing
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity, Uplink
from wire.authority import Authority
from wire.codec import WireError
from wire.models import Command, Receipt

TICK_SECONDS = 1.0
MASK_SECONDS = 10.0
FLOOR_SECONDS = 30.0
"""How often the time floor is committed while nothing else is."""

STATUS_SPACING = 2.0
"""A change of state is told at most this often; the heartbeat comes anyway."""

_log = logging.getLogger(__name__)


class Peer(StrEnum):
    """Who talks to the keeper."""

    SENSOR = "sensor"
    WARDEN = "warden"
    COURIER = "courier"
    PORCH = "porch"
    PROBE = "probe"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Messages for a peer; for porch and status, for the connection that asked."""

    peer: Peer
    messages: tuple[m.Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a core is put together from."""

    store: Store
    desk: Desk
    identity: Identity
    lists: Lists
    rules: Rules
    ids: Ids
    heartbeat_seconds: float
    remark: str = ""
    """Appended to what is said of the authority, such as a list that could not be read."""


class Core:
    """State of the keeper."""

    def __init__(self, parts: Parts, *, monotonic: float) -> None:
        store = parts.store
        self._store = store
        self._desk = parts.desk
        self._heartbeat = parts.heartbeat_seconds
        self._remark = parts.remark
        self._clock = FloorClock(floor=float(store.get("time_floor") or "0"), monotonic=monotonic)
        self._floor_due = monotonic
        self._book = Book(store, lists=parts.lists, rules=parts.rules, ids=parts.ids)
        self._probing = Probing(store)
        self._uplink = Uplink(store, parts.identity)
        self._health = Health()
        self._judgement: Judgement = NOTHING
        self._collection = Collection(store)
        self._mask_due = monotonic
        with store.transaction():
            store.gaps.keeper_started(float(store.get("time_floor") or "0"))
        self._enforced: frozenset[str] | None = None
        self._status_due = monotonic
        self._status_said: tuple[object, ...] = ()
        self._status_at = float("-inf")
        self._sends: list[Send] = []

    # --- turns ------------------------------------------------------------------------------

    def connected(self, peer: Peer, *, now: float, monotonic: float) -> list[Send]:
        """A peer has connected (anew)."""

        def work(moment: float) -> None:
            self._health.peers.add(peer.value)
            match peer:
                case Peer.SENSOR:
                    self._send_mask(monotonic)
                case Peer.WARDEN:
                    self._enforced = None
                    self._send(Peer.WARDEN, self._collection.enforcement)
                case Peer.COURIER:
                    self._send(Peer.COURIER, self._uplink.connected(moment))
                case _:
                    pass

        return self._turn(work, now, monotonic)

    def gone(self, peer: Peer, *, now: float, monotonic: float) -> list[Send]:
        """A peer's connection is gone."""

        def work(moment: float) -> None:
            self._health.peers.discard(peer.value)
            if peer is Peer.COURIER:
                self._uplink.gone()
            elif peer is Peer.SENSOR:
                self._store.gaps.sensor_gone(moment)
            elif peer is Peer.WARDEN:
                self._book.associations_lost()

        return self._turn(work, now, monotonic)

    def document(self, raw: bytes | None, *, now: float, monotonic: float) -> list[Send]:
        """The authority file as it now is; None when there is none."""

        def work(moment: float) -> None:
            self._desk.offer(raw, moment)
            self._store.set("authority_withdrawn", str(int(self._desk.withdrawn)))

        return self._turn(work, now, monotonic)

    def tick(self, *, now: float, monotonic: float) -> list[Send]:
        """Time has passed."""
        return self._turn(lambda _moment: None, now, monotonic)

    def heard(self, peer: Peer, batch: Iterable[m.Message], *, now: float, monotonic: float) -> list[Send]:
        """Messages of one peer, handled in one transaction."""

        def work(moment: float) -> None:
            for message in batch:
                self._health.handled += 1
                self._from(peer, message, now, moment, monotonic)

        return self._turn(work, now, monotonic)

    def _turn(self, work: Callable[[float], None], now: float, monotonic: float) -> list[Send]:
        self._sends = []
        with self._store.transaction():
            moment = self._clock.read(wall=now, monotonic=monotonic)
            self._judge(moment)
            work(moment)
            self._judge(self._clock.read(wall=now, monotonic=monotonic))
            if self._judgement.scope is not None:
                self._book.tick(scope=self._judgement.scope, at=moment)
            self._settle(monotonic)
            self._keep_floor(moment, monotonic)
        if monotonic >= self._mask_due:
            self._send_mask(monotonic)
        self._say_status(moment, monotonic)
        self._send(Peer.COURIER, *self._uplink.pump(monotonic))
        return self._sends

    def _send(self, peer: Peer, *batch: m.Message) -> None:
        if batch and peer.value in self._health.peers:
            self._sends.append(Send(peer=peer, messages=batch))

    # --- what came in -----------------------------------------------------------------------

    def _from(self, peer: Peer, message: m.Message, now: float, moment: float, monotonic: float) -> None:
        match peer:
            case Peer.SENSOR:
                self._from_sensor(message, now, moment)
            case Peer.WARDEN:
                self._from_warden(message, now, moment)
            case Peer.COURIER:
                self._from_courier(message, moment, monotonic)
            case Peer.PROBE:
                self._from_probe(message, now, moment)
            case Peer.PORCH:
                if isinstance(message, m.NoticeRequest):
                    self._send(peer, words.notice(self._judgement.scope))
            case Peer.STATUS:
                if isinstance(message, m.StatusRequest):
                    answer = self._health.answer(
                        self._store,
                        self._judgement,
                        self._sentence(),
                        devices=len(self._book.registry),
                        mask_generation=self._collection.generation,
                        broker_connected=self._uplink.broker_connected,
                    )
                    self._send(peer, answer)

    def _from_sensor(self, message: m.Message, now: float, moment: float) -> None:
        match message:
            case m.TapReport():
                self._health.tap(message)
            case m.SensorStarted():
                _log.info("the sensor listens on %s", ", ".join(message.taps) or "no tap")
                self._store.gaps.sensor_listens(message.ts + moment - now, moment)
            case m.Sighting() | m.TraitSeen() | m.NameLookedUp() | m.NameClassSeen():
                self._observe(message, now, moment)
            case _:
                self._unexpected(Peer.SENSOR, message)

    def _from_warden(self, message: m.Message, now: float, moment: float) -> None:
        match message:
            case m.WardenState():
                self._warden_state(message, moment)
            case m.NeighbourChanged() | m.StationChanged() | m.DeviceVolume():
                self._observe(message, now, moment)
            case m.LinkChanged():
                _log.info("port %s is %s", message.interface, "up" if message.up else "down")
                if not message.up:
                    self._book.associations_lost()  # it may have been the access point's
            case _:
                self._unexpected(Peer.WARDEN, message)

    def _observe(
        self,
        message: m.Sighting
        | m.TraitSeen
        | m.NameLookedUp
        | m.NameClassSeen
        | m.NeighbourChanged
        | m.StationChanged
        | m.DeviceVolume,
        now: float,
        moment: float,
    ) -> None:
        # Where the wall clock was set back, the keeper's own moment is later: times move with it.
        if moment > now:
            message = msgspec.structs.replace(message, ts=message.ts + (moment - now))
        self._book.observe(message, scope=self._judgement.scope, mask=self._collection.mask, at=moment)

    def _from_probe(self, message: m.Message, now: float, moment: float) -> None:
        match message:
            case m.ProbeRequest():
                self._send(Peer.PROBE, self._probing.leave(message.kind, self._judgement.scope, moment))
            case m.ProbeAnswer():
                self._observe(self._probing.sighting(message), now, moment)
                if message.kind is m.ProbeKind.DHCP:
                    scope = self._judgement.scope
                    self._book.note(message.mac, ANSWERS_DHCP, scope=scope, ts=min(message.ts, moment))
            case m.ProbeDone():
                _log.info("probe %s: %d sent, %d answers", message.kind.value, message.sent, message.answers)
                self._probing.done(message)
            case _:
                self._unexpected(Peer.PROBE, message)

    def _warden_state(self, state: m.WardenState, moment: float) -> None:
        if not state.applied:
            _log.warning("the warden could not apply generation %d: %s", state.generation, state.detail)
        elif state.generation == self._collection.enforcement.generation:
            held = frozenset(self._collection.enforcement.quarantined)
            if held != self._enforced:
                self._enforced = held
                self._book.set_quarantined(held, moment)

    def _from_courier(self, message: m.Message, moment: float, monotonic: float) -> None:
        match message:
            case m.BrokerState():
                if message.connected != self._uplink.broker_connected:
                    _log.info("broker %s %s", "connected" if message.connected else "lost", message.detail)
                if message.connected:
                    self._status_due = monotonic  # the server hears at once that the box is there
                self._uplink.broker(connected=message.connected)
            case m.Credit():
                self._uplink.credit(message.count)
            case m.Inbound():
                self._inbound(message, moment, monotonic)
                self._send(Peer.COURIER, m.InboundDone(token=message.token))
            case _:
                self._unexpected(Peer.COURIER, message)

    def _inbound(self, message: m.Inbound, moment: float, monotonic: float) -> None:
        try:
            payload = self._uplink.open(message.topic, message.body).payload
        except WireError as error:
            self._health.refused_inbound += 1
            _log.warning("a message from the broker was refused: %s", error)
            return
        match payload:
            case Receipt():
                self._clock.learn(payload.at.timestamp(), monotonic=monotonic)
                self._uplink.received(payload)
            case Command():
                self._clock.learn(payload.issued_at.timestamp(), monotonic=monotonic)
                scope = self._judgement.scope
                result = orders.handle(
                    payload, store=self._store, book=self._book, probing=self._probing, scope=scope, at=moment
                )
                _log.info("command %s: %s %s", result.command_id, result.outcome.value, result.detail)
            case _:
                self._health.refused_inbound += 1
                _log.warning("a message from the broker was refused: nothing for a box")

    def _unexpected(self, peer: Peer, message: m.Message) -> None:
        self._health.overflow += 1
        _log.warning("%s sent what it should not: %s", peer.value, type(message).__name__)

    # --- what follows -----------------------------------------------------------------------

    def _judge(self, moment: float) -> None:
        judgement = self._desk.judgement(moment)
        if judgement.sentence != self._judgement.sentence:
            _log.info("%s", judgement.sentence)
        self._judgement = judgement
        accepted = self._desk.accepted
        if accepted is not None and self._store.get("authority_number") != _mark(accepted.authority):
            self._store.set("authority_number", _mark(accepted.authority))
            self._store.set("authority_document", accepted.raw.decode())

    def _settle(self, monotonic: float) -> None:
        """Bring mask and enforcement in line with scope and registry, within the transaction."""
        mask, enforcement = self._collection.settle(self._judgement.scope, self._book.registry, self._book.changed)
        if mask:
            self._mask_due = monotonic
        if enforcement:
            self._send(Peer.WARDEN, self._collection.enforcement)

    def _keep_floor(self, moment: float, monotonic: float) -> None:
        if monotonic >= self._floor_due:
            self._floor_due = monotonic + FLOOR_SECONDS
            self._store.set("time_floor", repr(moment))

    def _send_mask(self, monotonic: float) -> None:
        self._mask_due = monotonic + MASK_SECONDS
        self._send(Peer.SENSOR, self._collection.message())

    def _say_status(self, moment: float, monotonic: float) -> None:
        said = (self._judgement.sentence, frozenset(self._health.peers - {Peer.PORCH, Peer.PROBE, Peer.STATUS}))
        news = said != self._status_said and monotonic - self._status_at >= STATUS_SPACING
        if not (news or monotonic >= self._status_due) or not self._uplink.take_credit():
            return
        self._status_said, self._status_at = said, monotonic
        self._status_due = monotonic + self._heartbeat
        status = self._health.status(
            self._store,
            self._judgement,
            self._sentence(),
            overflow=self._book.overflow() + self._collection.cut,
            at=moment,
        )
        self._send(Peer.COURIER, self._uplink.status(status, moment))

    def _sentence(self) -> str:
        return f"{self._judgement.sentence} {self._remark}".strip()


def _mark(authority: Authority) -> str:
    """What tells one accepted document from another."""
    return f"{authority.id} {authority.number}"
