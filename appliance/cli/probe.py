"""`gatehouse probe`: runs the active probe once, in a process of its own with one right, CAP_NET_RAW."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from appliance import confinement
from appliance.confinement import Rights

_KINDS = ("sweep", "services", "dhcp", "test")


@click.command()
@click.option("--config", type=click.Path(path_type=Path), required=True, help="The box's settings file (TOML).")
@click.option("--kind", type=click.Choice(_KINDS), help="What to look for; without it, what was asked for or is due.")
def probe(config: Path, kind: str | None) -> None:
    """Look round the household's network once, if the keeper gives leave.

    Asks each address once who is there (sweep), what is offered (services) and whether anything
    else hands out addresses (dhcp); or looks a harmless name up, to see whether the box finds it
    (test; the result is in `gatehouse status`). Tells the keeper; ends within half a minute.

    Exit codes: 0 done or nothing to do, 1 the keeper gave no leave, 2 unusable settings, 3 the keeper cannot be
    reached, 4 no right to send on the network.
    """
    words = ["--config", str(config.resolve()), *(("--kind", kind) if kind else ())]
    sys.exit(subprocess.run([*prefix(), sys.executable, "-m", "appliance.probe", *words], check=False).returncode)


def prefix() -> tuple[str, ...]:
    """Words before the command that leave it CAP_NET_RAW and nothing else."""
    return Rights(network=True, net_raw=True).prefix(confinement.probe(frozenset()))
