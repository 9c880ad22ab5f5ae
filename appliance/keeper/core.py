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

import msgspec

from appliance import messages as m
from appliance.keeper.authority import NOTHING, Judgement
from appliance.keeper.book import Book
from appliance.keeper.collection import Collection
from appliance.keeper.filtering import Filtering
from appliance.keeper.handed import Handed
from appliance.keeper.health import Health
from appliance.keeper.household.doorway import Doorway
from appliance.keeper.household.restoring import Restoring
from appliance.keeper.household.storage import RECOVER_SECONDS, Storage
from appliance.keeper.household.tamper import Clocks
from appliance.keeper.incoming import Incoming, Works
from appliance.keeper.law.acts import Acts
from appliance.keeper.law.counsel import TIME_KEPT, Counsel
from appliance.keeper.law.keeping import Keeping
from appliance.keeper.law.timekeeping import Timekeeper, kept
from appliance.keeper.ledger.bundles import Bundles
from appliance.keeper.ledger.clerk import Clerk, Facts
from appliance.keeper.ledger.telling import setting
from appliance.keeper.list_health import ListFindings, fitting, health
from appliance.keeper.machine import Machine
from appliance.keeper.parts import Parts
from appliance.keeper.peers import Peer, Send, Turn
from appliance.keeper.probing import Probing
from appliance.keeper.updating import Updating
from appliance.keeper.uplink import Uplink
from appliance.keeper.wifi import Setting, Wifi
from wire.acts import IssueCode

__all__ = ["TICK_SECONDS", "Core", "Parts", "Peer", "Send"]

TICK_SECONDS = 1.0
MASK_SECONDS = 10.0
FLOOR_SECONDS = 30.0
"""How often the time floor is committed while nothing else is."""

ORDER_SECONDS = 15.0
"""How often the warden hears its order again: what is not fail-closed ends when it does not."""

STATUS_SPACING = 2.0
"""A change of state is told at most this often; the heartbeat comes anyway."""

_log = logging.getLogger(__name__)


