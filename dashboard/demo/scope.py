"""Each account's own demonstration: a household under a tenant of its own, so that nothing of it counts anywhere else.

In: an open transaction, an account. Out: the household's rows, made or erased. Whoever steps in sees the same pages over
that tenant alone, as an officer in charge. Bounded: one household an account; those that nobody looked at for
`KEPT_SECONDS` go when another is made, at most `AT_ONCE` at a time.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, select

from dashboard.demo import TENANT_PREFIX
from dashboard.demo.box import beat, say
from dashboard.demo.story import DAY, Plan, tell
from dashboard.store.schema import assignment, audit, home, metadata, person, site

KEPT_SECONDS = 30 * DAY
AT_ONCE = 20


def tenant_of(account_id: str) -> str:
    """The tenant of an account's demonstration."""
    return f"{TENANT_PREFIX}{account_id}"[:63]


def site_of(account_id: str) -> str:
    """Id of its household."""
    return f"demo-{account_id}"[:63]


def there(connection: Connection, account_id: str) -> bool:
    """Whether it was made."""
    known = select(site.c.site).where(site.c.site == site_of(account_id), site.c.tenant == tenant_of(account_id))
    return connection.execute(known).first() is not None


def make(connection: Connection, account_id: str, now: float) -> None:
    """Make it, unless it is there."""
    if there(connection, account_id):
        return
    _forget_old(connection, now)
    name, tenant = site_of(account_id), tenant_of(account_id)
    connection.execute(
        insert(site).values(site=name, tenant=tenant, title="DEMO-1", verify_key="A" * 44, seal_key="A" * 44)
    )
    connection.execute(insert(assignment).values(site=name, account_id=account_id, since=now - 28 * DAY, by=None))
    person_id = hashlib.sha256(tenant.encode()).hexdigest()[:32]
    connection.execute(
        insert(person).values(
            person_id=person_id,
            tenant=tenant,
            reference="DEMO-1",
            risk="medium",
            revision=1,
            changed_at=now,
            by=account_id,
        )
    )
    connection.execute(insert(home).values(site=name, person_id=person_id, since=now - 28 * DAY, by=account_id))
    say(connection, site_id=name, payloads=tell(Plan(seed="demonstration"), now), now=now)
    connection.execute(site.update().where(site.c.site == name).values(heard_at=None))
    beat(connection, site_id=name, now=now)


def erase(connection: Connection, account_id: str) -> None:
    """Erase it, with all that was decided and written about it; the audit stays."""
    tenant, name = tenant_of(account_id), site_of(account_id)
    if there(connection, account_id):
        for table in reversed(metadata.sorted_tables):
            which = _about(table, tenant, name)
            if which is not None:
                connection.execute(delete(table).where(which))


def _about(table: Table, tenant: str, name: str, depth: int = 3) -> ColumnElement[bool] | None:
    """Which rows of a table are about the household: by itself, its tenant, or what they belong to."""
    if table is audit:
        return None
    if "site" in table.c:
        return table.c.site == name
    if "tenant" in table.c:
        return table.c.tenant == tenant
    for key in table.foreign_keys if depth else ():
        above = key.column.table
        found = _about(above, tenant, name, depth - 1)
        if found is not None:
            return key.parent.in_(select(key.column).where(found))
    return None


def _forget_old(connection: Connection, now: float) -> None:
    old = (
        select(site.c.tenant)
        .where(site.c.tenant.startswith(TENANT_PREFIX, autoescape=True), site.c.heard_at < now - KEPT_SECONDS)
        .limit(AT_ONCE)
    )
    for tenant in connection.execute(old).scalars().all():
        erase(connection, tenant.removeprefix(TENANT_PREFIX))
