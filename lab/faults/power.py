"""Power cuts of the store that is shipped: what was committed is there, and nothing is there by half."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.faults.result import Result, Say

NAME = "power"
PROMISE = "0 committed records lost and 0 databases corrupt in 3,000 power cuts, 500 of them during recovery"

CUTS, AGAIN = 2_500, 500
SHORT, SHORT_AGAIN = 125, 25
_SECONDS = 1_800.0
_Tally = dict[str, Any]
"""Counts by name, and `problems`, a list of sentences: `power_cuts.Tally` as JSON."""
_ROOT = Path(__file__).resolve().parents[2]
NOT_RUN = "not run"
ABSENT = 69
"""Exit code of the cutting process where it cannot work: EX_UNAVAILABLE of sysexits.h."""


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """Cut the power; a run with syncs switched off beside it shows that harm would be seen."""
    seed = int(os.environ.get("GATEHOUSE_SEED") or secrets.randbelow(10**6))
    cuts, again = (SHORT, SHORT_AGAIN) if short else (CUTS, AGAIN)
    say(f"seed {seed} (GATEHOUSE_SEED={seed} repeats it)")
    try:
        found = _cut(folder / "as-shipped", seed, cuts, again)
    except AbsentError as error:
        return Result(kept=False, figures={NOT_RUN: str(error)})
    say("the same with syncs switched off, to see that harm is seen")
    control = _cut(folder / "control", seed, SHORT, SHORT_AGAIN, synchronous="off")
    harm, seen = _harm(found), _harm(control)
    figures = {
        "cuts in work": f"{found['cuts']:,}",
        "cuts in recovery": f"{found['again']:,}",
        "committed records lost": f"{found['lost']:,}",
        "databases corrupt": f"{found['corrupt']:,}",
        "transactions there by half": f"{found['torn']:,}",
        "cut while committing, and there whole": f"{found['in_commit']:,}",
        f"harmed of {SHORT + SHORT_AGAIN} with syncs switched off (control)": f"{seen:,}",
        "seed": str(seed),
    }
    return Result(
        kept=harm == 0 and seen > 0 and (found["cuts"], found["again"]) == (cuts, again),
        figures=figures,
        remarks=(
            "The disk is imagined: what was synced stays. A card that says so and does not keep it is not shown.",
            "Within what was not synced, sectors are torn; a card that harms neighbours of what it writes is not shown.",
            *(str(line) for line in found["problems"]),
        ),
    )


class AbsentError(Exception):
    """The power cuts cannot be made here; the text says why."""


def _harm(tally: _Tally) -> int:
    return sum(int(tally[what]) for what in ("lost", "corrupt", "torn"))


def _cut(folder: Path, seed: int, cuts: int, again: int, *, synchronous: str | None = None) -> _Tally:
    folder.mkdir(parents=True, exist_ok=True)
    asked = ["--seed", str(seed), "--cuts", str(cuts), "--again", str(again)]
    if synchronous is not None:
        asked += ["--synchronous", synchronous]
    return cut_off("lab.faults.power_cuts", str(folder), *asked)


def cut_off(module: str, *arguments: str) -> _Tally:
    """Run a module that puts its own file system under SQLite; what it printed.

    Raises:
        AbsentError: it cannot do that here.
        RuntimeError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode == ABSENT:
        raise AbsentError(done.stderr.strip())
    if done.returncode != 0:
        raise RuntimeError(f"{module} failed: {done.stderr[-2000:]}")
    tally: _Tally = json.loads(done.stdout)
    return tally
