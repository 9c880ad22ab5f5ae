"""What the pages about households that go to or come from another operator are given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Choice, Fact, Moment
from dashboard.pages.contexts_bar import HouseholdBar


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRow:
    """A household that goes or came."""

    anchor: str
    """Element id."""
    at: Moment
    """When it was asked for."""
    state: str
    """What became of it, in words."""
    facts: tuple[Fact, ...]
    """Who asked and agreed, for whom or by whom, digest."""
    file: str
    """Link to the sealed file; empty where there is none to take."""
    household: str
    """Link to the household that it became; empty for others."""
    answer: str
    """Where agreeing and refusing go; empty where who looks cannot answer."""
    agrees: bool
    """May agree; who asked may only take it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPage:
    """Hand a household over."""

    bar: HouseholdBar
    """Whose household."""
    rows: tuple[TransferRow, ...]
    """Newest first."""
    partners: tuple[Choice, ...]
    """Operators that two people confirmed."""
    target: str
    """Where the form goes; empty for who may not ask."""
    token: str
    """Makes two sendings one."""
    reason: str
    """As typed."""
    operators: str
    """Link to where operators are entered; empty for who may not."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRow:
    """Another operator."""

    anchor: str
    """Element id."""
    name: str
    """Of the operator."""
    state: str
    """Confirmed or not, in words."""
    signs: str
    """Short name of the key that it signs with, to compare."""
    sealed: str
    """Short name of the key that it is sealed to."""
    confirm: str
    """Where confirming goes; empty where who looks cannot."""
    end: str
    """Where ending goes; empty for one that has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransfersPage:
    """Operators, and households that came."""

    own: tuple[Fact, ...]
    """This service's own public keys; empty until ingest has run."""
    partners: tuple[PartnerRow, ...]
    """By name."""
    rows: tuple[TransferRow, ...]
    """What came, newest first."""
    token: str
    """Makes two sendings one."""
    typed: tuple[tuple[str, str], ...]
    """Name of a field and what was typed."""
    errors: tuple[tuple[str, str], ...]
    """Element id and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRow:
    """A piece of history that came."""

    at: Moment
    """When."""
    part: str
    """Which part, in words."""
    said: str
    """What, in a line."""
    facts: tuple[Fact, ...]
    """All of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """What came with a household; only read."""

    bar: HouseholdBar
    """Whose household."""
    pieces: tuple[PieceRow, ...]
    """Newest first."""
    most: bool
    """There may be more than is shown."""
