"""`gatehouse health`: after each start, is what runs well, or does the box go back to the version before?

Systemd starts it as root once the box's programs were started. It tells the boot loader that this system partition is
good, at once where it was proved before and for a new version only when that is proved, and writes down which programs of
others are older than they may be. A new version that cannot read the box's own files is not well.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import NoReturn

import click

from appliance import clock, releases
from appliance import settings as box_settings
from appliance.cli.upkeep import CONFIG, go_on
from appliance.releases import PROGRAMS, Programs, Record, Running, read_record, read_running
from appliance.settings import SoftwareSettings
from appliance.upkeep import box, lost, minimum, runner
from firmware import household
from wire.files import FileError, replace

UNPROVED = frozenset({"writing", "waiting", "restarting", "proving"})
_USUAL = SoftwareSettings(release_keys=("none",), board="none")
"""Where the record and the version lie, when the settings cannot be read."""


@click.command()
@CONFIG
@click.option(
    "--without-data", is_flag=True, help="The data partition is not there: open it, or start the version before."
)
def health(config: Path, *, without_data: bool) -> None:
    """After a start: find out whether a new version is well; if not, start the one before. People need not run this.

    Exit codes: 0 what runs is well, or was proved before; 1 it is not, and the box goes back; 2 unusable settings.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    if without_data:
        click.echo(lost.give_way(releases.slot()))
        return
    if not config.exists():  # nobody lives with it yet: what starts is good
        good()
        return
    software = _USUAL
    try:
        settings = box_settings.load(config)
        software = settings.software or _USUAL
        household.load(settings.household)
    except FileError as error:
        _unreadable(software, str(error))
    if settings.software is None:
        good()
        return
    before = read_record(software.state)
    if not unproved(before, read_running(software)):
        good()
    for sentence in programs(software).outdated:
        click.echo(f"older than it may be: {sentence}")
    record = go_on(settings, software, "health")
    if record is None:
        return
    if record.stage != "idle":
        click.echo(f"update: {record.stage}. {record.detail}".rstrip())
    news = record.stage != before.stage or record.stage == "proving"
    sys.exit(1 if news and record.stage in {"proving", "failed"} else 0)


def unproved(record: Record, running: Running) -> bool:
    """Whether what runs is a new version that was not proved yet."""
    return record.stage in UNPROVED and running.slot != record.from_slot


def _unreadable(software: SoftwareSettings, why: str) -> NoReturn:
    """The box's own files cannot be read by what runs: a version that is new goes back for it."""
    click.echo(f"gatehouse health: {why}", err=True)
    if not unproved(read_record(software.state), read_running(software)):
        good()
        sys.exit(2)
    with runner.alone(software.state):
        runner.go_on(software.state, box.Blind(software=software, why=why), clock.now)
    sys.exit(1)


def good() -> None:
    """Tell the boot loader, where there is one that asks, that this partition starts well."""
    if releases.slot() and (problem := box.mark(good=True)):
        click.echo(f"gatehouse health: the boot loader could not be told: {problem}", err=True)


def programs(software: SoftwareSettings) -> Programs:
    """Look at the versions of other programs, and write down what was found."""
    found = Programs(outdated=minimum.outdated(minimum.installed, minimum.older))
    try:
        software.state.mkdir(parents=True, exist_ok=True, mode=0o755)
        replace(software.state / PROGRAMS, found.model_dump_json().encode(), mode=0o644)
    except OSError as error:  # no reason not to prove what runs
        click.echo(f"gatehouse health: {error}", err=True)
    return found
