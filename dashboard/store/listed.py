"""Lists as boxes say that they use them, and what officers said of their entries (R30, R31, R33).

In: an open connection and a condition on `site`. Out: frozen rows. Five statements, however many households there are.
Bounded: at most `MOST_BOXES` boxes' words are read; `MOST_ENTRIES` entries are named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, func, select

from dashboard.store.outcomes import WRONG_HERE
from dashboard.store.schema import finding, review, site
from wire.findings import FindingKind

MOST_BOXES = 2000
MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a box last said of itself."""

    site: str
    title: str
    status: str | None
    """`wire.box.BoxStatus` as JSON, as it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """How often an entry was said to be wrong or not relevant where it was found."""

    list_id: str
    entry: str
    number: int
    homes: int


def said(connection: Connection, sees: ColumnElement[bool]) -> tuple[Said, ...]:
    """What boxes say, by household; boxes that are revoked say nothing."""
    query = (
        # As text: of a thousand of them it is read only as far as somebody wants it.
        select(site.c.site, site.c.title, cast(site.c.status, Text).label("status"))
        .where(sees, site.c.revoked_at.is_(None))
        .order_by(site.c.title, site.c.site)
        .limit(MOST_BOXES)
    )
    return tuple(Said(**row) for row in connection.execute(query).mappings())


def hits(connection: Connection, sees: ColumnElement[bool], *, since: float) -> dict[str, tuple[int, int]]:
    """By list: findings raised since then, and in how many households."""
    name = finding.c.payload["hit"]["list_id"].as_string()
    query = (
        select(name, func.count(), func.count(finding.c.site.distinct()))
        .join(site, site.c.site == finding.c.site)
        .where(sees, finding.c.kind == FindingKind.LISTED_NAME.value, finding.c.raised_at >= since)
        .group_by(name)
    )
    return {str(row[0]): (row[1], row[2]) for row in connection.execute(query) if row[0] is not None}


def wrong(connection: Connection, sees: ColumnElement[bool]) -> tuple[Wrong, ...]:
    """Entries that officers said were wrong or not relevant, the most often first; at most `MOST_ENTRIES`."""
    entry = finding.c.payload["hit"]["entry"].as_string()
    query = (
        select(review.c.list_id, entry.label("entry"), func.count(), func.count(review.c.site.distinct()))
        .join_from(review, finding, and_(finding.c.site == review.c.site, finding.c.finding_id == review.c.finding_id))
        .join(site, site.c.site == review.c.site)
        .where(sees, review.c.list_id.is_not(None), review.c.outcome.in_(sorted(WRONG_HERE)))
        .group_by(review.c.list_id, entry)
        .order_by(func.count().desc(), review.c.list_id, entry)
        .limit(MOST_ENTRIES)
    )
    return tuple(
        Wrong(list_id=row[0], entry=str(row[1] or ""), number=row[2], homes=row[3]) for row in connection.execute(query)
    )


def wrong_by_list(rows: Sequence[Wrong]) -> dict[str, int]:
    """Sums by list, of the rows given."""
    found: dict[str, int] = {}
    for row in rows:
        found[row.list_id] = found.get(row.list_id, 0) + row.number
    return found
