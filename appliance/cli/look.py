"""`gatehouse look`: one look at the way to the internet; sentences out, and the file that keeper and light read."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance import clock
from appliance.fitting import looking, uplink
from appliance.fitting.places import Places
from wire.files import FileError


@click.command()
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"), help="Folder that stands for /."
)
def look(root: Path) -> None:
    """Look once how this box reaches the internet, and say what is wrong and how to mend it.

    Exit codes: 0 looked, whatever was seen; 2 the household file cannot be used.
    """
    try:
        fresh = looking.look(Places(root=root), now=clock.now())
    except (FileError, OSError) as error:
        click.echo(f"gatehouse: {error}", err=True)
        sys.exit(2)
    if fresh.problem is None:
        click.echo("The internet is reached.")
    else:
        words = uplink.WORDS[fresh.problem]
        click.echo("\n".join((words.wrong, *(f"  {step}" for step in words.fix))))
    if fresh.seen.upstream_wifi:
        click.echo(uplink.UPSTREAM_WIFI.wrong)
