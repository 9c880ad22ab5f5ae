"""Which ingest worker numbers commands and makes the rounds: one at a time, however many there are.

In: an engine. Out: a transaction for the worker that leads, nothing for the others. On PostgreSQL the lead is an
advisory lock of a connection that is kept, and the leader's transactions run over that same connection: a worker that
lost the lead without knowing it has lost its transaction too, so that no two workers ever number commands at once. A
worker that dies loses its connection, and another one takes the lead at its next try. On SQLite there is one worker.

A worker that works alone takes another lock so that no other can start beside it, one that shares takes it together
with those that share. Bounded: two connections a worker.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dashboard.store.engine import parallel

LEAD = 0x676174656A
BESIDE = 0x676174656B
"""PostgreSQL's advisory locks: of the leader, and of all workers."""
_KEEPALIVE = {"idle": 10, "interval": 5, "count": 3}


class BesideError(RuntimeError):
    """Another worker is at work on this database, and the two may not be at once; the text says what to do."""


class Lead:
    """One worker's part in it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._alone = engine.dialect.name == "sqlite"
        self._kept: Connection | None = None
        self.taken = 0
        """How often this worker took the lead."""

    @property
    def held(self) -> bool:
        """Whether this worker led when it last tried."""
        return self._alone or self._kept is not None

    @contextmanager
    def transaction(self) -> Iterator[Connection | None]:
        """A transaction of the leader; None where another worker leads.

        Raises:
            DBAPIError: the database is away; the lead is lost with it.
        """
        if self._alone:
            with self._engine.begin() as connection:
                yield connection
            return
        kept = self._kept or self._try()
        if kept is None:
            yield None
            return
        try:
            with kept.begin():
                yield kept
        except DBAPIError:
            self.release()
            raise

    def release(self) -> None:
        """Let another worker lead."""
        kept, self._kept = self._kept, None
        if kept is not None:
            with suppress(SQLAlchemyError):
                kept.invalidate()  # not back to the pool: the lock goes with the connection
            with suppress(SQLAlchemyError):
                kept.close()

    def _try(self) -> Connection | None:
        connection = parallel(self._engine).connect()
        try:
            with connection.begin():
                got = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": LEAD}).scalar_one()
                if got:  # the server is to notice within half a minute where a leader's machine is gone
                    for name, value in _KEEPALIVE.items():
                        connection.execute(text(f"SET tcp_keepalives_{name} = {value}"))
        except DBAPIError:
            connection.close()
            raise
        if not got:
            connection.close()
            return None
        self._kept = connection.execution_options(gatehouse_parallel=False)
        self.taken += 1
        return connection


class Place:
    """A worker's place beside others, or alone; kept until `close`."""

    def __init__(self, engine: Engine, *, shared: bool) -> None:
        """Take it.

        Raises:
            BesideError: another worker is there, and one of the two does not share; or SQLite was asked to be shared.
        """
        self._connection: Connection | None = None
        self._file: int | None = None
        if engine.dialect.name == "sqlite":
            if shared:
                raise BesideError(
                    "SQLite has one ingest worker; take `shared` out of [ingest], or change over to PostgreSQL"
                )
            self._lock_file(Path(str(engine.url.database)))
        else:
            self._lock(engine, shared=shared)

    def close(self) -> None:
        """Give it up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # Said, not left to the end of the connection: that the server notices a moment later, and whoever takes
            # the place at once would find it taken.
            with suppress(SQLAlchemyError), connection.begin():
                connection.execute(text("SELECT pg_advisory_unlock_all()"))
            with suppress(SQLAlchemyError):
                connection.invalidate()
            with suppress(SQLAlchemyError):
                connection.close()
        descriptor, self._file = self._file, None
        if descriptor is not None:
            os.close(descriptor)

    def _lock_file(self, database: Path) -> None:
        path = database.with_name(f"{database.name}.ingest")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise BesideError(
                "another ingest worker is at work on this SQLite database; several need PostgreSQL"
            ) from error
        self._file = descriptor

    def _lock(self, engine: Engine, *, shared: bool) -> None:
        kind = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
        connection = parallel(engine).connect()
        with connection.begin():
            got = connection.execute(text(f"SELECT {kind}(:key)"), {"key": BESIDE}).scalar_one()
        if not got:
            connection.close()
            raise BesideError("another ingest worker is at work on this database; give all of them `shared = true`")
        self._connection = connection
