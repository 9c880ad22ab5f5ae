"""What the alerts' process reads and writes: news, people, alerts, and when it last looked.

In: an open connection and plain values. Out: frozen rows. A look reads and writes in one transaction, so that an alert
and the rows of whom it is sent to (`dashboard.store.deliveries`) commit together. Bounded: each read has a most.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)

from dashboard.access import Role
from dashboard.alerts.plan import ACT_NOW, Alert, News, Person, Plan
from dashboard.alerts.rota import Handover, Shift
from dashboard.store.deliveries import queue
from dashboard.store.queries import rank, write_audit
from dashboard.store.reviews import waits
from dashboard.store.schema import (
    account,
    alert,
    alert_choice,
    alerting,
    assignment,
    channel,
    cover,
    delivery,
    finding,
    handover,
    planned_work,
    shift,
    site,
)
from wire.findings import FindingKind, Severity

MOST_NEWS = 200
MOST_OPEN = 500
MOST_SHIFTS = 300
MOST_HANDOVERS = 100
MOST_PEOPLE = 1000
MOST_CHANNELS = 5
"""Of one account."""
LOCK = 0x616C657274
"""PostgreSQL's advisory lock of a look: of two processes one looks at a time."""
SILENCE = (
    FindingKind.BOX_SILENT.value,
    FindingKind.POWER_LOST.value,
    FindingKind.WAN_LOST.value,
    FindingKind.CABLE_MOVED.value,
)
"""What planned work on a home's power or line explains."""

_key = func.coalesce(finding.c.cause, finding.c.kind)


