"""`make bench`: runs the measurements, those of a household in one fresh stack, and prints tables; JSON goes to artefacts/."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import accuracy, flows, ingest, latency, ledger, lists, mutations, overhead, pages, parsers, writes
from bench.corpus import AbsentError
from firmware.household import Limits
from firmware.names import ALL_CONNECTIONS
from lab.enter import refusal, sealed
from lab.household import default
from lab.stack import Stack

_ALONE: dict[str, Callable[..., object]] = {
    "parsers": parsers.measure,
    "mutations": mutations.measure,
    "memory": mutations.measure_memory,
    "accuracy": accuracy.measure,
    "lists": lists.measure,
    "ledger": ledger.measure,
    "ingest": ingest.measure,
    "writes": writes.measure,
    "pages": pages.measure,
}
"""Measurements that need captures or nothing, and no household."""
_STACKED = ("latency", "overhead", "flows")


def main() -> int:
    """Exit codes: 0 measured, 2 wrong use, 69 the lab cannot run here."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=(*_STACKED, *_ALONE), help="one measurement")
    parser.add_argument("--out", type=Path, default=Path("artefacts/bench.json"))
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    arguments = parser.parse_args()
    wanted = {arguments.only} if arguments.only else {*_STACKED, *_ALONE}
    results: dict[str, object] = {"machine": f"{platform.machine()}, Linux {platform.release()}"}
    for name, measure in _ALONE.items():
        if name in wanted:
            try:
                results[name] = measure(quick=arguments.quick)
            except AbsentError as error:
                results[name] = f"left out: {error}"
    if wanted & {*_STACKED}:
        if not sealed():
            why = (
                refusal() or "this is not the sealed place; run `make bench`, or put `python -m lab.enter --` before it"
            )
            sys.stderr.write(f"bench: the lab cannot run here: {why}\n")
            return 69
        _in_a_household(wanted, results, quick=arguments.quick)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    earlier = json.loads(arguments.out.read_text()) if arguments.only and arguments.out.exists() else {}
    arguments.out.write_text(json.dumps(earlier | results, indent=1))
    _print(results)
    return 0


def _in_a_household(wanted: set[str], results: dict[str, object], *, quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/run") as folder:
        Path(folder).chmod(0o755)
        # One device makes all the flows that are measured, far more than one may have.
        unbounded = Limits(connections=ALL_CONNECTIONS, opened_a_second=100_000, opened_at_once=ALL_CONNECTIONS)
        with Stack(Path(folder), house=default().model_copy(update={"limits": unbounded})) as stack:
            stack.wait_ready()
            if "latency" in wanted:
                results["latency"] = latency.measure(stack, joins=3 if quick else 30)
            if "flows" in wanted:
                results["flows"] = flows.measure(stack, seconds=2 if quick else 20)
            if "overhead" in wanted:
                results["overhead"] = overhead.measure(stack, rounds=1 if quick else 10)


def _print(results: dict[str, object]) -> None:
    console = Console(width=120)
    for name, values in results.items():
        if not isinstance(values, dict):
            console.print(f"{name}: {values}")
            continue
        rows = values if all(isinstance(item, dict) for item in values.values()) else {name: values}
        table = Table(title=name)
        table.add_column("")
        for column in next(iter(rows.values())):
            table.add_column(column, justify="right")
        for row, cells in rows.items():
            table.add_row(row, *(_cell(cell) for cell in cells.values()))
        console.print(table)


def _cell(value: object) -> str:
    """A figure as it is read; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.exit(main())
