"""The `gatehouse` command: words of an engineer in, processes, sentences and exit codes out.

Each sub-command lives in a module of its own that is loaded only when it is asked for, so
`gatehouse status` does not wait for the sensor's parsers.

Exit codes of all sub-commands: 0 as wished, 1 it works but something is wrong (said in plain
words), 2 wrong use or unusable settings; 3 the other side cannot be had (the keeper, a port);
4 a right is missing (`probe`).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module, metadata
from typing import Any

import click

_COMMANDS = {
    "apply": "put household.toml in force; take it back if it cuts the box off",
    "authority": "issue, show and check authority documents",
    "doctor": "check this box and say what to mend",
    "first-boot": "make this box's keys, card, label and first settings",
    "health": "after a start: is a new version well, or does the box go back",
    "lists": "look at the lists of names, check and sign them",
    "label": "write this box's label, to be printed",
    "look": "look how this box reaches the internet, and what is wrong",
    "probe": "look round the household's network once, if the keeper gives leave",
    "release": "make, sign and check releases of the box's software",
    "render": "write the router's files into a folder",
    "replay": "show what a capture file would tell the box; stores nothing",
    "serve-request": "do as root what the keeper asked for; systemd starts it",
    "status": "ask the running box how it is",
    "upkeep": "take the next step of an update, where one is due; systemd starts it",
    "up": "run the processes of the box",
    "wipe": "destroy all keys and records of the home on this box",
    "verify": "check an evidence bundle",
}


class _Lazy(click.Group):
    """A group whose commands are imported when used: `NAME` is object NAME of `appliance.cli.NAME`."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click's, but wrong use is one plain line, like every other fault."""
        try:
            done = super().main(*args, **{**extra, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            name = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "gatehouse"
            click.echo(f"{name}: {' '.join(error.format_message().split())} See {name} --help.", err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(130)
        except BrokenPipeError:  # whoever read our words has heard enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(1)
        sys.exit(done if isinstance(done, int) else 0)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if cmd_name not in _COMMANDS:
            return None
        module = cmd_name.replace("-", "_")
        command: object = getattr(import_module(f"appliance.cli.{module}"), module)
        if not isinstance(command, click.Command):
            raise TypeError(f"appliance.cli.{module}.{module} is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's signature)
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("gatehouse"), prog_name="gatehouse")
def main() -> None:
    """Run and look after a Gatehouse box.

    Exit codes: 0 as wished; 1 it works but something is wrong; 2 wrong use or unusable settings;
    3 the other side cannot be had.
    """
