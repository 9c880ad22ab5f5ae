"""What the pages about the box's software show. Plain text; times as `Moment`. Nothing is about a person."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import ActForm, Fact, Moment
from dashboard.pages.contexts_team import Removable
from dashboard.pages.typed import Errors


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """A release in the list."""

    heading: str
    """Version and board."""
    address: str
    """Its page."""
    state: str
    """In words."""
    well: bool
    """Nothing asks for somebody."""
    progress: str
    """How many boxes have it, of those that were told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwarePage:
    """*Software*."""

    summary: str
    """In one sentence."""
    calm: bool
    """Nothing asks for somebody."""
    releases: tuple[ReleaseRow, ...]
    """Newest first."""
    versions: tuple[tuple[str, int], ...]
    """What boxes run, and how many."""
    outdated: tuple[tuple[str, str], ...]
    """Box, and which of its programs are older than they may be."""
    pilots: tuple[Removable, ...]
    """Boxes that are told first."""
    forms: tuple[ActForm, ...]
    """To enter a statement, and to name a pilot."""
    errors: Errors
    """What is wrong with what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RingRow:
    """A ring of a release."""

    share: str
    """Which boxes."""
    opens: Moment
    """When they are told."""
    is_open: bool
    """Whether they are told already."""
    progress: tuple[int, int, int, int, int]
    """Told, have it, did not work, silent, under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindRow:
    """A box that does not have a release."""

    site: str
    """Its id."""
    address: str
    """Its page."""
    became: str
    """What became of it, in words."""
    detail: str
    """The box's own words; may be empty."""
    heard: Moment | None
    """When it was heard of last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePage:
    """One release."""

    heading: str
    """Version and board."""
    state: str
    """In a sentence."""
    well: bool
    """Nothing asks for somebody."""
    facts: tuple[Fact, ...]
    """What the statement says."""
    rings: tuple[RingRow, ...]
    """In the order in which they are told."""
    behind: tuple[BehindRow, ...]
    """Boxes that were told and do not have it."""
    overdue: tuple[BehindRow, ...]
    """Boxes that should have it by now."""
    overdue_left_out: int
    """How many more."""
    forms: tuple[ActForm, ...]
    """What can be done now."""
    errors: Errors
    """What is wrong with what was sent."""
