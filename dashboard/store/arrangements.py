"""What the pages read of what officers arranged with a box.

In: an open SQLAlchemy connection. Out: a frozen row; its lists are bounded by the wire's own model.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from dashboard.store.schema import account, arrangements


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArrangements:
    """What a box last said was arranged with it."""

    revision: int
    payload: dict[str, Any]
    stored_at: float


def arrangements_of(connection: Connection, site_id: str) -> StoredArrangements | None:
    """What is arranged with a household's box; None if the box has not said."""
    query = select(arrangements.c.revision, arrangements.c.payload, arrangements.c.stored_at)
    row = connection.execute(query.where(arrangements.c.site == site_id)).mappings().one_or_none()
    return None if row is None else StoredArrangements(**row)


def names_of(connection: Connection, accounts: Collection[str]) -> dict[str, str]:
    """Names of these accounts, by their references; those not known are left out."""
    query = select(account.c.account_id, account.c.name).where(account.c.account_id.in_(sorted(set(accounts))))
    return {row.account_id: row.name for row in connection.execute(query)}
