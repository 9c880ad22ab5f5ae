"""The operator's commands about households that go or come: keys to exchange, and doing now what was agreed to.

The pages ask and agree; these commands are for an operator without ingest at hand, and for exchanging keys by telephone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from dashboard import clock
from dashboard.settings import DashboardSettings
from dashboard.store.engine import open_engine
from dashboard.transfer import work
from dashboard.transfer.pack import MOST_FILE, PackError, read_header
from wire.files import FileError
from wire.keys import KeyFileError, key_id, public_text, read_sealing, read_signing

MOST_AT_ONCE = 50


def keys_of(settings: DashboardSettings) -> work.Keys:
    """The keys of the settings' ingest section.

    Raises:
        FileError: there is no such section.
        KeyFileError: a key cannot be used.
    """
    if settings.ingest is None:
        raise FileError("the settings have no [ingest] section: give the file that ingest is given")
    return work.Keys(
        tenant=settings.tenant,
        operator=settings.operator,
        show_names=settings.words.show == "name",
        signing=read_signing(settings.ingest.signing_key),
        sealing=read_sealing(settings.ingest.sealing_key),
    )


@click.command("transfer-keys")
@click.pass_obj
def transfer_keys(settings: DashboardSettings) -> None:
    """Print this service's public keys, for another operator to enter, and their short names to compare."""
    try:
        keys = keys_of(settings)
    except (FileError, KeyFileError) as error:
        _fail(error)
    for what, key in (("signs", public_text(keys.signing)), ("sealed to", public_text(keys.sealing))):
        click.echo(f"{what}: {key} ({key_id(key)})")


@click.command("transfer-run")
@click.pass_obj
def transfer_run(settings: DashboardSettings) -> None:
    """Make and take in what two people agreed to; ingest does the same by itself."""
    try:
        keys = keys_of(settings)
    except (FileError, KeyFileError) as error:
        _fail(error)
    engine = open_engine(settings.database_url)
    done = 0
    try:
        while done < MOST_AT_ONCE:
            with engine.begin() as connection:
                if not work.work(connection, keys, clock.now()):
                    break
            done += 1
    finally:
        engine.dispose()
    click.echo(f"{done} done.", err=True)


@click.command("transfer-show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def transfer_show(file: Path) -> None:
    """Print who made FILE, when and for whom; what is in it stays sealed."""
    try:
        with file.open("rb") as opened:
            header = read_header(opened.read(MOST_FILE + 1))
    except (OSError, PackError) as error:
        _fail(error)
    click.echo(f"id: {header.pack_id}\nmade: {header.made_at.isoformat()}")
    click.echo(f"signed with: {header.sender}\nsealed to: {header.recipient}")


def _fail(error: Exception) -> NoReturn:
    click.echo(f"error: {error}", err=True)
    sys.exit(2)
