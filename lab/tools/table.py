"""The confusion table: what each tool is, and what the box made of it, as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from lab.tools.run import Verdict

HEARD = ("medium", "high")
"""Grades that an officer is to look at."""


def show(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print every tool and the four figures."""
    for around, title in ((True, "Tools that go round"), (False, "Everyday programs")):
        table = Table("tool", "what", "found", "grade", "after", "signs", title=title)
        for verdict in sorted((item for item in verdicts if item.around is around), key=lambda item: item.tool):
            if verdict.left_out:
                table.add_row(verdict.tool, verdict.title, "left out", "", "", verdict.left_out)
                continue
            found = ("yes" if verdict.found else "NO") if around else ("YES" if verdict.grade in HEARD else "no")
            after = "" if verdict.seconds is None else f"{verdict.seconds:.1f} s"
            table.add_row(verdict.tool, verdict.title, found, verdict.grade, after, ", ".join(verdict.kinds))
        console.print(table)
    console.print(summary(verdicts))


def summary(verdicts: Sequence[Verdict]) -> str:
    """The four figures in one sentence."""
    ran = [verdict for verdict in verdicts if not verdict.left_out]
    around = [verdict for verdict in ran if verdict.around]
    everyday = [verdict for verdict in ran if not verdict.around]
    wrong = [verdict for verdict in everyday if verdict.grade in HEARD]
    return (
        f"Of {len(around)} tools that go round, {sum(verdict.found for verdict in around)} were found, "
        f"{sum(verdict.found and verdict.grade in HEARD for verdict in around)} at medium or high; "
        f"of {len(everyday)} everyday programs, {len(wrong)} gave a medium or high sign; "
        f"{len(verdicts) - len(ran)} could not run here."
    )


def faults(verdicts: Sequence[Verdict]) -> list[str]:
    """What is not as it should be: a tool not found, an everyday program that reads as one."""
    return [
        f"{verdict.tool}: not found" if verdict.around else f"{verdict.tool}: {verdict.grade}: {verdict.headline}"
        for verdict in verdicts
        if not verdict.left_out and (not verdict.found if verdict.around else verdict.grade in HEARD)
    ]
