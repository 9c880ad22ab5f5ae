"""The law of the matter as one part of the keeper: what is in force, what time it is, what is sealed, what is opened.

In: turns of the core. Out: judgements, observations that may be recorded now, findings and records about the law, and
what the server is told of it. Callers hold the store's transaction. Bounded: see the parts.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import TypedDict

from appliance.keeper.authority import Judgement, Reason, Scope
from appliance.keeper.book import Book
from appliance.keeper.devices.model import Device, moment
from appliance.keeper.law.acts import Acts
from appliance.keeper.law.asking import Asking
from appliance.keeper.law.desk import Desk
from appliance.keeper.law.office import Office
from appliance.keeper.law.reminders import Reminders
from appliance.keeper.law.sealing import Sealing
from appliance.keeper.law.telling import told
from appliance.keeper.law.timekeeping import LATEST, Timekeeper
from appliance.keeper.law.unmasking import Unmasking
from appliance.keeper.signs.model import Sign
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity
from wire.base import Time
from wire.findings import FindingKind, Grade
from wire.ledger import ClockState, RecordKind
from wire.timing import TimeRequest

TIME_KEPT = "time_kept"
"""Key in `meta`: what a start may believe of the time (`law.timekeeping.Kept`)."""
_STATE = "authority_state"

_log = logging.getLogger(__name__)


class Standing(TypedDict):
    """What `wire.box.BoxStatus` says of the law."""

    authority_id: str | None
    authority_number: int | None
    authority_ends: Time | None
    review: Time | None
    paused_until: Time | None
    clock: ClockState
    clock_error_ms: int | None
    sealed: int
    unmasked_until: Time | None


class Counsel:
    """One per keeper."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        clock: Timekeeper,
        book: Book,
        *,
        identity: Identity,
        acts: Acts,
        new_nonce: Callable[[], str],
    ) -> None:
        self._store = store
        self._clock = clock
        self._book = book
        self.office = Office(
            store,
            desk,
            tell=self._tell,
            note=self._note,
            sure=lambda: clock.authenticated,
            floor=lambda: clock.keep().floor,
        )
        self.sealing = Sealing(
            store,
            clock,
            server=identity.server_seal,
            tenant=identity.tenant,
            site=identity.site,
            within=self.office.within,
        )
        self.asking = Asking(clock, self.sealing, tell=self._tell, end=self._end, new_nonce=new_nonce)
        self.unmasking = Unmasking(
            store.law,
            lambda: book.registry,
            tell=self._tell,
            note=self._note,
            masked=self._masked,
            sure=lambda: clock.authenticated,
        )
        self._reminders = Reminders(store, tell=self._tell, end=self._end)
        self.office.follow(acts)
        self.unmasking.follow(acts)

    # --- turns ------------------------------------------------------------------------------

    def judgement(self, at: float) -> Judgement:
        """What is in force at a moment."""
        judgement = self.office.judgement(at, self._clock.span())
        self._book.opened = self.unmasking.opened(judgement.scope, at)
        return judgement

    def recording(self, judgement: Judgement) -> Scope | None:
        """The scope by which things are recorded now: none while they are sealed."""
        return None if self.sealing.on else judgement.scope

    def heard(self, judgement: Judgement) -> Scope | None:
        """By what names and signals leave the sensor: to be sealed, also by what the last certain time says.

        Else who sets a clock forward past the end of the authority would have nothing sealed that could be released.
        """
        if judgement.scope is not None or self._clock.authenticated:
            return judgement.scope
        return self.office.judgement(self._clock.keep().floor).scope

    def sentence(self) -> str:
        """What is said beside the authority, for an engineer."""
        return "What is seen is sealed until the time is known." if self.sealing.on else ""

    def tick(self, judgement: Judgement, at: float, monotonic: float) -> None:
        """The end of a turn: seal what it brought, release what may be, tell what is due."""
        self.sealing.flush(monotonic)
        for released in self.sealing.release():
            self._book.opened = self.unmasking.opened(released.scope, released.message.ts)
            self._book.observe(released.message, scope=released.scope, leave=None, at=at)
        scope = judgement.scope
        self.asking.tick(scope, at, monotonic)
        if self._clock.authenticated:
            self.unmasking.tick(scope, at)
            self.office.tick(scope, at)
            self._reminders.tick(self.office.document, scope, at)
            self._tell_dropped(scope, at)
        self._book.opened = self.unmasking.opened(scope, at)
        self._note_state(judgement, at)

    def question(self, monotonic: float, *, broker: bool) -> TimeRequest | None:
        """What to ask the server about the time now, if anything."""
        return self.asking.question(monotonic, broker=broker)

    def keep(self) -> None:
        """Write down what a later start may believe of the time."""
        if not self._clock.scripted:
            self._store.set(TIME_KEPT, self._clock.keep().text())

    def standing(self, at: float) -> Standing:
        """What the server is told of the law."""
        document = self.office.document
        stamp = self._clock.stamp()
        return Standing(
            authority_id=None if document is None else document.id,
            authority_number=None if document is None else document.number,
            authority_ends=None if document is None else document.not_after,
            review=None if document is None else document.review_date,
            paused_until=_time(self.office.paused(at)),
            clock=stamp.clock,
            clock_error_ms=stamp.error_ms,
            sealed=self.sealing.count,
            unmasked_until=_time(self.unmasking.until),
        )

    # --- inside -----------------------------------------------------------------------------

    def _tell_dropped(self, scope: Scope | None, at: float) -> None:
        dropped = self.sealing.told()
        if not dropped:
            return
        self._note(RecordKind.GAP, {"cause": "time-not-known", "observations": dropped}, at)
        reasons = (
            f"{dropped:,} observations were destroyed unread.",
            "They were made while nobody vouched for the time, and could not be shown to be within the authority.",
        )
        sign = told(FindingKind.RECORDS_DROPPED, "sealed", reasons, Grade.HIGH, ts=at, count=dropped)
        self._tell(sign, scope, at)

    def _note_state(self, judgement: Judgement, at: float) -> None:
        """A record when recording begins, stops, or stops for another reason."""
        sealed = self.sealing.on and judgement.reason is Reason.IN_FORCE
        state = "sealed" if sealed else judgement.reason.value
        if self._store.get(_STATE) == state:
            return
        self._store.set(_STATE, state)
        document = self.office.document
        named = {} if document is None else {"authority": document.id, "number": document.number}
        self._note(RecordKind.AUTHORITY, {"event": "state", "state": state, **named}, at)

    def _note(self, kind: RecordKind, plain: Mapping[str, object], at: float) -> None:
        del at  # the ledger stamps with the moment of the turn
        self._store.ledger.note(kind, dict(plain))

    def _tell(self, sign: Sign, scope: Scope | None, at: float) -> None:
        self._book.signs.tell_box(sign, scope=scope, at=at)

    def _end(self, kind: FindingKind, subject: str, because: str, at: float) -> None:
        self._book.signs.end(None, kind, subject, because, at)

    def _masked(self, device: Device, scope: Scope | None, at: float) -> None:
        """Where nothing is in force now, what was kept before stays as far as the document allowed it."""
        document = self.office.document
        if scope is None and document is not None:
            scope = Scope(authority=document)
        self._book.masked(device, scope=scope, at=at)


def _time(at: float | None) -> Time | None:
    if at is None:
        return None
    return moment(LATEST if math.isinf(at) else min(at, LATEST))
