"""`python -m lab.machine cuts|doorstep|flood`: what takes a machine and more time than a test may.

Started by `make cuts` and the like inside the sealed place. Exit codes: 0 as promised, 1 not, 69 this machine cannot.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from lab import enter
from lab.host import LabError
from lab.machine import bundles, cuts, doorstep, flood, image, writes
from lab.machine.stack import BoxStack

ROOT = Path(__file__).resolve().parents[2]
_DOZEN = 12


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m lab.machine")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("cuts", "cut the power at random moments of an update; each time the box comes up, old or new"),
        ("doorstep", "the wizard in a browser, from power-on to a signed visit, with the box's own share"),
        ("flood", "a device floods the household with made-up neighbours"),
    ):
        command = commands.add_parser(name, help=about)
        if name == "cuts":
            command.add_argument("--rounds", type=int, default=100)
            command.add_argument("--seed", type=int, default=None, help="the same lots again")
            command.add_argument("--together", type=int, default=2, help="machines that run at a time")
        if name == "flood":
            command.add_argument("--seconds", type=float, default=60.0)
            command.add_argument("--rate", type=int, default=5000, help="frames a second")
    given = parser.parse_args()
    built = image.find(ROOT)
    if isinstance(built, str):
        sys.stderr.write(f"machine: {built}\n")
        return enter.UNAVAILABLE
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="gh-", dir=_room())))
        folder.chmod(0o755)
        stack = exits.enter_context(BoxStack(folder, built))
        try:
            if given.command == "cuts":
                return _cuts(stack, rounds=given.rounds, seed=given.seed, together=given.together)
            if given.command == "flood":
                return _flood(stack, seconds=given.seconds, rate=given.rate)
            return _doorstep(stack)
        except (LabError, TimeoutError) as error:
            sys.stderr.write(f"machine: {error}\n")
            return 1


def _room() -> str:
    return os.environ.get("TMPDIR", "/tmp")  # noqa: S108 (short, for sockets)


def _cuts(stack: BoxStack, *, rounds: int, seed: int | None, together: int) -> int:
    drawn = seed if seed is not None else time.time_ns() % 2**32
    print(f"{rounds} cuts, seed {drawn}", flush=True)
    update = cuts.record(stack, bundles.make(stack.built, stack.folder / "b.raucb", version="2099.1.1"))
    print(f"an update without a cut, {len(writes.read(update.log))} entries in the log of the disk", flush=True)
    told_of = (
        told
        # By the dozen, each in the order of the update: a run that is ended early has seen all of it.
        for first in range(0, rounds, _DOZEN)
        for told in cuts.during_update(
            stack, update, rounds=min(_DOZEN, rounds - first), seed=drawn + first, together=together
        )
    )
    well = 0
    for number, told in enumerate(told_of, 1):
        well += told.well
        word = "up" if told.well else "NOT UP"
        print(
            f"{number:4}  cut after entry {told.entry:6}, {told.unkept:4} writes not promised: {word}, "
            f"slot {told.running or '-'}, {told.starts} starts, {told.state}",
            flush=True,
        )
    print(f"{well} of {rounds} came up, old or new")
    return 0 if well == rounds else 1


def _doorstep(stack: BoxStack) -> int:
    with doorstep.browser() as started:
        clock = doorstep.walk(stack, started)
    for what, seconds in clock.reached.items():
        print(f"{seconds:7.1f} s  {what}")
    share = clock.box_seconds / clock.reached["signed"]
    print(f"{clock.box_seconds:7.1f} s  of it the box alone was waited for ({share:.0%})")
    print(f"{stack.machine.resident_mib():7.0f} MiB of this machine's memory for the emulated box")
    return 0


def _flood(stack: BoxStack, *, seconds: float, rate: int) -> int:
    shell = stack.boot()
    other = stack.join("linux-laptop")
    stack.fit(other)
    before = flood.box_facts(shell)
    told = flood.run(stack.join("unregistered-phone"), other, seconds=seconds, rate=rate)
    print(
        f"{told.sent} frames in {told.seconds:.0f} s; meanwhile {told.got} of {told.tried} pages came, "
        f"half of them within {told.median:.2f} s, the slowest after {told.slowest:.2f} s; "
        f"after it: {'well' if told.after else 'NOT WELL'}"
    )
    print(f"box before {before}, after {flood.box_facts(shell)}")
    return 0 if told.after else 1


if __name__ == "__main__":
    sys.exit(main())
