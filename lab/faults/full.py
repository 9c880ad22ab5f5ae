"""A disk without room: nothing is harmed, alerts go out, and all is as before when there is room again."""

from __future__ import annotations

from pathlib import Path

from lab.faults.power import NOT_RUN, AbsentError, cut_off
from lab.faults.result import Result, Say

NAME = "full"
PROMISE = "whichever write finds no room, once or for ever: no corruption, the alert goes out, recovery when freed"

_SHORT_STEP = 29


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """Fail the N-th write, N rising until a run completes."""
    step = _SHORT_STEP if short else 1
    say(f"every {step}th write" if step > 1 else "every write")
    try:
        found = cut_off("lab.faults.full_disk", str(folder / "disk"), "--step", str(step))
    except AbsentError as error:
        return Result(kept=False, figures={NOT_RUN: str(error)})
    figures = {
        "writes of a run": f"{found['writes']:,}",
        "runs in which one write found no room": f"{found['once']:,}",
        "runs in which all did from then on": f"{found['ever']:,}",
        "databases corrupt": f"{found['corrupt']:,}",
        "runs in which an alert did not go out": f"{found['silent']:,}",
        "runs in which nobody was told of it": f"{found['unsaid']:,}",
        "runs not as before when freed": f"{found['stuck']:,}",
        "runs that needed the ballast": f"{found['gave_up']:,}",
    }
    harm = sum(int(found[what]) for what in ("corrupt", "silent", "unsaid", "stuck"))
    return Result(
        kept=harm == 0 and found["once"] > 0 and found["ever"] > 0,
        figures=figures,
        remarks=(
            "Room is given by what the ballast took; where another program takes that too, turns are lost and counted.",
            *(str(line) for line in found["problems"]),
        ),
    )
