"""What all boxes together run, and which of them are told of a release before all others (R4).

In: an open connection and plain values. Out: tuples. Nothing is about a person. Writers are called inside a transaction
and write the audit's line. Bounded: `MOST_PILOTS` pilots, `MOST_ROWS` rows a list.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select

from dashboard.store.queries import write_audit
from dashboard.store.releases import MOST_ROWS
from dashboard.store.schema import box_software, pilot_box, site

MOST_PILOTS = 50


def versions(connection: Connection, tenant: str) -> tuple[tuple[str, str, int], ...]:
    """Board, version and how many boxes run it, the most first; what no box says is not counted."""
    count = func.count()
    rows = connection.execute(
        select(box_software.c.board, box_software.c.version, count)
        .join(site, site.c.site == box_software.c.site)
        .where(site.c.tenant == tenant, site.c.revoked_at.is_(None), box_software.c.version.is_not(None))
        .group_by(box_software.c.board, box_software.c.version)
        .order_by(count.desc(), box_software.c.board, box_software.c.version)
        .limit(MOST_ROWS)
    )
    return tuple((board or "", version, int(number_)) for board, version, number_ in rows)


def out_of_date(connection: Connection, tenant: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Boxes with programs that are older than they may be, and which."""
    rows = connection.execute(
        select(box_software.c.site, box_software.c.outdated)
        .join(site, site.c.site == box_software.c.site)
        .where(site.c.tenant == tenant, site.c.revoked_at.is_(None), box_software.c.outdated.is_not(None))
        .order_by(box_software.c.site)
        .limit(MOST_ROWS)
    )
    return tuple((site_id, tuple(said)) for site_id, said in rows if said)


def pilots(connection: Connection, tenant: str) -> tuple[str, ...]:
    """Boxes that are told before all others."""
    rows = connection.execute(
        select(pilot_box.c.site)
        .join(site, site.c.site == pilot_box.c.site)
        .where(site.c.tenant == tenant)
        .order_by(pilot_box.c.site)
        .limit(MOST_PILOTS)
    )
    return tuple(rows.scalars())


def add_pilot(connection: Connection, site_id: str, *, tenant: str, by: str, now: float) -> bool:
    """Name a box; False where there is no such box, or no room for one more."""
    known = connection.scalar(select(site.c.site).where(site.c.site == site_id, site.c.tenant == tenant))
    there = pilots(connection, tenant)
    if known is None or (site_id not in there and len(there) >= MOST_PILOTS):
        return False
    if site_id not in there:
        connection.execute(insert(pilot_box).values(site=site_id, at=now, by=by))
        write_audit(connection, at=now, account_id=by, action="add-pilot-box", subject=site_id, outcome="done")
    return True


def remove_pilot(connection: Connection, site_id: str, *, tenant: str, by: str, now: float) -> None:
    """Name it no more."""
    if site_id not in pilots(connection, tenant):
        return
    connection.execute(delete(pilot_box).where(pilot_box.c.site == site_id))
    write_audit(connection, at=now, account_id=by, action="remove-pilot-box", subject=site_id, outcome="done")
