"""`python -m lab.faults [NAME...]`: make faults, print what was promised and what came of it, keep it as JSON.

Exit codes: 0 all promises kept, 1 one was not, 2 wrong names.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console

from lab import enter
from lab.faults import lists
from lab.faults.catalogue import CAMPAIGNS

_ON_DISK = frozenset({lists.NAME})
"""What these write does not fit the memory that a sealed place has for files."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--short", is_flag=True, help="A small number of each fault, as the tests do.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("artefacts/faults.json"), show_default=True)
def main(names: tuple[str, ...], *, short: bool, out: Path) -> None:
    """Run all campaigns, or those named."""
    known = {campaign.NAME: campaign for campaign in CAMPAIGNS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(f"no campaign is called {', '.join(unknown)}; known are {', '.join(known)}")
    console = Console(width=150, highlight=False)
    told: list[dict[str, object]] = []
    for name in names or known:
        campaign = known[name]
        console.print(f"[bold]{name}[/bold]: {campaign.PROMISE}")
        began = time.monotonic()
        place = None if name in _ON_DISK else "/run"
        with tempfile.TemporaryDirectory(prefix=f"faults-{name}-", dir=place) as folder:
            result = campaign.run(Path(folder), short=short, say=lambda line: console.print(f"  {line}", style="dim"))
        seconds = time.monotonic() - began
        for what, figure in result.figures.items():
            console.print(f"  {what}: {figure}")
        for remark in result.remarks:
            console.print(f"  ({remark})")
        console.print(f"  {'kept' if result.kept else '[bold]NOT KEPT[/bold]'}, in {seconds:.0f} s")
        told.append({"name": name, "kept": result.kept, "seconds": round(seconds), "figures": dict(result.figures)})
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if all(line["kept"] for line in told) else 1)


if __name__ == "__main__":
    if not enter.sealed():
        sys.exit("start it with: python -m lab.enter -- python -m lab.faults")
    main()
