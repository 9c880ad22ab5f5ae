"""What officers type about a finding: what they decided, why, and what it turned out to be.

As `forms`: fields in, a `Decided` or what is wrong out; nothing is stored here. Bounded: every text has a most.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TypeVar

from dashboard.commands import TOKEN
from dashboard.i18n import _
from dashboard.pages import typed
from dashboard.pages.typed import DAY, INCOMPLETE, MOST_REASON, Errors, reason_errors, text_errors, tidy
from dashboard.store.outcomes import Action, Heading, Outcome, Purpose
from dashboard.store.queries import MOST_SAME
from dashboard.store.reviewing import Decided

MOST_FOLLOW_DAYS = 366
_One = TypeVar("_One", Action, Heading, Outcome, Purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A decision about a finding, as typed."""

    token: str
    seen: str
    action: str
    outcome: str
    follow_up: str
    referred_to: str
    reason: str
    second: bool
    purpose: str
    exculpatory: str
    heading: str
    together: bool
    others: tuple[str, ...]
    """Findings of the same cause that the page showed: what came meanwhile nobody has seen."""
    over: bool
    """Sent in the knowledge that somebody else had decided."""

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Reviewed:
        """Take the fields out of a form."""
        return cls(
            token=form.get("token", ""),
            seen=form.get("seen", ""),
            action=form.get("action", ""),
            outcome=form.get("outcome", ""),
            follow_up=form.get("follow_up", "").strip()[:20],
            referred_to=form.get("referred_to", ""),
            reason=tidy(form.get("reason", "")),
            second=form.get("second") == "1",
            purpose=form.get("purpose", ""),
            exculpatory=tidy(form.get("exculpatory", "")),
            heading=form.get("heading", ""),
            together=form.get("together") == "1",
            others=tuple(form.get("others", "").split()[:MOST_SAME]),
            over=form.get("over") == "1",
        )

    @classmethod
    def empty(cls, token: str, *, follow_up: str) -> Reviewed:
        """The form as it is shown first."""
        return cls.read({"token": token, "follow_up": follow_up, "together": "1"})

    @property
    def version(self) -> int:
        """Of the review that the page showed; -1, which is none, for what no page of ours sends."""
        return 0 if self.seen == "0" else typed.whole(self.seen, 10**6) or -1

    def check(self, *, now: float, zone: tzinfo, accounts: Collection[str]) -> tuple[Decided | None, Errors]:
        """The decision, or what is wrong; `accounts` are those that it may be referred to."""
        errors: list[tuple[str, str]] = []
        action = _one(Action, self.action)
        if action is None or action is Action.REGISTER:
            errors.append(("review-action", _("Select what you decide")))
        elif not TOKEN.fullmatch(self.token) or self.version < 0:
            errors.append(("review-action", INCOMPLETE))
        follow_up = None
        if action is Action.ASK:
            day = typed.day(self.follow_up)
            follow_up = None if day is None else typed.begin(day, zone).timestamp()
            if follow_up is None or not now - DAY < follow_up <= now + MOST_FOLLOW_DAYS * DAY:
                errors.append(("review-follow-up", _("Enter a day from today on, such as 31/1/2026")))
        if action is Action.REFER and self.referred_to not in accounts:
            errors.append(("review-referred", _("Select who you refer it to")))
        outcome = _one(Outcome, self.outcome)
        if outcome is None and (self.outcome or action is Action.NONE):
            errors.append(("review-outcome", _("Select what it turned out to be")))
        errors += reason_errors("review-reason", self.reason)
        about = self.exculpatory.replace("\n", " ")
        errors += text_errors("review-exculpatory", _("What speaks for the person"), about, MOST_REASON)
        if errors or action is None:
            return None, tuple(errors)
        decided = Decided(
            action=action,
            reason=self.reason,
            outcome=outcome,
            follow_up_at=follow_up,
            referred_to=self.referred_to if action is Action.REFER else None,
            second=self.second,
            purpose=_one(Purpose, self.purpose),
            exculpatory=self.exculpatory,
            heading=_one(Heading, self.heading),
        )
        return decided, ()


def _one(kinds: type[_One], value: str) -> _One | None:
    return next((item for item in kinds if item == value), None)
