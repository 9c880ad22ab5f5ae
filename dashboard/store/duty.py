"""The duty rota, planned work at a home, and messages that did not arrive, as pages read and write them (R38, R39).

In: an open connection and plain values. Out: frozen rows. Writers are called inside a transaction and write the audit's
line. Bounded: `alerting.MOST_SHIFTS` shifts, `alerting.MOST_HANDOVERS` hand-overs, `MOST_WORK` planned works a home,
`MOST_FAILED` messages shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, func, insert, select

from dashboard.access import Role
from dashboard.store.alerting import MOST_HANDOVERS, MOST_SHIFTS
from dashboard.store.queries import write_audit
from dashboard.store.schema import account, alerting, delivery, feed, handover, planned_work, shift

MOST_WORK = 20
MOST_FAILED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """A weekly shift with a name."""

    shift_id: str
    account_id: str
    name: str
    weekday: int
    starts: int
    ends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverRow:
    """A hand-over with names."""

    handover_id: str
    name: str
    to_name: str
    since: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Work that was announced at a home."""

    work_id: str
    since: float
    until: float
    reason: str
    by_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A message that has not arrived: tried again, or given up."""

    name: str
    kind: str
    purpose: str
    state: str
    tries: int
    problem: str
    made_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """How messages of one kind went."""

    kind: str
    sent: int
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """How the process that tells people goes."""

    at: float | None
    dropped: int
    feed_at: float | None
    feed_sent: int
    feed_dropped: int
    feed_problem: str


def on_the_team(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Officers and supervisors by name: who can be on duty. At most a thousand."""
    query = (
        select(account.c.account_id, account.c.name)
        .where(account.c.role.in_([Role.OFFICER.value, Role.SUPERVISOR.value]))
        .order_by(account.c.name)
        .limit(1000)
    )
    return tuple((row[0], row[1]) for row in connection.execute(query))


def shifts_of(connection: Connection, tenant: str) -> tuple[ShiftRow, ...]:
    """The rota, from Monday on."""
    query = (
        select(shift.c.shift_id, shift.c.account_id, account.c.name, shift.c.weekday, shift.c.starts, shift.c.ends)
        .join(account, account.c.account_id == shift.c.account_id)
        .where(shift.c.tenant == tenant, account.c.role.in_([Role.OFFICER.value, Role.SUPERVISOR.value]))
        .order_by(shift.c.weekday, shift.c.starts, account.c.name, shift.c.shift_id)
        .limit(MOST_SHIFTS)
    )
    return tuple(ShiftRow(**row) for row in connection.execute(query).mappings())


def add_shifts(
    connection: Connection,
    *,
    token: str,
    tenant: str,
    account_id: str,
    weekdays: tuple[int, ...],
    starts: int,
    ends: int,
    by: str,
    now: float,
) -> bool:
    """Store a shift for each weekday; False where there are too many. Sent twice it is stored once."""
    number = connection.execute(select(func.count()).where(shift.c.tenant == tenant)).scalar_one()
    known = connection.execute(select(shift.c.shift_id).where(shift.c.shift_id.startswith(token[:30]))).first()
    if known is not None:
        return True
    if number + len(weekdays) > MOST_SHIFTS:
        return False
    for weekday in weekdays:
        connection.execute(
            insert(shift).values(
                shift_id=f"{token[:30]}-{weekday}",
                tenant=tenant,
                account_id=account_id,
                weekday=weekday,
                starts=starts,
                ends=ends,
                by=by,
                made_at=now,
            )
        )
    write_audit(connection, at=now, account_id=by, action="add-shifts", subject=account_id, outcome="done")
    return True


def remove(connection: Connection, table: Table, row_id: str, *, tenant: str, by: str, now: float) -> bool:
    """Take a row of the rota away: `shift` or `handover`."""
    (key,) = table.primary_key.columns
    gone = connection.execute(delete(table).where(key == row_id, table.c.tenant == tenant)).rowcount == 1
    if gone:
        write_audit(connection, at=now, account_id=by, action=f"remove-{table.name}", subject=row_id, outcome="done")
    return gone


def handovers_of(connection: Connection, tenant: str, *, now: float) -> tuple[HandoverRow, ...]:
    """Hand-overs that are not over."""
    other = account.alias("other")
    query = (
        select(
            handover.c.handover_id, account.c.name, other.c.name.label("to_name"), handover.c.since, handover.c.until
        )
        .join(account, account.c.account_id == handover.c.account_id)
        .join(other, other.c.account_id == handover.c.to_account)
        .where(handover.c.tenant == tenant, handover.c.until > now)
        .order_by(handover.c.since, handover.c.handover_id)
        .limit(MOST_HANDOVERS)
    )
    return tuple(HandoverRow(**row) for row in connection.execute(query).mappings())


