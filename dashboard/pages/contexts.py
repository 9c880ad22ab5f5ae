"""What each page is given: one frozen dataclass a page. Templates may use nothing else (tested).

All text in here is already plain words or foreign text made harmless by `words.plain`; templates
still escape it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time."""

    text: str
    """Plain words, operator's time zone: `14 January 2026, 21:04`."""
    machine: str
    """ISO 8601 UTC for `<time datetime>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What surrounds every page."""

    title: str
    """For `<title>`; never a person's or household's name."""
    operator: str
    """Whose service this is, for the header."""
    account: str
    """Name of who is signed in; empty when nobody is."""
    until: Moment | None
    """When the session ends."""
    section: str
    """Current entry of the navigation: today, households or empty."""
    zone: str
    """Which time the page keeps, in words."""
    checked: Moment
    """When this page was made."""
    live_address: str
    """Where the live part is fetched again; empty if the page has none."""
    live_etag: str
    """Entity tag of the live part shown."""
    poll_seconds: float
    """Seconds between two looks."""
    reload_to: str
    """Where a browser without JavaScript goes by itself after `reload_seconds`; empty for nowhere."""
    reload_seconds: int
    """See `reload_to`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityMark:
    """A severity as a word and a shape."""

    key: str
    """act-now, today, this-week or information: the shape."""
    text: str
    """The word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One household, one cause: something to decide."""

    severity: SeverityMark
    """Worst of its findings."""
    household: str
    """What officers call the household."""
    household_address: str
    """Link to the household."""
    sentence: str
    """What was seen, one sentence."""
    detail: str
    """The device or devices, in words."""
    since: Moment
    """When the oldest was raised."""
    last: Moment | None
    """When the latest was last seen, if the card stays: tells whether there is news. None for others."""
    address: str
    """Where to decide: the finding, or the household's list of findings."""
    action: str
    """Words of the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxRow:
    """A box that needs attention."""

    household: str
    """What officers call the household."""
    household_address: str
    """Link to the household."""
    problem: str
    """What is wrong, one sentence."""
    heard: Moment | None
    """When it was last heard of; None if never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayPage:
    """*Today*: what needs a decision."""

    summary: str
    """One line over everything: how many of how many."""
    cards: tuple[Card, ...]
    """Worst first, then oldest."""
    left_out: int
    """Cards beyond the most that are shown."""
    boxes: tuple[BoxRow, ...]
    """Boxes that do not report or do not record."""
    quiet: int
    """Households with nothing to decide and a box in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdRow:
    """A line of the list of households."""

    household: str
    """What officers call it."""
    address: str
    """Link."""
    worst: SeverityMark | None
    """Worst open finding; None if there is none."""
    decisions: str
    """How many findings are open, in words."""
    box: str
    """Whether the box reports, in words."""
    heard: Moment | None
    """When the box was last heard of; None if never, or if it reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdsPage:
    """*Households*: all of them."""

    households: tuple[HouseholdRow, ...]
    """Those with something to decide first, then by reference."""
    left_out: int
    """Households beyond the most that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCard:
    """A finding as the household's page lists it."""

    anchor: str
    """Element id."""
    severity: SeverityMark
    """How soon to look."""
    sentence: str
    """What was seen."""
    device: str
    """Which device, in words."""
    state: str
    """Open or Closed."""
    open: bool
    """Whether it still waits for a decision."""
    first_seen: Moment
    """Earliest support."""
    last_seen: Moment
    """Latest support."""
    times: str
    """How often, in words."""
    why: str
    """Why it matters."""
    sure: str
    """How sure, in words."""
    closed_because: str
    """Why it was closed; empty while open."""
    stays: str
    """What to do about a finding that no form here closes; empty for others."""
    address: str
    """Link to the finding."""
    action: str
    """Words of the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device of the household."""

    anchor: str
    """Element id."""
    name: str
    """Label given by an officer, or that there is none."""
    standing: str
    """Standing in words."""
    standing_key: str
    """Standing as the wire says it, for the tag's colour."""
    looks_like: str
    """What it appears to be."""
    sure: str
    """How sure of that; empty if unknown."""
    reasons: tuple[str, ...]
    """Why it appears so."""
    first_seen: Moment
    """First seen."""
    last_seen: Moment
    """Last seen."""
    private: bool
    """Whether it hides its own hardware address (the locally administered bit)."""
    quarantined: bool
    """Whether the box holds it off the internet."""
    addresses: tuple[str, ...]
    """Hardware addresses used, newest first, with dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Health of the box."""

    reporting: bool
    """Whether it was heard of lately."""
    heard: Moment | None
    """When; None if never."""
    said_at: Moment | None
    """When it last spoke of its own health."""
    sentence: str
    """Reporting or not, one sentence."""
    authority: str
    """The box's own sentence on what it may do."""
    recording: bool
    """Whether it may record now."""
    waiting: str
    """Records it still holds, in words; empty if none."""
    parts: tuple[tuple[str, str], ...]
    """Programs of the box and whether each runs."""
    taps: tuple[tuple[str, str, str], ...]
    """Listening points: name, messages read, what was missed."""
    blind: tuple[tuple[Moment, Moment | None, str], ...]
    """The latest times in which it could not see, newest first: from, until (None while it lasts), why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdPage:
    """*Household*."""

    household: str
    """What officers call it."""
    site: str
    """The box's reference."""
    summary: str
    """How many decisions wait."""
    findings: tuple[FindingCard, ...]
    """Open, worst and oldest first."""
    closed: tuple[FindingCard, ...]
    """Closed, newest first."""
    findings_left_out: int
    """Open findings beyond the most that are shown."""
    devices: tuple[DeviceRow, ...]
    """Not registered first, then latest seen."""
    devices_left_out: int
    """Devices beyond the most that are shown."""
    box: Box
    """Health of the box."""
    cannot_see: tuple[str, ...]
    """What this box cannot see (R20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A standing to choose."""

    value: str
    """As the wire says it."""
    text: str
    """In words."""
    hint: str
    """What it means for what is kept."""
    checked: bool
    """Chosen already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The form that says what a device is."""

    heading: str
    """What the form does."""
    folded: bool
    """Shown behind a disclosure, as nothing asks for it now."""
    target: str
    """Where it is sent."""
    token: str
    """Makes two sendings of the same form one command."""
    choices: tuple[Choice, ...]
    """Standings."""
    label: str
    """Typed or known label."""
    days: str
    """Typed number of days for a guest."""
    reason: str
    """Typed reason."""
    errors: tuple[tuple[str, str], ...]
    """Field and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command about the device, sent earlier."""

    text: str
    """What was asked and what became of it."""
    at: Moment
    """When."""
    by: str
    """Who asked."""
    address: str
    """Link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A line of evidence."""

    key: str
    """What."""
    value: str
    """The value, harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPage:
    """*Finding*."""

    household: str
    """What officers call the household."""
    household_address: str
    """Link back."""
    card: FindingCard
    """The finding."""
    matched: tuple[Fact, ...]
    """Name and list, if a name was matched."""
    reasons: tuple[str, ...]
    """Why the rule fired."""
    alternatives: tuple[str, ...]
    """What else could explain it."""
    facts: tuple[Fact, ...]
    """What matched, rule, list, versions, clause (R29)."""
    device: DeviceRow | None
    """The device, if the box told of it."""
    asked: tuple[Asked, ...]
    """Commands about it, newest first."""
    register: Register | None
    """The form; None for who may only look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPage:
    """*Sent to the box*."""

    heading: str
    """What became of it."""
    explanation: str
    """One sentence more."""
    state: str
    """waiting, sent, unsent, unanswered, or the box's outcome."""
    done: bool
    """Whether an answer, or none any more, is certain."""
    facts: tuple[Fact, ...]
    """What was asked, by whom, when, why."""
    household: str
    """What officers call the household."""
    household_address: str
    """Link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage:
    """*Sign in*."""

    name: str
    """Typed name."""
    target: str
    """Where to go afterwards: a path of this service."""
    error: str
    """What went wrong; empty at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """A page that could not be shown."""

    heading: str
    """What happened."""
    explanation: str
    """What to do."""
    home: bool
    """Whether a link to Today helps."""
