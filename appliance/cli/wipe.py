"""`gatehouse wipe`: destroys all keys and records of the home on this box, at the box itself."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance.fitting import wipe as wiping
from appliance.fitting.places import Places


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"), help="Folder that stands for /."
)
def wipe(root: Path, *, yes: bool) -> None:
    """Destroy all keys and records on this box. The home's internet works until the box is unplugged.

    For a box that no order reaches any more: the service hears nothing of it.

    Exit codes: 0 done, 1 something could not be destroyed; the next start goes on.
    """
    if not yes:
        click.confirm("All keys and records on this box are destroyed. Go on?", abort=True)
    try:
        gone = wiping.wipe(Places(root=root))
    except OSError as error:
        click.echo(f"gatehouse: {error}", err=True)
        sys.exit(1)
    click.echo(f"{gone} files destroyed.")
