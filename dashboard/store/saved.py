"""Filters of the list of households that an account keeps under a name.

In: an open SQLAlchemy connection and plain values. Out: names and queries. Bounded: `MOST_SAVED` for an account; one
more is refused. They go with their account.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, update

from dashboard.store.schema import saved_search

MOST_SAVED = 20
MOST_NAME = 60
MOST_QUERY = 500


class FullError(ValueError):
    """The account keeps as many as it may."""


def saved(connection: Connection, account_id: str) -> tuple[tuple[str, str], ...]:
    """Names and queries of an account, by name."""
    query = (
        select(saved_search.c.name, saved_search.c.query)
        .where(saved_search.c.account_id == account_id)
        .order_by(saved_search.c.name)
        .limit(MOST_SAVED)
    )
    return tuple((row[0], row[1]) for row in connection.execute(query))


def keep(connection: Connection, account_id: str, name: str, query: str, now: float) -> None:
    """Keep a query under a name, instead of what had that name.

    Raises:
        FullError: the account keeps `MOST_SAVED` others.
    """
    same = (saved_search.c.account_id == account_id) & (saved_search.c.name == name)
    if connection.execute(update(saved_search).where(same).values(query=query, at=now)).rowcount:
        return
    number = select(func.count()).select_from(saved_search).where(saved_search.c.account_id == account_id)
    if connection.execute(number).scalar_one() >= MOST_SAVED:
        raise FullError
    connection.execute(insert(saved_search).values(account_id=account_id, name=name, query=query, at=now))


def forget(connection: Connection, account_id: str, name: str) -> bool:
    """Keep it no longer; false where there is none of that name."""
    same = (saved_search.c.account_id == account_id) & (saved_search.c.name == name)
    return connection.execute(delete(saved_search).where(same)).rowcount > 0
