"""`gatehouse first-boot`: makes this box's keys, card, label and first settings; sentences out, never a secret."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance import clock
from appliance.closed import close_memory
from appliance.fitting import first, looking
from appliance.fitting.places import Places
from appliance.fresh import Fresh, Problem
from wire.files import FileError
from wire.keys import KeyFileError


@click.command("first-boot")
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"), help="Folder that stands for /."
)
def first_boot(root: Path) -> None:
    """Make what this box needs of its own. Changes nothing that is there already; run at every start.

    Exit codes: 0 done, 2 the operator's card or a file of an earlier start cannot be used.
    """
    close_memory()
    places = Places(root=root)
    looking.tell(places, Fresh(at=clock.now()))
    try:
        for sentence in first.boot(places, now=clock.now()):
            click.echo(sentence)
    except (FileError, KeyFileError, OSError) as error:
        looking.tell(places, Fresh(at=clock.now(), stage="fault", problem=Problem.NO_CARD))
        click.echo(f"gatehouse: {error}", err=True)
        sys.exit(2)
