"""What comes in, by peer: each message to the part of the keeper that it is for.

In: messages of one turn, and what is in force then. Out: calls of the parts, answers through `send`.
Callers hold the store's transaction. Bounded: nothing is kept here but what the warden holds back; a
message that a peer has no business to send is counted and logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from appliance import messages as m
from appliance.keeper import orders, words
from appliance.keeper.authority import Judgement
from appliance.keeper.book import Book
from appliance.keeper.collection import Collection
from appliance.keeper.filtering import Filtering
from appliance.keeper.health import Health
from appliance.keeper.household.doorway import Doorway
from appliance.keeper.law.acts import Acts
from appliance.keeper.law.counsel import Counsel
from appliance.keeper.law.sealing import MOST_LATE, moved
from appliance.keeper.law.timekeeping import Timekeeper
from appliance.keeper.ledger.clerk import Clerk
from appliance.keeper.list_health import health
from appliance.keeper.minimise import DeviceObservation
from appliance.keeper.peers import Peer, Turn
from appliance.keeper.probing import ANSWERS_DHCP, Probing
from appliance.keeper.self_test import SelfTest
from appliance.keeper.store.database import Store
from appliance.keeper.supply import Supply
from appliance.keeper.updating import Updating
from appliance.keeper.uplink import Uplink
from appliance.keeper.wifi import Wifi
from wire.codec import WireError
from wire.ledger import HeadCosigned
from wire.models import Command, Receipt
from wire.timing import TimeAnswer

_log = logging.getLogger(__name__)
_Timed = TypeVar("_Timed", bound=DeviceObservation | m.LinkChanged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """The parts that messages are for."""

    store: Store
    book: Book
    probing: Probing
    uplink: Uplink
    health: Health
    collection: Collection
    filtering: Filtering
    clock: Timekeeper
    acts: Acts
    counsel: Counsel
    clerk: Clerk
    doorway: Doorway
    wifi: Wifi
    updating: Updating
    supply: Supply | None = None
    test: SelfTest | None = None


class Incoming:
    """Takes messages in. `judgement` and `turn` are those of the turn in which a message came."""

    def __init__(self, works: Works, *, send: Callable[[Peer, m.Message], None], sentence: Callable[[], str]) -> None:
        """`send` answers a peer; `sentence` says what is in force, for an engineer."""
        self._works = works
        self._send = send
        self._sentence = sentence
        self._enforced: frozenset[str] | None = None
        self.status_wanted = False
        """The server should hear at once how the box is; the core takes it back."""
        self.mask_wanted = False
        """The sensor should have the mask at once; the core takes it back."""
        self._take: dict[Peer, Callable[[m.Message, Turn, Judgement], None]] = {
            Peer.SENSOR: self._from_sensor,
            Peer.WARDEN: self._from_warden,
            Peer.COURIER: self._from_courier,
            Peer.PROBE: self._from_probe,
            Peer.PORCH: self._from_porch,
            Peer.RESOLVER: self._from_resolver,
            Peer.STATUS: self._from_status,
        }
        """One method a peer."""

    def take(self, peer: Peer, message: m.Message, turn: Turn, judgement: Judgement) -> None:
        """Handle one message."""
        self._works.health.handled += 1
        self._take[peer](message, turn, judgement)

    def warden_anew(self) -> None:
        """What the warden enforces is not known until it says so."""
        self._enforced = None

    # --- who sees ---------------------------------------------------------------------------

    def _from_sensor(self, message: m.Message, turn: Turn, judgement: Judgement) -> None:
        match message:
            case m.TapReport():
                self._works.health.tap(message)
            case m.SensorStarted():
                _log.info("the sensor listens on %s", ", ".join(message.taps) or "no tap")
                self._works.store.gaps.sensor_listens(message.ts + turn.at - turn.now, turn.at)
            case m.Sighting(side=m.Side.WAN):
                scope = self._works.counsel.recording(judgement)
                self._works.book.tamper.heard_upstream(message.mac, turn.at, scope)
            case (
                m.Sighting() | m.TraitSeen() | m.NameLookedUp() | m.NameClassSeen() | m.SignalSeen() | m.ActivitySeen()
            ):
                self._observe(message, turn, judgement)
            case _:
                self._unexpected(Peer.SENSOR, message)

    def _from_warden(self, message: m.Message, turn: Turn, judgement: Judgement) -> None:
        match message:
            case m.WardenState():
                self._warden_state(message, turn.at)
            case m.ThisIs():
                self._works.doorway.this_is(message, self._works.counsel.recording(judgement), turn.at)
            case m.NeighbourChanged() | m.StationChanged() | m.DeviceVolume():
                if isinstance(message, m.StationChanged):
                    self._works.doorway.own.station(message)
                self._observe(message, turn, judgement)
            case m.PassphraseGuessed() | m.WifiSeen() | m.WifiKept():
                self._of_wifi(message, turn, judgement)
            case m.NearbyCounted():
                # Asked for by its clause only; an hour that ends after the clause is not kept.
                scope = self._works.counsel.recording(judgement)
                if scope is not None and scope.nearby() is not None:
                    self._works.store.set("nearby", f"{message.since:.0f} {message.ts:.0f} {message.count}")
                    _log.info("%d devices were near in the hour and did not join", message.count)
            case m.RulesOverflow():
                self._works.health.at_limit = message.at_limit
                self._works.book.unheard.counted(message.packets, scope=judgement.scope, at=turn.at)
            case m.LinkChanged():
                self._link(message, turn, judgement)
            case _:
                self._unexpected(Peer.WARDEN, message)

    def _of_wifi(
        self, message: m.PassphraseGuessed | m.WifiSeen | m.WifiKept, turn: Turn, judgement: Judgement
    ) -> None:
        match message:
            case m.PassphraseGuessed():
                self._works.book.guessed(self._timed(message, turn), scope=self._works.counsel.recording(judgement))
            case m.WifiSeen():
                self._works.wifi.seen(message)
            case m.WifiKept():
                self._works.wifi.kept(message, turn.at)

    def _link(self, message: m.LinkChanged, turn: Turn, judgement: Judgement) -> None:
        _log.info("port %s is %s", message.interface, "up" if message.up else "down")
        self._works.clerk.event("port", name=message.interface, up=message.up)
        if not message.up:
            self._works.book.associations_lost()  # it may have been the access point's
        scope = self._works.counsel.recording(judgement)
        self._works.book.tamper.link(self._placed(message, turn), turn.at, scope)

    def _from_probe(self, message: m.Message, turn: Turn, judgement: Judgement) -> None:
        probing = self._works.probing
        match message:
            case m.ProbeRequest():
                leave = probing.leave(message.kind, judgement.scope, turn.at)
                if self._works.test is not None:
                    leave = self._works.test.leave(leave, message.kind, judgement.scope, turn.at)
                    self.mask_wanted = self._works.test.named is not None
                self._send(Peer.PROBE, leave)
            case m.ProbeAnswer() if message.kind is not m.ProbeKind.TEST:  # whose answers the sensor hears
                self._observe(probing.sighting(message), turn, judgement)
                if message.kind is m.ProbeKind.DHCP:
                    scope, heard = self._works.counsel.recording(judgement), min(message.ts, turn.at)
                    self._works.book.note(message.mac, ANSWERS_DHCP, scope=scope, ts=heard)
            case m.ProbeDone():
                _log.info("probe %s: %d sent, %d answers", message.kind.value, message.sent, message.answers)
                if message.kind is not m.ProbeKind.TEST:
                    probing.done(message)
                elif self._works.test is not None:
                    self._works.test.done(message)
            case _:
                self._unexpected(Peer.PROBE, message)

    def _from_resolver(self, message: m.Message, turn: Turn, _judgement: Judgement) -> None:
        if isinstance(message, m.ResolverState):
            self._works.filtering.heard(message, turn.monotonic)
        else:
            self._unexpected(Peer.RESOLVER, message)

    def _observe(self, message: DeviceObservation, turn: Turn, judgement: Judgement) -> None:
        test = self._works.test
        if self._works.counsel.sealing.on:
            book = self._works.book
            if book.strays(message, self._works.collection.leave):  # asked now: the mask is another at the release
                book.stray += 1
                return
            device = book.registry.by_mac(message.mac)
            known = device is not None and device.on_the_register
            self._works.counsel.sealing.take(message, turn, on_the_register=known)
            return
        if test is not None and test.takes(message, scope=judgement.scope, at=turn.at):
            return
        message = self._placed(message, turn)
        self._works.book.observe(message, scope=judgement.scope, leave=self._works.collection.leave, at=turn.at)
        self._works.doorway.notices.seen(message.mac, judgement.scope, turn.at)

    def _placed(self, message: _Timed, turn: Turn) -> _Timed:
        """The message in the keeper's time: others time what they say by the wall clock, which anybody may set."""
        if self._works.clock.scripted:
            return _moved(message, turn)
        ts = message.ts + (turn.at - turn.now)
        if not turn.at - MOST_LATE <= ts <= turn.at:
            ts = turn.at  # the wall clock was set while the message was on its way
        if isinstance(message, m.LinkChanged):
            return msgspec.structs.replace(message, ts=ts)
        return moved(message, ts)  # type: ignore[return-value] # an observation stays of its kind

    @staticmethod
    def _timed(message: m.PassphraseGuessed, turn: Turn) -> m.PassphraseGuessed:
        """The tries in the keeper's time."""
        late = turn.at - turn.now
        ts = min(max(message.ts + late, 0.0), turn.at)
        return msgspec.structs.replace(message, ts=ts, since=min(max(message.since + late, 0.0), ts))

    def _warden_state(self, state: m.WardenState, moment: float) -> None:
        enforcement = self._works.collection.enforcement
        if not state.applied:
            _log.warning("the warden could not apply generation %d: %s", state.generation, state.detail)
        elif state.generation == enforcement.generation:
            held = frozenset(enforcement.quarantined)
            if held != self._enforced:
                self._enforced = held
                self._works.book.set_quarantined(held, moment)

    # --- who asks ---------------------------------------------------------------------------

    def _from_porch(self, message: m.Message, turn: Turn, judgement: Judgement) -> None:
        match message:
            case m.NoticeRequest():
                self._send(Peer.PORCH, words.notice(judgement.scope))
            case m.FormSent() | m.OwnPageAsked():
                self._works.doorway.asked(message, turn.monotonic)
            case _:
                self._unexpected(Peer.PORCH, message)

    def _from_status(self, message: m.Message, turn: Turn, judgement: Judgement) -> None:
        works = self._works
        if isinstance(message, m.ListAccept):
            refusal = "This box has no lists."
            if works.supply is not None:
                refusal = works.supply.accept(message.list_id, message.version, turn.monotonic) or ""
            self._send(Peer.STATUS, m.ListAnswered(refusal=refusal))
        elif isinstance(message, m.StatusRequest):
            answer = works.health.answer(
                works.store,
                judgement,
                self._sentence(),
                devices=len(works.book.registry),
                mask_generation=works.collection.generation,
                broker_connected=works.uplink.broker_connected,
                lists=() if works.supply is None else health(works.supply, turn.at),
                test=None if works.test is None else works.test.state(judgement.scope),
            )
            self._send(Peer.STATUS, answer)

    # --- who carries ------------------------------------------------------------------------

    def _from_courier(self, message: m.Message, turn: Turn, judgement: Judgement) -> None:
        uplink = self._works.uplink
        match message:
            case m.BrokerState():
                if message.connected != uplink.broker_connected:
                    _log.info("broker %s %s", "connected" if message.connected else "lost", message.detail)
                if message.connected:
                    self.status_wanted = True  # the server hears at once that the box is there
                uplink.broker(connected=message.connected)
                self._works.book.tamper.broker(turn.at, connected=message.connected)
            case m.Credit():
                uplink.credit(message.count)
            case m.RenewalWanted():
                self._send(Peer.COURIER, m.RenewalSigned(request=uplink.renewal(message.csr, turn.at)))
            case m.ListFetched():
                pass  # its file came beside it: the loop has given both to the supply
            case m.ReleaseFetched():
                self._works.updating.fetched(message, at=turn.at, monotonic=turn.monotonic)
            case m.Inbound():
                self._inbound(message, turn, judgement)
                self._send(Peer.COURIER, m.InboundDone(token=message.token))
            case _:
                self._unexpected(Peer.COURIER, message)

    def _inbound(self, message: m.Inbound, turn: Turn, judgement: Judgement) -> None:
        works = self._works
        try:
            payload = works.uplink.open(message.topic, message.body).payload
        except WireError as error:
            works.health.refused_inbound += 1
            _log.warning("a message from the broker was refused: %s", error)
            return
        match payload:
            case Receipt():
                works.clock.learn(payload.at.timestamp(), monotonic=turn.monotonic)
                works.counsel.asking.heard(turn.monotonic)
                works.uplink.received(payload)
            case TimeAnswer():
                if works.counsel.asking.answered(payload, turn.monotonic):
                    _log.info("the server vouches for the time")
                    works.counsel.keep()
                    self.status_wanted = True
            case HeadCosigned():
                works.clock.learn(payload.at.timestamp(), monotonic=turn.monotonic)
                if not works.clerk.cosigned(payload):
                    works.health.refused_inbound += 1
                    _log.warning("a counter-signature was refused: it is for another log, or does not hold")
            case Command():
                works.clock.learn(payload.issued_at.timestamp(), monotonic=turn.monotonic)
                if orders.could_be_old(works.store, authenticated=works.clock.authenticated):
                    works.health.refused_inbound += 1
                    _log.warning("an order waits until the time is known: it may be an old one; it is sent again")
                    return
                result = orders.handle(
                    payload,
                    store=works.store,
                    book=works.book,
                    probing=works.probing,
                    acts=works.acts,
                    scope=judgement.scope,
                    at=turn.at,
                )
                _log.info("command %s: %s %s", result.command_id, result.outcome.value, result.detail)
            case _:
                works.health.refused_inbound += 1
                _log.warning("a message from the broker was refused: nothing for a box")

    def _unexpected(self, peer: Peer, message: m.Message) -> None:
        self._works.health.overflow += 1
        _log.warning("%s sent what it should not: %s", peer.value, type(message).__name__)


def _moved(message: _Timed, turn: Turn) -> _Timed:
    """Where the wall clock was set back, the keeper's own moment is later: times move with it."""
    late = turn.at - turn.now
    if late <= 0:
        return message
    if isinstance(message, m.SignalSeen | m.ActivitySeen):
        return msgspec.structs.replace(message, ts=message.ts + late, since=message.since + late)
    return msgspec.structs.replace(message, ts=message.ts + late)
