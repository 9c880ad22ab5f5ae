"""Who is in charge of which household, who stands in for whom, and the condition that lists of households use (R39).

In: an open SQLAlchemy connection, who is asking, the time. Out: a condition on `site`, yes or no, frozen rows. An officer
or installer sees what was given to them; an officer also what was given to those they stand in for just now. Standing in
is not passed on: who covers for somebody who covers sees only what is that one's own. Supervisors and auditors see every
household of the operator; an engineer none. Writers are called inside a transaction, and write the audit's line.
Bounded: every read has a most; at most `MOST_COVERS` covers that are not over for one account.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, insert, or_, select, update

from dashboard.access import SEES_ALL, Role
from dashboard.store.queries import write_audit
from dashboard.store.schema import account, assignment, cover, site

if TYPE_CHECKING:
    from dashboard.auth import SignedIn

MOST_COVERS = 20
MOST_SHOWN = 200
MOST_LISTED = 1000
LONGEST_COVER = 92 * 86400.0
"""Longer than a long leave is no standing in: the households are given to somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """One account stands in for another."""

    account_id: str
    name: str
    for_account: str
    for_name: str
    since: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InCharge:
    """Somebody that a household is given to."""

    site: str
    account_id: str
    name: str
    role: str
    since: float


def sees(who: SignedIn, now: float, tenant: str) -> ColumnElement[bool]:
    """Condition on `site`: households of the operator that who is asking may see. For `where(...)` with `site` joined."""
    of_tenant = site.c.tenant == tenant
    if who.role in SEES_ALL:
        return of_tenant
    if who.role not in (Role.OFFICER, Role.INSTALLER):
        return and_(of_tenant, false())
    return and_(of_tenant, site.c.site.in_(_given(who.account_id, now, covers=who.role is Role.OFFICER)))


def may_see(connection: Connection, who: SignedIn, site_id: str, now: float) -> bool:
    """Whether who is asking may see a household; the tenant is that of the household itself."""
    tenant = connection.execute(select(site.c.tenant).where(site.c.site == site_id)).scalar_one_or_none()
    if tenant is None:
        return False
    query = select(site.c.site).where(site.c.site == site_id, sees(who, now, tenant))
    return connection.execute(query).first() is not None


def seers(site_id: str, now: float) -> ColumnElement[bool]:
    """Condition on `account`: accounts that may decide about a household: supervisors, its officers, and their covers."""
    given = select(assignment.c.account_id).where(assignment.c.site == site_id, _lasts(now))
    standing = select(cover.c.account_id).where(cover.c.for_account.in_(given), _covers(now))
    mine = or_(account.c.account_id.in_(given), account.c.account_id.in_(standing))
    return or_(account.c.role == Role.SUPERVISOR.value, and_(account.c.role == Role.OFFICER.value, mine))


def assign(
    connection: Connection, *, sites: Collection[str], account_id: str, by: str | None, now: float
) -> tuple[str, ...]:
    """Give households to an account; those that were not its own already."""
    mine = select(assignment.c.site).where(assignment.c.account_id == account_id, _lasts(now))
    held = set(connection.execute(mine).scalars())
    fresh = tuple(sorted(set(sites) - held))
    for one in fresh:
        connection.execute(insert(assignment).values(site=one, account_id=account_id, since=now, by=by))
        _audit(connection, by, "assign", f"{one}/{account_id}", now)
    return fresh


def unassign(
    connection: Connection, *, sites: Collection[str], account_id: str, by: str | None, now: float
) -> tuple[str, ...]:
    """Take households from an account; those that were its own."""
    mine = select(assignment.c.site).where(
        assignment.c.account_id == account_id, assignment.c.site.in_(sorted(sites)), _lasts(now)
    )
    gone = tuple(sorted(set(connection.execute(mine).scalars())))
    for one in gone:
        which = (assignment.c.account_id == account_id) & (assignment.c.site == one) & _lasts(now)
        connection.execute(update(assignment).where(which).values(until=now))
        _audit(connection, by, "unassign", f"{one}/{account_id}", now)
    return gone


def end_all(connection: Connection, *, account_id: str, by: str | None, now: float) -> int:
    """Take every household from an account, and end whatever standing in it takes part in; how many households."""
    which = (assignment.c.account_id == account_id) & _lasts(now)
    sites = connection.execute(select(assignment.c.site).where(which)).scalars().all()
    gone = unassign(connection, sites=sites, account_id=account_id, by=by, now=now)
    part = or_(cover.c.account_id == account_id, cover.c.for_account == account_id)
    connection.execute(update(cover).where(part, cover.c.until > now).values(until=now))
    return len(gone)


