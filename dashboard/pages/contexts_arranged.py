"""What the pages about arrangements, lists and reports of software are given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Asked, Choice, Moment
from dashboard.pages.contexts_bar import HouseholdBar
from dashboard.pages.contexts_device import Folded


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietForm(Folded):
    """The form that says that a finding is not relevant here (R30)."""

    scopes: tuple[Choice, ...]
    """For what: this subject, the rule on this device, the rule in this home."""
    whys: tuple[Choice, ...]
    """Why, in a few words."""
    ends: tuple[Choice, ...]
    """For how long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """One thing that an officer arranged with a box."""

    reference: str
    """The box's id of it."""
    text: str
    """What is arranged, one sentence."""
    detail: str
    """For which device or subject, in words."""
    why: str
    """The officer's reason."""
    by: str
    """Who."""
    at: Moment | None
    """When; None where the box does not say."""
    ends: Moment | None
    """Until when; None until an officer ends it."""
    over: bool
    """Whether its time is past, or has not come: it has no effect now."""
    past: bool
    """Whether its time is past: there is nothing left to end."""
    count: str
    """How much it kept quiet, in words; empty for what keeps nothing quiet."""
    token: str
    """Makes two sendings of the form that ends it one command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayForm(Folded):
    """The form that says that nobody, or one device, will be at home (R15)."""

    starts: str
    """Typed first day."""
    ends: str
    """Typed last day."""
    devices: tuple[Choice, ...]
    """Everybody, or one registered device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchForm(Folded):
    """The form that adds an entry of the household's own (R35, R67)."""

    name: str
    """Typed name."""
    kinds: tuple[Choice, ...]
    """To be found, or never to be kept."""
    below: bool
    """Whether names that belong to it count too."""
    severities: tuple[Choice, ...]
    """How soon to look."""
    days: str
    """Typed number of days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrangementsPage:
    """*Arrangements*: what officers have arranged with a box."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    said_at: Moment | None
    """When the box last said; None if never."""
    asked: tuple[Asked, ...]
    """Commands about the whole household, newest first."""
    quieted: tuple[Arranged, ...]
    """Rules that are quiet, the latest first."""
    away: tuple[Arranged, ...]
    """Away times, the next to end first."""
    watch: tuple[Arranged, ...]
    """Entries of the household's own, by name."""
    acts: bool
    """Whether who is asking may change them."""
    away_form: AwayForm | None
    """None for who may only look."""
    watch_form: WatchForm | None
    """None for who may only look."""
    target: str
    """Where the forms that end something are sent, without their last word."""
    errors: tuple[tuple[str, str], ...]
    """Field and what is wrong with it, of any of the forms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """A list in use at a box, or wanted (R31)."""

    title: str
    """What it is called."""
    version: str
    """Which version is in force, and how many entries it has; in words if there is none."""
    published: Moment | None
    """When that was published."""
    taken: Moment | None
    """When it came into use here."""
    problems: tuple[str, ...]
    """What is not in order, in sentences: stale, refused, lines that are no entry and their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionRow:
    """The monthly test that detection works (R33)."""

    text: str
    """Passed or not, one sentence."""
    well: bool
    """Whether nothing needs to be done."""
    due: Moment
    """When the next is due."""
    passed: Moment | None
    """When it was last passed; None if never."""
    detail: str
    """What the box says of it; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentForm(Folded):
    """The form that hands in a report of software on a device (N7)."""

    source: str
    """Typed name of the software."""
    starts: str
    """Typed first day that the report covers."""
    ends: str
    """Typed last day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPage:
    """*Report of software on a device*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    device: str
    """The device, in words."""
    device_address: str
    """Link back."""
    form: AgentForm
    """The form."""
    columns: tuple[tuple[str, str], ...]
    """Columns of the file and what each holds."""
    limits: str
    """The most a file may hold, one sentence."""
    faults: tuple[str, ...]
    """What is wrong with the file, each with its line; empty at first."""
