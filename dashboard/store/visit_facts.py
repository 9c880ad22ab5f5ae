"""What has happened at a household since a visit, for the next one: counts by kind of finding.

In: an open SQLAlchemy connection and plain values. Out: frozen rows. One statement; there are as many rows as kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from dashboard.store.queries import rank
from dashboard.store.schema import finding

MOST_KINDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """Findings of one kind."""

    kind: str
    open: int
    """Open now."""
    raised: int
    """Raised since."""
    closed: int
    """Closed since, whenever they were raised."""


def kinds_since(connection: Connection, site_id: str, since: float) -> tuple[KindCount, ...]:
    """Findings of a household that are open, or of which something happened from `since` on; the worst kinds first."""
    opened = finding.c.state == "open"
    raised = finding.c.raised_at >= since
    closed = and_(finding.c.state != "open", finding.c.stored_at >= since)

    def number(which: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((which, 1), else_=0)), 0)

    query = (
        select(
            finding.c.kind,
            number(opened).label("open"),
            number(raised).label("raised"),
            number(closed).label("closed"),
        )
        .where(finding.c.site == site_id, or_(opened, raised, closed))
        .group_by(finding.c.kind)
        .order_by(func.min(rank), finding.c.kind)
        .limit(MOST_KINDS)
    )
    return tuple(KindCount(**row) for row in connection.execute(query).mappings())
