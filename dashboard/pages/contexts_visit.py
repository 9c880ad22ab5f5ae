"""What the pages about home visits are given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Choice, Fact, Moment, SeverityMark
from dashboard.pages.contexts_bar import HouseholdBar


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRow:
    """A visit in a list."""

    address: str
    """Link."""
    at: Moment
    """When it began."""
    by: str
    """Who held it."""
    state: str
    """Signed or not, in words."""
    outcome: str
    """What was entered at its end; empty while it is not signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartForm:
    """The form that begins a visit."""

    target: str
    """Where it goes."""
    token: str
    """Becomes the visit's id, so that two sendings are one visit."""
    present: tuple[Choice, ...]
    """Who is there, by role."""
    day: str
    """Day as typed, for a visit that was held before; empty for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A further page."""

    text: str
    """Words of the link."""
    address: str
    """Where it leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitsPage:
    """*Visits*."""

    bar: HouseholdBar
    """Whose household."""
    said: str
    """When the last one was, in a sentence."""
    visits: tuple[VisitRow, ...]
    """Newest first."""
    papers: tuple[Link, ...]
    """What to read or print before and after."""
    start: StartForm | None
    """None for who may only look."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollLine:
    """A device of the roll-call."""

    number: int
    """On the sheet."""
    device_id: str
    """Its reference."""
    name: str
    """In words."""
    standing: str
    """Whose it is, in words."""
    now: str
    """Whether the box has it there, in words."""
    state: str
    """What was said, as the form says it."""
    state_words: str
    """In words."""
    note: str
    """What was noted."""
    error: str
    """What is wrong with the note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question of the set."""

    id: str
    """Element id and name of the field."""
    kind: str
    """number, choice or text."""
    text: str
    """The question."""
    hint: str
    """Help; may be empty."""
    choices: tuple[Choice, ...]
    """For one that chooses."""
    value: str
    """The answer."""
    error: str
    """What is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignForm:
    """The form that closes a visit."""

    target: str
    """Where it goes."""
    outcomes: tuple[Choice, ...]
    """The operator's own set."""
    explained: tuple[Choice, ...]
    """What was explained."""
    note: str
    """As typed."""
    own_words: str
    """Of the person visited, as typed."""
    name: str
    """Typed name."""
    account: str
    """What is to be typed."""
    revision: int
    """Which saving is signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What was added after signing."""

    text: str
    """What."""
    by: str
    """Who."""
    at: Moment
    """When."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddForm:
    """The form that adds to a signed visit."""

    target: str
    """Where it goes."""
    token: str
    """Makes two sendings one."""
    text: str
    """As typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPage:
    """One visit that is not signed: the sheet."""

    bar: HouseholdBar
    """Whose household."""
    at: Moment
    """When it began."""
    by: str
    """Who holds it."""
    present: str
    """Who was there, by role."""
    saved: Moment
    """When it was saved last."""
    done: bool
    """It was saved just now."""
    target: str
    """Where the sheet goes; empty for who may only look."""
    revision: int
    """Which saving the sheet knows of."""
    reference: str
    """Of the visit; for programs."""
    keep: str
    """Key with which the browser seals what is typed and not sent yet; it is not stored there."""
    lines: tuple[RollLine, ...]
    """Devices, by number."""
    called: str
    """How the roll-call stands."""
    to_ask: tuple[str, ...]
    """Devices to ask about."""
    found: tuple[str, ...]
    """Devices that were shown and that the box does not know, with room for more."""
    questions: tuple[Ask, ...]
    """The set of questions."""
    differences: tuple[str, ...]
    """Where answers and what the box saw do not match."""
    codes: str
    """Codes of a paper sheet, as typed."""
    paper: str
    """Link to the sheet for printing."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignPage:
    """Check and sign."""

    bar: HouseholdBar
    """Whose household."""
    at: Moment
    """When the visit began."""
    back: str
    """Link to the sheet."""
    called: str
    """How the roll-call stands."""
    to_ask: tuple[str, ...]
    """Devices to ask about."""
    found: tuple[str, ...]
    """Devices that the box does not know."""
    answers: tuple[tuple[str, str], ...]
    """Questions and answers."""
    differences: tuple[str, ...]
    """Where they and what the box saw do not match."""
    sign: SignForm
    """The form."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPage:
    """One visit that was signed."""

    bar: HouseholdBar
    """Whose household."""
    at: Moment
    """When it began."""
    by: str
    """Who signed."""
    signed: Moment
    """When."""
    facts: tuple[Fact, ...]
    """Outcome, who was there, what was explained, the person's own words."""
    lines: tuple[RollLine, ...]
    """Devices as they were."""
    called: str
    """How the roll-call ended."""
    found: tuple[str, ...]
    """Devices that the box did not know."""
    answers: tuple[tuple[str, str], ...]
    """Questions and answers."""
    differences: tuple[str, ...]
    """Where they did not match what the box saw then."""
    case_line: str
    """To paste into the case system."""
    digest: str
    """SHA-256 of what was signed."""
    whole: bool
    """Whether what is stored is what has that digest, or what erasing left of it."""
    erased: int
    """Lines of the roll-call that were erased since (R65)."""
    addenda: tuple[Added, ...]
    """Oldest first."""
    add: AddForm | None
    """None for who may only look, and where there is no room."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """Findings of a kind, for the summary before a visit."""

    severity: SeverityMark | None
    """None for what is not open."""
    sentence: str
    """What was seen."""
    numbers: str
    """How many are open and were raised or closed since, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforePage:
    """What to know before a visit, on one page (R44)."""

    bar: HouseholdBar
    """Whose household."""
    made: Moment
    """When it was put together."""
    order: str
    """What may be recorded until when, in a sentence."""
    since: str
    """Since when changes are counted, in words."""
    changes: tuple[str, ...]
    """What changed since."""
    findings: tuple[KindRow, ...]
    """By kind, worst first."""
    questions: tuple[str, ...]
    """To ask."""
    lines: tuple[RollLine, ...]
    """Devices to see."""
    left_out: int
    """Devices that are not listed."""
    health: str
    """Of the box, in a sentence."""
    blind: tuple[str, ...]
    """When it could not see."""
    cannot_see: tuple[str, ...]
    """What it cannot see at all (R20)."""
    pdf: str
    """Link to the same as a PDF; empty in that PDF."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPage:
    """The roll-call and the questions on paper."""

    bar: HouseholdBar
    """Whose household."""
    at: Moment
    """When the visit began."""
    reference: str
    """Short reference of the visit."""
    code: str
    """QR code of the visit's page: path of an SVG of dark squares."""
    size: int
    """Its width and height in squares."""
    lines: tuple[RollLine, ...]
    """Devices, by number."""
    questions: tuple[Ask, ...]
    """The set of questions."""
    pdf: str
    """Link to the same as a PDF; empty in that PDF."""