def add_handover(
    connection: Connection,
    *,
    token: str,
    tenant: str,
    account_id: str,
    to_account: str,
    since: float,
    until: float,
    by: str,
    now: float,
) -> bool:
    """Store a hand-over; False where there are too many. Sent twice it is stored once."""
    if connection.execute(select(handover.c.handover_id).where(handover.c.handover_id == token)).first():
        return True
    waiting = select(func.count()).where(handover.c.tenant == tenant, handover.c.until > now)
    if connection.execute(waiting).scalar_one() >= MOST_HANDOVERS:
        return False
    connection.execute(
        insert(handover).values(
            handover_id=token,
            tenant=tenant,
            account_id=account_id,
            to_account=to_account,
            since=since,
            until=until,
            by=by,
        )
    )
    write_audit(
        connection, at=now, account_id=by, action="hand-over", subject=f"{account_id}/{to_account}", outcome="done"
    )
    return True


def work_at(connection: Connection, site_id: str, *, now: float) -> tuple[Work, ...]:
    """Planned work at a home that is not over."""
    query = (
        select(
            planned_work.c.work_id,
            planned_work.c.since,
            planned_work.c.until,
            planned_work.c.reason,
            func.coalesce(account.c.name, planned_work.c.by).label("by_name"),
        )
        .join(account, account.c.account_id == planned_work.c.by, isouter=True)
        .where(planned_work.c.site == site_id, planned_work.c.until > now)
        .order_by(planned_work.c.since)
        .limit(MOST_WORK)
    )
    return tuple(Work(**row) for row in connection.execute(query).mappings())


def add_work(
    connection: Connection, *, token: str, site_id: str, since: float, until: float, reason: str, by: str, now: float
) -> bool:
    """Store planned work; False where there is too much. Sent twice it is stored once."""
    if connection.execute(select(planned_work.c.work_id).where(planned_work.c.work_id == token)).first():
        return True
    waiting = select(func.count()).where(planned_work.c.site == site_id, planned_work.c.until > now)
    if connection.execute(waiting).scalar_one() >= MOST_WORK:
        return False
    connection.execute(
        insert(planned_work).values(
            work_id=token, site=site_id, since=since, until=until, reason=reason, by=by, made_at=now
        )
    )
    write_audit(connection, at=now, account_id=by, action="plan-work", subject=site_id, outcome="done")
    return True


def remove_work(connection: Connection, *, site_id: str, work_id: str, by: str, now: float) -> bool:
    """Take planned work back."""
    which = (planned_work.c.work_id == work_id) & (planned_work.c.site == site_id)
    gone = connection.execute(delete(planned_work).where(which)).rowcount == 1
    if gone:
        write_audit(connection, at=now, account_id=by, action="unplan-work", subject=site_id, outcome="done")
    return gone


def failed(connection: Connection, *, since: float) -> tuple[Failed, ...]:
    """Messages since then that have not arrived, newest first."""
    query = (
        select(
            account.c.name,
            delivery.c.kind,
            delivery.c.purpose,
            delivery.c.state,
            delivery.c.tries,
            delivery.c.problem,
            delivery.c.made_at,
        )
        .join(account, account.c.account_id == delivery.c.account_id)
        .where(delivery.c.made_at >= since, delivery.c.problem != "", delivery.c.state.in_(["failed", "waiting"]))
        .order_by(delivery.c.made_at.desc(), delivery.c.delivery_id)
        .limit(MOST_FAILED)
    )
    return tuple(Failed(**row) for row in connection.execute(query).mappings())


def sums(connection: Connection, *, since: float) -> tuple[Sum, ...]:
    """How messages since then went, by kind of address."""
    query = (
        select(
            delivery.c.kind,
            *(func.count().filter(delivery.c.state == state).label(state) for state in ("sent", "waiting", "failed")),
        )
        .where(delivery.c.made_at >= since)
        .group_by(delivery.c.kind)
        .order_by(delivery.c.kind)
    )
    return tuple(Sum(**row) for row in connection.execute(query).mappings())


def process(connection: Connection, tenant: str, feed_name: str) -> Process:
    """How the process goes, and the collector's feed."""
    looks = connection.execute(select(alerting).where(alerting.c.tenant == tenant)).one_or_none()
    fed = connection.execute(select(feed).where(feed.c.name == feed_name)).one_or_none()
    return Process(
        at=looks.at if looks else None,
        dropped=looks.dropped if looks else 0,
        feed_at=fed.at if fed else None,
        feed_sent=fed.sent if fed else 0,
        feed_dropped=fed.dropped if fed else 0,
        feed_problem=fed.problem if fed else "",
    )