def begin(connection: Connection) -> None:
    """Let nobody else look until this transaction is over; on SQLite the transaction itself does that."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def news(connection: Connection, tenant: str, *, now: float) -> tuple[News, ...]:
    """Causes with open findings that no alert counts yet, worst and oldest first; at most `MOST_NEWS`."""
    counted = exists().where(
        alert.c.site == finding.c.site, alert.c.key == _key, alert.c.rank <= rank, alert.c.upto >= finding.c.raised_at
    )
    planned = exists().where(
        planned_work.c.site == finding.c.site, planned_work.c.since <= now, planned_work.c.until > now
    )
    query = (
        select(
            finding.c.site, _key.label("key"), func.min(rank).label("rank"), func.max(finding.c.raised_at).label("upto")
        )
        .join(site, site.c.site == finding.c.site)
        .where(
            site.c.tenant == tenant,
            finding.c.state == "open",
            finding.c.looked_at.is_(None),
            finding.c.severity.in_([Severity.ACT_NOW.value, Severity.TODAY.value]),
            ~counted,
            # Work that was planned never holds back what cannot wait.
            or_(finding.c.severity == Severity.ACT_NOW.value, finding.c.kind.not_in(SILENCE), ~planned),
        )
        .group_by(finding.c.site, _key)
        .order_by(func.min(rank), func.max(finding.c.raised_at), finding.c.site, _key)
        .limit(MOST_NEWS)
    )
    return tuple(News(site=row.site, key=row.key, rank=row.rank, upto=row.upto) for row in connection.execute(query))


def latest(connection: Connection, of: Collection[tuple[str, str]]) -> dict[tuple[str, str], Alert]:
    """The newest alert of each household and cause."""
    if not of:
        return {}
    place = func.row_number().over(
        partition_by=(alert.c.site, alert.c.key), order_by=(alert.c.opened_at.desc(), alert.c.rank, alert.c.alert_id)
    )
    numbered = select(alert, place.label("place")).where(tuple_(alert.c.site, alert.c.key).in_(sorted(of))).subquery()
    rows = connection.execute(select(numbered).where(numbered.c.place == 1)).mappings().all()
    return {(item.site, item.key): item for item in _alerts(connection, rows)}


def unanswered(connection: Connection, tenant: str) -> tuple[Alert, ...]:
    """Alerts of *Act now* that nobody has answered, oldest first; at most `MOST_OPEN`."""
    query = (
        select(alert)
        .join(site, site.c.site == alert.c.site)
        .where(
            site.c.tenant == tenant,
            alert.c.closed_at.is_(None),
            alert.c.acknowledged_at.is_(None),
            alert.c.rank == ACT_NOW,
        )
        .order_by(alert.c.opened_at)
        .limit(MOST_OPEN)
    )
    return _alerts(connection, connection.execute(query).mappings().all())


def people(connection: Connection) -> dict[str, Person]:
    """Officers and supervisors with their channels and choices."""
    told = (
        select(account.c.account_id, account.c.role, alert_choice)
        .join(alert_choice, alert_choice.c.account_id == account.c.account_id, isouter=True)
        .where(account.c.role.in_([Role.OFFICER.value, Role.SUPERVISOR.value]))
        .order_by(account.c.account_id)
        .limit(MOST_PEOPLE)
    )
    rows = connection.execute(told).all()
    ways: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(
        select(channel.c.account_id, channel.c.channel_id, channel.c.kind)
        .order_by(channel.c.made_at, channel.c.channel_id)
        .limit(MOST_PEOPLE * MOST_CHANNELS)
    ):
        ways.setdefault(row.account_id, []).append((row.channel_id, row.kind))
    return {
        row[0]: Person(
            account_id=row[0],
            channels=tuple(ways.get(row[0], ())),
            supervises=row.role == Role.SUPERVISOR.value,
            quiet_from=row.quiet_from,
            quiet_to=row.quiet_to,
            also_today=bool(row.also_today),
            digest=row.digest is not False,
        )
        for row in rows
    }


def in_charge(connection: Connection, sites: Collection[str], *, now: float) -> dict[str, tuple[str, ...]]:
    """Accounts in charge of these households just now."""
    found: dict[str, tuple[str, ...]] = {}
    query = (
        select(assignment.c.site, assignment.c.account_id)
        .where(assignment.c.site.in_(sorted(sites)), *_lasts(now))
        .order_by(assignment.c.site, assignment.c.account_id)
    )
    for row in connection.execute(query):
        found[row.site] = (*found.get(row.site, ()), row.account_id)
    return found


def stand_ins(connection: Connection, *, now: float) -> dict[str, tuple[str, ...]]:
    """Who covers for an account just now."""
    found: dict[str, tuple[str, ...]] = {}
    query = select(cover.c.for_account, cover.c.account_id).where(cover.c.since <= now, cover.c.until > now)
    for row in connection.execute(query.order_by(cover.c.for_account, cover.c.account_id).limit(MOST_PEOPLE)):
        found[row.for_account] = (*found.get(row.for_account, ()), row.account_id)
    return found


def shifts(connection: Connection, tenant: str) -> tuple[Shift, ...]:
    """The weekly rota; at most `MOST_SHIFTS`. Accounts that were closed are on no duty."""
    query = (
        select(shift.c.account_id, shift.c.weekday, shift.c.starts, shift.c.ends)
        .join(account, account.c.account_id == shift.c.account_id)
        .where(shift.c.tenant == tenant, account.c.role.in_([Role.OFFICER.value, Role.SUPERVISOR.value]))
        .order_by(shift.c.weekday, shift.c.starts, shift.c.shift_id)
        .limit(MOST_SHIFTS)
    )
    return tuple(Shift(**row) for row in connection.execute(query).mappings())


def handovers(connection: Connection, tenant: str, *, now: float) -> tuple[Handover, ...]:
    """Hand-overs that are not over, the first to begin first; at most `MOST_HANDOVERS`.

    One to an account that was closed, or is on no rota any more, counts for nothing: the duty is whose it was.
    """
    query = (
        select(handover.c.account_id, handover.c.to_account, handover.c.since, handover.c.until)
        .join(account, account.c.account_id == handover.c.to_account)
        .where(
            handover.c.tenant == tenant,
            handover.c.until > now,
            account.c.role.in_([Role.OFFICER.value, Role.SUPERVISOR.value]),
        )
        .order_by(handover.c.since, handover.c.handover_id)
        .limit(MOST_HANDOVERS)
    )
    return tuple(Handover(**row) for row in connection.execute(query).mappings())


def write(connection: Connection, made: Plan, *, tenant: str, now: float) -> int:
    """Store a plan; how many deliveries are new. One that is there already is left as it is."""
    for one in made.opened:
        connection.execute(
            insert(alert).values(
                alert_id=one.alert_id,
                site=one.site,
                key=one.key,
                rank=one.rank,
                upto=one.upto,
                opened_at=one.opened_at,
                step=one.step,
                stepped_at=one.stepped_at,
                alone=one.alone,
            )
        )
    for one in made.changed:
        connection.execute(
            update(alert)
            .where(alert.c.alert_id == one.alert_id)
            .values(upto=one.upto, step=one.step, stepped_at=one.stepped_at, alone=one.alone)
        )
    return queue(connection, made.deliveries, tenant=tenant, now=now)


def settle(connection: Connection, tenant: str, *, now: float) -> None:
    """Close alerts that were answered and about which nothing is open; take back what need not be sent any more."""
    still = exists().where(finding.c.site == alert.c.site, _key == alert.c.key, finding.c.state == "open")
    mine = alert.c.site.in_(select(site.c.site).where(site.c.tenant == tenant))
    over = or_(alert.c.acknowledged_at.is_not(None), alert.c.rank > ACT_NOW)
    connection.execute(update(alert).where(alert.c.closed_at.is_(None), over, mine, ~still).values(closed_at=now))
    answered = select(alert.c.alert_id).where(
        or_(alert.c.acknowledged_at.is_not(None), and_(alert.c.closed_at.is_not(None), alert.c.rank > ACT_NOW))
    )
    connection.execute(
        update(delivery)
        .where(
            delivery.c.state == "waiting",
            delivery.c.purpose == "alert",
            delivery.c.taken_until.is_(None),
            delivery.c.about.in_(answered),
        )
        .values(state="dropped", done_at=now)
    )


def acknowledge(connection: Connection, site_id: str, key: str, *, by: str, now: float) -> int:
    """Note that somebody looks at a household's cause; how many alerts that answers. To be called in a transaction."""
    which = and_(
        alert.c.site == site_id, alert.c.key == key, alert.c.acknowledged_at.is_(None), alert.c.closed_at.is_(None)
    )
    number = connection.execute(update(alert).where(which).values(acknowledged_at=now, acknowledged_by=by)).rowcount
    if number:
        write_audit(
            connection, at=now, account_id=by, action="answer-alert", subject=f"{site_id}/{key}", outcome="done"
        )
    return number


