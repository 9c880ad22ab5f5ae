"""What the pages of supervisors, and everybody's own page of messages, show. Plain text; times as `Moment`."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import ActForm, Choice, Moment
from dashboard.pages.contexts_bar import HouseholdBar
from dashboard.pages.typed import Errors


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRow:
    """One officer's load."""

    name: str
    """Empty for households that are in nobody's charge."""
    households: int
    """How many."""
    reporting: str
    """How many of their boxes report, of how many."""
    waiting: int
    """Findings that nobody has decided about."""
    oldest: str
    """Age of the oldest in words; empty where nothing waits."""
    ages: tuple[int, ...]
    """How many wait, by age as `TeamPage.ages` names it."""
    a_day: str
    """Findings a household and day; empty without households."""
    over: bool
    """More than the budget allows."""
    unanswered: str
    """Alerts that nobody has answered, in words; empty for none."""
    cover: tuple[str, ...]
    """Who stands in for whom."""
    installs: str
    """How many and how long; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPage:
    """*Team*."""

    summary: str
    """In one sentence."""
    calm: bool
    """Nothing is late."""
    ages: tuple[str, ...]
    """How old, in words, youngest first."""
    rows: tuple[TeamRow, ...]
    """In order."""
    problems: tuple[str, ...]
    """What is wrong with telling people, in sentences."""
    operators: str
    """Link to other operators and households that came; empty for who may not."""
    csv: str
    """Address of the same as a file; empty where who asks may not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removable:
    """A row that can be taken away."""

    text: str
    """In words."""
    detail: str
    """More of it; may be empty."""
    target: str
    """Where its form goes; empty where who asks may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyPage:
    """*Duty rota*."""

    on_duty: tuple[str, ...]
    """Names."""
    shifts: tuple[tuple[str, tuple[Removable, ...]], ...]
    """By weekday."""
    holes: tuple[str, ...]
    """In words."""
    handovers: tuple[Removable, ...]
    """Not over yet."""
    forms: tuple[ActForm, ...]
    """None where who asks may not change it."""
    errors: Errors
    """What is wrong with what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRow:
    """A message that has not arrived."""

    who: str
    """Empty where who asks may not see names."""
    kind: str
    """Of address, in words."""
    about: str
    """What the message was about, in words."""
    state: str
    """In words."""
    problem: str
    """Why, in words."""
    at: Moment
    """When."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesPage:
    """*Messages out*: whether they arrive."""

    sentence: str
    """How it goes."""
    well: bool
    """Nothing is wrong."""
    sums: tuple[tuple[str, int, int, int], ...]
    """Kind of address; sent, waiting, failed."""
    failed: tuple[FailedRow, ...]
    """Latest first."""
    dropped: int
    """Messages that were left out because too many waited."""
    feed: str
    """How the collector's feed goes; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A line of the audit."""

    number: int
    """How many, or its own number."""
    at: Moment
    """When."""
    who: str
    """Name of the account."""
    action: str
    """The audit's word."""
    subject: str
    """Ids."""
    outcome: str
    """The audit's word."""
    household: str
    """Address of the same page for that household alone; empty where it is about none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """*Audit*."""

    rows: tuple[AuditRow, ...]
    """In order."""
    people: tuple[Choice, ...]
    """Accounts to choose from."""
    action: str
    """The audit's word."""
    site: str
    """As typed."""
    since: str
    """As typed."""
    until: str
    """As typed."""
    errors: Errors
    """What is wrong with what was sent."""
    older: str
    """Address of the next page; empty on the last."""
    newest: str
    """Address of the first page of the filter; empty on it."""
    checked: str
    """How the chain stood when it was last checked, in a sentence."""
    holds: bool
    """The chain does."""
    checked_at: Moment | None
    """When."""
    may_check: bool
    """Who asks may check it."""
    csv: str
    """Address of the file; empty where who asks may not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUse:
    """A list and where it is in use."""

    title: str
    """Of the list, or the part."""
    list_id: str
    """Its id."""
    homes: int
    """Households."""
    versions: tuple[str, ...]
    """Each version with how many households have it."""
    published: Moment | None
    """Of the oldest version in use."""
    age: str
    """In words; empty where unknown."""
    problems: tuple[str, ...]
    """In sentences."""
    hits: str
    """In words."""
    wrong: str
    """Of entries that were found wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHome:
    """A household whose lists or test want attention."""

    household: str
    """As it is called."""
    address: str
    """Path."""
    text: str
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongEntry:
    """An entry that was said to be wrong or not relevant."""

    list_id: str
    """Its id."""
    entry: str
    """Defanged."""
    number: int
    """How many, or its own number."""
    homes: int
    """Households."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsPage:
    """*Lists*."""

    lists: tuple[ListUse, ...]
    """In use."""
    homes: tuple[ListHome, ...]
    """Households."""
    homes_left_out: int
    """How many more there are."""
    wrong: tuple[WrongEntry, ...]
    """Of entries that were found wrong."""
    tests: str
    """How many monthly tests passed, in a sentence."""
    tests_well: bool
    """All were passed."""
    csv: str
    """Address of the file; empty where who asks may not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPart:
    """A part of the monthly return."""

    title: str
    """Of the list, or the part."""
    rows: tuple[tuple[str, str], ...]
    """Text and number, or *fewer than 5*."""
    note: str
    """What the numbers mean; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPage:
    """*Monthly return*."""

    month: str
    """In words."""
    value: str
    """YYYY-MM."""
    parts: tuple[ReturnPart, ...]
    """In order."""
    kept: Moment | None
    """When the return was kept; None while it was not."""
    digest: str
    """Of the kept return; empty while it was not kept."""
    intact: bool
    """The kept numbers are those of the digest."""
    running: bool
    """The month is not over."""
    small: bool
    """A number is so small that it may point to somebody."""
    shared: bool
    """Small numbers are hidden."""
    other: str
    """Address of the version with, or without, small numbers."""
    keeps: bool
    """Who asks may keep it now."""
    earlier: str
    """Address of the month before."""
    later: str
    """Address of the month after; empty for none."""
    csv: str
    """Address of the file; empty where who asks may not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """What an officer entered."""

    day: str
    """In words."""
    word: str
    """As chosen."""
    purpose: str
    """In words."""
    by: str
    """Who entered it."""
    at: Moment
    """When."""
    target: str
    """Where the form that takes it back goes; empty where it was, or who asks may not."""
    gone: bool
    """It was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesPage:
    """*Outcomes* of a household."""

    bar: HouseholdBar
    """Whose household."""
    rows: tuple[OutcomeRow, ...]
    """In order."""
    form: ActForm | None
    """None where who asks may not enter one."""
    errors: Errors
    """What is wrong with what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPage:
    """*Planned work* at a home."""

    bar: HouseholdBar
    """Whose household."""
    rows: tuple[Removable, ...]
    """In order."""
    form: ActForm | None
    """None where who asks may not plan any."""
    errors: Errors
    """What is wrong with what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """Where messages reach the account."""

    name: str
    """As shown."""
    kind: str
    """Of address, in words."""
    state: str
    """In words."""
    well: bool
    """Nothing is wrong."""
    target: str
    """Address to which `/test` and `/remove` are added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert that nobody has answered."""

    text: str
    """In words."""
    household: str
    """As it is called."""
    address: str
    """Path."""
    at: Moment
    """When."""
    urgent: bool
    """It cannot wait."""
    step: str
    """How far it went; empty at the beginning."""
    target: str
    """Where the button goes; empty where who asks may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsPage:
    """*Alerts and messages*: an account's own."""

    alerts: tuple[AlertRow, ...]
    """Not answered."""
    sentence: str
    """Whether and when this account is told."""
    channels: tuple[ChannelRow, ...]
    """Of this account."""
    forms: tuple[ActForm, ...]
    """None where nothing is set up."""
    errors: Errors
    """What is wrong with what was sent."""
    done: str
    """What was just done; empty for nothing."""
