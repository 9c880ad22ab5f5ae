"""What the pages about shares, and the papers for the household, are given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Choice, Fact, Moment
from dashboard.pages.contexts_bar import HouseholdBar


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """A note of a reader."""

    by: str
    """Agency and post."""
    text: str
    """What."""
    at: Moment
    """When."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """A share."""

    anchor: str
    """Element id."""
    title: str
    """Agency and post."""
    state: str
    """Whether it lasts, in words."""
    facts: tuple[Fact, ...]
    """Purpose, sections, by whom, when opened."""
    again: str
    """Where a new code is asked for; empty where that cannot be."""
    end: str
    """Where it is ended; empty where that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What is given to a reader; shown once."""

    to: str
    """Agency and post."""
    link: str
    """Address."""
    code: str
    """One-time code, to be told another way."""
    until: Moment
    """Until when the code counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesPage:
    """Shared with other agencies."""

    bar: HouseholdBar
    """Whose household."""
    invitation: Invitation | None
    """What was made just now."""
    rows: tuple[ShareRow, ...]
    """Newest first."""
    notes: tuple[NoteRow, ...]
    """What readers wrote, newest first."""
    target: str
    """Where the form goes; empty for who may not share."""
    token: str
    """Becomes the share's id."""
    sections: tuple[Choice, ...]
    """What can be shared."""
    typed: tuple[tuple[str, str], ...]
    """Name of a field and what was typed."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedEnterPage:
    """Where a reader enters the code."""

    target: str
    """Where it goes."""
    error: str
    """What is wrong; empty if nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPart:
    """A section that is shared."""

    key: str
    """Element id."""
    title: str
    """Its heading."""
    lines: tuple[str, ...]
    """What it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPage:
    """What a reader of another agency sees."""

    household: str
    """By reference."""
    to: str
    """Agency and post."""
    purpose: str
    """What it is shared for."""
    until: Moment
    """When it ends."""
    parts: tuple[SharedPart, ...]
    """The sections."""
    cannot_see: tuple[str, ...]
    """What the box cannot see (R20)."""
    notes: tuple[NoteRow, ...]
    """What this reader wrote."""
    target: str
    """Where a note goes."""
    leave: str
    """Where leaving goes."""
    token: str
    """Makes two sendings of a note one."""
    text: str
    """Note as typed."""
    error: str
    """What is wrong with the note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPage:
    """The person's own summary (R76, S7)."""

    bar: HouseholdBar
    """Whose household; for the way back, not on the paper."""
    made: Moment
    """When it was put together."""
    word: str
    """What the operator calls the person."""
    good: tuple[str, ...]
    """What speaks for the person."""
    devices: tuple[Fact, ...]
    """Their own registered devices: name, and what is kept of it."""
    record: tuple[str, ...]
    """What is on record about these devices, counts alone."""
    next: tuple[str, ...]
    """What comes next: review, end of the order."""
    cannot_see: tuple[str, ...]
    """What is not seen."""
    help: tuple[Fact, ...]
    """Help lines."""
    complaints: str
    """How to complain."""
    pdf: str
    """Link to the same as a PDF; empty in that PDF."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OthersPage:
    """The explanation for others at home (S8)."""

    bar: HouseholdBar
    """Whose household; for the way back, not on the paper."""
    operator: str
    """Whose service it is."""
    help: tuple[Fact, ...]
    """Help lines."""
    complaints: str
    """How to complain."""
    pdf: str
    """Link to the same as a PDF; empty in that PDF."""
