"""The operator's commands about the database as a whole: copies, what is due to go, the audit's chain, another database.

In: the settings. Out: words on standard error, and what a program may read on standard output; exits 2 with one plain
line when something is wrong. `database` and `fail` are for the other commands too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dashboard import backup, clock
from dashboard.backup import BackupError
from dashboard.ingest.lead import BesideError, Place
from dashboard.settings import DashboardSettings
from dashboard.store import chain, copying, retention
from dashboard.store.engine import DatabaseUrlError, open_engine, reading
from dashboard.store.migrate import SchemaError, upgrade


@contextmanager
def database(settings: DashboardSettings) -> Iterator[Engine]:
    """The database of the settings, while the block lasts; ends the program where it cannot be used."""
    try:
        engine = open_engine(settings.database_url)
    except DatabaseUrlError as error:
        fail(str(error))
    try:
        yield engine
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        fail(f"the database cannot be used: {reason}; has init-db been run?")
    finally:
        engine.dispose()


def fail(text: str) -> NoReturn:
    """End the program with one plain line."""
    click.echo(f"gatehouse pages: {text}", err=True)
    sys.exit(2)


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def make_backup(settings: DashboardSettings, target: Path) -> None:
    """Write a sealed copy of the database to TARGET; its key is kept apart from it, for a day."""
    listed = backup.key_list(settings.backup_keys, settings.secret_key_file)
    with database(settings) as engine:
        try:
            size = backup.make(engine, target, listed, now=clock.now(), hours=settings.backup_hours)
        except (BackupError, OSError) as error:
            fail(str(error))
    click.echo(f"{size:,} octets. It can be opened for {settings.backup_hours:g} hours.", err=True)


@click.command("restore")
@click.argument("source", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", "overwrite", is_flag=True, help="Lose what is in the database now.")
@click.pass_obj
def restore(settings: DashboardSettings, source: Path, *, overwrite: bool) -> None:
    """Put the backup SOURCE in the database's place. Stop pages and ingest first."""
    listed = backup.key_list(settings.backup_keys, settings.secret_key_file)
    try:
        backup.restore(settings.database_url, source, listed, now=clock.now(), overwrite=overwrite)
    except (BackupError, DatabaseUrlError, OSError) as error:
        fail(str(error))
    click.echo("Restored. Everybody signs in anew; boxes go on by themselves.", err=True)


@click.command("after-restore")
@click.confirmation_option(prompt="Was the database just put back from a copy?")
@click.pass_obj
def after_restore(settings: DashboardSettings) -> None:
    """Make a database that pg_restore has put back safe for running boxes; `restore` does this by itself."""
    with database(settings) as engine:
        try:
            upgrade(engine)
            backup.put_right(engine, clock.now())
        except (BackupError, SchemaError) as error:
            fail(str(error))
    click.echo("Put right. Everybody signs in anew; boxes go on by themselves.", err=True)


@click.command("expire-backups")
@click.pass_obj
def expire_backups(settings: DashboardSettings) -> None:
    """Destroy keys of backups that have run out; run it every hour."""
    listed = backup.key_list(settings.backup_keys, settings.secret_key_file)
    try:
        click.echo(f"{backup.expire(listed, now=clock.now())} keys destroyed.", err=True)
    except BackupError as error:
        fail(str(error))


@click.command("purge")
@click.pass_obj
def purge(settings: DashboardSettings) -> None:
    """Erase what has been kept for long enough; ingest does this every day too."""
    with database(settings) as engine:
        left = True
        while left:
            with engine.begin() as connection:
                left = retention.purge(connection, tenant=settings.tenant, now=clock.now())
        if engine.dialect.name == "sqlite":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("VACUUM")
    click.echo("What was due is erased.", err=True)


@click.command("audit-verify")
@click.option("--expect", default=None, help="A digest that was noted earlier: it must still be in the audit.")
@click.pass_obj
def audit_verify(settings: DashboardSettings, expect: str | None) -> None:
    """Check that no line of the audit was changed, taken out or put in; prints the last line's digest to note down."""
    with database(settings) as engine, reading(engine).connect() as connection:
        found = chain.check(connection, wanted=expect)
    if found.broken_at is not None:
        fail(f"the audit was changed: line {found.broken_at} does not follow from the one before it")
    if found.met is False:
        fail("the audit was changed: the digest that was noted earlier is not in it")
    click.echo(f"{found.rows:,} lines, each follows from the one before it. The last digest is", err=True)
    click.echo(found.last)


@click.command("copy-to")
@click.argument("url")
@click.pass_obj
def copy_to(settings: DashboardSettings, url: str) -> None:
    """Copy the whole database to the empty one at URL, all of it or nothing. Stop pages and ingest first."""
    try:
        target = open_engine(url)
    except DatabaseUrlError as error:
        fail(str(error))
    with database(settings) as engine:
        try:
            place = Place(engine, shared=False)
            try:
                counts = copying.copy(engine, target, lambda line: click.echo(line, err=True))
            finally:
                place.close()
                target.dispose()
        except (BesideError, copying.CopyError, SchemaError) as error:
            fail(str(error))
    click.echo(f"{sum(counts.values()):,} rows of {len(counts)} tables are copied and checked.", err=True)
    click.echo("Put the new address into database_url of every settings file, then start pages and ingest.", err=True)


COMMANDS = (make_backup, restore, after_restore, expire_backups, purge, audit_verify, copy_to)
