"""One update from the request to the proof: records in, what to do next out. No clock, no file, no program.

`step` says what is to be done next and gives the record that has to be on the disk *before* that is begun; `done`
gives the record that says what came of it. So the power may go between any two of them, and `step` finds out at the
next start, from the record and from which system partition runs, where to go on:

    checking -> writing -> waiting -> restarting -> proving -> done
                                          |            |-> (the old partition again) rolled-back
                                          '-> rolled-back, where the boot loader went back by itself

The boot loader may go back later too, after a version was proved: that is told as rolled-back as well.

Writing makes the new partition the one that starts next: a power cut after that brings the proof forward. Bounded:
`MOST_TRIES` of each.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from appliance.releases import Record, Running
from wire.release import Release, SignedRelease, Stage, parts

MOST_TRIES = 3
IDLE_RATE = 64 * 1024
"""Octets a second on the way out below which nobody is taken to mind a restart."""
SECURITY_SECONDS = 6 * 3600.0
"""A release that mends a fault waits no longer than this for such a moment."""
PATIENCE_SECONDS = 3 * 86400.0
"""A box that is never on at night takes any idle moment after so long."""
_LAST_MINUTES = 600.0
"""The quiet hours' end that is left free, so that a look comes before it."""


class Effect(StrEnum):
    """What is to be done next."""

    NOTHING = "nothing"
    CHECK = "check"
    """Is the file the one of the statement, and does the installer accept it? And what is well now?"""
    WRITE = "write"
    RESTART = "restart"
    PROVE = "prove"
    MARK_GOOD = "mark-good"
    MARK_BAD = "mark-bad"


def take(record: Record, signed: SignedRelease, running: Running, at: float) -> Record:
    """Begin with a release that was judged and not refused."""
    return Record(
        stage="checking",
        signed=signed,
        from_version=running.version,
        from_slot=running.slot,
        since=at,
        floor=record.floor,
    )


def step(  # noqa: C901, PLR0911 - one case and one return a stage read best
    record: Record, running: Running, *, quiet: bool, at: float
) -> tuple[Record, Effect]:
    """What is next, and the record to write down first. `quiet`: the machine may be started anew now."""
    release = record.release
    if release is None:
        return record, Effect.NOTHING
    match record.stage:
        case "checking":  # nothing is written yet: wherever the box runs now is where it goes back to
            here = record.model_copy(update={"from_slot": running.slot, "from_version": running.version})
            return _again(here, Effect.CHECK, at)
        case "writing" | "waiting" | "restarting" if running.slot != record.from_slot:
            return _prove(_at(record, "proving", at, tries=0, boot="", verdict="", marked=False), running, at)
        case "failed" if not record.verdict and running.slot != record.from_slot and running.version == release.version:
            # The installer went on after it was given up, and what it wrote was started.
            return _prove(_at(record, "proving", at, tries=0, boot="", marked=False), running, at)
        case "done" if running.slot == record.from_slot and running.version != release.version:
            detail = f"Version {release.version} did not start any more; the box runs {running.version} again."
            return _at(record, "rolled-back", at, detail=detail), Effect.NOTHING
        case "writing":
            return _again(record, Effect.WRITE, at)
        case "waiting" if quiet:
            return _at(record, "restarting", at, boot=running.boot, tries=0), Effect.RESTART
        case "restarting" if running.boot == record.boot:
            if record.tries < MOST_TRIES:
                return record.model_copy(update={"tries": record.tries + 1}), Effect.RESTART
            return _at(record, "failed", at, detail="The machine cannot be started anew."), Effect.NOTHING
        case "restarting":
            detail = f"Version {release.version} did not start; the box runs {running.version} as before."
            return _at(record, "rolled-back", at, detail=detail), Effect.NOTHING
        case "proving":
            return _prove(record, running, at)
        case _:
            return record, Effect.NOTHING


