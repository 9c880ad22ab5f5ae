"""What each page is given: one frozen dataclass a page. Templates may use nothing else (tested).

Here is what all pages share, and the pages that are not about one household; see `contexts_household` for
those, and `contexts_device` for devices and the forms about them.

All text in here is already plain words or foreign text made harmless by `words.plain`; templates
still escape it.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.navigation import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time."""

    text: str
    """Plain words, operator's time zone: `14 January 2026, 21:04`."""
    machine: str
    """ISO 8601 UTC for `<time datetime>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something that an account is told at once."""

    about: str
    """Id of what it is about."""
    text: str
    """What happened."""
    at: Moment
    """When."""


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
    """When the session ends if nothing more is asked for."""
    ends_in: int
    """Seconds until then."""
    section: str
    """Current entry of the navigation: today, households or empty."""
    places: tuple[Place, ...]
    """The navigation."""
    language: str
    """Code of the language that is shown."""
    languages: tuple[tuple[str, str], ...]
    """Codes and names of those to choose from; empty where there is no choice."""
    machine_made: bool
    """The language shown was not read through by a person yet."""
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
    messages: tuple[Message, ...]
    """What who is signed in was told and has not said that they read."""
    demo: bool
    """This is the demonstration: nothing on the page is real."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityMark:
    """A severity as a word and a shape."""

    key: str
    """act-now, today, this-week or information: the shape."""
    text: str
    """The word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A line of evidence."""

    key: str
    """What."""
    value: str
    """The value, harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command sent earlier."""

    text: str
    """What was asked and what became of it."""
    at: Moment
    """When."""
    by: str
    """Who asked."""
    address: str
    """Link."""


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
class ActField:
    """One field of a form."""

    id: str
    """Element id."""
    name: str
    """Name in the form."""
    kind: str
    """text, area, day, number, device, purpose or hidden."""
    label: str
    """What is asked."""
    hint: str
    """Help; may be empty."""
    value: str
    """What was typed."""
    choices: tuple[Choice, ...]
    """For one that chooses."""
    error: str
    """What is wrong; empty if nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActForm:
    """A form for one act."""

    key: str
    """Which act."""
    opened: bool
    """Whether it came back with something wrong."""
    target: str
    """Where it goes."""
    token: str
    """Makes two sendings one."""
    heading: str
    """What it does, in a few words."""
    says: str
    """What it does, in a sentence or two; may be empty."""
    button: str
    """Words of the button."""
    fields: tuple[ActField, ...]
    """Its fields."""
    emergency: str
    """What it means to act alone in an emergency; empty where that cannot be done."""


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
    wrong: bool
    """Whether an answer came without a reason."""
    forms: tuple[ActForm, ...]
    """What who is asking can do about it as a second person."""
    not_apart: bool = False
    """Who is asking had the sign-in code of who asked in hand, or the other way round: somebody else has to agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """A page that could not be shown."""

    heading: str
    """What happened."""
    explanation: str
    """What to do."""
    home: bool
    """Whether a link to Today helps."""
