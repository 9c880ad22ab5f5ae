"""Goes on with an update as far as it goes now: the record file, and whatever does the work.

In: a `Machine`, which is the box itself or a test's. Out: its effects, each after the record that says so is on the
disk. One runner at a time holds the lock of the folder. Bounded: `MOST_STEPS` steps a call.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from appliance.releases import RECORD, Record, Running, read_record
from appliance.upkeep.update import Effect, done, step
from wire.files import replace
from wire.release import Release

MOST_STEPS = 16
_LOCK = "lock"

_log = logging.getLogger(__name__)


class Machine(Protocol):
    """What an update does to a box. Each says in words what went wrong, or nothing."""

    def running(self) -> Running:
        """What runs now."""

    def quiet(self, record: Record) -> bool:
        """Whether the machine may be started anew now."""

    def check(self, release: Release) -> str:
        """Is the file there, whole, the statement's, and acceptable to the installer?"""

    def well(self) -> frozenset[str]:
        """What is well now; see `appliance.upkeep.vitals`."""

    def write(self, release: Release, progress: Callable[[int], None]) -> str:
        """Write the other system partition and have it start next."""

    def prove(self, before: frozenset[str]) -> str:
        """Wait until the running version is well, or for as long as it may take: what is not well."""

    def mark(self, *, good: bool) -> str:
        """Tell the boot loader of the verdict on the running partition."""

    def restart(self) -> str:
        """Start the machine anew; it goes on until it is down."""


class BusyError(Exception):
    """Another runner is at work."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock.

    Raises:
        BusyError: somebody else holds it.
        OSError: the folder cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError("an update is being worked on") from None
        yield
    finally:
        os.close(descriptor)


def save(folder: Path, record: Record) -> None:
    """Write the record down so that a power cut leaves this one or the one before."""
    replace(folder / RECORD, record.model_dump_json(exclude_none=True).encode(), mode=0o644)


def go_on(folder: Path, machine: Machine, now: Callable[[], float]) -> Record:
    """Take every step that can be taken now; hold `alone` meanwhile. Returns the record as it then is.

    After `Effect.RESTART` nothing more is done: the machine is going down.

    Raises:
        OSError: the record cannot be written; then nothing is begun either.
    """
    record = read_record(folder)
    for _ in range(MOST_STEPS):
        before, at = record, now()
        running = machine.running()
        quiet = record.stage == "waiting" and machine.quiet(record)
        record, effect = step(record, running, quiet=quiet, at=at)
        if record != before:
            save(folder, record)
            _told(before, record)
        if effect is Effect.NOTHING:
            return record
        after = _do(folder, machine, record, effect, now)
        if after != record:
            save(folder, after)
            _told(record, after)
        record = after
        if effect is Effect.RESTART:
            return record
    return record


def _do(folder: Path, machine: Machine, record: Record, effect: Effect, now: Callable[[], float]) -> Record:
    release = record.release
    assert release is not None  # noqa: S101 - there is no effect without one
    problem, before = "", record.before
    match effect:
        case Effect.CHECK:
            problem = machine.check(release)
            before = tuple(sorted(machine.well()))
        case Effect.WRITE:
            problem = machine.write(release, _progress(folder, record))
        case Effect.PROVE:
            problem = machine.prove(frozenset(record.before))
        case Effect.MARK_GOOD | Effect.MARK_BAD:
            problem = machine.mark(good=effect is Effect.MARK_GOOD)
        case _:
            problem = machine.restart()
    if problem:
        _log.warning("version %s, %s: %s", release.version, effect.value, problem)
    return done(record, effect, problem=problem, before=before, at=now())


def _progress(folder: Path, record: Record) -> Callable[[int], None]:
    """Writes how much is done, at most once for each tenth: it is for people, and the card wears."""
    said = -10

    def progress(percent: int) -> None:
        nonlocal said
        percent = max(0, min(100, percent))
        if percent - said >= 10:
            said = percent
            save(folder, record.model_copy(update={"percent": percent}))

    return progress


def _told(before: Record, after: Record) -> None:
    release = after.release
    if release is not None and before.stage != after.stage:
        _log.info("version %s: %s. %s", release.version, after.stage, after.detail)
