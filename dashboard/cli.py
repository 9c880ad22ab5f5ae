"""Set-up of the dashboard by its operator: `python -m dashboard.cli --config dashboard.toml COMMAND`.

Prints what a program may read to standard output and the rest to standard error; exits 2 with one
plain line when something is wrong.
"""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import Connection, insert, select

from dashboard import auth, clock, stamps
from dashboard.access import Role
from dashboard.broker.control import ControlError, enable_site, let_worker_in
from dashboard.cli_boxes import BOXES, control_or_fail
from dashboard.cli_database import COMMANDS, database, fail
from dashboard.ingest import replaced
from dashboard.settings import DashboardSettings, load
from dashboard.store import charge
from dashboard.store.migrate import SchemaError, upgrade
from dashboard.store.queries import write_audit
from dashboard.store.schema import account
from dashboard.store.schema import site as site_table
from dashboard.transfer.cli import transfer_keys, transfer_run, transfer_show
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
        fail(str(error))


@main.command("init-db")
@click.pass_obj
def init_db(settings: DashboardSettings) -> None:
    """Make the database's tables, or bring them up to date."""
    with database(settings) as engine:
        try:
            upgrade(engine)
        except SchemaError as error:
            fail(str(error))
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
        fail(f"household {site} cannot be entered: {error}")
    if not 0 < len(title) <= 120 or not title.isprintable():
        fail("a title has 1 to 120 characters that can be seen")
    with database(settings) as engine, engine.begin() as connection:
        if connection.execute(select(site_table.c.site).where(site_table.c.site == site)).first():
            fail(f"there is a household {site} already")
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
    with database(settings) as engine:
        try:
            account_id = auth.add_account(engine, name=name, role=Role(role), now=clock.now())
        except ValueError as error:
            fail(str(error))
    click.echo(account_id)


