"""The main navigation: what an account may open, in the order it is shown. A role in, links out."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.access import May, Role
from dashboard.i18n import N_, _


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place of the navigation."""

    key: str
    """What a page gives as its section."""
    text: str
    """In the reader's language."""
    address: str
    """Path."""


_PLACES: tuple[tuple[str, str, str, May], ...] = (
    ("today", N_("Today"), "/", May.SEE),
    ("households", N_("Households"), "/households", May.SEE),
    ("install", N_("Install"), "/install", May.INSTALL),
    ("team", N_("Team"), "/team", May.SEE_TEAM),
    ("lists", N_("Lists"), "/lists", May.SEE_LISTS),
    ("audit", N_("Audit"), "/audit", May.SEE_AUDIT),
    ("boxes", N_("Boxes"), "/boxes", May.SEE_BOXES),
    ("software", N_("Software"), "/software", May.KEEP_BOXES),
    ("demo", N_("Demonstration"), "/demo", May.BE_HERE),
    ("accounts", N_("Accounts"), "/accounts", May.MANAGE),
)


def places(role: Role | None) -> tuple[Place, ...]:
    """Where an account may go; nowhere without one."""
    if role is None:
        return ()
    return tuple(
        Place(key=key, text=_(text), address=address) for key, text, address, need in _PLACES if role.may(need)
    )
