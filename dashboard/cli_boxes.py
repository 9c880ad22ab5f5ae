"""The operator's commands about boxes: what is written on their memory cards, their stock, and their revocation.

In: the settings, files. Out: words on standard error, and what a program may read on standard output; exits 2 with one
plain line when something is wrong.
"""

from __future__ import annotations

from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError
from sqlalchemy import select

from dashboard import clock
from dashboard.broker.control import Control, ControlError, disable_site
from dashboard.cli_database import database, fail
from dashboard.enrol.assembling import control_of
from dashboard.enrol.desk import revoke
from dashboard.enrol.following import note_cut
from dashboard.settings import DashboardSettings
from dashboard.store import stock
from dashboard.store.schema import site as site_table
from wire import claim, keys
from wire.enrolment import OperatorCard
from wire.files import FileError, toml_text

MAX_CERTIFICATE = 64 * 1024


@click.command("operator-card")
@click.pass_obj
def operator_card(settings: DashboardSettings) -> None:
    """Print `operator.toml`, which is written on the memory card of every box; all of it is public."""
    try:
        # A box may be older than this service, and refuses a card with a word that it does not know.
        click.echo(toml_text(card_of(settings), only_set=True), nl=False)
    except FileError as error:
        fail(str(error))


def card_of(settings: DashboardSettings) -> OperatorCard:
    """What every box is to know of this service.

    Raises:
        FileError: a setting is missing, or cannot be used; the text says which.
    """
    given, opened = settings.boxes, settings.sign_in.public_url
    if given is None:
        raise FileError("the settings have no [boxes] section: give enrol_url, ca, server_verify and release_keys")
    if opened is None or not opened.startswith("https://"):
        raise FileError("the settings name no [sign_in] public_url that begins with https://: a box's code leads there")
    if not settings.authority_issuers:
        raise FileError("the settings name no authority_issuers: boxes would believe no order")
    try:
        raw = given.ca.read_bytes()[: MAX_CERTIFICATE + 1]
        # Only the certificate is taken out of the file, whatever else lies in it.
        authority = x509.load_pem_x509_certificate(raw).public_bytes(Encoding.PEM).decode()
    except (OSError, ValueError) as error:
        raise FileError(f"{given.ca}: is no certificate ({error})") from error
    try:
        for text in (*given.server_verify, *settings.authority_issuers, *given.release_keys):
            keys.verify_key(text)
        return OperatorCard(
            tenant=settings.tenant,
            operator=settings.operator,
            contact=settings.help.contact or settings.operator,
            enrol_url=given.enrol_url,
            dashboard_url=opened,
            ca=authority,
            server_verify=given.server_verify,
            issuers=settings.authority_issuers,
            release_keys=given.release_keys,
            country=given.country,
            engineer_keys=given.engineer_keys,
            time_servers=given.time_servers,
            resolvers=given.resolvers,
        )
    except (ValidationError, keys.KeyFileError) as error:
        raise FileError(f"no card can be made: {' '.join(str(error).split())}") from error


@click.command("stock-box")
@click.argument("card", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--again", is_flag=True, help="The box is in use and lost what it was given: it may ask for it once more."
)
@click.pass_obj
def stock_box(settings: DashboardSettings, card: Path, *, again: bool) -> None:
    """Enter a new box from its signed CARD, so that whoever fits it can claim it with the code on its label."""
    try:
        with card.open("rb") as file:
            found = claim.parse_card(file.read(claim.MAX_CARD + 1))
    except OSError as error:
        fail(f"{card}: cannot be read ({error.strerror})")
    except ValueError as error:
        fail(f"{card}: {error}")
    if found.tenant != settings.tenant:
        fail(f"{card}: the box is for {found.tenant}, this is {settings.tenant}")
    with database(settings) as engine, engine.begin() as connection:
        try:
            (stock.reopen if again else stock.stock_box)(connection, found, by=None, now=clock.now())
        except ValueError as error:
            fail(str(error))
    what = "may ask anew" if again else "can be claimed"
    click.echo(f"The box {found.site} {what}; its key's fingerprint is {keys.key_id(found.verify_key)}.", err=True)


@click.command("revoke-site")
@click.argument("site")
@click.pass_obj
def revoke_site(settings: DashboardSettings, site: str) -> None:
    """Revoke the box of household SITE: nothing it says counts, it is told nothing, and gets no further certificate.

    Its session with the broker ends within seconds: cut from here with [control] in the settings, else by the process
    that enrols boxes, when it looks next.
    """
    with database(settings) as engine:
        done = revoke(engine, site=site, by=None, now=clock.now())
        with engine.connect() as connection:
            known = connection.execute(select(site_table.c.revoked_at).where(site_table.c.site == site)).scalar()
        if known is None:
            fail(f"there is no household {site}")
        control = control_or_fail(settings)
        if control is None and not done:
            fail(f"the box of household {site} is revoked already")
        click.echo(f"The box of household {site} is revoked.", err=True)
        if control is None:
            click.echo(
                "The settings have no [control] section: `python -m dashboard.enrol` cuts its session, where it runs "
                "and has one.",
                err=True,
            )
            return
        try:
            disable_site(control, tenant=settings.tenant, site=site)
        except ControlError as error:
            fail(f"its session with the broker was not cut: {error}; give the command again")
        with engine.begin() as connection:
            note_cut(connection, site, clock.now())
    click.echo("Its session with the broker is cut.", err=True)


def control_or_fail(settings: DashboardSettings) -> Control | None:
    """The way to the broker's access rules, where the settings give one; ends the program where it cannot be used."""
    try:
        return control_of(settings)
    except FileError as error:
        fail(str(error))


BOXES = (operator_card, stock_box, revoke_site)