class Core:
    """State of the keeper."""

    def __init__(self, parts: Parts, *, monotonic: float) -> None:
        store = parts.store
        self._store = store
        self._heartbeat = parts.heartbeat_seconds
        self._remark = parts.remark
        self._clock = Timekeeper(
            boot=parts.boot,
            monotonic=monotonic,
            stored=kept(store.get(TIME_KEPT)),
            floor=float(store.get("time_floor") or "0"),
        )
        self._floor_due = monotonic
        self._book = Book(store, lists=parts.lists, rules=parts.rules, ids=parts.ids, ground=parts.ground)
        self._storage = Storage(self._book.record, self._book.signs)
        self._room_due = monotonic + RECOVER_SECONDS  # not in the turn for which room was just made
        self._probing = Probing(store)
        self._uplink = Uplink(store, parts.identity)
        self._clerk = Clerk(store, parts.identity)
        self._health = Health()
        self._judgement: Judgement = NOTHING
        self._collection = Collection(store)
        self._filtering = parts.filtering or Filtering()
        self._mask_due = self._order_due = monotonic
        with store.transaction():
            store.gaps.keeper_started(float(store.get("time_floor") or "0"))
        self._status_due = monotonic
        self._status_said: tuple[object, ...] = ()
        self._status_at = float("-inf")
        self._sends: list[Send] = []
        self._supply = parts.supply
        self._list_findings = None
        if parts.supply is not None:
            self._list_findings = ListFindings(parts.supply, self._book.signs, opened=store.findings.of_kind)
        self._test = None if parts.self_test is None else parts.self_test(self._book.signs)
        self._acts = Acts()
        self._counsel = Counsel(
            store, parts.desk, self._clock, self._book, identity=parts.identity, acts=self._acts, new_nonce=parts.nonce
        )
        self._keeping = Keeping(store, self._book, self._acts)
        Restoring(store, self._book, self._acts)
        self._bundles = Bundles(
            store,
            registry=self._book.registry,
            recipient=parts.identity.server_seal,
            setting=lambda at: setting(
                store,
                parts.identity,
                issuers=parts.desk.issuers,
                lists=() if parts.supply is None else health(parts.supply, at),
            ),
        )
        self._bundles.register(self._acts)
        self._uplink.bulk(self._bundles.part)
        self._doorway = Doorway(self._book.record, parts.notice, send=self._send)
        self._acts.on(IssueCode, self._doorway.own.issue)
        self._updating = Updating(store, parts.root, self._acts, new_id=lambda: parts.nonce()[:32])
        self._handed = Handed(store, parts.answers)
        wifi = Setting(
            site=parts.identity.site,
            opener=parts.identity.opener,
            left=parts.passphrases_left,
            ask=self._handed.noting(parts.ask_network),
        )
        self._wifi = Wifi(store, self._book.keys, wifi)
        self._wifi.register(self._acts)
        self._machine = Machine(store, parts.machine, self._acts, boot=parts.boot, asked=self._handed.asked)
        works = Works(
            store=store,
            book=self._book,
            probing=self._probing,
            uplink=self._uplink,
            health=self._health,
            collection=self._collection,
            filtering=self._filtering,
            clock=self._clock,
            acts=self._acts,
            counsel=self._counsel,
            clerk=self._clerk,
            doorway=self._doorway,
            wifi=self._wifi,
            supply=self._supply,
            test=self._test,
            updating=self._updating,
        )
        self._incoming = Incoming(works, send=self._send, sentence=self._sentence)

    @property
    def busy(self) -> bool:
        """Whether work waits for the next turn, so that it should come before `TICK_SECONDS`."""
        return self._filtering.building or self._counsel.sealing.releasing or self._bundles.busy

    @property
    def anew(self) -> bool:
        """Whether the keeper has to start over: what it took for the time before was not the time."""
        return self._clock.anew

    # --- turns ------------------------------------------------------------------------------

    def connected(self, peer: Peer, *, now: float, monotonic: float) -> list[Send]:
        """A peer has connected (anew)."""

        def work(moment: float) -> None:
            self._health.peers.add(peer.value)
            match peer:
                case Peer.SENSOR:
                    self._send_mask(monotonic)
                case Peer.WARDEN:
                    self._incoming.warden_anew()
                    self._send(Peer.WARDEN, self._collection.enforcement)
                    self._doorway.tell_warden(moment)
                    self._send(Peer.WARDEN, self._wifi.message(moment, monotonic))
                case Peer.COURIER:
                    self._send(Peer.COURIER, self._uplink.connected(moment))
                case Peer.RESOLVER:
                    self._send(Peer.RESOLVER, self._filtering.message())
                case _:
                    pass

        return self._turn(work, now, monotonic)

    def gone(self, peer: Peer, *, now: float, monotonic: float) -> list[Send]:
        """A peer's connection is gone."""

        def work(moment: float) -> None:
            self._health.peers.discard(peer.value)
            if peer is Peer.COURIER:
                self._uplink.gone()
                self._updating.courier_gone(monotonic)
                if self._supply is not None:
                    self._supply.courier_gone(monotonic)
            elif peer is Peer.SENSOR:
                self._store.gaps.sensor_gone(moment)
            elif peer is Peer.WARDEN:
                self._book.associations_lost()
                self._doorway.own.stations_lost()
            elif peer is Peer.PORCH:
                self._doorway.porch_gone()
            elif peer is Peer.RESOLVER:
                self._filtering.gone()

        return self._turn(work, now, monotonic)

    def document(self, raw: bytes | None, *, now: float, monotonic: float) -> list[Send]:
        """The authority file as it now is; None when there is none."""
        return self._turn(lambda moment: self._counsel.office.offer(raw, moment), now, monotonic)

    def tick(self, *, now: float, monotonic: float) -> list[Send]:
        """Time has passed."""
        if self._store.room.narrow and monotonic >= self._room_due:
            self._room_due = monotonic + RECOVER_SECONDS
            self._store.room.recover()
        return self._turn(lambda _moment: None, now, monotonic)

    def stopping(self, *, now: float, monotonic: float) -> None:
        """The process ends because it was told to."""
        with self._store.transaction():
            self._floor(self._clock.read(wall=now, monotonic=monotonic))
            self._book.tamper.stopping()
            self._clerk.stopping(self._clock.stamp(), monotonic)

    def heard(self, peer: Peer, batch: Iterable[m.Message], *, now: float, monotonic: float) -> list[Send]:
        """Messages of one peer, handled in one transaction."""

        def work(moment: float) -> None:
            turn = Turn(now=now, at=moment, monotonic=monotonic)
            for message in batch:
                self._incoming.take(peer, message, turn, self._judgement)
            if self._incoming.status_wanted:
                self._incoming.status_wanted = False
                self._status_due = monotonic
            if self._incoming.mask_wanted:
                self._incoming.mask_wanted = False
                self._mask_due = monotonic

        return self._turn(work, now, monotonic)

    def _turn(self, work: Callable[[float], None], now: float, monotonic: float) -> list[Send]:
        self._sends = []
        with self._store.transaction():
            moment = self._clock.read(wall=now, monotonic=monotonic)
            stamp = self._clock.stamp()
            self._clerk.begin(stamp)
            self._judge(moment)
            work(moment)
            moment = self._clock.read(wall=now, monotonic=monotonic)  # an answer may have told another
            if self._clock.stamp() != stamp:
                self._clerk.begin(self._clock.stamp())
            self._judge(moment)
            self._counsel.tick(self._judgement, moment, monotonic)
            scope = self._counsel.recording(self._judgement)
            self._book.tamper.tick(Clocks(wall=now, monotonic=monotonic, at=moment), scope)
            if scope is not None:
                self._book.tick(scope=scope, at=moment)
            if self._list_findings is not None:
                self._list_findings.tick(scope=self._judgement.scope, at=moment)
            if self._test is not None:
                self._test.tick(scope=scope, at=moment)
            self._doorway.tick(self._judgement.scope, recording=scope, at=moment, monotonic=monotonic)
            self._keeping.tick(self._counsel.office.document, self._judgement, at=self._clock.keep().floor)
            self._bundles.tick(moment)
            courier = Peer.COURIER.value in self._health.peers
            release = self._updating.tick(at=moment, monotonic=monotonic, courier=courier)
            if self._wifi.due(moment, monotonic):
                self._send(Peer.WARDEN, self._wifi.message(moment, monotonic))
            self._machine.tick(at=moment, monotonic=monotonic, waiting=len(self._store.outbox))
            self._handed.tick(at=moment, monotonic=monotonic)
            self._settle(monotonic)
            self._keep_floor(moment, monotonic)
            self._storage.tick(scope=self._judgement.scope, at=moment)
            self._clerk.tick(self._facts(moment), monotonic)
        if monotonic >= self._mask_due:
            self._send_mask(monotonic)
        self._say_status(moment, monotonic)
        self._send(Peer.COURIER, *release)
        if self._supply is not None:
            self._send(Peer.COURIER, *self._supply.tick(at=moment, monotonic=monotonic, courier=courier))
        self._ask(moment, monotonic)
        self._send(Peer.COURIER, *self._uplink.pump(monotonic, moment))
        return self._sends

    def _send(self, peer: Peer, *batch: m.Message) -> None:
        if batch and peer.value in self._health.peers:
            self._sends.append(Send(peer=peer, messages=batch))

    # --- what follows -----------------------------------------------------------------------

    def _judge(self, moment: float) -> None:
        judgement = self._counsel.judgement(moment)
        if judgement.sentence != self._judgement.sentence:
            _log.info("%s", judgement.sentence)
        self._judgement = judgement

    def _settle(self, monotonic: float) -> None:
        """Bring mask, plan and enforcement in line with scope and registry, within the transaction."""
        scope = self._judgement.scope
        self._filtering.settle(scope)
        plan = self._filtering.step(monotonic)
        if plan is not None:
            self._send(Peer.RESOLVER, plan)
        filters = self._filtering.filters(monotonic)
        mask, enforcement = self._collection.settle(
            scope,
            self._book.registry,
            self._book.changed,
            filters,
            self._book.opened,
            heard=self._counsel.heard(self._judgement),
        )
        if mask:
            self._mask_due = monotonic
        if enforcement or monotonic >= self._order_due:
            self._order_due = monotonic + ORDER_SECONDS
            self._send(Peer.WARDEN, self._collection.enforcement)

    def _keep_floor(self, moment: float, monotonic: float) -> None:
        if monotonic >= self._floor_due:
            self._floor_due = monotonic + FLOOR_SECONDS
            self._floor(moment)

    def _floor(self, moment: float) -> None:
        """The last committed moment; one that nobody vouches for is not written over one that somebody did."""
        self._counsel.keep()
        if self._clock.authenticated or self._store.get("time_floor") is None:
            self._store.set("time_floor", repr(moment))

    def _ask(self, moment: float, monotonic: float) -> None:
        """Ask the server for the time, when that is due."""
        question = self._counsel.question(monotonic, broker=self._uplink.broker_connected)
        if question is not None and self._uplink.take_credit():
            self._send(Peer.COURIER, self._uplink.beside(question, moment))

    def _send_mask(self, monotonic: float) -> None:
        self._mask_due = monotonic + MASK_SECONDS
        mask = self._collection.message()
        if self._test is not None and (named := self._test.named) is not None and len(mask.names) < m.MAX_MASKED:
            mask = msgspec.structs.replace(mask, names=(*mask.names, named))
        self._send(Peer.SENSOR, mask)

    def _say_status(self, moment: float, monotonic: float) -> None:
        software = self._updating.state
        said = (
            self._judgement.sentence,
            frozenset(self._health.peers - {Peer.PORCH, Peer.PROBE, Peer.STATUS}),
            None if software is None else (software.wanted, software.stage, software.detail),
            self._machine.news,
            self._handed.told,
        )
        news = said != self._status_said and monotonic - self._status_at >= STATUS_SPACING
        if not (news or monotonic >= self._status_due) or not self._uplink.take_credit():
            return
        self._status_said, self._status_at = said, monotonic
        self._status_due = monotonic + self._heartbeat
        status = self._health.status(
            self._store,
            self._judgement,
            self._sentence(),
            overflow=self._overflow(),
            at=moment,
            lists=None if self._supply is None else fitting(health(self._supply, moment)),
            test=None if self._test is None else self._test.state(self._judgement.scope),
            keeping=self._keeping.told(),
        ).model_copy(
            update=self._counsel.standing(moment)
            | {"software": software, "wifi": self._wifi.state(), "changes": self._handed.told}
            | self._machine.state(moment, monotonic)
        )
        self._send(Peer.COURIER, self._uplink.status(status, moment))

    def _overflow(self) -> int:
        return self._book.overflow() + self._doorway.overflow() + self._collection.cut + self._uplink.given_up

    def _facts(self, moment: float) -> Facts:
        """How the box stands, for the ledger."""
        scope, supply = self._counsel.recording(self._judgement), self._supply
        return Facts(
            authority=None if scope is None else scope.authority,
            processes=frozenset(self._health.peers - {Peer.PORCH, Peer.PROBE, Peer.STATUS}),
            server=self._uplink.broker_connected,
            reports=self._health.reports,
            overflow=self._overflow(),
            devices=self._book.registry,
            lists=lambda: {} if supply is None else {item.list_id: item.version for item in health(supply, moment)},
        )

    def _sentence(self) -> str:
        said = (self._judgement.sentence, self._counsel.sentence(), self._remark, *self._filtering.sentences())
        return " ".join(part for part in said if part)
