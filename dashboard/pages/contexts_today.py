"""What *Today* is given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Moment, SeverityMark
from dashboard.pages.contexts_review import DueRow, LateRow, UnseenRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One cause: something to decide."""

    severity: SeverityMark
    """Worst of its findings; For information for a question about devices."""
    sentence: str
    """What was seen, one sentence."""
    together: str
    """How many signs the cause has, in words; empty for one finding, or several of one kind."""
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
class HomeCard:
    """One household and what is to be decided there."""

    household: str
    """What officers call the household."""
    address: str
    """Link to the household."""
    cards: tuple[Card, ...]
    """Its causes, worst first, then oldest; a question about devices last."""
    more: int
    """Causes beyond the most that are shown."""


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
class Second:
    """Something that waits for another officer than the one who asked."""

    household: str
    """What officers call the household."""
    text: str
    """What was asked for, and why."""
    by: str
    """Who asked."""
    until: Moment
    """Until when it waits."""
    late: bool
    """Whether that is past."""
    address: str
    """Link."""
    action: str
    """Words of the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayPage:
    """*Today*: what needs a decision."""

    summary: str
    """One line over everything: how many of how many."""
    start: str
    """Link to the first item; empty where nothing waits."""
    unreviewed: str
    """How much nobody has looked at, and how old the oldest is (R37)."""
    budget: str
    """Items of the last day for each household, against the budget (R28); empty without households."""
    due: tuple[DueRow, ...]
    """What was decided and comes back: to be asked, referred, for a second person, not done."""
    unseen: tuple[UnseenRow, ...]
    """Households with findings that the box closed before anybody looked, the worst and oldest first."""
    unseen_more: bool
    """Whether there are more of them than are shown."""
    late: tuple[LateRow, ...]
    """Households whose review is due, whose order ends, or where less may be enough."""
    late_more: bool
    """Whether there are more of them than are shown."""
    homes: tuple[HomeCard, ...]
    """Households with something to decide now or today, the worst and oldest first; where they are not parted, all."""
    later: tuple[HomeCard, ...]
    """Those where it can wait, with a question last; empty where they are few, or nothing is urgent."""
    left_out: int
    """Households beyond the most that are shown."""
    boxes: tuple[BoxRow, ...]
    """Boxes that do not report or do not record, or whose lists or test are not in order."""
    boxes_more: int
    """How many of them are not shown."""
    informs: str
    """How many findings are for information alone, in words; empty for none."""
    quiet: int
    """Households with nothing to decide and a box in order."""
    seconds: tuple[Second, ...]
    """What waits for a second person, and emergencies that somebody else must look at."""
    requests: tuple[tuple[str, str, str], ...]
    """Households whose home asked for something: what officers call it, the link, how many."""
