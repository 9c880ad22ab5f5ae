"""Power cuts of a machine: while its box writes records, and while it takes an update.

The first kill QEMU: the guest's memory is lost, what it had written the host keeps. The second are cut out of the log of
one update, so that also what the disk had not yet promised to keep is lost, or half of it. A card that has promised and
does not keep is not shown. Bounded: rounds, and each wait.
"""

from __future__ import annotations

import random
import re
import shlex
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from firmware import layout
from lab.host import LabError
from lab.machine import disk, writes
from lab.machine.shell import Shell, ShellError
from lab.machine.stack import BOOT_SECONDS, BoxStack
from lab.machine.writes import Write

_KEEPER = f"{layout.STATE}/keeper/keeper.db"
_MARKS = f"{layout.STATE}/lab-marks"
_BORN = f"sha256sum {layout.SIGNING_KEY} {layout.TLS_KEY} {layout.LABEL_FILE} {layout.HOUSEHOLD_FILE}"
_CALLED_GOOD = "grep -q '^BOOT_B_LEFT=3$' /boot/firmware/grub/grubenv"
"""Has the slot that was started all of its tries back? The loader takes one off before it starts it."""
_SLOT_B = (3, 6)
"""Numbers of the partitions that an update of slot A's box is written to (docs/image.md)."""
_UPDATE_SECONDS = 1200.0
_EVERY = 0.2
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
class Update:
    """One update, from its beginning until the new version was called good, as the disk saw it."""

    disk: Path
    """As it was when the log began; raw."""
    log: Path
    sizes: list[int]
    """Octets of the log, every `_EVERY` seconds."""
    born: str
    """Hashes of what was born on the box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One cut in the middle of an update."""

    entry: int
    """Of the log: the last that the disk has heard of."""
    unkept: int
    """Writes that the disk had not promised to keep."""
    running: str
    """Slot that came up after it."""
    state: str
    """`well`, or what systemd could not start, or what of that which was born on the box is another."""
    starts: int
    """How often the machine had to start until one was up."""
    well: bool
    """A slot came up whole, with what was born on the box."""


def record(stack: BoxStack, bundle: Path) -> Update:
    """Have a box take an update, restart and call it good, and keep the log of what it wrote meanwhile.

    Raises:
        LabError: the box did not come up, or refused the update.
    """
    update = f"rauc install {BUNDLE} && systemctl reboot"
    with stack.new_machine("record") as machine:
        machine.plan = replace(machine.plan, media=[bundle])
        shell = stack.boot(machine)
        shell.run(take(bundle), seconds=300)
        born = shell.run(_BORN).stdout
        machine.press_power()
        begun = disk.raw(machine.plan.disks[0], stack.folder / "begun.img")
        log = stack.folder / "log"
        log.touch()
        machine.plan = replace(machine.plan, disks=[disk.copy(begun, stack.folder / "logged.img")], log=log)
        shell = stack.boot(machine)
        with _sampled(log) as sizes:
            shell.run(f"systemd-run --quiet --unit=lab-update sh -c {shlex.quote(update)}")
            shell.wait(_UPDATE_SECONDS)
            stack.boot(machine)
            shell.run(f"until {_CALLED_GOOD}; do sleep 1; done", seconds=BOOT_SECONDS)
        if slot(shell) != "B":
            raise LabError("the update does not start, without any cut")
    return Update(disk=begun, log=log, sizes=sizes, born=born)


@contextmanager
def _sampled(log: Path) -> Iterator[list[int]]:
    """How large the log is, again and again: a lot among these is one among the moments of the time it takes."""
    sizes, ended = [log.stat().st_size], threading.Event()

    def look() -> None:
        while not ended.wait(_EVERY):
            sizes.append(log.stat().st_size)

    looks = threading.Thread(target=look, daemon=True)
    looks.start()
    try:
        yield sizes
    finally:
        ended.set()
        looks.join()


def during_update(stack: BoxStack, update: Update, *, rounds: int, seed: int, together: int) -> Iterator[Round]:
    """Cut the power at random moments of an update, and start what the disk may then hold.

    In turn: a moment of the time that the update takes, most of which is the new version's start; one behind any write,
    most of which fill the slot; one behind a write elsewhere, to what the loader remembers or to the box's own.

    Args:
        stack: a household whose box is off.
        update: from `record`.
        rounds: how many cuts.
        seed: of all lots.
        together: machines that run at a time.
    """
    luck = random.Random(seed)  # noqa: S311 (moments of cuts, no secret)
    entries = writes.read(update.log)
    replay = writes.Replay(disk.copy(update.disk, stack.folder / "kept.img"), update.log, entries)
    moments = sorted(_moments(entries, update, rounds=rounds, luck=luck))
    with ThreadPoolExecutor(together) as pool:
        for first in range(0, rounds, together):
            started = []
            for place, entry in enumerate(moments[first : first + together]):
                late = replay.keep_until(entry)
                card = disk.copy(replay.disk, stack.folder / f"cut-{place}.img")
                writes.put(card, update.log, writes.by_lot(late, luck))
                started.append(pool.submit(_start, stack, update, card, entry=entry, unkept=len(late)))
            for one in started:
                yield one.result()


def _moments(entries: Sequence[Write], update: Update, *, rounds: int, luck: random.Random) -> Iterator[int]:
    ends = [write.at + write.size for write in entries]
    slots = [part for part in disk.partitions(update.disk) if part.number in _SLOT_B]

    def in_slot(write: Write) -> bool:
        return any(part.start <= write.start < part.start + part.size for part in slots)

    meanwhile = range(bisect_right(ends, update.sizes[0]), len(entries))
    elsewhere = [number for number in meanwhile if not in_slot(entries[number])]
    for number in range(rounds):
        at_a_time = min(bisect_right(ends, luck.choice(update.sizes)), len(entries) - 1)
        yield (at_a_time, luck.choice(meanwhile), luck.choice(elsewhere))[number % 3]


def _start(stack: BoxStack, update: Update, card: Path, *, entry: int, unkept: int) -> Round:
    with stack.uncabled(card) as machine:
        try:
            shell = stack.boot(machine)
            running = slot(shell)
            failed = shell.run("systemctl --failed --no-legend --plain").stdout.split()
            state = f"failed: {failed[0]}" if failed else "well"
            born = shell.run(_BORN).stdout.splitlines()
            changed = [line.split()[-1] for line in update.born.splitlines() if line not in born]
            state = f"changed: {changed[0]}" if changed else state
        except ShellError:
            running, state = "", "did not come up"
        starts = len(re.findall(r"(?:^|H)slot [AB]\s*$", machine.console(), re.MULTILINE))
    well = running in {"A", "B"} and state == "well"
    return Round(entry=entry, unkept=unkept, running=running, state=state, starts=starts, well=well)


def slot(shell: Shell) -> str:
    """Which slot runs: A or B."""
    return shell.run("tr ' ' '\\n' < /proc/cmdline | sed -n 's/^rauc.slot=//p'").stdout.strip()


def take(bundle: Path) -> str:
    """The command that takes the bundle from the second disk: its own octets, for a disk has whole sectors."""
    return f"head -c {bundle.stat().st_size} /dev/vdb > {BUNDLE} && sync {BUNDLE}"
