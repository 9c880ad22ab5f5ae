"""When a box could see and when it could not (N4): the gaps that it told of, kept beyond the latest few of its status.

In: an open SQLAlchemy connection and what a status says. Out: frozen rows. Bounded: `MOST_GAPS` of a household are
kept, the oldest go; `MOST_READ` are read at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from dashboard.store.schema import event, gap
from wire.box import Gap

MOST_GAPS = 5000
MOST_READ = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGap:
    """A time in which a box may not have seen what there was; Unix seconds."""

    started: float
    ended: float | None
    """None while it lasts."""
    cause: str


def keep_gaps(connection: Connection, site_id: str, gaps: Iterable[Gap]) -> None:
    """Keep what a status tells of; one told before is only brought up to date."""
    told = {
        (one.started.timestamp(), str(one.cause)): None if one.ended is None else one.ended.timestamp() for one in gaps
    }
    of_site = gap.c.site == site_id
    rows = connection.execute(
        select(gap.c.started, gap.c.cause, gap.c.ended).where(
            of_site, gap.c.started >= min((at for at, _ in told), default=0.0)
        )
    )
    known = {(row.started, row.cause): row.ended for row in rows}
    for (started, cause), ended in told.items():
        if (started, cause) not in known:
            connection.execute(insert(gap).values(site=site_id, started=started, cause=cause, ended=ended))
        elif known[started, cause] != ended:
            same = (gap.c.started == started) & (gap.c.cause == cause)
            connection.execute(update(gap).where(of_site, same).values(ended=ended))
    number = connection.execute(select(func.count()).select_from(gap).where(of_site)).scalar_one()
    if number > MOST_GAPS:
        oldest = select(gap.c.started).where(of_site).order_by(gap.c.started.desc()).limit(1).offset(MOST_GAPS - 1)
        connection.execute(delete(gap).where(of_site, gap.c.started < oldest.scalar_subquery()))


def gaps_between(connection: Connection, site_id: str, since: float, until: float) -> tuple[StoredGap, ...]:
    """Gaps that touch a time, newest first; at most `MOST_READ`."""
    query = (
        select(gap.c.started, gap.c.ended, gap.c.cause)
        .where(gap.c.site == site_id, gap.c.started < until, or_(gap.c.ended.is_(None), gap.c.ended > since))
        .order_by(gap.c.started.desc(), gap.c.cause)
        .limit(MOST_READ)
    )
    return tuple(StoredGap(**row) for row in connection.execute(query).mappings())


def known_from(gaps: Sequence[StoredGap]) -> float:
    """From when on these gaps are all there were, where more of them may not have been read; else 0."""
    return gaps[-1].started if len(gaps) >= MOST_READ else 0.0


def heard_first(connection: Connection, site_id: str) -> float | None:
    """Since when there are records of a household here; None if there is none."""
    found: float | None = connection.execute(
        select(func.min(event.c.received_at)).where(event.c.site == site_id)
    ).scalar_one()
    return found


def heard_until(heard_at: float | None, now: float, *, well: bool) -> float:
    """Until when it is known what a box saw: now while it reports, else when it was heard last."""
    return now if well or heard_at is None else min(now, heard_at)


def blind(gaps: Iterable[StoredGap], since: float, until: float) -> tuple[tuple[float, float], ...]:
    """Gaps cut to a time and joined where they overlap, the earliest first; one that lasts goes on to its end."""
    cut = sorted((max(one.started, since), min(until if one.ended is None else one.ended, until)) for one in gaps)
    joined: list[tuple[float, float]] = []
    for started, ended in cut:
        if ended <= started:
            continue
        if joined and started <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ended))
        else:
            joined.append((started, ended))
    return tuple(joined)


def share_seen(gaps: Iterable[StoredGap], since: float, until: float) -> float:
    """Which part of a time the box could see, from 0 to 1; 1 for no time at all."""
    if until <= since:
        return 1.0
    return 1.0 - sum(ended - started for started, ended in blind(gaps, since, until)) / (until - since)
