"""Copies a whole dashboard from one database to another: from SQLite to PostgreSQL when it has outgrown one file, or back.

In: two engines; the target has no rows. Out: every row of every table, in one transaction of the target: all of it, or
nothing. Before that is committed, rows are counted on both sides and the audit's chain is read on the target. Nothing may
write to the source meanwhile: ingest and pages are stopped first.
Bounded: `AT_ONCE` rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    Integer,
    Table,
    Text,
    bindparam,
    cast,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from dashboard.store.chain import check as check_chain
from dashboard.store.engine import reading
from dashboard.store.migrate import check, upgrade
from dashboard.store.schema import metadata

AT_ONCE = 2000


class CopyError(RuntimeError):
    """The copy was not made, and the target is as it was; the text says why."""


def copy(source: Engine, target: Engine, say: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """Copy everything; rows by table.

    Raises:
        CopyError: the target holds rows, what arrived is not what was sent, or the audit's chain is broken.
        SchemaError: one of them cannot be opened, or the source is not at this version.
    """
    check(source)
    upgrade(target)
    counts: dict[str, int] = {}
    with reading(source).connect() as here, target.begin() as there:
        held = [table.name for table in metadata.sorted_tables if _count(there, table)]
        if held:
            raise CopyError(f"the target is not empty: there are rows in {', '.join(held[:5])}")
        for table in metadata.sorted_tables:
            try:
                counts[table.name] = _copy(here, there, table)
            except SQLAlchemyError as error:
                why = type(getattr(error, "orig", None) or error).__name__
                raise CopyError(
                    f"the target does not take a row of {table.name} ({why}); nothing was copied"
                ) from error
            if counts[table.name]:
                say(f"{table.name}: {counts[table.name]:,}")
        wrong = [table.name for table in metadata.sorted_tables if _count(there, table) != _count(here, table)]
        if wrong:
            raise CopyError(f"not all rows of {', '.join(wrong[:5])} have arrived; nothing was copied")
        _number_on(there)
        before, after = check_chain(here), check_chain(there)
        if after.broken_at is not None or after.last != before.last:
            raise CopyError(f"the audit's chain does not hold at line {after.broken_at}; nothing was copied")
    return counts


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _copy(here: Connection, there: Connection, table: Table) -> int:
    # JSON goes as the text it is: read and written anew, what is empty and what says null would become one.
    columns = [cast(column, Text).label(column.name) if _is_json(column) else column for column in table.c]
    values: dict[str, Any] = {column.name: _value(column, there.dialect.name) for column in table.c}
    statement = insert(table).values(values)
    found = here.execution_options(yield_per=AT_ONCE).execute(select(*columns).select_from(table))
    number = 0
    for rows in found.mappings().partitions(AT_ONCE):
        there.execute(statement, [{f"v_{name}": row[name] for name in values} for row in rows])
        number += len(rows)
    return number


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, JSON)


def _value(column: Column[Any], dialect: str) -> Any:
    if not _is_json(column):
        return bindparam(f"v_{column.name}", type_=column.type)
    given = bindparam(f"v_{column.name}", type_=Text())
    # SQLite keeps JSON as text, and would make a number of it in a cast.
    return cast(given, JSON) if dialect == "postgresql" else given


def _number_on(connection: Connection) -> None:
    """Let PostgreSQL give the next numbers after those that were copied."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None or not isinstance(column.type, Integer):
            continue
        series = "pg_get_serial_sequence(:table, :column)"
        highest = select(func.coalesce(func.max(column), 0)).scalar_subquery()
        found = connection.execute(text(f"SELECT {series}"), {"table": table.name, "column": column.name}).scalar()
        if found is not None:
            connection.execute(select(func.setval(found, func.greatest(highest, 1), highest > 0)))
