"""What is in force: the documents of the desk, and what was ordered beside them. One per keeper.

In: authority files, the acts `SetAuthority`, `PauseRecording`, `ResumeRecording`, `WithdrawConsent`, moments. Out:
judgements; rows of the store, so that a restart changes nothing; records of the ledger and findings that say what
changed. Callers hold the store's transaction. Bounded: see `law.desk` and `store.law`.

A withdrawal holds for documents up to the highest number that the box had then, also one that waited for its day:
only a higher one, or another authority issued later, ends it. A document takes two people when it is carried and
allows more than the one in force, or than one that waits, or when nothing is in force; when it comes by file, which
takes somebody at the box and an issuer's signature, it is told what it allows more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from appliance.keeper.authority import Judgement, Reason, Refusal, Scope, ends, judge, when
from appliance.keeper.law.acts import Acts, Given
from appliance.keeper.law.desk import Desk, mark
from appliance.keeper.law.telling import Teller, told
from appliance.keeper.law.widening import widened
from appliance.keeper.store.database import Store
from appliance.keeper.store.law import Paused, Withdrawal
from wire.acts import PauseRecording, ResumeRecording, SetAuthority, WithdrawConsent
from wire.authority import Authority, AuthorityError, parse_signed
from wire.findings import FindingKind, Grade
from wire.ledger import RecordKind

_ENDED = (Reason.MISSING, Reason.EXPIRED, Reason.WITHDRAWN, Reason.LAPSED)
"""Why nothing is in force, and would not be again by itself."""

_TOLD = "authority_told"
"""Key in `meta`: the document of which the ledger and the officers were told last."""


class Office:
    """Says what is in force."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        *,
        tell: Teller,
        note: Callable[[RecordKind, Mapping[str, object], float], None],
        sure: Callable[[], bool] = lambda: True,
        floor: Callable[[], float] = lambda: math.inf,
    ) -> None:
        """`note` writes a record of the ledger; `sure` says whether somebody vouches for the time.

        `floor` is a moment that is certainly not later than now.
        """
        self._store = store
        self._desk = desk
        self._tell = tell
        self._note = note
        self._sure = sure
        self._floor = floor
        self._pauses = store.law.pauses()
        self._withdrawals = store.law.withdrawals()
        self._stored: dict[str, str] = {}
        self._before: Authority | None = self._told_last()
        """The document in force before, as far as anybody was told."""

    def follow(self, acts: Acts) -> None:
        """Say which acts are followed here."""
        acts.on(SetAuthority, self._set)
        acts.on(PauseRecording, self._pause)
        acts.on(ResumeRecording, self._resume)
        acts.on(WithdrawConsent, self._withdraw)

    @property
    def document(self) -> Authority | None:
        """The document accepted last, whether or not it is in force."""
        accepted = self._desk.accepted
        return None if accepted is None else accepted.authority

    def paused(self, at: float) -> float | None:
        """Until when recording is paused; infinity: until told otherwise; None: it is not."""
        ends = [
            float("inf") if each.ends is None else each.ends
            for each in self._pauses
            if each.starts <= at and (each.ends is None or at < each.ends)
        ]
        ends += [
            pause.ends.timestamp()
            for pause in (() if self.document is None else self.document.pauses or ())
            if pause.starts.timestamp() <= at < pause.ends.timestamp()
        ]
        return max(ends, default=None)

    # --- judgement --------------------------------------------------------------------------

    def offer(self, raw: bytes | None, at: float) -> None:
        """The authority file as it now is; None when there is none."""
        self._desk.offer(raw, at, sure=self._sure())
        self._keep()

    def judgement(self, at: float, span: tuple[float, float] | None = None) -> Judgement:
        """Whether there is leave to record at a moment, by the documents and by what was ordered.

        `span`: earliest and latest that it may be. A document is in force where it is at both ends: one whose end may
        have come by the error of the clock has ended, however long nobody has vouched for the time.
        """
        judgement = self._desk.judgement(at, sure=self._sure())
        self._keep()
        if judgement.scope is None:
            return judgement
        for end in span or ():
            there = judge(judgement.scope.authority, end)
            if there.scope is None:
                return there
        return self._ordered(judgement.scope.authority, at) or judgement

    def within(self, starts: float, ends: float) -> Scope | None:
        """What was in force during the whole of a time, by the document accepted last and all that was ordered.

        A withdrawal counts for all time: what nobody has read by then is not read afterwards either.
        """
        document = self.document
        if document is None or self._desk.withdrawn or self._withdrawn(document) is not None:
            return None
        for each in self._pauses:
            if each.starts <= ends and (each.ends is None or starts < each.ends):
                return None
        for pause in document.pauses or ():
            if pause.starts.timestamp() <= ends and starts < pause.ends.timestamp():
                return None
        if judge(document, starts).scope is None:
            return None
        return judge(document, ends).scope

    def _ordered(self, authority: Authority, at: float) -> Judgement | None:
        name = f"Authority {authority.id}, number {authority.number},"
        withdrawal = self._withdrawn(authority)
        if withdrawal is not None:
            what = "rests on a consent that was withdrawn" if withdrawal.consent else "was withdrawn"
            sentence = f"{name} {what} on {when(withdrawal.at)}. Nothing is recorded."
            return Judgement(reason=Reason.WITHDRAWN, sentence=sentence)
        until = self.paused(at)
        if until is not None:
            long = "until officers go on" if until == float("inf") else f"until {when(until)}"
            return Judgement(reason=Reason.PAUSED, sentence=f"{name} is paused {long}. Nothing is recorded.")
        return None

    def _withdrawn(self, authority: Authority) -> Withdrawal | None:
        for each in self._withdrawals:
            if each.authority_id == authority.id and authority.number <= each.number:
                return each
        return None

    def _keep(self) -> None:
        """Store what the desk has to know at the next start."""
        found = self._desk.stored()
        for key, value in found.items():
            if self._stored.get(key) != value:
                self._store.set(key, value)
        self._stored = found

    # --- what changed is told ---------------------------------------------------------------

    def tick(self, scope: Scope | None, at: float) -> None:
        """Tell of a document that was accepted since."""
        document = self.document
        if document is None or self._store.get(_TOLD) == mark(document):
            return
        before = self._before if self._before != document else None
        anew = self._store.get(_TOLD) is None
        self._before = document
        self._store.set(_TOLD, mark(document))
        if self._desk.accepted is not None:
            self._store.bundles.keep_authority(document.id, document.number, self._desk.accepted.raw.decode())
        plain = {
            "event": "accepted",
            "authority": document.id,
            "number": document.number,
            "not_before": round(document.not_before.timestamp()),
            "not_after": round(document.not_after.timestamp()),
        }
        self._note(RecordKind.AUTHORITY, plain, at)
        if anew:
            return
        more = widened(before, document)
        headline = f"Authority {document.id}, number {document.number}, is in the place of the one before."
        allows = ("It allows no more than the one before.",) if not more else ("It allows more:", *more)
        grade = Grade.MEDIUM if more else Grade.LOW
        sign = told(
            FindingKind.AUTHORITY_CHANGED, f"{document.id} {document.number}", (headline, *allows), grade, ts=at
        )
        self._tell(sign, scope, at)

    def _changed(self, event: str, sentence: str, given: Given, **plain: object) -> None:
        document = self.document
        named = {} if document is None else {"authority": document.id, "number": document.number}
        whom = {"by": given.by, "second": given.second or ""}
        self._note(RecordKind.AUTHORITY, {"event": event, **named, **whom, **plain}, given.at)
        sign = told(FindingKind.AUTHORITY_CHANGED, given.command_id, (sentence,), Grade.LOW, ts=given.at)
        self._tell(sign, given.scope, given.at)

    def _told_last(self) -> Authority | None:
        """The document that was told last, which a restart may have come in between of."""
        last, document = self._store.get(_TOLD), self.document
        if last is None or document is None or mark(document) == last:
            return document
        for raw in self._store.bundles.authorities():
            try:
                kept = parse_signed(raw.encode()).document
            except AuthorityError:
                continue  # of an earlier version of the software
            if mark(kept) == last:
                return kept
        return None

    def _more(self, new: Authority, at: float) -> Iterator[str]:
        """What a carried document allows beyond what is in force now, and beyond what waits for its day."""
        document = self.document
        if document is not None and ends(new) > at:
            stopped = self._desk.withdrawn or self._withdrawn(document) is not None
            if stopped or self._desk.judgement(at, sure=self._sure()).reason in _ENDED:
                yield "Nothing is recorded now, and recording would begin again."
        yield from widened(document, new)
        for waiting in self._desk.waiting:
            yield from widened(waiting, new)

    # --- acts -------------------------------------------------------------------------------

    def _set(self, order: SetAuthority, given: Given) -> str | None:
        new = self._desk.read(order.document.encode())
        if isinstance(new, Refusal):
            return f"The document does not count: {new.detail}."[:300]
        more = tuple(self._more(new, given.at))
        if more and not given.two:
            return f"It allows more than the one in force and needs two people. {more[0]}"[:300]
        refusal = self._desk.carry(order.document.encode(), given.at, sure=self._sure())
        self._keep()
        return None if refusal is None else f"The document does not count: {refusal.detail}."[:300]

    def _certain(self, at: float) -> float:
        """The moment, or one that is certainly not later: a clock that was set forward must not put a pause off."""
        return at if self._sure() else min(at, self._floor())

    def _pause(self, order: PauseRecording, given: Given) -> str | None:
        until, at = None if order.until is None else order.until.timestamp(), self._certain(given.at)
        if until is not None and until <= at:
            return "The pause would already be over."
        if self._store.law.pauses_full(at):
            return "As many pauses are arranged as the box can keep."
        self._store.law.pause(Paused(starts=at, ends=until, by=given.by, reason=order.reason))
        self._pauses = self._store.law.pauses()
        long = "until officers go on" if until is None else f"until {when(until)}"
        self._changed("paused", f"Recording is paused {long}.", given, until=0 if until is None else round(until))
        return None

    def _resume(self, _order: ResumeRecording, given: Given) -> str | None:
        if not self._store.law.resume(self._certain(given.at)):
            return "Recording is not paused by an instruction."
        self._pauses = self._store.law.pauses()
        self._changed("resumed", "Recording goes on before the pause was over.", given)
        return None

    def _withdraw(self, order: WithdrawConsent, given: Given) -> str | None:
        document = self.document
        if document is None:
            return "The box has no authority document."
        needed = {consent.id for consent in document.consents or () if consent.kind == "consent"}
        if order.consent is not None and order.consent not in needed:
            return "The authority does not rest on this consent."
        waiting = (each.number for each in self._desk.waiting if each.id == document.id)
        withdrawal = Withdrawal(
            authority_id=document.id,
            number=max([document.number, *waiting]),
            consent=order.consent,
            at=given.at,
            by=given.by,
            reason=order.reason,
        )
        self._store.law.withdraw(withdrawal)
        self._withdrawals = self._store.law.withdrawals()
        what = "A consent was withdrawn" if order.consent is not None else "The authority was withdrawn"
        self._changed("withdrawn", f"{what}: nothing is recorded until another document.", given)
        return None
