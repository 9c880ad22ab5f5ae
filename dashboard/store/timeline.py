"""What the timeline and the activity pages read: stays and findings of a span of time.

In: an open SQLAlchemy connection, a span in Unix seconds. Out: frozen rows. Bounded: `MOST_STAYS`, `MOST_FINDINGS`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from dashboard.store.schema import finding, stay

MOST_STAYS = 4000
MOST_FINDINGS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stay of a device."""

    device_id: str
    started: float
    ended: float | None
    """None while it is there."""
    asleep_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A finding, by when it was seen."""

    finding_id: str
    kind: str
    severity: str
    device_id: str | None
    state: str
    first_seen: float
    last_seen: float


def stays_between(
    connection: Connection, site_id: str, since: float, until: float, ids: Collection[str] | None = None
) -> tuple[Span, ...]:
    """Stays that touch a time, the latest first; with `ids` of these devices alone."""
    which = [stay.c.site == site_id, stay.c.started < until, or_(stay.c.ended.is_(None), stay.c.ended > since)]
    if ids is not None:
        which.append(stay.c.device_id.in_(sorted(ids)))
    query = (
        select(stay.c.device_id, stay.c.started, stay.c.ended, stay.c.asleep_seconds)
        .where(*which)
        .order_by(stay.c.started.desc(), stay.c.session_id)
        .limit(MOST_STAYS)
    )
    return tuple(Span(**row) for row in connection.execute(query).mappings())


def known_from(spans: Sequence[Span]) -> float:
    """From when on these stays are all there were, where more of them may not have been read; else 0."""
    return spans[-1].started if len(spans) >= MOST_STAYS else 0.0


def findings_between(connection: Connection, site_id: str, since: float, until: float) -> tuple[Mark, ...]:
    """Findings seen in a time, the latest first."""
    query = (
        select(
            finding.c.finding_id,
            finding.c.kind,
            finding.c.severity,
            finding.c.device_id,
            finding.c.state,
            finding.c.first_seen,
            finding.c.last_seen,
        )
        .where(finding.c.site == site_id, finding.c.first_seen < until, finding.c.last_seen >= since)
        .order_by(finding.c.last_seen.desc(), finding.c.finding_id)
        .limit(MOST_FINDINGS)
    )
    return tuple(Mark(**row) for row in connection.execute(query).mappings())
