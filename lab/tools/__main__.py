"""`python -m lab.tools [NAME...]`: run the tools in a sealed place, print the confusion table, keep it as JSON.

Exit codes: 0 all as it should be, 1 a tool was not found or an everyday program reads as one, 2 wrong names.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from lab import enter
from lab.stack import Stack
from lab.tools import around, everyday
from lab.tools.run import SECONDS, as_json, run
from lab.tools.table import faults, show

_ALL = {tool.name: tool for tool in (*everyday.TOOLS, *around.TOOLS)}
"""In the order they start; the one that hands out addresses comes late, or the others take them."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--seconds", type=float, default=SECONDS, show_default=True, help="Time that the tools have.")
@click.option("--quiet", type=float, default=30.0, show_default=True, help="Time after it for late signs.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("artefacts/signs.json"), show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the run's files in this folder.")
def main(names: tuple[str, ...], seconds: float, quiet: float, out: Path, keep: Path | None) -> None:
    """Run all tools, or those named."""
    unknown = [name for name in names if name not in _ALL]
    if unknown:
        raise click.UsageError(f"no tool is called {', '.join(unknown)}; known are {', '.join(_ALL)}")
    tools = [_ALL[name] for name in names] or list(_ALL.values())
    console = Console(width=150)
    with tempfile.TemporaryDirectory(prefix="signs-", dir="/run") as folder:
        place = keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)
        with Stack(place) as stack:
            stack.issue_authority(stack.authority(2, signs=True))
            stack.wait_ready()
            verdicts = run(stack, tools, seconds=seconds, quiet=quiet)
    show(verdicts, console)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(as_json(verdicts), encoding="utf-8")
    wrong = faults(verdicts)
    for line in wrong:
        console.print(line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if not enter.sealed():
        sys.exit("start it with: python -m lab.enter -- python -m lab.tools")
    main()
