"""Who may do what, and about which households: the one place where a role's rights stand (R66).

In: a role, and what a view needs, which each view says itself with `needs`. Out: yes or no, and the households that
somebody is in charge of, as a condition for queries. A view that does not say what it needs keeps the app from starting.

An officer sees the households in their charge, or covered for somebody else; a supervisor and an auditor all of the
operator's; an installer those that are being installed by them; an engineer none: boxes by their ids alone.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Role(StrEnum):
    """What an account is for."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    INSTALLER = "installer"
    ENGINEER = "engineer"
    AUDITOR = "auditor"

    @property
    def acts(self) -> bool:
        """Whether it may send commands to the boxes of households in its charge."""
        return May.DECIDE in GIVEN[self]

    def may(self, need: May) -> bool:
        """Whether it has a right."""
        return need in GIVEN[self]


class May(StrEnum):
    """A right. What it is about is one household at a time where `SEES_HOUSEHOLDS` has it, else the whole operator."""

    BE_HERE = "be-here"
    """Any account: its own sessions, messages and keys."""
    SEE = "see"
    """Look at a household in its charge."""
    DECIDE = "decide"
    """Send commands, review findings, write notes."""
    EXPORT = "export"
    """Take data out of this service; wants a fresh proof of who is asking."""
    INSTALL = "install"
    """Fit a box."""
    SEE_BOXES = "see-boxes"
    """Health of boxes by their ids, without anything about persons."""
    KEEP_BOXES = "keep-boxes"
    """Enter boxes into stock, take them out, revoke one, give them new software."""
    SEE_LISTS = "see-lists"
    """Which lists are in use, how old they are, how often they were wrong."""
    SEE_TEAM = "see-team"
    """Load, ageing and coverage of all officers."""
    SEE_AUDIT = "see-audit"
    """Who did what."""
    MANAGE = "manage"
    """Accounts, who is in charge of what, duty rota."""


GIVEN: dict[Role, frozenset[May]] = {
    Role.OFFICER: frozenset({May.BE_HERE, May.SEE, May.DECIDE, May.EXPORT, May.INSTALL, May.SEE_BOXES, May.SEE_LISTS}),
    Role.SUPERVISOR: frozenset(May),
    Role.INSTALLER: frozenset({May.BE_HERE, May.INSTALL, May.SEE_BOXES}),
    Role.ENGINEER: frozenset({May.BE_HERE, May.SEE_BOXES, May.KEEP_BOXES, May.SEE_LISTS}),
    Role.AUDITOR: frozenset({May.BE_HERE, May.SEE, May.SEE_BOXES, May.SEE_LISTS, May.SEE_TEAM, May.SEE_AUDIT}),
}
SEES_ALL = frozenset({Role.SUPERVISOR, Role.AUDITOR})
"""Roles that see every household of the operator without being in charge of it."""


def needs(right: May) -> Callable[[View], View]:
    """Say what a view needs; goes below the line that gives the view its address."""

    def mark(view: View) -> View:
        view.__needs__ = right  # type: ignore[attr-defined]
        return view

    return mark


def need_of(view: Callable[..., Any]) -> May | None:
    """What a view said that it needs."""
    found = getattr(view, "__needs__", None)
    return found if isinstance(found, May) else None


def step_up(view: View) -> View:
    """Say that a view wants a proof of who is asking of the last ten minutes; goes below `needs`.

    Who has none is asked for one first and comes back; a form on its way is kept meanwhile (`dashboard.accounts.held`).
    """
    view.__fresh__ = True  # type: ignore[attr-defined]
    return view


def wants_fresh(view: Callable[..., Any]) -> bool:
    """Whether a view wants a fresh proof."""
    return bool(getattr(view, "__fresh__", False))
