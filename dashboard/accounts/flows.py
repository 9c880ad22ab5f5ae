"""What is begun here and finished by the browser's next step: a challenge, or a way through the operator's provider.

In: what was begun. Out: a token for the cookie; with it what was begun is taken once and is gone then. Bounded:
`LIFETIME` seconds, `MOST_FLOWS` at once, the oldest go: strangers can begin one. How many went early is `overflow`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from dashboard.accounts.sessions import hash_of
from dashboard.store.schema import flow

LIFETIME = 600.0
MOST_FLOWS = 1000


@dataclass(slots=True, kw_only=True)
class Count:
    """How many were pushed out before their time."""

    overflow: int = 0


pushed_out = Count()


def begin(connection: Connection, *, kind: str, account_id: str | None, data: dict[str, Any], now: float) -> str:
    """Note that something was begun; returns the token that takes it up again."""
    connection.execute(delete(flow).where(flow.c.expires_at <= now))
    number = connection.execute(select(func.count()).select_from(flow)).scalar_one()
    if number >= MOST_FLOWS:
        oldest = select(flow.c.flow_hash).order_by(flow.c.expires_at).limit(number - MOST_FLOWS + 1)
        gone = connection.execute(oldest).scalars().all()
        connection.execute(delete(flow).where(flow.c.flow_hash.in_(gone)))
        pushed_out.overflow += len(gone)
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(flow).values(
            flow_hash=hash_of(token), kind=kind, account_id=account_id, data=data, expires_at=now + LIFETIME
        )
    )
    return token


def take(
    connection: Connection, *, kind: str, account_id: str | None, token: object, now: float
) -> dict[str, Any] | None:
    """What was begun under a token, once; None where it is of another kind or account, was taken, or is too old."""
    if not isinstance(token, str):
        return None
    which = flow.c.flow_hash == hash_of(token)
    row = connection.execute(select(flow).where(which)).mappings().one_or_none()
    # Of two that take it at once, the one whose delete finds the row has it.
    if row is None or not connection.execute(delete(flow).where(which)).rowcount:
        return None
    if row["kind"] != kind or row["account_id"] != account_id or row["expires_at"] <= now:
        return None
    found: dict[str, Any] = row["data"]
    return found