def done(  # noqa: PLR0911 - one return an effect reads best
    record: Record, effect: Effect, *, problem: str = "", before: tuple[str, ...] = (), at: float
) -> Record:
    """The record after an effect; `problem` says why it did not work, and for `PROVE` what is not well."""
    release = record.release
    if release is None:
        return record
    match effect:
        case Effect.CHECK | Effect.WRITE if problem:
            return _at(record, "failed", at, detail=problem)
        case Effect.CHECK:
            return _at(record, "writing", at, tries=0, before=before)
        case Effect.WRITE:
            return _at(record, "waiting", at, tries=0)
        case Effect.PROVE:
            return record.model_copy(update={"verdict": "unwell" if problem else "well", "detail": problem[:300]})
        case Effect.MARK_GOOD:
            return _at(record, "done", at, detail="", floor=_higher(record.floor, release))
        case Effect.MARK_BAD:
            return record.model_copy(update={"marked": True})
        case _:
            return record


def _prove(  # noqa: PLR0911 - one return a case reads best
    record: Record, running: Running, at: float
) -> tuple[Record, Effect]:
    """The new partition was to be proved: which one runs, and how often was it begun?"""
    if running.slot == record.from_slot:
        why = record.detail or "it did not start as it should."
        detail = f"The box went back to version {running.version}: {why}"
        return _at(record, "rolled-back", at, detail=detail), Effect.NOTHING
    anew = running.boot != record.boot
    if anew:
        record = record.model_copy(update={"boot": running.boot, "tries": record.tries + 1})
    if not record.verdict and record.release is not None and running.version != record.release.version:
        detail = f"the partition holds version {running.version}."
        return record.model_copy(update={"verdict": "unwell", "detail": detail}), Effect.MARK_BAD
    if record.verdict == "well":
        return record, Effect.MARK_GOOD
    if record.verdict == "unwell" and record.marked and not anew:
        return record, Effect.RESTART
    if record.tries > 2 * MOST_TRIES:
        detail = f"The box cannot go back to {record.from_version}. {record.detail}"
        return _at(record, "failed", at, detail=detail), Effect.NOTHING
    if record.verdict == "unwell":
        return record, Effect.MARK_BAD
    if record.tries > MOST_TRIES:
        detail = f"it was begun {MOST_TRIES} times and never proved."
        return record.model_copy(update={"verdict": "unwell", "detail": detail}), Effect.MARK_BAD
    return record, Effect.PROVE


def _again(record: Record, effect: Effect, at: float) -> tuple[Record, Effect]:
    if record.tries >= MOST_TRIES:
        detail = f"It was begun {MOST_TRIES} times and never finished ({record.stage})."
        return _at(record, "failed", at, detail=detail), Effect.NOTHING
    return record.model_copy(update={"tries": record.tries + 1}), effect


def _at(record: Record, stage: Stage, at: float, **changed: object) -> Record:
    """The record in another stage."""
    if isinstance(detail := changed.get("detail"), str):
        changed["detail"] = detail[:300]
    return record.model_copy(update={"stage": stage, "since": at, "percent": None, **changed})


def _higher(floor: str | None, release: Release) -> str:
    return release.floor if floor is None or parts(release.floor) > parts(floor) else floor


def may_restart(
    record: Record, *, site: str, at: float, local_second: float, hours: tuple[int, int], rate: float | None
) -> bool:
    """Whether the household would not mind a restart now.

    Args:
        record: of an update that waits.
        site: the box's id; boxes of one street do not all go at the same minute.
        at: Unix seconds.
        local_second: seconds since midnight where the box is.
        hours: first and last hour of the quiet stretch of the night.
        rate: octets a second on the way out just now; None where nobody knows.
    """
    release = record.release
    if release is None:
        return False
    first, last = hours[0] * 3600.0, hours[1] * 3600.0
    share = int.from_bytes(hashlib.sha256(site.encode()).digest()[:4], "big") / 2**32
    if first + share * max(0.0, last - first - _LAST_MINUTES) <= local_second < last:
        return True
    waited = at - record.since
    idle = rate is not None and rate < IDLE_RATE
    if release.security:
        return idle or waited >= SECURITY_SECONDS
    return idle and waited >= PATIENCE_SECONDS
