"""What the collector is fed: rows of the audit and states of findings after those that were sent.

In: an open connection. Out: frozen rows, in the order in which they are to be sent. The audit's rows commit in the order
of their numbers (each is chained to the one before). A finding's state is known by when it was stored, and several ingest
workers may commit out of that order: states are read `LAG_SECONDS` late. Bounded: `AT_ONCE` rows a read; where more than
the settings' most wait, the oldest are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, tuple_, update

from dashboard.store.schema import audit, feed, finding, site

AT_ONCE = 500
LAG_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a collector was fed."""

    audit_id: int = 0
    stored_at: float = 0.0
    site: str = ""
    finding_id: str = ""
    sent: int = 0
    dropped: int = 0
    at: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A row of the audit."""

    audit_id: int
    at: float
    account_id: str | None
    action: str
    subject: str
    outcome: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A finding as it was when it was read."""

    stored_at: float
    site: str
    finding_id: str
    kind: str
    severity: str
    state: str
    revision: int


def place_of(connection: Connection, name: str) -> Place | None:
    """How far a collector was fed; None where it never was."""
    row = connection.execute(select(feed).where(feed.c.name == name)).mappings().one_or_none()
    return None if row is None else Place(**{field: row[field] for field in Place.__slots__})


def start(connection: Connection, name: str, *, now: float) -> Place:
    """Begin to feed a collector, from the next row on: what was done before is in the audit itself."""
    last = connection.execute(select(func.max(audit.c.audit_id))).scalar_one_or_none() or 0
    fresh = Place(audit_id=last, stored_at=now - LAG_SECONDS, at=now)
    connection.execute(insert(feed).values(name=name, **{field: getattr(fresh, field) for field in Place.__slots__}))
    return fresh


def move(connection: Connection, name: str, place: Place) -> None:
    """Note how far a collector was fed."""
    values = {field: getattr(place, field) for field in Place.__slots__}
    connection.execute(update(feed).where(feed.c.name == name).values(**values))


def surplus(connection: Connection, place: Place, *, most: int) -> tuple[int, int]:
    """(rows of the audit beyond the most that may wait, number of the last of them)."""
    waiting = connection.execute(select(func.count()).where(audit.c.audit_id > place.audit_id)).scalar_one()
    if waiting <= most:
        return 0, place.audit_id
    cut = select(audit.c.audit_id).where(audit.c.audit_id > place.audit_id).order_by(audit.c.audit_id)
    last = connection.execute(cut.offset(waiting - most - 1).limit(1)).scalar_one()
    return waiting - most, last


def audit_after(connection: Connection, place: Place) -> tuple[AuditRow, ...]:
    """The next rows of the audit."""
    query = select(audit).where(audit.c.audit_id > place.audit_id).order_by(audit.c.audit_id).limit(AT_ONCE)
    rows = connection.execute(query).mappings()
    return tuple(AuditRow(**{field: row[field] for field in AuditRow.__slots__}) for row in rows)


def states_after(connection: Connection, tenant: str, place: Place, *, now: float) -> tuple[State, ...]:
    """The next states of findings."""
    order = (finding.c.stored_at, finding.c.site, finding.c.finding_id)
    query = (
        select(*order, finding.c.kind, finding.c.severity, finding.c.state, finding.c.revision)
        .join(site, site.c.site == finding.c.site)
        .where(
            site.c.tenant == tenant,
            tuple_(*order) > (place.stored_at, place.site, place.finding_id),
            finding.c.stored_at <= now - LAG_SECONDS,
        )
        .order_by(*order)
        .limit(AT_ONCE)
    )
    return tuple(State(**row) for row in connection.execute(query).mappings())
