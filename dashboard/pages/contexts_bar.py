"""What stands above every page about one household (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A page about the household."""

    key: str
    """What a page gives as its own."""
    text: str
    """In the reader's language."""
    address: str
    """Path."""
    current: bool
    """Whether it, or a page under it, is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdBar:
    """Who the household is about, under which order, and the pages about it."""

    household: str
    """What officers call it."""
    site: str
    """The box's reference."""
    address: str
    """Link to its first page."""
    person: str
    """The person, by reference or name as the operator sets; empty until one is entered."""
    reference: str
    """The person's reference where `person` is a name; else empty."""
    word: str
    """The operator's word for a person."""
    risk: str
    """The assessed risk in words; empty for none: the one thing that has a badge."""
    risk_key: str
    """low, medium, high or very-high: the badge's shape."""
    order: str
    """Dates of the order, in words."""
    over: bool
    """The order has ended."""
    trouble: str
    """That the box does not report, in words; empty where it does."""
    tabs: tuple[Tab, ...]
    """The pages, in order."""
