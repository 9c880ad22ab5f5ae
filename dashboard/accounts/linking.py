"""Whose account a person of the operator's provider has: linked beforehand, or made by a claim where settings say so.

In: who the provider says it is. Out: an account's id, or None. An account is linked by who is signed in to it with a
one-time code of a supervisor's (the invitation). Where settings map a claim to roles, whoever lost the claim of their
account's role is not let in any more. Nobody becomes a supervisor by a claim.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import IntegrityError

from dashboard import auth
from dashboard.access import Role
from dashboard.accounts.oidc import Claimed
from dashboard.settings import Operator
from dashboard.store.queries import write_audit
from dashboard.store.schema import account


def account_of(engine: Engine, claimed: Claimed, settings: Operator, now: float) -> str | None:
    """The account of a person, made now if settings say so; None where there is none, or it is not to be used."""
    roles = {settings.roles[item] for item in claimed.roles if item in settings.roles}
    with engine.begin() as connection:
        known = select(account.c.account_id, account.c.role).where(
            account.c.issuer == claimed.issuer, account.c.subject == claimed.subject
        )
        row = connection.execute(known).one_or_none()
    if row is not None:
        if row.role not in tuple(Role):
            return None
        mapped = bool(settings.role_claim) and row.role != Role.SUPERVISOR
        return None if mapped and row.role not in roles else str(row.account_id)
    if not (settings.make_accounts and settings.role_claim and len(roles) == 1):
        return None
    try:
        made = auth.add_account(engine, name=claimed.name, role=Role(roles.pop()), now=now)
    except ValueError:
        return None  # a name that somebody else has here is not taken over
    with engine.begin() as connection:
        return made if link(connection, claimed, account_id=made, now=now) else None


def link(connection: Connection, claimed: Claimed, *, account_id: str, now: float) -> bool:
    """Link an account to a person of the provider; False where that person has another one."""
    same = select(account.c.account_id).where(
        account.c.issuer == claimed.issuer, account.c.subject == claimed.subject, account.c.account_id != account_id
    )
    if connection.execute(same).first() is not None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(
                update(account)
                .where(account.c.account_id == account_id)
                .values(issuer=claimed.issuer, subject=claimed.subject)
            )
    except IntegrityError:  # somebody else was linked to that person just now
        return False
    write_audit(connection, at=now, account_id=account_id, action="link-account", subject=account_id, outcome="done")
    return True


def holder(connection: Connection, claimed: Claimed) -> str | None:
    """The account that is linked to a person of the provider."""
    known = select(account.c.account_id).where(account.c.issuer == claimed.issuer, account.c.subject == claimed.subject)
    return connection.execute(known).scalar_one_or_none()
