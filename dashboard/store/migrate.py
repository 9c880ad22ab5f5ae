"""Brings the dashboard's database to this version's tables, and checks that it is there.

What enters: an engine. What leaves: tables. Steps lie in `dashboard/store/migrations/versions`.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from dashboard.store.engine import reading

_FOLDER = Path(__file__).parent / "migrations"


class SchemaError(RuntimeError):
    """A database that is not at this version; the text says what to do."""


def upgrade(engine: Engine) -> None:
    """Create or migrate all tables; does nothing to a database that is up to date.

    Raises:
        SchemaError: the database cannot be opened, or is of a newer version than this program.
    """
    try:
        with engine.begin() as connection:
            command.upgrade(config(connection), "head")
    except OperationalError as error:
        raise SchemaError(f"the database cannot be opened: {error.orig}") from error
    except CommandError as error:
        raise SchemaError("the database was made by a newer version of this program; install that version") from error


def check(engine: Engine) -> None:
    """Make sure that the database is at this version.

    Raises:
        SchemaError: it is not, or it cannot be opened.
    """
    try:
        with reading(engine).connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise SchemaError(f"the database cannot be opened: {error.orig}") from error
    wanted = ScriptDirectory(str(_FOLDER)).get_current_head()
    if found != wanted:
        raise SchemaError(
            f"the database is at version {found or 'none'}, this program wants {wanted}; run the dashboard's init-db"
        )


def config(connection: Connection) -> Config:
    """Alembic's settings for an open connection."""
    settings = Config()
    settings.set_main_option("script_location", str(_FOLDER))
    settings.attributes["connection"] = connection
    return settings
