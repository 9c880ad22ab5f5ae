"""Opens the dashboard's database: SQLite for a pilot, PostgreSQL by URL beyond it.

Ingest and pages both write. SQLite below 3.51.3 can corrupt a write-ahead log when two connections
write and checkpoint at once, so there it runs with a rollback journal, and with full
synchronisation: what was committed (and receipted to a box, which then forgets it) outlives a power cut.

Both keep one promise: who looks and then writes in one transaction is alone with what was seen. SQLite has one writer
anyway; on PostgreSQL writing transactions take turns by an advisory lock, which an ingest worker's batches need not
(`parallel`): they lock the households that they are about. One who only reads (`reading`) sees one moment throughout.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

BUSY_MILLISECONDS = 5000
_PRAGMAS = (
    "journal_mode=DELETE",
    "synchronous=FULL",
    f"busy_timeout={BUSY_MILLISECONDS}",
    "foreign_keys=ON",
    # From the first write on: what a row held before it was changed would else stay in its page, out of a purge's reach.
    "secure_delete=ON",
)
TURNS = 0x6761746569
"""PostgreSQL's advisory lock of those who write one after the other."""


class DatabaseUrlError(ValueError):
    """A database URL that cannot be used; the text says why and what to do."""


def open_engine(url: str) -> Engine:
    """Make an engine for `sqlite:///path` or `postgresql+psycopg://...`; connects at first use.

    Raises:
        DatabaseUrlError: not a URL of a database that is installed here.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        # Hidden, else an error's text, and so a log, quotes rows; asked first, as a server may have been started anew.
        engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=parsed.drivername.startswith("postgresql"))
    except (ArgumentError, NoSuchModuleError) as error:
        raise DatabaseUrlError(
            "database_url: not a database URL; use sqlite:///file.db or postgresql://host/name"
        ) from error
    except ModuleNotFoundError as error:
        raise DatabaseUrlError(f"database_url needs the Python package {error.name}, which is not installed") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "begin", _take_turns)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions begin late and as readers; ours begin in `_begin`.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read: they do not queue behind those that write."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(gatehouse_reads=True)
    # Said with the BEGIN itself: a statement of its own would be one more way to the server and back for each page.
    return engine.execution_options(gatehouse_reads=True, isolation_level="REPEATABLE READ", postgresql_readonly=True)


def parallel(engine: Engine) -> Engine:
    """The same engine for transactions that lock what they are about themselves, where the database knows row locks."""
    return engine.execution_options(gatehouse_parallel=True)


def _begin(connection: Connection) -> None:
    """Take the write lock at once: on SQLite a reader that wants to write later may fail instead of waiting."""
    reads = connection.get_execution_options().get("gatehouse_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _take_turns(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("gatehouse_reads", False) and not options.get("gatehouse_parallel", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURNS})")
