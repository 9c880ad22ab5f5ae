"""Set-up of the dashboard by its operator: `python -m dashboard.cli --config dashboard.toml COMMAND`.

Prints what a program may read to standard output and the rest to standard error; exits 2 with one
plain line when something is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import SQLAlchemyError

from dashboard import auth, clock
from dashboard.auth import Role
from dashboard.settings import DashboardSettings, load
from dashboard.store.engine import DatabaseUrlError, open_engine
from dashboard.store.migrate import SchemaError, upgrade
from dashboard.store.queries import write_audit
from dashboard.store.schema import site as site_table
from wire import keys
from wire.files import FileError
from wire.topics import Channel, Topic, parse


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", required=True, type=click.Path(path_type=Path), help="The dashboard's settings file.")
@click.pass_context
def main(context: click.Context, config: Path) -> None:
    """Set up the dashboard."""
    try:
        context.obj = load(config)
    except FileError as error:
        _fail(str(error))


@main.command("init-db")
@click.pass_obj
def init_db(settings: DashboardSettings) -> None:
    """Make the database's tables, or bring them up to date."""
    with _database(settings) as engine:
        try:
            upgrade(engine)
        except SchemaError as error:
            _fail(str(error))
    click.echo("The database is ready.", err=True)


@main.command("add-site")
@click.argument("site")
@click.option("--title", required=True, help="What officers call the household: a reference, no name.")
@click.option("--verify-key", required=True, help="Ed25519 public key of the box, base64.")
@click.option("--seal-key", required=True, help="X25519 public key of the box, base64.")
@click.pass_obj
def add_site(settings: DashboardSettings, site: str, title: str, verify_key: str, seal_key: str) -> None:
    """Enter a household: SITE is the box's opaque id, the CN of its certificate."""
    try:
        parse(str(Topic(tenant=settings.tenant, site=site, channel=Channel.STATUS, name="box")))
        keys.verify_key(verify_key)
        keys.seal_key(seal_key)
    except ValueError as error:
        _fail(f"household {site} cannot be entered: {error}")
    if not 0 < len(title) <= 120 or not title.isprintable():
        _fail("a title has 1 to 120 characters that can be seen")
    with _database(settings) as engine, engine.begin() as connection:
        if connection.execute(select(site_table.c.site).where(site_table.c.site == site)).first():
            _fail(f"there is a household {site} already")
        connection.execute(
            insert(site_table).values(
                site=site, tenant=settings.tenant, title=title, verify_key=verify_key, seal_key=seal_key
            )
        )
        write_audit(connection, at=clock.now(), account_id=None, action="add-household", subject=site, outcome="done")
    click.echo(f"Household {site} is entered.", err=True)


@main.command("add-account")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.OFFICER.value, show_default=True)
@click.pass_obj
def add_account(settings: DashboardSettings, name: str, role: str) -> None:
    """Make an account named NAME; it signs in with a code from sign-in-code."""
    with _database(settings) as engine:
        try:
            account_id = auth.add_account(engine, name=name, role=Role(role), now=clock.now())
        except ValueError as error:
            _fail(str(error))
    click.echo(account_id)


@main.command("sign-in-code")
@click.argument("name")
@click.option("--minutes", type=click.IntRange(1, 24 * 60), default=15, show_default=True, help="How long it works.")
@click.pass_obj
def sign_in_code(settings: DashboardSettings, name: str, minutes: int) -> None:
    """Print a fresh one-time sign-in code for NAME; any older one stops working."""
    with _database(settings) as engine:
        try:
            code = auth.make_code(engine, name=name, now=clock.now(), lifetime=minutes * 60)
        except ValueError as error:
            _fail(str(error))
    click.echo(f"Works once, for {minutes} minutes:", err=True)
    click.echo(code)


@contextmanager
def _database(settings: DashboardSettings) -> Iterator[Engine]:
    try:
        engine = open_engine(settings.database_url)
    except DatabaseUrlError as error:
        _fail(str(error))
    try:
        yield engine
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        _fail(f"the database cannot be used: {reason}; has init-db been run?")
    finally:
        engine.dispose()


def _fail(text: str) -> NoReturn:
    click.echo(f"gatehouse pages: {text}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
