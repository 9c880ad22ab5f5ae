"""What the pages about one household and one finding are given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Asked, Choice, Fact, Moment, SeverityMark
from dashboard.pages.contexts_arranged import DetectionRow, ListRow, QuietForm
from dashboard.pages.contexts_bar import HouseholdBar
from dashboard.pages.contexts_device import DeviceRow, FindingLine, KeyForm, ProposalCard, Register
from dashboard.pages.contexts_review import EarlierRow, ReasonForm, ReviewForm, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCard:
    """A finding as the household's page lists it."""

    anchor: str
    """Element id."""
    kind: str
    """Of the wire's kinds; for programs that read the page, never shown."""
    severity: SeverityMark
    """How soon to look."""
    sentence: str
    """What was seen."""
    headline: str
    """The box's own first sentence on it; empty where it gives none."""
    grade: str
    """How strong a sign it is, in words; empty for what is no sign."""
    agree: str
    """How many independent signals agree, in words (S5); empty where the box does not say."""
    device: str
    """Which device, in words."""
    state: str
    """Open or Closed."""
    open: bool
    """Whether the box still has it open."""
    waits: bool
    """Whether it is open and waits for a decision."""
    decided: str
    """What was decided, by whom and when, or that nobody has; empty where that is not shown."""
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
class FindingGroup:
    """Findings that belong together."""

    together: str
    """How many signs the cause has, in words; empty where it has one."""
    cards: tuple[FindingCard, ...]
    """The worst, oldest first."""


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
    unread: str
    """Records of a newer box that this version cannot read, in words; empty if none."""
    parts: tuple[tuple[str, str], ...]
    """Programs of the box and whether each runs."""
    taps: tuple[tuple[str, str, str], ...]
    """Listening points: name, messages read, what was missed."""
    blind: tuple[tuple[Moment, Moment | None, str], ...]
    """The latest times in which it could not see, newest first: from, until (None while it lasts), why."""
    lists: tuple[ListRow, ...]
    """Lists in use or wanted (R31)."""
    test: DetectionRow | None
    """The monthly test; None if the box has not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookForm:
    """The form that lets the box look round once."""

    target: str
    """Where it is sent."""
    token: str
    """Makes two sendings of the same form one command."""
    choices: tuple[Choice, ...]
    """What to look for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdPage:
    """*Findings*."""

    bar: HouseholdBar
    """Who it is about, and the tabs."""
    summary: str
    """How many decisions wait."""
    findings: tuple[FindingGroup, ...]
    """Open, by cause, worst and oldest first."""
    informs: tuple[FindingCard, ...]
    """Open ones for information alone."""
    informs_left_out: int
    """Of those, beyond the most that are shown."""
    closed: tuple[FindingCard, ...]
    """Closed, newest first."""
    findings_left_out: int
    """Open findings beyond the most that are shown."""
    proposals: tuple[ProposalCard, ...]
    """Devices that may be one, the most probable first."""
    proposals_left_out: int
    """Proposals beyond the most that are shown."""
    trouble: str
    """That the box does not report, in words; empty where it does."""
    heard: Moment | None
    """When it was last heard of; None if never."""
    cannot_see: tuple[str, ...]
    """What this box cannot see (R20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPage:
    """*Finding*."""

    bar: HouseholdBar
    """Whose household it is."""
    card: FindingCard
    """The finding."""
    standing: Standing
    """Who looked at it and what they decided."""
    signals: str
    """How many independent signals agree, in words (S5)."""
    earlier: tuple[EarlierRow, ...]
    """Earlier ones like it in this home."""
    wrong: str
    """How often an entry of its list was said to be wrong; empty where no list is about."""
    review: ReviewForm | None
    """The form that decides; None for who may only look, and for what is decided."""
    second: ReasonForm | None
    """The form for a second look; None where none is wanted of who is asking."""
    reopen: ReasonForm | None
    """The form that opens it again; None for who may only look, and for what is open."""
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
    proposals: tuple[ProposalCard, ...]
    """Open proposals about the device, for a finding that registering it answers: it may be a known one."""
    asked: tuple[Asked, ...]
    """Commands about it, newest first."""
    others_title: str
    """Why they are shown with it."""
    others: tuple[FindingLine, ...]
    """Other open findings of the same cause."""
    register: Register | None
    """The form; None for who may only look, and for a finding of no device."""
    quiet: QuietForm | None
    """The form that says it is not relevant here; None where that is no answer, or for who may only look."""
    key: KeyForm | None
    """The form about its Wi-Fi passphrase, where the finding is about one."""
