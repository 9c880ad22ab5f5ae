"""Tells boxes to take releases, ring by ring, and halts a release that does not go well (R4).

In: what boxes last said of themselves, releases that go, now. Out: rows of `box_software`, orders, halts; and lines of
the audit. A box is told once; told again where its order was never answered and it is heard again. Done by the worker
that leads, so by one at a time. Bounded: `READ_ONCE` statuses and `TELL_ONCE` orders a round, and see
`dashboard.store.ordering`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Select, and_, insert, or_, select, update

from dashboard.demo import TENANT_PREFIX
from dashboard.store import ordering, releases
from dashboard.store.releases import Progress, StoredRelease
from dashboard.store.schema import box_software, command, pilot_box, release, release_box, site
from wire.release import SoftwareState

READ_ONCE = 500
TELL_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """From how many failures on a release is halted."""

    share: float = 0.02
    """Of the boxes that said how it went."""
    least: int = 2
    """Fewer than so many never halt it: one bad card is no bad release."""

    def is_over(self, progress: Progress, pardoned: int) -> bool:
        """Whether too many boxes did not take it."""
        bad = progress.bad - pardoned
        said = progress.has + progress.bad
        return bad >= self.least and bad > self.share * said


def go(connection: Connection, *, tenant: str, now: float, bound: Bound | None = None) -> None:
    """One round."""
    read(connection, tenant=tenant)
    if tenant.startswith(TENANT_PREFIX):
        return
    bound = bound or Bound()
    room = TELL_ONCE
    for stored in releases.all_of(connection, tenant, state="going"):
        progress = releases.progress(connection, stored, now=now)
        if bound.is_over(progress, stored.pardoned):
            reason = f"Halted by itself: on {progress.bad} of {progress.told} boxes that were told it did not work."
            releases.halt(connection, stored.release_id, reason, tenant=tenant, by=None, now=now)
        elif stored.expires > now:
            room -= _tell(connection, stored, tenant=tenant, now=now, most=room)


def read(connection: Connection, *, tenant: str) -> int:
    """Take what boxes newly said of their software into its own table; how many were read."""
    wanted = (
        select(site.c.site, site.c.status, site.c.status_at, box_software.c.site.label("known"))
        .outerjoin(box_software, box_software.c.site == site.c.site)
        .where(
            site.c.tenant == tenant,
            site.c.status_at.is_not(None),
            or_(box_software.c.read_at.is_(None), box_software.c.read_at < site.c.status_at),
        )
        .order_by(site.c.status_at)
        .limit(READ_ONCE)
    )
    rows = connection.execute(wanted).all()
    for row in rows:
        said = _said(row.status)
        values = {"read_at": row.status_at, **(_values(said) if said is not None else {})}
        if row.known is None:
            values = {"stage": "idle", "detail": "", **values}
            connection.execute(insert(box_software).values(site=row.site, place=releases.place(row.site), **values))
        else:
            connection.execute(update(box_software).where(box_software.c.site == row.site).values(**values))
    return len(rows)


def _said(status: dict[str, Any]) -> SoftwareState | None:
    """A box's software, if it says what it runs in a form that this version knows."""
    try:
        return SoftwareState.model_validate(status["software"])
    except (KeyError, ValidationError):
        return None


def _values(said: SoftwareState) -> dict[str, object]:
    return {
        "board": said.board,
        "version": said.version,
        "number": releases.number(said.version),
        "wanted": None if said.wanted is None else releases.number(said.wanted),
        "stage": said.stage,
        "detail": said.detail,
        "outdated": list(said.outdated) or None,
    }


def _tell(connection: Connection, stored: StoredRelease, *, tenant: str, now: float, most: int) -> int:
    """Order boxes to take a release; how many."""
    if most <= 0 or stored.started_by is None:
        return 0
    share = releases.open_share(stored, now)
    asked: ColumnElement[bool] = or_(
        release_box.c.site.is_(None),
        and_(
            command.c.state.in_(ordering.UNANSWERED),
            release_box.c.tries < ordering.MOST_TRIES,
            site.c.heard_at > now - releases.SILENT_SECONDS,
        ),
    )
    due = (
        select(site.c.site, release_box.c.tries)
        .join(box_software, box_software.c.site == site.c.site)
        .outerjoin(pilot_box, pilot_box.c.site == site.c.site)
        .outerjoin(
            release_box,
            and_(release_box.c.site == site.c.site, release_box.c.release_id == stored.release_id),
        )
        .outerjoin(command, command.c.command_id == release_box.c.order_id)
        .where(
            site.c.tenant == tenant,
            site.c.revoked_at.is_(None),
            box_software.c.board == stored.board,
            box_software.c.number < stored.number,
            or_(box_software.c.place < share, pilot_box.c.site.is_not(None)),
            asked,
            site.c.site.not_in(_told_newer(stored, tenant, now)),
        )
        .order_by(box_software.c.place, site.c.site)
        .limit(most)
    )
    rows = connection.execute(due).all()
    for site_id, tries in rows:
        ordering.order(connection, stored, site_id, tries=tries or 0, by=stored.started_by, now=now)
    return len(rows)


def _told_newer(stored: StoredRelease, tenant: str, now: float) -> Select[tuple[str]]:
    """Boxes that have yet to take a newer release: they would refuse this one, and it would count as its failure."""
    return (
        select(release_box.c.site)
        .join(release, release.c.release_id == release_box.c.release_id)
        .where(
            release.c.tenant == tenant,
            release.c.board == stored.board,
            release.c.number > stored.number,
            release.c.state == "going",
            release.c.expires > now,
        )
    )
