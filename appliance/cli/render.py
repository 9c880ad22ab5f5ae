"""`gatehouse render`: writes the router's files into a folder, to look at or for the image."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from firmware import household as what
from firmware import machine
from firmware import render as rendering
from firmware.render import RenderError
from firmware.wireless import Secrets
from wire.files import FileError


@click.command()
@click.option(
    "--household", type=click.Path(path_type=Path, dir_okay=False), required=True, help="What the router is (TOML)."
)
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where to write.")
@click.option("--board", type=click.Choice(machine.BOARDS), help="Add what is the same in every home, for this board.")
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The home's passphrase, one line (WPA3 only).",
)
def render(household: Path, root: Path, *, board: machine.Board | None, passphrase_file: Path | None) -> None:
    """Write every file that makes this router, below a folder. Nothing of this machine is changed.

    Exit codes: 0 written, 2 the household file cannot be used.
    """
    passphrase = None if passphrase_file is None else passphrase_file.read_text(encoding="utf-8").strip("\n")
    try:
        files = rendering.render(what.load(household), secrets=Secrets(passphrase=passphrase))
    except (FileError, RenderError) as error:
        click.echo(f"{error}.", err=True)
        sys.exit(2)
    if board is not None:
        files |= machine.render(board)
    for path, text in files.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(rendering.mode(path))
    click.echo(f"{len(files)} files are below {root}.")
