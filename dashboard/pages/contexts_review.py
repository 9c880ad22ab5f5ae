"""What pages are given about looks and decisions (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Choice, Moment
from dashboard.pages.contexts_bar import HouseholdBar
from dashboard.pages.typed import Errors


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """One act of a finding's history."""

    text: str
    """What was done, with the outcome, in words."""
    reason: str
    """Why."""
    by: str
    """Who."""
    at: Moment
    """When."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a finding's review stands."""

    text: str
    """In one sentence."""
    waits: bool
    """Whether it waits for a decision."""
    outcome: str
    """In words; empty for none."""
    reason: str
    """What was given for it; empty while nobody has decided."""
    by: str
    """Who decided last; empty for nobody."""
    at: Moment | None
    """When."""
    purpose: str
    """Prevention or detection; empty where not said."""
    exculpatory: str
    """What speaks for the person; empty where nothing was said."""
    heading: str
    """Heading of the risk review; empty for none."""
    since: str
    """What has changed since; empty for nothing."""
    history: tuple[ActRow, ...]
    """All acts, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewForm:
    """The form that decides about a finding."""

    target: str
    """Where it goes."""
    token: str
    """Makes two sendings one."""
    seen: int
    """Version that the page shows."""
    over: bool
    """It would take the place of what somebody else decided meanwhile."""
    meanwhile: str
    """What somebody else decided meanwhile; empty for nothing."""
    actions: tuple[Choice, ...]
    """What can be done."""
    outcomes: tuple[Choice, ...]
    """What it turned out to be."""
    accounts: tuple[Choice, ...]
    """Who it can be referred to."""
    follow_up: str
    """Day on which it comes back."""
    reason: str
    """Typed reason."""
    second: bool
    """Whether somebody else is to look and agree."""
    second_needed: bool
    """Somebody else has to, whatever is ticked."""
    purposes: tuple[Choice, ...]
    """Prevention or detection."""
    exculpatory: str
    """Typed text."""
    headings: tuple[Choice, ...]
    """Headings of the risk review."""
    others: tuple[str, ...]
    """Other findings of the same cause that wait too."""
    together: bool
    """Whether they are decided alike."""
    more: bool
    """Whether the part that is seldom used is open."""
    skip: str
    """Link to the next item without deciding."""
    errors: Errors
    """What was wrong with the last sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonForm:
    """A form that asks for a reason alone: for a second look, or to reopen."""

    key: str
    """second or reopen."""
    target: str
    """Where it goes."""
    token: str
    """Makes two sendings one."""
    seen: int
    """Version that the page shows."""
    reason: str
    """What was typed."""
    errors: Errors
    """What was wrong with the last sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRow:
    """An earlier finding like this one in this home."""

    at: Moment
    """When it was last seen."""
    text: str
    """What was decided, in words."""
    address: str
    """Link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """Something decided that comes back to Today."""

    why: str
    """Why it is here."""
    household: str
    """What officers call the household."""
    text: str
    """What was found, and what was said."""
    by: str
    """Who said it."""
    at: Moment
    """When it is, or was, due."""
    late: bool
    """Whether that is past by more than a day."""
    address: str
    """Link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenRow:
    """Findings of a household that the box closed before anybody looked at them."""

    household: str
    """What officers call the household."""
    text: str
    """What they are and how many."""
    since: Moment
    """When the oldest was raised."""
    address: str
    """Where to look at them together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRow:
    """A household whose review is due, whose order ends, or where less may be enough."""

    household: str
    """What officers call the household."""
    text: str
    """What is due, in words."""
    address: str
    """Where to say that it was looked through."""
    order_address: str
    """Link to its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenFinding:
    """One of them."""

    finding_id: str
    """Reference."""
    sentence: str
    """What was found."""
    detail: str
    """Which device, and why the box closed it."""
    raised: Moment
    """When it was raised."""
    address: str
    """Link."""
    checked: bool
    """Ticked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedPage:
    """*Look through*: a household as a whole, and what the box closed before anybody looked at it."""

    bar: HouseholdBar
    """Whose household it is."""
    target: str
    """Where the form goes."""
    token: str
    """Makes two sendings one."""
    last: str
    """When it was last looked through and when it is due again, in words."""
    findings: tuple[UnseenFinding, ...]
    """Closed before anybody looked: the worst, oldest first."""
    waiting: str
    """How many open findings wait for a decision, in words; empty for none."""
    outcomes: tuple[Choice, ...]
    """What those that are ticked turned out to be."""
    reason: str
    """Typed reason."""
    decides: bool
    """Whether who is asking may decide."""
    history: tuple[ActRow, ...]
    """Earlier looks, newest first."""
    errors: Errors
    """What was wrong with the last sending."""