def add_cover(
    connection: Connection,
    *,
    account_id: str,
    for_account: str,
    since: float,
    until: float,
    by: str | None,
    now: float,
) -> None:
    """Let one officer stand in for another from one moment to another.

    Raises:
        ValueError: not two officers, no time, too long, or too many already; the text says which.
    """
    if account_id == for_account:
        raise ValueError("nobody stands in for themselves")
    roles = select(account.c.role).where(account.c.account_id.in_([account_id, for_account]))
    if [*connection.execute(roles).scalars()] != [Role.OFFICER.value] * 2:
        raise ValueError("only one officer stands in for another")
    if until <= max(since, now):
        raise ValueError("the end must be later than the beginning, and later than now")
    if until - since > LONGEST_COVER:
        raise ValueError("standing in lasts three months at most")
    open_ = select(func.count()).select_from(cover).where(cover.c.account_id == account_id, cover.c.until > now)
    if connection.execute(open_).scalar_one() >= MOST_COVERS:
        raise ValueError(f"one officer stands in for {MOST_COVERS} others at most")
    same = (cover.c.account_id == account_id) & (cover.c.for_account == for_account) & (cover.c.since == since)
    if connection.execute(select(cover.c.since).where(same)).first() is None:
        connection.execute(
            insert(cover).values(account_id=account_id, for_account=for_account, since=since, until=until, by=by)
        )
    else:
        connection.execute(update(cover).where(same).values(until=until, by=by))
    _audit(connection, by, "cover", f"{for_account}/{account_id}", now)


def end_cover(connection: Connection, *, account_id: str, for_account: str, by: str | None, now: float) -> bool:
    """End a standing in at once; False where there is none."""
    which = (cover.c.account_id == account_id) & (cover.c.for_account == for_account) & (cover.c.until > now)
    done = connection.execute(update(cover).where(which).values(until=now)).rowcount > 0
    if done:
        _audit(connection, by, "end-cover", f"{for_account}/{account_id}", now)
    return done


def covers_of(connection: Connection, account_id: str | None, now: float) -> tuple[Cover, ...]:
    """Covers that are not over in which an account takes part, or all; the earliest end first; at most `MOST_SHOWN`."""
    other = account.alias("other")
    query = (
        select(
            cover.c.account_id,
            account.c.name,
            cover.c.for_account,
            other.c.name.label("for_name"),
            cover.c.since,
            cover.c.until,
        )
        .join(account, account.c.account_id == cover.c.account_id)
        .join(other, other.c.account_id == cover.c.for_account)
        .where(cover.c.until > now)
        .order_by(cover.c.until, account.c.name, other.c.name)
        .limit(MOST_SHOWN)
    )
    if account_id is not None:
        query = query.where(or_(cover.c.account_id == account_id, cover.c.for_account == account_id))
    return tuple(Cover(**row) for row in connection.execute(query).mappings())


def in_charge_of(connection: Connection, site_id: str, now: float) -> tuple[InCharge, ...]:
    """Officers and installers that a household is given to, by name; at most `MOST_SHOWN`."""
    query = _charged(now).where(assignment.c.site == site_id).order_by(account.c.name).limit(MOST_SHOWN)
    return tuple(InCharge(**row) for row in connection.execute(query).mappings())


def officers_by_site(connection: Connection, tenant: str, now: float) -> dict[str, tuple[InCharge, ...]]:
    """Who is in charge, by household that has anybody; of at most `MOST_LISTED` rows. One statement."""
    query = (
        _charged(now)
        .join(site, site.c.site == assignment.c.site)
        .where(site.c.tenant == tenant, account.c.role == Role.OFFICER.value)
        .order_by(assignment.c.site, account.c.name)
        .limit(MOST_LISTED)
    )
    found: dict[str, tuple[InCharge, ...]] = {}
    for row in connection.execute(query).mappings():
        found[row["site"]] = (*found.get(row["site"], ()), InCharge(**row))
    return found


def nobodys(tenant: str, now: float) -> ColumnElement[bool]:
    """Condition on `site`: households of the operator that no officer is in charge of."""
    given = (
        select(assignment.c.site)
        .join(account, account.c.account_id == assignment.c.account_id)
        .where(account.c.role == Role.OFFICER.value, _lasts(now))
    )
    return and_(site.c.tenant == tenant, site.c.site.not_in(given))


def count_nobodys(connection: Connection, tenant: str, now: float) -> int:
    """How many households no officer is in charge of; supervisors are shown it, so that none is lost."""
    return connection.execute(select(func.count()).select_from(site).where(nobodys(tenant, now))).scalar_one()


def _charged(now: float) -> Any:
    return (
        select(
            assignment.c.site,
            assignment.c.account_id,
            account.c.name,
            account.c.role,
            assignment.c.since,
        )
        .join(account, account.c.account_id == assignment.c.account_id)
        .where(_lasts(now))
    )


def _given(account_id: str, now: float, *, covers: bool) -> Any:
    mine: ColumnElement[bool] = assignment.c.account_id == account_id
    if covers:
        standing = select(cover.c.for_account).where(cover.c.account_id == account_id, _covers(now))
        mine = or_(mine, assignment.c.account_id.in_(standing))
    return select(assignment.c.site).where(mine, _lasts(now))


def _lasts(now: float) -> ColumnElement[bool]:
    return and_(assignment.c.since <= now, or_(assignment.c.until.is_(None), assignment.c.until > now))


def _covers(now: float) -> ColumnElement[bool]:
    return and_(cover.c.since <= now, cover.c.until > now)


def _audit(connection: Connection, by: str | None, action: str, subject: str, now: float) -> None:
    write_audit(connection, at=now, account_id=by, action=action, subject=subject, outcome="done")
