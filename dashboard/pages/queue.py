"""What comes next: the items of *Today* one after another, so that they are decided without going back between them.

In: who is asking, and the finding that was just decided or left. Out: the address of the item after it. Bounded as
`store.causes`: at most `MOST_CAUSES` items are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from dashboard.auth import SignedIn
from dashboard.pages import sentences
from dashboard.pages.desk import Desk
from dashboard.store import causes, charge
from dashboard.store.causes import Cause
from dashboard.store.queries import finding_of
from wire.findings import FindingKind

AILS = tuple(kind for kind in FindingKind if sentences.mends_itself(kind))
"""Kinds that ask no officer for a decision while they last: shown among the boxes that need attention."""


def by_household(found: Iterable[Cause]) -> list[Cause]:
    """Causes in the order of *Today*: households by their first one, and all of a household together."""
    of_site: dict[str, list[Cause]] = {}
    for cause in found:
        of_site.setdefault(cause.site, []).append(cause)
    return [cause for some in of_site.values() for cause in some]


def following(connection: Connection, who: SignedIn, at_desk: Desk, after: str) -> str | None:
    """The address of the item after a finding (`household/finding`); of the first where that does not wait; None for none.

    After the last one comes nothing, so that whoever leaves all of them gets to the end.
    """
    tenant = at_desk.settings.tenant
    within = charge.sees(who, at_desk.now(), tenant)
    waiting = by_household(causes.open_causes(connection, tenant, without=AILS, within=within, devices=False))
    place = _place(waiting, after)
    rest: Sequence[Cause] = waiting[_beyond(connection, waiting, after) if place is None else place + 1 :]
    return f"/households/{rest[0].site}/findings/{rest[0].findings[0].finding_id}" if rest else None


def _place(waiting: Sequence[Cause], after: str) -> int | None:
    for place, cause in enumerate(waiting):
        if any(f"{row.site}/{row.finding_id}" == after for row in cause.findings):
            return place
    return None


def _beyond(connection: Connection, waiting: Sequence[Cause], after: str) -> int:
    """Where to go on after a finding that is not named with its cause.

    Of a decided one with the others of its cause; of one among many of a cause, that was left, behind that cause.
    """
    site, _, finding_id = after.partition("/")
    row = finding_of(connection, site, finding_id)
    if row is None:
        return 0
    key = row.cause or row.kind
    place = next((at for at, cause in enumerate(waiting) if (cause.site, cause.key) == (site, key)), None)
    return 0 if place is None else place if row.looked_at is not None else place + 1
