"""What the pages of an installation are given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Choice, Fact, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class InField:
    """A field of a form."""

    id: str
    """Element id."""
    name: str
    """As it is sent."""
    kind: str
    """text, area, day, radios, checks, select, file, drawn or hidden."""
    label: str
    """What it is."""
    hint: str
    """What to enter; may be empty."""
    value: str
    """What stands in it."""
    choices: tuple[Choice, ...]
    """Of radios, checks and select."""
    error: str
    """What is wrong; empty where nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForm:
    """A form."""

    heading: str
    """What it is for."""
    says: str
    """What follows from sending it; may be empty."""
    target: str
    """Where it goes."""
    token: str
    """Its own id, so that a form sent twice is one act."""
    fields: tuple[InField, ...]
    """What is asked."""
    button: str
    """Text of its button."""
    folded: bool
    """Shown on asking for it only: something was saved before."""
    upload: bool
    """It has a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRow:
    """An installation in the list."""

    reference: str
    """The case."""
    address: str
    """Of its task list."""
    kind: str
    """Installation or removal, in words."""
    state: str
    """How far, in words."""
    by: str
    """Who began it."""
    at: Moment
    """When."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallListPage:
    """*Install*: all installations."""

    going: tuple[InstallRow, ...]
    """Those that are not closed."""
    closed: tuple[InstallRow, ...]
    """The newest that are."""
    forms: tuple[InForm, ...]
    """To begin one, and to take a box away."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A section of the task list."""

    key: str
    """Its name."""
    title: str
    """What it is."""
    hint: str
    """What comes first, or how long it took; may be empty."""
    address: str
    """Empty where it cannot be begun yet."""
    state: str
    """In words."""
    state_key: str
    """done, begun, ready, blocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksPage:
    """The task list of one installation."""

    heading: str
    """Installation or removal."""
    reference: str
    """The case."""
    summary: str
    """How many sections are done."""
    well: bool
    """All of it is."""
    groups: tuple[tuple[str, tuple[TaskRow, ...]], ...]
    """Where it is done, and the sections."""
    notes: tuple[str, ...]
    """What else there is to say."""
    links: tuple[tuple[str, str], ...]
    """Text and address."""
    form: InForm | None
    """To give it up; None where it is closed."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPage:
    """A section."""

    key: str
    """Its name."""
    heading: str
    """What it is."""
    reference: str
    """The case."""
    back: str
    """Of the task list."""
    intro: tuple[str, ...]
    """What to do."""
    facts_title: str
    """Over what was saved."""
    facts: tuple[Fact, ...]
    """What was saved, to be checked."""
    rows: tuple[str, ...]
    """Lines below it."""
    links: tuple[tuple[str, str], ...]
    """Text and address."""
    forms: tuple[InForm, ...]
    """What can be entered."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A check of the box."""

    key: str
    """Its name."""
    title: str
    """What is checked."""
    state: str
    """In words."""
    state_key: str
    """good, fail, wait."""
    detail: str
    """What it rests on, or what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPage:
    """A section that looks again by itself: connecting, and the self-test."""

    key: str
    """Its name."""
    heading: str
    """What it is."""
    reference: str
    """The case."""
    back: str
    """Of the task list."""
    intro: tuple[str, ...]
    """What to do, in order."""
    drawing: bool
    """Whether the drawing of the cables is shown."""
    summary: str
    """How it stands, in a sentence."""
    well: bool
    """Nothing more is to be done here."""
    checks: tuple[CheckRow, ...]
    """What the box has said."""
    links: tuple[tuple[str, str], ...]
    """Text and address."""
    forms: tuple[InForm, ...]
    """What can be done."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    """A passphrase card."""

    label: str
    """Which device it is for."""
    name: str
    """Of the Wi-Fi."""
    passphrase: str
    """In clear: shown this once."""
    svg: str
    """The QR code, made here."""
    shared: bool
    """It is everybody's, not one device's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardsPage:
    """Passphrase cards, shown once."""

    reference: str
    """The case, or the household."""
    back: str
    """Of the section."""
    cards: tuple[CardRow, ...]
    """One a device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """A device to be confirmed."""

    id: str
    """Its opaque id."""
    name: str
    """What it is called, or looks like."""
    detail: str
    """What it looks like, when it was seen, whether it hides its address."""
    standing: str
    """What it is now, in words."""
    asked: str
    """What was asked for it just now; empty where nothing was."""
    token: str
    """Of its decision."""
    label: str
    """As typed."""
    choices: tuple[Choice, ...]
    """Whose it may be."""
    error: str
    """What is wrong; empty where nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesPage:
    """All devices of the home on one page."""

    reference: str
    """The case."""
    back: str
    """Of the task list."""
    target: str
    """Where the form goes."""
    devices: tuple[DeviceLine, ...]
    """At most so many as one form takes, those without an owner first."""
    left_out: int
    """More that are not shown."""
    reason: str
    """As typed."""
    never: tuple[str, ...]
    """What must never lose its connection, as was noted."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSection:
    """A heading of a paper and what stands under it."""

    title: str
    """Heading."""
    paragraphs: tuple[str, ...]
    """Text."""
    items: tuple[str, ...]
    """A list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper in one language."""

    language: str
    """Code."""
    direction: str
    """ltr or rtl."""
    machine_made: bool
    """No person has read it through."""
    title: str
    """Heading."""
    facts: tuple[Fact, ...]
    """Of the certificate."""
    sections: tuple[PaperSection, ...]
    """What it says."""
    sign: str
    """The sentence under which somebody signs; empty where nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPage:
    """A notice or a certificate: in the household's language, with English beside it."""

    heading: str
    """What it is."""
    reference: str
    """The case."""
    back: str
    """Link back."""
    pdf: str
    """Address of the same as PDF."""
    languages: tuple[tuple[str, str, str, bool], ...]
    """Code, own name, address and whether it is shown."""
    papers: tuple[Paper, ...]
    """The language asked for, then English."""
