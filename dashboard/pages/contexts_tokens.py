"""What the pages about tokens and the interface for programs are given (see `contexts`)."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.contexts import Choice, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token, without the token."""

    anchor: str
    """Element id."""
    name: str
    """What it is for, in its maker's words."""
    account: str
    """Whose it is."""
    rights: tuple[str, ...]
    """What it may do, in words."""
    made: Moment
    """When it was made."""
    until: Moment
    """When it ends by itself."""
    used: Moment | None
    """When it was used last, to the minute; None if never."""
    state: str
    """Works, or what ended it."""
    target: str
    """Where the form that ends it goes; empty where it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensPage:
    """*Tokens for programs*."""

    token: str
    """The one that was just made, for the only time that it can be read; else empty."""
    rows: tuple[TokenRow, ...]
    """Newest first."""
    rights: tuple[Choice, ...]
    """What a token may do."""
    services: tuple[Choice, ...]
    """What a service may be; empty for who may not make one."""
    name: str
    """Typed."""
    days: str
    """Typed."""
    errors: tuple[tuple[str, str], ...]
    """Element ids and what is wrong there."""
    most_days: int
    """Longest time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """What a program can ask for."""

    method: str
    """GET or POST."""
    path: str
    """Address."""
    says: str
    """What it does."""
    need: str
    """Right that it wants."""
    fields: tuple[str, ...]
    """What its body or query has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfacePage:
    """*Interface for programs*."""

    groups: tuple[tuple[str, tuple[OperationRow, ...]], ...]
    """By subject."""
    document: str
    """Address of the OpenAPI document."""
