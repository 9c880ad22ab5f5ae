"""`gatehouse upkeep`: the next step of an update, where one is due; a timer starts it as root every few minutes."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from appliance import clock
from appliance import settings as box_settings
from appliance.releases import Record, read_record
from appliance.settings import BoxSettings, SoftwareSettings
from appliance.upkeep import runner
from appliance.upkeep.box import Box
from firmware import household, layout
from wire.files import FileError

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path(layout.BOX_FILE),
    show_default=True,
    help="The box's settings file (TOML).",
)


@click.command()
@CONFIG
def upkeep(config: Path) -> None:
    """Take the next step of an update, such as the restart when nobody minds. Systemd starts this; people need not.

    Exit codes: 0 done, or nothing to do; 1 the update failed now; 2 unusable settings.
    """
    settings, software = read(config, "upkeep")
    if software is None:
        return
    before = read_record(software.state).stage
    record = go_on(settings, software, "upkeep")
    if record is not None and record.stage != "idle":
        version = record.signed.release.version if record.signed else ""
        click.echo(f"version {version}: {record.stage}. {record.detail}".rstrip())
    sys.exit(1 if record is not None and record.stage == "failed" != before else 0)


def read(config: Path, command: str) -> tuple[BoxSettings, SoftwareSettings | None]:
    """The settings; exits with a sentence where they cannot be used."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = box_settings.load(config)
    except FileError as error:
        click.echo(f"gatehouse {command}: {error}", err=True)
        sys.exit(2)
    return settings, settings.software


def go_on(settings: BoxSettings, software: SoftwareSettings, command: str) -> Record | None:
    """Go on with an update as far as it goes; None where somebody else does."""
    try:
        house = household.load(settings.household)
        with runner.alone(software.state):
            return runner.go_on(software.state, Box(settings=settings, software=software, house=house), clock.now)
    except runner.BusyError as error:
        click.echo(f"gatehouse {command}: {error}", err=True)
        return None
    except (FileError, OSError) as error:
        click.echo(f"gatehouse {command}: {error}", err=True)
        sys.exit(2)
