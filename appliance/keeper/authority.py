"""What the authority in force lets the box collect: pure decisions, nothing without a document.

In: bytes of the authority file, a moment. Out: a `Judgement` (in force or not, with the reason in a
plain sentence) and, in force, a `Scope` that answers every question of the rest of the keeper.

Decided here, because the law is in the details (R53, R54, N1):
- no file: nothing is in force, also when one was before (taking the file away is a withdrawal, and
  only a file that counts ends it);
- a file that does not count (signature, schema, other site, lower number) never replaces one that
  does: the earlier stays in force and the judgement says that a new file was refused and why;
- a variation has the same id and a higher number; another authority must be issued later;
- one that is not yet valid waits until its `not_before`, and the earlier one goes on until then;
- the clock used never runs backwards: see `law.timekeeping`.

Bounded: one document in force, one waiting, each at most `wire.authority.MAX_DOCUMENT` bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire.authority import (
    AllowOnlyClause,
    AnswersClause,
    Authority,
    AuthorityError,
    BlockClause,
    CollectClause,
    DataClass,
    ListsClause,
    NearbyClause,
    QuarantineClause,
    RegisterClause,
    SafeSearchClause,
    UnmaskClause,
    parse_signed,
    verify,
)
from wire.base import Standing

_FILTERS = (BlockClause, AllowOnlyClause, SafeSearchClause, AnswersClause)
"""Clauses that the filtering resolver carries out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one verified authority allows while it is in force. Clauses add up; nothing is implied."""

    authority: Authority

    def classes(self, standing: Standing) -> dict[DataClass, str]:
        """Data classes that may be kept of a device of this standing, each with its clause number."""
        found: dict[DataClass, str] = {}
        for clause in self.authority.clauses:
            if isinstance(clause, CollectClause) and standing in clause.standings:
                for data_class in clause.classes:
                    found.setdefault(data_class, clause.number)
        # Without leave to record that a device is there, nothing else can be recorded of it.
        return found if DataClass.PRESENCE in found else {}

    def names_leave(self, standing: Standing) -> bool:
        """Whether looked-up names of such a device may leave the sensor."""
        classes = self.classes(standing)
        return DataClass.LIST_HITS in classes or DataClass.FULL_NAMES in classes

    def lists(self, standing: Standing) -> dict[str, str]:
        """Ids of the lists in force for such a device, each with its clause number."""
        if not self.names_leave(standing):
            return {}
        found: dict[str, str] = {}
        for clause in self.authority.clauses:
            if isinstance(clause, ListsClause) and standing in clause.standings:
                for list_id in clause.lists:
                    found.setdefault(list_id, clause.number)
        return found

    def itemise(self, standing: Standing, list_id: str) -> bool:
        """Whether names on this list of adult sites are shown one by one for such a device; else as a trend (R32)."""
        return any(
            isinstance(clause, ListsClause)
            and clause.itemise is True
            and standing in clause.standings
            and list_id in clause.lists
            for clause in self.authority.clauses
        )

    def quarantine(self, standing: Standing) -> str | None:
        """Number of the clause that lets such a device be held back; None when there is none."""
        for clause in self.authority.clauses:
            if isinstance(clause, QuarantineClause) and standing in clause.standings:
                return clause.number
        return None

    def quarantine_closed(self, standing: Standing) -> bool:
        """Whether such a device stays held back when the box's software stops."""
        return any(
            isinstance(clause, QuarantineClause) and standing in clause.standings and clause.fail_closed is True
            for clause in self.authority.clauses
        )

    # --- what is refused (R22). None of it needs leave to collect: refusing a name records nothing. ----

    def filtered(self, standing: Standing) -> str | None:
        """Number of the first clause by which the questions of such a device go to the filtering resolver."""
        for clause in self.authority.clauses:
            if isinstance(clause, _FILTERS) and standing in clause.standings:
                return clause.number
        return None

    def block_lists(self, standing: Standing) -> dict[str, str]:
        """Ids of the lists whose names and addresses such a device does not reach, each with its clause number.

        A list named here need not be in a `ListsClause`: that one is about what is recorded.
        """
        return self._lists_of(BlockClause, standing)

    def allow_lists(self, standing: Standing) -> dict[str, str] | None:
        """Ids of the only lists that such a device reaches, each with its clause number; None: it is not so limited."""
        return self._lists_of(AllowOnlyClause, standing) or None

    def safe_search(self, standing: Standing) -> str | None:
        """Number of the clause that puts search engines in their strict mode for such a device."""
        for clause in self.authority.clauses:
            if isinstance(clause, SafeSearchClause) and standing in clause.standings:
                return clause.number
        return None

    def refuses(self, standing: Standing) -> dict[str, str]:
        """Which of `canary`, `relay` and `discovery` are refused to such a device, each with its clause number."""
        found: dict[str, str] = {}
        for clause in self.authority.clauses:
            if isinstance(clause, AnswersClause) and standing in clause.standings:
                for kind in clause.refuse:
                    found.setdefault(kind, clause.number)
        return found

    def fail_closed(self, standing: Standing) -> bool:
        """Whether a clause about filtering holds for such a device also when the box's software stops.

        There is one filtering resolver for all such clauses: one that says so is enough.
        """
        return any(
            isinstance(clause, _FILTERS) and standing in clause.standings and clause.fail_closed is True
            for clause in self.authority.clauses
        )

    def nearby(self) -> str | None:
        """Number of the clause that lets the box count phones that are near and never join (R21)."""
        for clause in self.authority.clauses:
            if isinstance(clause, NearbyClause):
                return clause.number
        return None

    def _lists_of(self, kind: type[BlockClause | AllowOnlyClause], standing: Standing) -> dict[str, str]:
        found: dict[str, str] = {}
        for clause in self.authority.clauses:
            if isinstance(clause, kind) and standing in clause.standings:
                for list_id in clause.lists:
                    found.setdefault(list_id, clause.number)
        return found

    def unmasking(self, standing: Standing) -> UnmaskClause | None:
        """The clause by which two officers may take the mask off one device of this standing for a time (N2)."""
        for clause in self.authority.clauses:
            if isinstance(clause, UnmaskClause) and standing in clause.standings:
                return clause
        return None

    def register(self) -> str | None:
        """Number of the clause that asks for devices to be registered; None when there is none."""
        for clause in self.authority.clauses:
            if isinstance(clause, RegisterClause):
                return clause.number
        return None


