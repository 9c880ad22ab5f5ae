"""A start at which the data partition could not be opened: once more, and else the version before, without a visit.

In: which system partition runs, what the boot loader's memory says of the other. Out: that memory changed, and one
restart. What the box proved lies on the very partition that is not there, so that this asks the loader alone: the
partition that runs gives way where the other may be started, and is told to be no good *before* the restart. The other
one then finds no further one to give way to: there is one restart, whatever proved good before and whatever is
the matter with the card, and none where the memory does not keep what it is told. Bounded: `OPEN_SECONDS`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.upkeep import box
from firmware import layout

SLOT_PROGRAM = "/usr/libexec/gatehouse/slot"
OPEN_SECONDS = 400.0
"""More than `gatehouse-data.service` may take."""
_OPEN = ("systemctl", "restart", "gatehouse-data.service")
_GO_ON = (
    ("systemctl", "restart", "gatehouse-first-boot.service", "gatehouse-apply.service"),
    ("systemctl", "--no-block", "start", "gatehouse.target", "gatehouse-fitting.service", "gatehouse-health.service"),
)
"""What was passed over at this start, because there was no partition."""
_OTHER = {"A": "B", "B": "A"}

Run = Callable[[Sequence[str]], "tuple[int, str]"]
"""Runs a program; its exit code and what it printed."""


def run(words: Sequence[str]) -> tuple[int, str]:
    """Run the real one."""
    try:
        done = subprocess.run(
            list(words), capture_output=True, text=True, timeout=OPEN_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, (done.stdout or done.stderr).strip()


def give_way(
    slot: str,
    *,
    there: Callable[[], bool] = Path(layout.DATA).is_mount,
    run: Run = run,
    restart: Callable[[], str] = box.restart,
) -> str:
    """Do what can be done; a sentence that says what that was. `slot` is the one that runs, empty without a loader."""
    if there():
        return "The data partition is there."
    run(_OPEN)
    if there():
        for words in _GO_ON:
            run(words)
        return "The data partition could be opened at the second try."
    other = _OTHER.get(slot)
    if other is None or run((SLOT_PROGRAM, "get-state", other)) != (0, "good"):
        return "The data partition cannot be opened, and there is no other version to start."
    # Not by way of RAUC: what that keeps of its own may lie on the partition that is not there.
    said = [run((SLOT_PROGRAM, *words))[1] for words in (("set-primary", other), ("set-state", slot, "bad"))]
    kept = run((SLOT_PROGRAM, "get-primary")), run((SLOT_PROGRAM, "get-state", slot))
    if kept != ((0, other), (0, "bad")):
        why = " ".join(filter(None, said))
        return f"The data partition cannot be opened, and the loader does not keep what it is told. {why}".strip()
    return restart() or f"The data partition cannot be opened: the version in {other} is started."
