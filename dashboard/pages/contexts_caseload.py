"""What *Households* and *Search* are given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Choice, Moment, SeverityMark
from dashboard.pages.typed import Errors


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdRow:
    """A line of the list of households."""

    household: str
    """What officers call it."""
    person: str
    """Who it is about, by reference or name as the operator sets; empty where nobody is entered."""
    risk: str
    """The assessed risk, in words; empty for none."""
    address: str
    """Link."""
    worst: SeverityMark | None
    """Worst finding that waits, For information where only a question does; None if nothing waits."""
    decisions: str
    """How many findings and questions wait, in words; empty for none."""
    oldest: str
    """How long the oldest has waited, in words; empty for none."""
    informs: str
    """How many findings are for information alone, in words; empty for none."""
    box: str
    """That the box does not report or record, in words; empty where all is well."""
    heard: Moment | None
    """When the box was last heard of; None if never, or if it reports."""
    review: str
    """When it is to be looked through, in words; empty where nothing says."""
    review_late: bool
    """Whether that is past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The form that narrows the list down."""

    text: str
    """Typed text."""
    severities: tuple[Choice, ...]
    """At least so urgent."""
    standings: tuple[Choice, ...]
    """A device of this standing."""
    risks: tuple[Choice, ...]
    """Of the person."""
    officers: tuple[Choice, ...]
    """In charge; empty for who sees only their own."""
    sorts: tuple[Choice, ...]
    """Order of the list."""
    silent: bool
    """Box does not report."""
    due: bool
    """Review is due."""
    ending: bool
    """Order ends."""
    narrowed: bool
    """Whether anything is chosen."""
    query: str
    """All of it as it stands in the address; shareable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdsPage:
    """*Households*."""

    households: tuple[HouseholdRow, ...]
    """Those of this page."""
    summary: str
    """How many, in words."""
    filters: Filters
    """What narrows them down."""
    saved: tuple[tuple[str, str], ...]
    """Kept filters: names and links."""
    save_token: str
    """What a filter is kept under is typed; this is its query."""
    pages: tuple[tuple[str, str, bool], ...]
    """Numbers of pages, their links, and whether it is this one; empty for one page."""
    before: str
    """Link to the page before; empty for none."""
    after: str
    """Link to the page after; empty for none."""
    csv: str
    """Link to the list as a file; empty for who may not take it."""
    saved_name: str
    """Typed name that was not taken."""
    errors: Errors
    """What was wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """Something that was found."""

    text: str
    """What it is."""
    detail: str
    """What is known of it."""
    address: str
    """Link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """*Search*."""

    text: str
    """What was typed."""
    summary: str
    """What was looked for, and how much was found."""
    households: tuple[FoundRow, ...]
    """By name or reference."""
    devices: tuple[FoundRow, ...]
    """By hardware address."""
    findings: tuple[FoundRow, ...]
    """By a name on a list."""
    full: bool
    """There may be more than is shown."""