class Reason(StrEnum):
    """Why an authority is, or is not, in force."""

    IN_FORCE = "in-force"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    BAD_SIGNATURE = "bad-signature"
    WRONG_SITE = "wrong-site"
    OLDER = "older"
    NOT_YET = "not-yet"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """A consent that is needed is not there, or was not confirmed in time."""
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether there is leave to record at one moment, and why."""

    reason: Reason
    sentence: str
    """One plain sentence for a person, at most 300 characters."""
    scope: Scope | None = None


NOTHING = Judgement(reason=Reason.MISSING, sentence="There is no authority document, so nothing is recorded.")


def when(moment: float | datetime) -> str:
    """A moment as people write it, in UTC: `5 March 2026 at 14:05 UTC`."""
    at = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y} at {at:%H:%M} UTC"


def judge(authority: Authority, at: float) -> Judgement:
    """Whether a verified document is in force at a moment."""
    name = f"Authority {authority.id}, number {authority.number},"
    if at < authority.not_before.timestamp():
        return Judgement(
            reason=Reason.NOT_YET,
            sentence=f"{name} is not yet valid: it starts on {when(authority.not_before)}. Nothing is recorded.",
        )
    if at >= authority.not_after.timestamp():
        return Judgement(
            reason=Reason.EXPIRED,
            sentence=f"{name} expired on {when(authority.not_after)}. Nothing is recorded.",
        )
    missing = _missing(authority, at, name)
    if missing is not None:
        return missing
    for pause in authority.pauses or ():
        if pause.starts.timestamp() <= at < pause.ends.timestamp():
            sentence = f"{name} pauses until {when(pause.ends)}. Nothing is recorded."
            return Judgement(reason=Reason.PAUSED, sentence=sentence)
    return Judgement(
        reason=Reason.IN_FORCE,
        sentence=f"{name} is in force until {when(authority.not_after)}.",
        scope=Scope(authority=authority),
    )


def _missing(authority: Authority, at: float, name: str) -> Judgement | None:
    """Why a document that is within its dates is not in force: withdrawn, or a consent it needs is not there."""
    withdrawn = authority.withdrawn_at
    if withdrawn is not None and at >= withdrawn.timestamp():
        return Judgement(
            reason=Reason.WITHDRAWN, sentence=f"{name} was withdrawn on {when(withdrawn)}. Nothing is recorded."
        )
    consents = authority.consents or ()
    if authority.kind == "consent" and not any(consent.kind == "consent" for consent in consents):
        return Judgement(reason=Reason.LAPSED, sentence=f"{name} names no consent. Nothing is recorded.")
    for consent in consents:
        if consent.kind != "consent":
            if authority.kind == "consent" and consent.role == "adult":
                sentence = f"{name} lacks the consent of an adult. Nothing is recorded."
                return Judgement(reason=Reason.LAPSED, sentence=sentence)
            continue
        ended = consent.lapses()
        if at < consent.given_at.timestamp() or (ended is not None and at >= ended.timestamp()):
            sentence = f"{name} rests on a consent that does not hold now. Nothing is recorded."
            return Judgement(reason=Reason.LAPSED, sentence=sentence)
    return None


def ends(authority: Authority) -> float:
    """When a document ends by itself at the latest, as far as it says: its date, a withdrawal, a needed consent."""
    moments = [authority.not_after, authority.withdrawn_at]
    moments += [consent.lapses() for consent in authority.consents or () if consent.kind == "consent"]
    return min(moment.timestamp() for moment in moments if moment is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A file that does not count."""

    reason: Reason
    detail: str


def examine(raw: bytes, *, issuers: Sequence[Ed25519PublicKey], tenant: str, site: str) -> Authority | Refusal:
    """Read a signed file and check signature and site; its dates are `judge`'s business."""
    try:
        signed = parse_signed(raw)
    except AuthorityError as error:
        return Refusal(reason=Reason.UNREADABLE, detail=f"it cannot be read ({error})")
    try:
        authority = verify(signed, issuers)
    except AuthorityError as error:
        return Refusal(reason=Reason.BAD_SIGNATURE, detail=str(error))
    if (authority.tenant, authority.site) != (tenant, site):
        return Refusal(
            reason=Reason.WRONG_SITE,
            detail=f"it is for {authority.tenant}/{authority.site}, this box is {tenant}/{site}",
        )
    return authority
