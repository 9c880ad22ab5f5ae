"""`gatehouse doctor`: looks at everything a box needs; sentences with a fix, or JSON, out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from appliance import clock
from appliance import settings as box_settings
from appliance.cli.checks import Check, all_checks
from firmware import household
from wire.files import FileError


@click.command()
@click.option("--config", type=click.Path(path_type=Path), required=True, help="The box's settings file (TOML).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for a machine to read.")
def doctor(config: Path, *, as_json: bool) -> None:
    """Check this box and say what to mend. Changes nothing.

    Exit codes: 0 all well, 1 something is to be mended.
    """
    checks = []
    for check in _examined(config):
        checks.append(check)
        if not as_json:
            _print(check)
    ok = all(check.ok for check in checks)
    if as_json:
        click.echo(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}))
    elif ok:
        click.echo("All well.")
    else:
        click.echo(f"{sum(not check.ok for check in checks)} of {len(checks)} checks are to be mended.")
    sys.exit(0 if ok else 1)


def _examined(config: Path) -> Iterator[Check]:
    try:
        settings = box_settings.load(config)
        house = household.load(settings.household)
    except FileError as error:
        yield Check(name="settings", ok=False, text=f"{error}.", fix="Mend that file; the other checks need it.")
        return
    yield Check(name="settings", ok=True, text=f"{config} and {settings.household.name} can be read.")
    yield from all_checks(settings, house, now=clock.now())


def _print(check: Check) -> None:
    click.echo(
        f"{click.style('well ', fg='green') if check.ok else click.style('WRONG', fg='red', bold=True)}  {check.text}"
    )
    if not check.ok:
        click.echo(f"       {check.fix}")