@main.command("assign")
@click.argument("name")
@click.argument("sites", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All households there are.")
@click.option("--take-away", is_flag=True, help="Take them from the account instead.")
@click.pass_obj
def assign(settings: DashboardSettings, name: str, sites: tuple[str, ...], *, every: bool, take_away: bool) -> None:
    """Put the account NAME in charge of the households SITES: officers and installers see only their own."""
    with database(settings) as engine, engine.begin() as connection:
        account_id = _account(connection, name)
        known = set(
            connection.execute(select(site_table.c.site).where(site_table.c.tenant == settings.tenant)).scalars()
        )
        for one in sites:
            if one not in known:
                fail(f"there is no household {one}")
        if not (sites or every):
            fail("name the households, or say --all")
        change = charge.unassign if take_away else charge.assign
        done = change(connection, sites=known if every else sites, account_id=account_id, by=None, now=clock.now())
    click.echo(f"{len(done)} households {'taken away' if take_away else 'given'}.", err=True)


@main.command("cover")
@click.argument("name")
@click.argument("for_name", metavar="FOR")
@click.option("--days", type=click.IntRange(1, 92), required=True, help="For how long, from now on.")
@click.pass_obj
def cover(settings: DashboardSettings, name: str, for_name: str, days: int) -> None:
    """Let the officer NAME stand in for the officer FOR, from now on."""
    with database(settings) as engine, engine.begin() as connection:
        now = clock.now()
        one, other = _account(connection, name), _account(connection, for_name)
        try:
            charge.add_cover(
                connection, account_id=one, for_account=other, since=now, until=now + days * 86400, by=None, now=now
            )
        except ValueError as error:
            fail(str(error))
    click.echo(f"{name} stands in for {for_name} for {days} days.", err=True)


@main.command("sign-in-code")
@click.argument("name")
@click.option("--minutes", type=click.IntRange(1, 24 * 60), default=15, show_default=True, help="How long it works.")
@click.pass_obj
def sign_in_code(settings: DashboardSettings, name: str, minutes: int) -> None:
    """Print a fresh one-time sign-in code for NAME; any older one stops working."""
    with database(settings) as engine:
        try:
            code = auth.make_code(engine, name=name, now=clock.now(), lifetime=minutes * 60)
        except ValueError as error:
            fail(str(error))
    click.echo(f"Works once, for {minutes} minutes:", err=True)
    click.echo(code)


@main.command("close-account")
@click.argument("name")
@click.pass_obj
def close_account(settings: DashboardSettings, name: str) -> None:
    """Close the account NAME: it is signed out at once, and what it asked for alone is taken back."""
    with database(settings) as engine:
        try:
            auth.close_account(engine, name=name, now=clock.now())
        except ValueError as error:
            fail(str(error))
    click.echo(f"The account of {name} is closed.", err=True)


@main.command("replace-box")
@click.argument("site")
@click.option("--verify-key", required=True, help="Ed25519 public key of the new box, base64.")
@click.option("--seal-key", required=True, help="X25519 public key of the new box, base64.")
@click.pass_obj
def replace_box(settings: DashboardSettings, site: str, verify_key: str, seal_key: str) -> None:
    """Enter the keys of a box that takes the place of SITE's; what the home had is given to it when it reports."""
    try:
        keys.verify_key(verify_key)
        keys.seal_key(seal_key)
    except ValueError as error:
        fail(f"the box of {site} cannot be replaced: {error}")
    with database(settings) as engine, engine.begin() as connection:
        known = select(site_table.c.verify_key, site_table.c.revoked_at).where(
            site_table.c.site == site, site_table.c.tenant == settings.tenant
        )
        old = connection.execute(known).one_or_none()
        if old is None:
            fail(f"there is no household {site}")
        if old.verify_key == verify_key:
            fail("these are the keys of the box that is to be replaced")
        was_revoked = old.revoked_at is not None
        replaced.replace_box(connection, site_id=site, verify_key=verify_key, seal_key=seal_key, now=clock.now())
    click.echo(f"The keys of {site} are entered; the old box's are refused from now on.", err=True)
    if was_revoked:
        control = control_or_fail(settings)
        if control is None:
            fail("the box was revoked and the settings have no [control] section: let the site in again at the broker")
        try:
            enable_site(control, tenant=settings.tenant, site=site)
        except ControlError as error:
            fail(f"the broker does not let the site in again: {error}")


@main.command("add-worker")
@click.argument("name")
@click.pass_obj
def add_worker(settings: DashboardSettings, name: str) -> None:
    """Let the ingest worker whose certificate says NAME in at the broker, to share messages with the others."""
    control = control_or_fail(settings)
    if control is None:
        fail("the settings have no [control] section: let the worker in at the broker yourself")
    try:
        let_worker_in(control, tenant=settings.tenant, worker=name)
    except ControlError as error:
        fail(f"the worker was not let in: {error}")
    click.echo(f"The worker {name} may share what comes in.", err=True)


@main.command("stamp")
@click.pass_obj
def stamp(settings: DashboardSettings) -> None:
    """Have today's heads of all ledgers stamped by the time-stamping service of the settings; once a day is enough."""
    if settings.stamps is None:
        fail("the settings name no time-stamping service; give [stamps] a url and roots")
    with database(settings) as engine, engine.begin() as connection:
        try:
            roots = stamps.read_roots(settings.stamps.roots)
            day = stamps.take(connection, url=settings.stamps.url, roots=roots, now=clock.now())
        except stamps.StampError as error:
            fail(str(error))
        if day is not None:
            write_audit(connection, at=clock.now(), account_id=None, action="stamp", subject=day, outcome="done")
    click.echo("There is nothing new to stamp." if day is None else f"Stamped for {day}.", err=True)


def _account(connection: Connection, name: str) -> str:
    found = connection.execute(
        select(account.c.account_id).where(account.c.name == name.strip(), account.c.role != auth.CLOSED)
    ).scalar_one_or_none()
    if found is None:
        fail(f"there is no account named {name.strip()} that is open")
    return str(found)


for command in (*COMMANDS, *BOXES, transfer_keys, transfer_run, transfer_show):
    main.add_command(command)

if __name__ == "__main__":
    main()
