"""Tokens with which programs use the interface: made by an account for itself, or by a supervisor for a service.

In: who asks, which rights of their role, for how many days. Out: the token, once; the database keeps its SHA-256. A
token has a part of its account's rights and none beyond it, ends by itself, can be ended at once, and dies with its
account. A service's account may only read: two people must stay two, and whoever holds a service's token would be
a second one. Bounded: `MOST_TOKENS` that work at once for each account (one more is refused), `MOST_SERVICES` accounts
of services; ended ones are gone after `KEPT_SECONDS`. Use is written down to the minute, not for each request.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, or_, select, update

from dashboard.access import GIVEN, May, Role
from dashboard.auth import SignedIn
from dashboard.store.queries import write_audit
from dashboard.store.schema import account, api_token

MOST_TOKENS = 20
MOST_SERVICES = 20
MOST_DAYS = 90
MOST_NAME = 60
KEPT_SECONDS = 90 * 86400.0
USED_SECONDS = 60.0
PREFIX = "ghp_"
"""What a token begins with, so that a program that looks for secrets left lying about knows one."""
TOKEN = re.compile(r"ghp_[A-Za-z0-9_-]{43}")
SERVICE_ROLES = (Role.AUDITOR, Role.ENGINEER)
"""What a service can be: it reads."""
OFFERED = (May.SEE, May.DECIDE, May.INSTALL, May.SEE_BOXES, May.SEE_LISTS, May.SEE_TEAM, May.SEE_AUDIT)
"""Rights that a token may have; accounts and exports want a person who proves afresh who they are."""


class TokenError(ValueError):
    """A token cannot be made; the text says why, in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose token is shown, and what it may do."""

    who: SignedIn
    rights: frozenset[May]
    token_id: str
    service: bool
    used_at: float | None
    """As it is written down, to the minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """A token as the pages list it."""

    token_id: str
    account_id: str
    account_name: str
    name: str
    rights: tuple[str, ...]
    service: bool
    by: str
    created_at: float
    expires_at: float
    used_at: float | None
    ended_at: float | None


def make(
    engine: Engine, *, by: SignedIn, name: str, rights: Collection[May], days: int, now: float, service: Role | None
) -> str:
    """Make a token; returns it, for the one time that it can be read.

    Args:
        engine: the database.
        by: who makes it, for themselves unless `service` is given.
        name: what it is for: 1 to `MOST_NAME` characters.
        rights: some of `OFFERED` that the role has.
        days: until it ends by itself, 1 to `MOST_DAYS`.
        now: Unix seconds.
        service: the role of a service's account that is made for it.

    Raises:
        TokenError: a value does not hold, or there are too many.
    """
    name = name.strip()
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise TokenError(f"Say what it is for in 1 to {MOST_NAME} characters that can be seen")
    if not 1 <= days <= MOST_DAYS:
        raise TokenError(f"Days must be a whole number from 1 to {MOST_DAYS}")
    if service is not None and (service not in SERVICE_ROLES or not by.role.may(May.MANAGE)):
        raise TokenError("Only a supervisor can make one for a service, and a service can only read")
    role = by.role if service is None else service
    allowed = [right for right in OFFERED if right in rights and role.may(right)]
    if not allowed or set(allowed) != set(rights):
        raise TokenError("Select what it may do, of what the account may do")
    token = PREFIX + secrets.token_urlsafe(32)
    token_id = f"tok-{secrets.token_hex(8)}"
    with engine.begin() as connection:
        connection.execute(delete(api_token).where(_over(now - KEPT_SECONDS)))
        whose = by.account_id
        if service is not None:
            whose = _service(connection, name, service)
        live = select(func.count()).where(api_token.c.account_id == whose, ~_over(now))
        if connection.execute(live).scalar_one() >= MOST_TOKENS:
            raise TokenError(f"There are {MOST_TOKENS} that work already. End one that is not used")
        connection.execute(
            insert(api_token).values(
                token_id=token_id,
                account_id=whose,
                token_hash=_hash(token),
                name=name,
                rights=[right.value for right in allowed],
                service=service is not None,
                by=by.account_id,
                created_at=now,
                expires_at=now + days * 86400.0,
            )
        )
        subject = f"{token_id} {whose} {','.join(allowed)}"
        write_audit(connection, at=now, account_id=by.account_id, action="make-token", subject=subject, outcome="done")
    return token


