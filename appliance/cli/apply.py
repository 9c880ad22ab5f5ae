"""`gatehouse apply`: puts `household.toml` in force, and takes a change back that cuts the box off."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance.cli.applying import PATIENCE, ApplyError, Applying, Outcome, Places
from appliance.cli.surroundings import Machine
from firmware import layout
from firmware.household import Household


@click.command()
@click.option(
    "--household",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(layout.HOUSEHOLD_FILE),
    show_default=True,
    help="What the router is (TOML).",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/"),
    show_default=True,
    help="What the paths of the router's files count from.",
)
@click.option(
    "--boot", is_flag=True, help="At start: no proof is waited for, and the last good file is used if need be."
)
@click.option(
    "--new",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file that takes the household file's place with the change, and leaves it where the change is taken back.",
)
@click.option("--confirm", is_flag=True, help="Say that a change made with --by-hand is well.")
@click.option("--by-hand", is_flag=True, help="Wait for --confirm instead of asking the network.")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 600), default=PATIENCE, show_default=True, help="To prove a change in."
)
def apply(
    household: Path, root: Path, *, boot: bool, new: Path | None, confirm: bool, by_hand: bool, seconds: float
) -> None:
    """Put the household file in force, all of it at once.

    Each file is first read by the program that it is for. Only what changed is reloaded. The change must
    then prove itself: the box reaches the internet as it did before, or an engineer says --confirm;
    otherwise the files of before come back, within the seconds given.

    Exit codes: 0 in force (or nothing to do), 1 not in force: what was there before is.
    """
    applying = Applying(Places(root=root, household=household), Machine(root, waits=not boot))
    if confirm:
        click.echo("The change is kept." if applying.confirm() else "Nothing is waiting for that.")
        return
    if boot and new is not None:
        raise click.UsageError("--new is for a change, not for a start.")
    try:
        outcome = (
            applying.boot(lambda: _any_home(root))
            if boot
            else applying.change(new=new, seconds=seconds, by_hand=by_hand)
        )
    except (ApplyError, OSError) as error:
        click.echo(f"Not applied: {error}.", err=True)
        sys.exit(1)
    _tell(outcome, boot=boot)


def _any_home(root: Path) -> Household:
    """A router by cable, for a box whose data partition cannot be read: nothing watches, and the home has internet (R57)."""
    from appliance.fitting import defaults, ports  # noqa: PLC0415 (a start seldom needs them, and waits)
    from wire.enrolment import OperatorCard  # noqa: PLC0415 (as above)

    # The operator's card may be lost with the rest; without Wi-Fi and shell there is no use for it.
    nobody = OperatorCard.model_construct(country="GB", engineer_keys=(), time_servers=())
    return defaults.household(ports.found(root / "sys/class/net"), nobody, None)


def _tell(outcome: Outcome, *, boot: bool) -> None:
    for path in outcome.changed:
        click.echo(f"changed: {path}")
    for step in outcome.done:
        click.echo(f"done: {step}")
    for sentence in outcome.said:
        click.echo(f"note: {sentence}", err=True)
    if not outcome.changed:
        click.echo("Nothing to change.")
    elif not boot:
        click.echo("In force, and the internet is reached." if outcome.proved else "In force; not proved.")
