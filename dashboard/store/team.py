"""What a supervisor reads of the team: how much each officer has, how old it is, whether boxes report (R28, R37).

In: an open connection, the tenant, now. Out: frozen rows, numbers alone: no browsing, no device, no household. Seven
statements, however many officers and households there are; at most `MOST_OFFICERS` officers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from dashboard.access import Role
from dashboard.store.reviews import waits
from dashboard.store.schema import account, alert, assignment, cover, finding, install, site
from wire.findings import Severity

MOST_OFFICERS = 500
DAY = 86400.0
AGES = (1.0, 3.0, 7.0)
"""Days at which the age of what waits is parted: below the first, ..., above the last."""
BUDGET_DAYS = 30
"""Days over which findings are held against one a household and day (R28)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How one officer stands; with `account_id` None: households that are in nobody's charge."""

    account_id: str | None
    name: str
    households: int = 0
    reporting: int = 0
    """Boxes of them that were heard of lately."""
    waiting: int = 0
    """Findings that nobody has decided about."""
    oldest: float | None = None
    """When the oldest of them was raised, Unix seconds."""
    ages: tuple[int, ...] = (0, 0, 0, 0)
    raised: int = 0
    """Findings of the last `BUDGET_DAYS` that wait for a person, decided or not."""
    urgent_unanswered: int = 0
    """Alerts of *Act now* that nobody has answered."""
    stands_in_for: tuple[str, ...] = ()
    covered_by: tuple[str, ...] = ()
    installs: int = 0
    install_seconds: float | None = None
    """Mean time from the first step to the signature."""

    @property
    def a_day(self) -> float | None:
        """Findings a household and day; None without households."""
        return self.raised / BUDGET_DAYS / self.households if self.households else None


def loads(connection: Connection, tenant: str, *, now: float, silent_seconds: float) -> tuple[Load, ...]:
    """All officers by name; last, where there are any, households that are in nobody's charge."""
    names = _names(connection)
    homes = _homes(connection, tenant, now, silent_seconds)
    work = _work(connection, tenant, now)
    unanswered = _unanswered(connection, tenant, now)
    fitted = _installs(connection, tenant, now)
    covers = _covers(connection, now)
    found = []
    for account_id, name in (*names.items(), (None, "")):
        total, reporting = homes.get(account_id, (0, 0))
        if account_id is None and not total:
            continue
        waiting, oldest, ages, raised = work.get(account_id, (0, None, (0, 0, 0, 0), 0))
        number, seconds = fitted.get(account_id or "", (0, None))
        found.append(
            Load(
                account_id=account_id,
                name=name,
                households=total,
                reporting=reporting,
                waiting=waiting,
                oldest=oldest,
                ages=ages,
                raised=raised,
                urgent_unanswered=unanswered.get(account_id, 0),
                stands_in_for=tuple(names.get(other, other) for one, other in covers if one == account_id),
                covered_by=tuple(names.get(one, one) for one, other in covers if other == account_id),
                installs=number,
                install_seconds=seconds,
            )
        )
    return tuple(found)


def _names(connection: Connection) -> dict[str, str]:
    query = (
        select(account.c.account_id, account.c.name)
        .where(account.c.role == Role.OFFICER.value)
        .order_by(account.c.name)
        .limit(MOST_OFFICERS)
    )
    return {row.account_id: row.name for row in connection.execute(query)}


def _in_charge(now: float) -> ColumnElement[bool]:
    return and_(
        assignment.c.site == site.c.site,
        assignment.c.since <= now,
        or_(assignment.c.until.is_(None), assignment.c.until > now),
        assignment.c.account_id.in_(select(account.c.account_id).where(account.c.role == Role.OFFICER.value)),
    )


def _homes(connection: Connection, tenant: str, now: float, silent: float) -> dict[str | None, tuple[int, int]]:
    query = (
        select(
            assignment.c.account_id,
            func.count(),
            func.count().filter(site.c.heard_at >= now - silent),
        )
        .join_from(site, assignment, _in_charge(now), isouter=True)
        .where(site.c.tenant == tenant, site.c.revoked_at.is_(None))
        .group_by(assignment.c.account_id)
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def _work(
    connection: Connection, tenant: str, now: float
) -> dict[str | None, tuple[int, float | None, tuple[int, ...], int]]:
    bounds = [now - days * DAY for days in AGES]
    raised_at = finding.c.raised_at
    ages = (
        and_(waits, raised_at > bounds[0]),
        *(and_(waits, raised_at <= newer, raised_at > older) for newer, older in pairwise(bounds)),
        and_(waits, raised_at <= bounds[-1]),
    )
    recent = and_(raised_at > now - BUDGET_DAYS * DAY, finding.c.severity != Severity.INFORMATION.value)
    query = (
        select(
            assignment.c.account_id,
            func.count().filter(waits),
            func.min(raised_at).filter(waits),
            *(func.count().filter(age) for age in ages),
            func.count().filter(recent),
        )
        .join_from(finding, site, site.c.site == finding.c.site)
        .join(assignment, _in_charge(now), isouter=True)
        .where(site.c.tenant == tenant, or_(waits, recent))
        .group_by(assignment.c.account_id)
    )
    return {row[0]: (row[1], row[2], tuple(row[3:-1]), row[-1]) for row in connection.execute(query)}


def _unanswered(connection: Connection, tenant: str, now: float) -> dict[str | None, int]:
    query = (
        select(assignment.c.account_id, func.count())
        .join_from(alert, site, site.c.site == alert.c.site)
        .join(assignment, _in_charge(now), isouter=True)
        .where(
            site.c.tenant == tenant,
            alert.c.closed_at.is_(None),
            alert.c.acknowledged_at.is_(None),
            alert.c.rank == 0,
        )
        .group_by(assignment.c.account_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _installs(connection: Connection, tenant: str, now: float) -> dict[str, tuple[int, float | None]]:
    query = (
        select(install.c.by, func.count(), func.avg(install.c.signed_at - install.c.started_at))
        .where(install.c.tenant == tenant, install.c.kind == "install", install.c.signed_at > now - 90 * DAY)
        .group_by(install.c.by)
    )
    return {row[0]: (row[1], None if row[2] is None else float(row[2])) for row in connection.execute(query)}


def _covers(connection: Connection, now: float) -> tuple[tuple[str, str], ...]:
    query = (
        select(cover.c.account_id, cover.c.for_account)
        .where(cover.c.since <= now, cover.c.until > now)
        .order_by(cover.c.account_id, cover.c.for_account)
        .limit(MOST_OFFICERS)
    )
    return tuple((row[0], row[1]) for row in connection.execute(query))
