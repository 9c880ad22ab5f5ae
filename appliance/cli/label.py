"""`gatehouse label`: the label of a box that is not enrolled yet, as a file to be printed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from appliance.fitting import card as cards
from appliance.fitting import label as labels
from appliance.fitting import operator
from appliance.fitting.places import Places
from firmware import layout
from wire.files import FileError, replace


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to write: .svg or .pdf (the whole label), .png (the code alone).",
)
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=Path("/"), help="Folder that stands for /."
)
def label(out: Path, root: Path) -> None:
    """Write this box's label. It lets whoever has it claim the box: print it, then delete the file.

    Exit codes: 0 written, 2 there is no label, or the file's ending is none of these.
    """
    places = Places(root=root)
    card, sticker = cards.load_card(places), cards.load_sticker(places)
    if card is None or sticker is None:
        click.echo("gatehouse: this box has no label: it was not started yet, or it is enrolled.", err=True)
        sys.exit(2)
    try:
        known = operator.load(places.at(layout.OPERATOR_FILE))
        printed = cards.label(card, sticker)
        made = labels.Printed(
            link=cards.link(known, printed),
            site=printed.site,
            text=printed.text(),
            fingerprint=printed.fingerprint,
            wifi_name=sticker.wifi_name,
            wifi_passphrase=sticker.wifi_passphrase,
            operator=known.operator,
        )
        content: dict[str, Callable[[], bytes]] = {
            ".svg": lambda: labels.svg(made).encode(),
            ".pdf": lambda: labels.pdf(made),
            ".png": lambda: labels.png(made),
        }
        make = content.get(out.suffix)
        if make is not None:
            replace(out, make(), mode=0o600)
    except (FileError, OSError) as error:
        click.echo(f"gatehouse: {error}", err=True)
        sys.exit(2)
    if make is None:
        click.echo(f"gatehouse: {out}: give a file that ends with .svg, .pdf or .png", err=True)
        sys.exit(2)
    click.echo(f"Label of {printed.site}: {out}")
