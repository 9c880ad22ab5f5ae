"""Reminds of what ends and of what has to be asked again: the authority, consents, reviews (R54, R60, R62, N18).

In: the document accepted last, moments that somebody vouches for. Out: findings about the box, in information that no
device is in; each is closed when another document settles it. Bounded: one finding a subject, of which a document has few.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from appliance.keeper.authority import Scope, ends, when
from appliance.keeper.law.telling import Ender, Teller, told
from appliance.keeper.store.database import Store
from wire.authority import FIRM_MONTHS, STEP_DOWN_MONTHS, Authority
from wire.findings import FindingKind, Grade

DAY = 86400.0
BEFORE = (28, 7, 1)
"""Days before the end at which officers are reminded."""
CONFIRM_DAYS = 28
LOOK_SECONDS = 60.0
CALM_SECONDS = 7 * DAY
"""What was told for information only is closed after so long."""

_FIRST = "authority_first_start"
"""Key in `meta`: when the first document of this authority began, for the firm review."""
_MOMENTARY = (FindingKind.AUTHORITY_CHANGED, FindingKind.RECORDS_DROPPED, FindingKind.BREAK_GLASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """What is due at a moment."""

    kind: FindingKind
    subject: str
    reasons: tuple[str, ...]
    grade: Grade


def due(document: Authority, at: float, *, first: float) -> tuple[Reminder, ...]:
    """All that is due; `first` is when the authority began, over all its versions."""
    return (*_ending(document, at), *_consents(document, at), *_reviews(document, at, first))


def _ending(document: Authority, at: float) -> Iterator[Reminder]:
    end = ends(document)
    name = f"Authority {document.id}, number {document.number},"
    if at >= end:
        text = f"{name} ended on {when(end)}. Nothing is recorded since."
        yield Reminder(
            kind=FindingKind.AUTHORITY_ENDING, subject=f"{document.id} ended", reasons=(text,), grade=Grade.HIGH
        )
        return
    lasts = end - document.not_before.timestamp()
    # A reminder in the first half of a short authority would only say what was known when it was issued.
    left = [days for days in BEFORE if end - at <= days * DAY <= lasts / 2]
    if not left:
        return
    grade = Grade.HIGH if left[-1] == BEFORE[-1] else Grade.MEDIUM
    text = f"{name} ends on {when(end)}. Recording stops by itself then."
    subject = f"{document.id} {left[-1]} days"
    yield Reminder(kind=FindingKind.AUTHORITY_ENDING, subject=subject, reasons=(text,), grade=grade)


def _consents(document: Authority, at: float) -> Iterator[Reminder]:
    for consent in document.consents or ():
        by = consent.confirm_by
        if by is None or consent.withdrawn_at is not None or by.timestamp() - at > CONFIRM_DAYS * DAY:
            continue
        over = at >= by.timestamp()
        text = f"The consent {consent.id} was to be confirmed by {when(by)}."
        if not over:
            text = f"The consent {consent.id} is to be confirmed by {when(by)}."
        more = ("Without it nothing is recorded.",) if consent.kind == "consent" else ()
        grade = Grade.HIGH if over else Grade.MEDIUM
        yield Reminder(kind=FindingKind.REVIEW_DUE, subject=f"consent {consent.id}", reasons=(text, *more), grade=grade)


def _reviews(document: Authority, at: float, first: float) -> Iterator[Reminder]:
    review = document.review_date
    if at >= review.timestamp():
        text = f"The review of authority {document.id} was due on {when(review)}."
        yield Reminder(kind=FindingKind.REVIEW_DUE, subject="review", reasons=(text,), grade=Grade.MEDIUM)
    firm = later(first, FIRM_MONTHS)
    if at >= firm:
        text = f"The authority has been in force since {when(first)}: two years are over."
        ask = "A review has to say why it is still needed, or it should end."
        yield Reminder(kind=FindingKind.REVIEW_DUE, subject="two years", reasons=(text, ask), grade=Grade.HIGH)
        return
    months = document.step_down_months or STEP_DOWN_MONTHS
    if at >= later(document.not_before.timestamp(), months):
        text = f"This version has been in force for {months} months: ask whether less would do."
        less = "Fewer things could be kept, of fewer devices, or for a shorter time."
        yield Reminder(kind=FindingKind.REVIEW_DUE, subject="step down", reasons=(text, less), grade=Grade.MEDIUM)


def later(at: float, months: int) -> float:
    """The same day of the month so many months later, or the last one where that month is shorter."""
    date = datetime.fromtimestamp(at, UTC)
    month = date.month - 1 + months
    year, month = date.year + month // 12, month % 12 + 1
    day = min(date.day, calendar.monthrange(year, month)[1])
    return date.replace(year=year, month=month, day=day).timestamp()


class Reminders:
    """Tells what is due, once, and closes what is not due any more."""

    def __init__(self, store: Store, *, tell: Teller, end: Ender) -> None:
        self._store = store
        self._tell = tell
        self._end = end
        self._due = float("-inf")

    def tick(self, document: Authority | None, scope: Scope | None, at: float) -> None:
        """Look, at most every `LOOK_SECONDS`. Callers hold the store's transaction."""
        if 0 <= at - self._due < LOOK_SECONDS:
            return
        self._due = at
        found = () if document is None else due(document, at, first=self._first(document))
        open_ = self._open({FindingKind.AUTHORITY_ENDING, FindingKind.REVIEW_DUE})
        for reminder in found:
            if (reminder.kind, reminder.subject) not in open_:
                sign = told(reminder.kind, reminder.subject, reminder.reasons, reminder.grade, ts=at)
                self._tell(sign, scope, at)
        still = {(reminder.kind, reminder.subject) for reminder in found}
        for kind, subject in open_.keys() - still:
            self._end(kind, subject, "It has been dealt with, or a later reminder says more.", at)
        for (kind, subject), last in self._open(_MOMENTARY).items():
            if at - last >= CALM_SECONDS:
                self._end(kind, subject, "It was told a week ago.", at)

    def _open(self, kinds: Collection[FindingKind]) -> dict[tuple[FindingKind, str], float]:
        stored = self._store.findings.of_kind([kind.value for kind in kinds])
        return {(each.finding.kind, each.subject): each.finding.last_seen.timestamp() for each in stored}

    def _first(self, document: Authority) -> float:
        """When the first version of this authority began, as far as the box knows."""
        begins = document.not_before.timestamp()
        id_, _, since = (self._store.get(_FIRST) or "").partition(" ")
        if id_ == document.id and float(since) <= begins:
            return float(since)
        self._store.set(_FIRST, f"{document.id} {begins!r}")
        return begins
