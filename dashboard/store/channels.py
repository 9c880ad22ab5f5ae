"""What an account settles for itself: where messages reach it, and when; and alerts that wait for somebody's answer.

In: an open connection and plain values; addresses come sealed and go sealed. Out: frozen rows. Writers are called inside
a transaction and write the audit's line, which holds no address. Bounded: `MOST_CHANNELS` channels an account,
`MOST_LISTED` alerts shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from dashboard.alerts.plan import Delivery
from dashboard.store.alerting import MOST_CHANNELS, acknowledge
from dashboard.store.deliveries import queue
from dashboard.store.queries import write_audit
from dashboard.store.schema import alert, alert_choice, alerting, channel, delivery, site

MOST_LISTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where messages reach an account; never the address itself."""

    channel_id: str
    kind: str
    name: str
    made_at: float
    works_at: float | None
    failed_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """When an account wants to be told."""

    quiet_from: int | None = None
    quiet_to: int | None = None
    also_today: bool = False
    digest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An alert that nobody has answered."""

    alert_id: str
    site: str
    title: str
    key: str
    rank: int
    opened_at: float
    step: int
    alone: bool


def ways_of(connection: Connection, account_id: str) -> tuple[Way, ...]:
    """An account's channels, oldest first."""
    query = (
        select(*(channel.c[name] for name in Way.__slots__))
        .where(channel.c.account_id == account_id)
        .order_by(channel.c.made_at, channel.c.channel_id)
        .limit(MOST_CHANNELS)
    )
    return tuple(Way(**row) for row in connection.execute(query).mappings())


def add_way(
    connection: Connection, *, channel_id: str, account_id: str, kind: str, name: str, sealed: str, now: float
) -> bool:
    """Store a channel; False where the account has the most already. One that is there already is that one."""
    known = connection.execute(
        select(channel.c.account_id).where(channel.c.channel_id == channel_id)
    ).scalar_one_or_none()
    if known is not None:
        return bool(known == account_id)
    number = connection.execute(select(func.count()).where(channel.c.account_id == account_id)).scalar_one()
    if number >= MOST_CHANNELS:
        return False
    connection.execute(
        insert(channel).values(
            channel_id=channel_id, account_id=account_id, kind=kind, name=name, sealed=sealed, made_at=now
        )
    )
    write_audit(connection, at=now, account_id=account_id, action="add-channel", subject=channel_id, outcome=kind)
    return True


def remove_way(connection: Connection, *, channel_id: str, account_id: str, now: float) -> bool:
    """Take one of an account's own channels away, and what waits to go there."""
    mine = and_(channel.c.channel_id == channel_id, channel.c.account_id == account_id)
    if not connection.execute(delete(channel).where(mine)).rowcount:
        return False
    waiting = and_(delivery.c.channel_id == channel_id, delivery.c.state == "waiting")
    connection.execute(update(delivery).where(waiting).values(state="dropped", done_at=now))
    write_audit(connection, at=now, account_id=account_id, action="remove-channel", subject=channel_id, outcome="done")
    return True


def test_way(connection: Connection, *, channel_id: str, account_id: str, tenant: str, text: str, now: float) -> bool:
    """Put a test message in the row: one a minute and channel; False where the account has no such channel."""
    query = select(channel.c.kind).where(channel.c.channel_id == channel_id, channel.c.account_id == account_id)
    kind = connection.execute(query).scalar_one_or_none()
    if kind is None:
        return False
    about = f"test-{int(now // 60)}"
    message = Delivery(
        delivery_id=f"{about}-{channel_id}",
        about=about,
        purpose="test",
        account_id=account_id,
        channel_id=channel_id,
        kind=kind,
        urgent=False,
        text=text,
        due_at=now,
    )
    if queue(connection, (message,), tenant=tenant, now=now):
        write_audit(
            connection, at=now, account_id=account_id, action="test-channel", subject=channel_id, outcome="asked"
        )
    return True


def choices_of(connection: Connection, account_id: str) -> Choices:
    """What an account settled; else what holds for all."""
    query = select(*(alert_choice.c[name] for name in Choices.__slots__)).where(alert_choice.c.account_id == account_id)
    row = connection.execute(query).mappings().one_or_none()
    return Choices() if row is None else Choices(**row)


def choose(connection: Connection, account_id: str, choices: Choices, *, now: float) -> None:
    """Store what an account settled."""
    values = {name: getattr(choices, name) for name in Choices.__slots__}
    mine = alert_choice.c.account_id == account_id
    if not connection.execute(update(alert_choice).where(mine).values(**values)).rowcount:
        connection.execute(insert(alert_choice).values(account_id=account_id, **values))
    write_audit(connection, at=now, account_id=account_id, action="choose-alerts", subject="", outcome="done")


def open_alerts(connection: Connection, sees: ColumnElement[bool]) -> tuple[Open, ...]:
    """Alerts that nobody has answered, the worst and oldest first; at most `MOST_LISTED`."""
    query = (
        select(
            alert.c.alert_id,
            alert.c.site,
            site.c.title,
            alert.c.key,
            alert.c.rank,
            alert.c.opened_at,
            alert.c.step,
            alert.c.alone,
        )
        .join(site, site.c.site == alert.c.site)
        .where(sees, alert.c.closed_at.is_(None), alert.c.acknowledged_at.is_(None))
        .order_by(alert.c.rank, alert.c.opened_at, alert.c.alert_id)
        .limit(MOST_LISTED)
    )
    return tuple(Open(**row) for row in connection.execute(query).mappings())


def answer(connection: Connection, sees: ColumnElement[bool], alert_id: str, *, by: str, now: float) -> bool:
    """Note that somebody looks at an alert of a household that they see; False where there is none."""
    query = (
        select(alert.c.site, alert.c.key)
        .join(site, site.c.site == alert.c.site)
        .where(sees, alert.c.alert_id == alert_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return False
    acknowledge(connection, row.site, row.key, by=by, now=now)
    return True


def looked_at(connection: Connection, tenant: str) -> float | None:
    """When the process that tells people last looked; None where it never did."""
    return connection.execute(select(alerting.c.at).where(alerting.c.tenant == tenant)).scalar_one_or_none()
