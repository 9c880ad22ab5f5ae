"""`gatehouse health`: after each start, is what runs well, or does the box go back to the version before?

Systemd starts it as root once the box's programs were started. It tells the boot loader that this system partition is
good, for a new version only when it was proved, and writes down which programs of others are older than they may be.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance import releases
from appliance.cli.upkeep import CONFIG, go_on, read
from appliance.releases import PROGRAMS, Programs, read_record
from appliance.settings import SoftwareSettings
from appliance.upkeep import minimum
from appliance.upkeep.box import run
from wire.files import replace

UNPROVED = frozenset({"writing", "waiting", "restarting", "proving"})


@click.command()
@CONFIG
def health(config: Path) -> None:
    """After a start: find out whether a new version is well; if not, start the one before. People need not run this.

    Exit codes: 0 what runs is well, or was proved before; 1 it is not, and the box goes back; 2 unusable settings.
    """
    if not config.exists():  # nobody lives with it yet: what starts is good
        good()
        return
    settings, software = read(config, "health")
    if software is None:
        good()
        return
    said = programs(software)
    for sentence in said.outdated:
        click.echo(f"older than it may be: {sentence}")
    before = read_record(software.state)
    record = go_on(settings, software, "health")
    if record is None:
        return
    if before.stage not in UNPROVED or record.stage in {"waiting", "writing", "rolled-back"}:
        good()
    if record.stage != "idle":
        click.echo(f"update: {record.stage}. {record.detail}".rstrip())
    news = record.stage != before.stage or record.stage == "proving"
    sys.exit(1 if news and record.stage in {"proving", "failed"} else 0)


def good() -> None:
    """Tell the boot loader, where there is one that asks, that this partition starts well."""
    if releases.slot() and (problem := run(["rauc", "status", "mark-good", "booted"])):
        click.echo(f"gatehouse health: the boot loader could not be told: {problem}", err=True)


def programs(software: SoftwareSettings) -> Programs:
    """Look at the versions of other programs, and write down what was found."""
    found = Programs(outdated=minimum.outdated(minimum.installed, minimum.older))
    software.state.mkdir(parents=True, exist_ok=True, mode=0o755)
    replace(software.state / PROGRAMS, found.model_dump_json().encode(), mode=0o644)
    return found
