"""What the pages with drawings are given: timeline, coverage, activity (see `contexts`).

A drawing is a strip of `WIDTH` units; a bar is its left end and its width in those. Every drawing has a table beside it
that says the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Choice, Fact, Moment, SeverityMark
from dashboard.pages.contexts_bar import HouseholdBar


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A part of a strip."""

    x: float
    """Left end."""
    width: float
    """Width; never so small that it is not seen."""
    kind: str
    """there, gap, unknown, or a severity's key: the colour and shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on the axis."""

    x: float
    """Where."""
    text: str
    """What stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A device's strip."""

    device: str
    """In words."""
    address: str
    """Link to it; empty for the box and its network."""
    standing: str
    """In words; empty for the box."""
    bars: tuple[Bar, ...]
    """When it was there, and findings about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """A line of the table beside the drawing."""

    at: Moment
    """When it began, or was seen first."""
    until: Moment | None
    """When it ended; None while it lasts, and for a finding seen once."""
    device: str
    """In words."""
    text: str
    """What: there, could not see, or the finding's sentence."""
    detail: str
    """How long; may be empty."""
    address: str
    """Link to the finding; empty for others."""
    severity: SeverityMark | None
    """Of a finding; else None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePage:
    """*Timeline*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    spans: tuple[Choice, ...]
    """Day or week."""
    first: str
    """First day shown, as a browser's date field has it."""
    says: str
    """Which days are shown, in words."""
    before: str
    """Link to the span before."""
    after: str
    """Link to the span after; empty where that has not begun."""
    ticks: tuple[Tick, ...]
    """Marks of the axis."""
    gaps: tuple[Bar, ...]
    """When the box could not see."""
    lanes: tuple[Lane, ...]
    """Devices that were there or have a finding; registered first."""
    lanes_left_out: int
    """Devices beyond the most that are drawn."""
    rows: tuple[TimelineRow, ...]
    """The same as a table, newest first."""
    rows_left_out: int
    """Lines beyond the most that are shown."""
    cannot_see: tuple[str, ...]
    """What this page does not cover (R20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """A time in which the box could not see."""

    started: Moment
    """From when."""
    ended: Moment | None
    """Until when; None while it lasts."""
    lasted: str
    """How long, in words."""
    why: str
    """Why, one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveragePage:
    """*Coverage*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    shares: tuple[Fact, ...]
    """Which share of the last 7 and 30 days it could see."""
    ticks: tuple[Tick, ...]
    """Marks of the axis."""
    strip: tuple[Bar, ...]
    """The last 30 days."""
    gaps: tuple[GapRow, ...]
    """When it could not see, newest first."""
    gaps_left_out: bool
    """There are more."""
    unheard: str
    """Since when nothing was heard, so that it is not known yet what it saw; empty for nothing."""
    cannot_see: tuple[str, ...]
    """What the box never sees (R20)."""
    who_else: tuple[str, ...]
    """What takes another source than this box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRow:
    """A week of a device."""

    week: str
    """Its first day, in words."""
    hours: str
    """Hours there."""
    nights: str
    """Of that at night."""
    long: str
    """Number of long stays and the longest."""
    named: str
    """Share that the box could name; empty where it did not say."""
    seen: str
    """Share of the week that the box could see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityDevice:
    """A registered device and how it was there."""

    device: str
    """In words."""
    address: str
    """Link to it."""
    change: str
    """The last four weeks against the four before, one sentence."""
    days: tuple[Bar, ...]
    """Hours a day over the last 28 days: here `width` is a day's, and `kind` is its height from 0 to 100."""
    weeks: tuple[WeekRow, ...]
    """Newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """*Activity*: a pattern of use, for treatment staff too (S4)."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    allowed: bool
    """Whether the order in force allows a pattern of use."""
    rests_on: str
    """Which clause allows it, or that none does."""
    night: str
    """What counts as night, in words."""
    devices: tuple[ActivityDevice, ...]
    """Registered devices."""
    trends: tuple[tuple[str, str, Moment], ...]
    """Findings about a trend: sentence, link, when."""
    made: Moment
    """When it was made, for paper."""
    cannot_see: tuple[str, ...]
    """What this page does not cover (R20)."""