def waits_for_answer(connection: Connection, site_id: str, finding_id: str) -> str | None:
    """The key of the alert about a finding that nobody has answered."""
    query = (
        select(alert.c.key)
        .join(finding, and_(finding.c.site == alert.c.site, _key == alert.c.key))
        .where(
            finding.c.site == site_id,
            finding.c.finding_id == finding_id,
            alert.c.acknowledged_at.is_(None),
            alert.c.closed_at.is_(None),
        )
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def waiting_by_account(connection: Connection, tenant: str, *, now: float) -> dict[str, tuple[int, int, int]]:
    """Findings that nobody has decided about, by account in charge or standing in: now, today, this week."""
    soon = (Severity.ACT_NOW, Severity.TODAY, Severity.THIS_WEEK)
    given = select(assignment.c.account_id, assignment.c.site).where(*_lasts(now))
    covered = (
        select(cover.c.account_id, assignment.c.site)
        .join(assignment, assignment.c.account_id == cover.c.for_account)
        .where(*_lasts(now), cover.c.since <= now, cover.c.until > now)
    )
    mine = given.union(covered).subquery()  # a household that comes both ways counts once
    query = (
        select(
            mine.c.account_id,
            *(func.count().filter(finding.c.severity == name.value).label(name.value) for name in soon),
        )
        .join(finding, finding.c.site == mine.c.site)
        .join(site, site.c.site == mine.c.site)
        .where(site.c.tenant == tenant, waits)
        .group_by(mine.c.account_id)
        .limit(MOST_PEOPLE)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in connection.execute(query)}


def look_at(connection: Connection, tenant: str, *, now: float) -> str:
    """Note that the process looks; the local day of its last digest, empty where there was none."""
    row = connection.execute(select(alerting).where(alerting.c.tenant == tenant)).one_or_none()
    if row is None:
        connection.execute(insert(alerting).values(tenant=tenant, at=now, digest_day="", dropped=0))
        return ""
    connection.execute(update(alerting).where(alerting.c.tenant == tenant).values(at=now))
    return str(row.digest_day)


def digest_done(connection: Connection, tenant: str, day: str) -> None:
    """Note that a local day's summary is in the row."""
    connection.execute(update(alerting).where(alerting.c.tenant == tenant).values(digest_day=day))


def _lasts(now: float) -> tuple[ColumnElement[bool], ...]:
    return (assignment.c.since <= now, or_(assignment.c.until.is_(None), assignment.c.until > now))


def _alerts(connection: Connection, rows: Sequence[RowMapping]) -> tuple[Alert, ...]:
    ids = sorted(str(row["alert_id"]) for row in rows)
    told: dict[str, set[str]] = {}
    if ids:
        for row in connection.execute(
            select(delivery.c.about, delivery.c.account_id).where(delivery.c.about.in_(ids)).distinct()
        ):
            told.setdefault(row.about, set()).add(row.account_id)
    names = ("alert_id", "site", "key", "rank", "upto", "opened_at", "step", "stepped_at", "alone")
    ends = ("acknowledged_at", "closed_at")
    return tuple(
        Alert(**{name: row[name] for name in (*names, *ends)}, told=frozenset(told.get(str(row["alert_id"]), ())))
        for row in rows
    )
