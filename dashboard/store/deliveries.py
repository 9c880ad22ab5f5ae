"""The row of messages that wait to be sent: one for each alert, person and channel, until it was sent or has failed.

In: an open connection and plain values. Out: rows taken for sending. A row is taken by one sender at a time, and one
that was killed with it loses it after `TAKEN_SECONDS`: a message may be sent twice by that, and is never lost.
Bounded: where `MOST_WAITING` deliveries wait, further ones are counted in `alerting.dropped` and not made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from dashboard.alerts.plan import Delivery
from dashboard.store.schema import alert, alerting, channel, delivery, handover, planned_work, site

MOST_WAITING = 10_000
MOST_TAKEN = 100
TAKEN_SECONDS = 120.0
SPACING_SECONDS = 30.0
"""Between two messages on one channel; what comes meanwhile goes as one."""
WAITS = (10.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0)
"""Seconds before each further try; after the last a delivery has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A delivery that was taken for sending."""

    delivery_id: str
    about: str
    purpose: str
    channel_id: str
    account_id: str
    text: str
    urgent: bool
    tries: int
    sealed: str | None
    """None where its owner has taken the channel away."""


def queue(connection: Connection, fresh: Sequence[Delivery], *, tenant: str, now: float) -> int:
    """Put deliveries in the row; how many were not there before."""
    ids = sorted({item.delivery_id for item in fresh})
    if not ids:
        return 0
    there = set(
        connection.execute(select(delivery.c.delivery_id).where(delivery.c.delivery_id.in_(ids))).scalars().all()
    )
    waiting = connection.execute(select(func.count()).where(delivery.c.state == "waiting")).scalar_one()
    wanted = [item for item in fresh if item.delivery_id not in there]
    # What interrupts goes first where not all can.
    wanted.sort(key=lambda item: not item.urgent)
    taken = wanted[: max(0, MOST_WAITING - waiting)]
    for item in taken:
        connection.execute(
            insert(delivery).values(
                delivery_id=item.delivery_id,
                about=item.about,
                purpose=item.purpose,
                account_id=item.account_id,
                channel_id=item.channel_id,
                kind=item.kind,
                urgent=item.urgent,
                text=item.text[:300],
                made_at=now,
                due_at=item.due_at,
                tries=0,
                state="waiting",
                problem="",
            )
        )
    if len(taken) < len(wanted):
        more = alerting.c.dropped + len(wanted) - len(taken)
        connection.execute(update(alerting).where(alerting.c.tenant == tenant).values(dropped=more))
    return len(taken)


def take_due(connection: Connection, *, now: float) -> tuple[Due, ...]:
    """Take deliveries that are due, the urgent first; at most `MOST_TAKEN`, none of a channel that was just used."""
    rested = or_(channel.c.works_at.is_(None), channel.c.works_at <= now - SPACING_SECONDS)
    query = (
        select(delivery, channel.c.sealed)
        .join(channel, channel.c.channel_id == delivery.c.channel_id, isouter=True)
        .where(
            delivery.c.state == "waiting",
            delivery.c.due_at <= now,
            or_(delivery.c.taken_until.is_(None), delivery.c.taken_until <= now),
            rested,
        )
        .order_by(delivery.c.urgent.desc(), delivery.c.due_at, delivery.c.delivery_id)
        .limit(MOST_TAKEN)
        # On PostgreSQL a second process that takes at the same moment leaves these out; SQLite lets one in at a time.
        .with_for_update(of=delivery, skip_locked=True)
    )
    rows = connection.execute(query).mappings().all()
    ids = [row["delivery_id"] for row in rows]
    if ids:
        until = now + TAKEN_SECONDS
        connection.execute(update(delivery).where(delivery.c.delivery_id.in_(ids)).values(taken_until=until))
    return tuple(Due(**{name: row[name] for name in Due.__slots__}) for row in rows)


def put_back(connection: Connection, items: Iterable[Due], *, now: float, problem: str | None, final: bool) -> None:
    """Note what became of deliveries that went as one message; without `problem` they were taken."""
    for item in items:
        values: dict[str, object] = {"taken_until": None, "tries": item.tries + 1}
        if problem is None:
            values |= {"state": "sent", "done_at": now, "problem": ""}
        elif final or item.tries >= len(WAITS):
            values |= {"state": "failed", "done_at": now, "problem": problem[:100]}
        else:
            values |= {"due_at": now + WAITS[item.tries], "problem": problem[:100]}
        connection.execute(
            update(delivery)
            .where(delivery.c.delivery_id == item.delivery_id, delivery.c.state == "waiting")
            .values(values)
        )
        if problem is None:
            used: dict[str, object] = {"works_at": now, "failed_at": None}
        elif values.get("state") == "failed":
            used = {"failed_at": now}
        else:
            continue
        connection.execute(update(channel).where(channel.c.channel_id == item.channel_id).values(used))


def purge(connection: Connection, tenant: str, *, before: float) -> int:
    """Delete who was told what before a moment, and what was planned before it; how many rows."""
    mine = select(site.c.site).where(site.c.tenant == tenant)
    gone = connection.execute(
        delete(delivery).where(delivery.c.made_at < before, delivery.c.state != "waiting")
    ).rowcount
    gone += connection.execute(delete(alert).where(alert.c.closed_at < before, alert.c.site.in_(mine))).rowcount
    gone += connection.execute(
        delete(planned_work).where(planned_work.c.until < before, planned_work.c.site.in_(mine))
    ).rowcount
    gone += connection.execute(delete(handover).where(handover.c.tenant == tenant, handover.c.until < before)).rowcount
    return gone
