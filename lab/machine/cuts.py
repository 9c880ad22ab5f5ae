"""Power cuts of a machine: while its box writes records, and while it takes an update.

Each cut kills QEMU at a moment that was drawn by lot; what the guest had not flushed is lost with its memory. What the
host's kernel holds is not: a card that lies about flushing is not shown by this. Bounded: rounds, and each wait.
"""

from __future__ import annotations

import random
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from firmware import layout
from lab.host import LabError
from lab.machine.shell import Shell, ShellError
from lab.machine.stack import BoxStack

_KEEPER = f"{layout.STATE}/keeper/keeper.db"
_MARKS = f"{layout.STATE}/lab-marks"
_BORN = f"sha256sum {layout.SIGNING_KEY} {layout.TLS_KEY} {layout.LABEL_FILE} {layout.HOUSEHOLD_FILE}"
_READY = "ready"
BUNDLE = f"{layout.DATA}/lab.raucb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What was there before a cut, and after."""

    after_seconds: float
    marks: int
    """Lines that a writer had said to be on the disk."""
    lost: int
    """Of them, those that are not there any more."""
    records_before: int
    """Rows of the box's ledger, the last time somebody looked before the cut."""
    records_after: int
    integrity: str
    """SQLite's word on the keeper's database."""
    failed: str
    """Units that did not start."""
    boot_seconds: float


def while_writing(stack: BoxStack, *, seconds: float) -> Cut:
    """Have the box write, cut its power after so long, boot it again and compare."""
    shell = stack.machine.shell()
    # A writer beside the keeper says each line only when the line is on the disk; its word leaves by the serial line.
    shell.run(f": > {_MARKS}; sync")
    known, said, began = records(shell), 0, time.monotonic()
    while time.monotonic() - began < seconds:
        done = shell.run(
            f"for i in 1 2 3 4 5; do echo $i >> {_MARKS} && sync {_MARKS} || exit 1; done; wc -l < {_MARKS}"
        )
        said = int(done.stdout)
        with suppress(ShellError):
            known = records(shell, seconds=5)
    with suppress(LabError):
        shell.run(f"(while :; do echo x >> {_MARKS}; sync {_MARKS}; done) >/dev/null 2>&1 & sleep 0.3", seconds=3)
    stack.machine.cut_power()
    shell = stack.boot()
    booted = time.monotonic() - stack.machine.powered_at
    there = int(shell.run(f"wc -l < {_MARKS}").stdout)
    return Cut(
        after_seconds=seconds,
        marks=said,
        lost=max(0, said - there),
        records_before=known,
        records_after=records(shell),
        integrity=_sqlite(shell, "pragma integrity_check"),
        failed=shell.run("systemctl --failed --no-legend --plain").stdout.strip(),
        boot_seconds=booted,
    )


def records(shell: Shell, *, seconds: float = 60.0) -> int:
    """Rows of the ledger on the box."""
    return int(_sqlite(shell, "select count(*) from ledger", seconds=seconds))


def _sqlite(shell: Shell, query: str, *, seconds: float = 60.0) -> str:
    program = (
        "import sqlite3, sys; "
        f"c = sqlite3.connect('file:{_KEEPER}?mode=ro', uri=True, timeout=20); "
        f"print(c.execute({query!r}).fetchone()[0])"
    )
    return shell.run(f"python3 -c {shlex.quote(program)}", seconds=seconds).stdout.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One cut in the middle of an update."""

    number: int
    after_seconds: float
    """Between the beginning of the update and the cut."""
    running: str
    """Slot that came up after it."""
    state: str
    """`well`, or what systemd could not start."""
    boots: int
    """How often the machine had to start until one was up."""
    well: bool
    """A slot came up whole, with what was born on the box."""


def during_update(stack: BoxStack, bundle: Path, *, rounds: int, longest: float, seed: int) -> Iterator[Round]:
    """Cut the power at random moments of an update, of the restart behind it too.

    Each round goes on from the same moment of the same machine: it has come up, and has the bundle.

    Raises:
        LabError: the machine did not come up at all before its first cut.
    """
    luck = random.Random(seed)  # noqa: S311 (moments of cuts, no secret)
    update = f"rauc install {BUNDLE} && systemctl reboot"
    with stack.new_machine("cuts") as machine:
        machine.plan = replace(machine.plan, media=[bundle])
        shell = stack.boot(machine)
        shell.run(take(bundle), seconds=300)
        born = shell.run(_BORN).stdout
        machine.keep_moment(_READY)
        machine.cut_power()
        for number in range(rounds):
            after = luck.uniform(0, longest)
            machine.power_on(_READY)
            machine.shell().run(f"systemd-run --quiet --unit=lab-update sh -c {shlex.quote(update)}")
            time.sleep(after)
            machine.cut_power()
            machine.power_on()
            try:
                shell = stack.boot(machine)
                running = slot(shell)
                failed = shell.run("systemctl --failed --no-legend --plain").stdout.split()
                state = f"failed: {failed[0]}" if failed else "well"
                kept = shell.run(_BORN).stdout == born
            except ShellError:
                running, state, kept = "", "did not come up", False
            boots = len(re.findall(r"(?:^|H)slot [AB]\s*$", machine.console(), re.MULTILINE))
            machine.cut_power()
            yield Round(
                number=number,
                after_seconds=after,
                running=running,
                state=state,
                boots=boots,
                well=running in {"A", "B"} and state == "well" and kept,
            )


def slot(shell: Shell) -> str:
    """Which slot runs: A or B."""
    return shell.run("tr ' ' '\\n' < /proc/cmdline | sed -n 's/^rauc.slot=//p'").stdout.strip()


def take(bundle: Path) -> str:
    """The command that takes the bundle from the second disk: its own octets, for a disk has whole sectors."""
    return f"head -c {bundle.stat().st_size} /dev/vdb > {BUNDLE} && sync {BUNDLE}"