def holder_of(connection: Connection, *, token: str, now: float) -> Holder | None:
    """Whose a token is, and what it may do now: its own rights as far as the account's role still has them."""
    if not TOKEN.fullmatch(token):
        return None
    row = (
        connection.execute(
            select(
                account.c.account_id,
                account.c.name,
                account.c.role,
                api_token.c.token_id,
                api_token.c.token_hash,
                api_token.c.expires_at,
                api_token.c.rights,
                api_token.c.service,
                api_token.c.used_at,
            )
            .join(account, account.c.account_id == api_token.c.account_id)
            .where(api_token.c.token_hash == _hash(token), ~_over(now))
        )
        .mappings()
        .one_or_none()
    )
    if row is None or row["role"] not in tuple(Role):
        return None
    role = Role(row["role"])
    return Holder(
        who=SignedIn(
            account_id=row["account_id"],
            name=row["name"],
            role=role,
            token_hash=row["token_hash"],
            expires_at=row["expires_at"],
        ),
        rights=frozenset({May.BE_HERE, *(May(item) for item in row["rights"] if item in tuple(OFFERED))}) & GIVEN[role],
        token_id=row["token_id"],
        service=bool(row["service"]),
        used_at=row["used_at"],
    )


def note_use(engine: Engine, *, token_id: str, now: float) -> None:
    """Write down that a token was used, once a minute at most."""
    stale = or_(api_token.c.used_at.is_(None), api_token.c.used_at < now - USED_SECONDS)
    with engine.begin() as connection:
        connection.execute(update(api_token).where(api_token.c.token_id == token_id, stale).values(used_at=now))


def end(engine: Engine, *, token_id: str, by: SignedIn, now: float) -> bool:
    """End a token at once; False where there is none that works, or it is another's and `by` does not manage."""
    which = [api_token.c.token_id == token_id, ~_over(now)]
    if not by.role.may(May.MANAGE):
        which.append(api_token.c.account_id == by.account_id)
    with engine.begin() as connection:
        changed = connection.execute(
            update(api_token).where(*which).values(ended_at=now, ended_by=by.account_id)
        ).rowcount
        if changed:
            write_audit(
                connection, at=now, account_id=by.account_id, action="end-token", subject=token_id, outcome="done"
            )
    return bool(changed)


def tokens_for(connection: Connection, who: SignedIn) -> tuple[StoredToken, ...]:
    """An account's own tokens, and for who manages accounts everybody's; newest first, at most 100."""
    query = select(
        api_token.c.token_id,
        api_token.c.account_id,
        account.c.name.label("account_name"),
        api_token.c.name,
        api_token.c.rights,
        api_token.c.service,
        api_token.c.by,
        api_token.c.created_at,
        api_token.c.expires_at,
        api_token.c.used_at,
        api_token.c.ended_at,
    ).join(account, account.c.account_id == api_token.c.account_id)
    if not who.role.may(May.MANAGE):
        query = query.where(api_token.c.account_id == who.account_id)
    rows = connection.execute(query.order_by(api_token.c.created_at.desc(), api_token.c.token_id).limit(100)).mappings()
    return tuple(StoredToken(**{**row, "rights": tuple(row["rights"])}) for row in rows)


def _service(connection: Connection, name: str, role: Role) -> str:
    """The account of a service of that name, made where there is none. Nobody signs in to it: it has no code."""
    full = f"Service: {name}"
    known = connection.execute(select(account.c.account_id, account.c.role).where(account.c.name == full)).one_or_none()
    if known is not None:
        if known.role != role:
            raise TokenError("There is a service of that name already that may do other things. Use another name")
        return str(known.account_id)
    if connection.execute(select(func.count()).where(account.c.name.like("Service: %"))).scalar_one() >= MOST_SERVICES:
        raise TokenError(f"There are {MOST_SERVICES} services already")
    account_id = f"acc-{secrets.token_hex(8)}"
    connection.execute(insert(account).values(account_id=account_id, name=full, role=role, failures=0))
    return account_id


def _over(now: float) -> ColumnElement[bool]:
    return or_(api_token.c.expires_at <= now, and_(api_token.c.ended_at.is_not(None), api_token.c.ended_at <= now))


def _hash(token: str) -> str:
    # 256 random bits: a plain hash keeps it, and the look-up by hash leaks nothing of use by time.
    return hashlib.sha256(token.encode()).hexdigest()
