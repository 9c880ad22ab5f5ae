"""What happened to the box itself, told apart and worded neutrally. Pure (N15, R19).

In: what a start found, and what went on at ports and clock. Out: signs about the box (`device_id` None). They
are about no device of the household, so they are kept without an authority too. Each has causes that nobody
is to blame for; several in one day are worth more than each alone.

How strong, and why:

=================  ==============================================================================
power              low: power cuts happen; medium from `MANY_CUTS` in a week, or with another sign
                   of the same start
switched off       low, from `OFF_SECONDS` on: in order, by somebody at the box or by an update
internet           low from `WAN_SECONDS` on; medium from `WAN_LONG_SECONDS` on, or `MANY_LOSSES` in a day
cable              low between ports of the home; medium where the provider's side is another device
memory             low: a first set-up looks the same; the server knows more
settings           low one file; medium with another sign of the same start
clock              low within `SETTLE_SECONDS` of a start, when clocks are set; medium later
storage            medium: card or machine; high: both
=================  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.spans import DAY, HOUR, counted, lasted
from wire.findings import FindingKind, Grade

OFF_SECONDS = 600.0
"""A restart for new software takes less."""
WAN_SECONDS = 300.0
"""A provider's router that restarts takes less; raised well within the ten minutes of R19."""
WAN_LONG_SECONDS = HOUR
MANY_CUTS = 3
CUTS_WITHIN = 7 * DAY
MANY_LOSSES = 3
LOSSES_WITHIN = DAY
CLOCK_SECONDS = 120.0
"""Clocks kept by the network differ by less than a second; a drifting one by seconds a day."""
SETTLE_SECONDS = 900.0
MOVED_SECONDS = 120.0
"""Between one port going down and another coming up: a cable pulled out and put in again."""


class Loss(StrEnum):
    """How the internet was lost."""

    LINK = "link"
    """The port to the provider is down."""
    PROVIDER = "provider"
    """The port is up and nothing comes from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the box runs on. None or absent: it could not be read, which says nothing."""

    boot: str | None = None
    """Changes with every start of the machine."""
    machine: str | None = None
    filesystem: str | None = None
    """That the memory of the box lies on."""
    settings: tuple[tuple[str, str], ...] = ()
    """What each file of settings is called in plain words, and its digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a start of the keeper found."""

    before: Place | None
    """None: nothing was kept."""
    now: Place
    ordered: bool
    """The stop before it was in order."""
    ran_until: float
    """The last moment that was committed; 0 where there is no memory."""
    at: float
    """By the clock on the wall."""
    cuts: tuple[float, ...]
    """Earlier power cuts, of the last week."""
    starts: int
    """How many starts of the machine the memory knows, this one included."""


def started(start: Start) -> tuple[Sign, ...]:
    """Signs that a start gives, the strongest reasons first."""
    if not start.ran_until:
        return (_reset(start),)
    if start.before is None:
        return ()  # a memory from before such things were kept
    signs = [sign for sign in (_storage(start), _settings(start), _set_back(start), _power(start)) if sign is not None]
    if len(signs) > 1:
        signs = [raised(sign, Grade.MEDIUM) for sign in signs]
    return tuple(signs)


def raised(sign: Sign, least: Grade) -> Sign:
    """The sign, of at least this grade."""
    order = tuple(Grade)
    return sign if order.index(sign.grade) >= order.index(least) else replace(sign, grade=least)


def _power(start: Start) -> Sign | None:
    before = start.before
    if before is None or before.boot is None or start.now.boot in {None, before.boot}:
        return None  # the machine ran on; that the keeper was away is a gap
    off = max(0.0, start.at - start.ran_until)
    if start.ordered:
        if off < OFF_SECONDS:
            return None
        return _sign(
            FindingKind.POWER_LOST,
            subject="switched off",
            grade=Grade.LOW,
            reasons=(f"Looks like the box was switched off in order, for {lasted(off)}.", _starts(start)),
            alternatives=("An engineer or an update may have done it.",),
            since=start.ran_until,
            ts=start.at,
        )
    cuts = [cut for cut in start.cuts if cut >= start.at - CUTS_WITHIN]
    many = len(cuts) + 1
    reasons = [f"Looks like the box lost power for {lasted(off)}: it stopped without being told to.", _starts(start)]
    if many >= MANY_CUTS:
        reasons.append(f"It was cut off {many} times in a week.")
    return _sign(
        FindingKind.POWER_LOST,
        subject="power",
        grade=Grade.MEDIUM if many >= MANY_CUTS else Grade.LOW,
        reasons=tuple(reasons),
        alternatives=(
            "A power cut, a fuse, a loose plug or a worn power supply does the same.",
            "Somebody may have needed the socket, or restarted the box to mend the internet.",
        ),
        since=start.ran_until,
        ts=start.at,
    )


def _starts(start: Start) -> str:
    return f"It is start number {start.starts} that the box remembers."


def _storage(start: Start) -> Sign | None:
    before, now = start.before, start.now
    if before is None:
        return None
    card = before.filesystem is not None and now.filesystem is not None and before.filesystem != now.filesystem
    machine = before.machine is not None and now.machine is not None and before.machine != now.machine
    if not card and not machine:
        return None
    reasons = ["Looks like the memory of the box was moved: its records come from another card or machine."]
    reasons += ["The file system that they lie on is another."] if card else []
    reasons += ["The system that runs the box is another."] if machine else []
    return _sign(
        FindingKind.STORAGE_CHANGED,
        subject="storage",
        grade=Grade.HIGH if card and machine else Grade.MEDIUM,
        reasons=tuple(reasons),
        alternatives=("An engineer may have changed a worn card, installed new software, or restored a copy.",),
        since=start.ran_until,
        ts=start.at,
        signals=int(card) + int(machine),
    )


def _settings(start: Start) -> Sign | None:
    before = dict(start.before.settings) if start.before is not None else {}
    changed = [name for name, digest in start.now.settings if name in before and before[name] != digest]
    if not changed:
        return None
    return _sign(
        FindingKind.SETTINGS_CHANGED,
        subject="settings",
        grade=Grade.LOW,
        reasons=(f"Looks like settings were changed while the box did not run: {', '.join(changed)}.",),
        alternatives=("An engineer or an update may have done it.",),
        since=start.ran_until,
        ts=start.at,
    )


def _set_back(start: Start) -> Sign | None:
    back = start.ran_until - start.at
    if back <= CLOCK_SECONDS:
        return None
    return clock_changed(-back, at=start.ran_until, since_start=0.0)


def clock_changed(step: float, *, at: float, since_start: float) -> Sign:
    """The clock on the wall was moved by `step` seconds, `since_start` seconds after the keeper's start."""
    way = "forward" if step > 0 else "back"
    return _sign(
        FindingKind.CLOCK_CHANGED,
        subject="clock",
        grade=Grade.LOW if since_start < SETTLE_SECONDS else Grade.MEDIUM,
        reasons=(
            f"Looks like the clock of the box was moved {way} by {lasted(abs(step))}.",
            "Its records do not follow a clock that is moved back: their times only rise.",
        ),
        alternatives=(
            "The box sets its clock by the network after a start, and may have been wrong before.",
            "A worn battery lets a clock lose its time without power.",
        ),
        since=at,
        ts=at,
    )


def _reset(start: Start) -> Sign:
    return _sign(
        FindingKind.BOX_RESET,
        subject="memory",
        grade=Grade.LOW,
        reasons=(
            "Looks like the box starts with an empty memory: it was set up just now, or reset.",
            "What it had recorded before, if anything, is not on it any more. The server keeps what it was sent.",
        ),
        alternatives=("A new box, a new card or an engineer who set it up again looks the same.",),
        since=start.at,
        ts=start.at,
    )


def internet_lost(loss: Loss, *, since: float, at: float, earlier: Sequence[float]) -> Sign | None:
    """The internet is away since `since`; `earlier` are the starts of other losses. None while it is short."""
    away = at - since
    many = 1 + sum(1 for other in earlier if since - LOSSES_WITHIN <= other < since)
    if away < WAN_SECONDS:
        return None
    reasons = [
        f"Looks like the cable to the provider has been out, or its router off, for {lasted(away)}."
        if loss is Loss.LINK
        else f"Looks like nothing has come from the provider for {lasted(away)}; the cable is in.",
        "While it lasts nobody at home reaches the internet through the box.",
    ]
    if many >= MANY_LOSSES:
        reasons.append(f"It happened {many} times in a day.")
    return _sign(
        FindingKind.WAN_LOST,
        subject=loss.value,
        grade=Grade.MEDIUM if away >= WAN_LONG_SECONDS or many >= MANY_LOSSES else Grade.LOW,
        reasons=tuple(reasons),
        alternatives=(
            "A fault or maintenance at the provider does the same.",
            "The provider's router may have been restarted, moved, or lost power.",
        ),
        since=since,
        ts=at,
    )


def cable_moved(one: str, other: str, *, since: float, at: float) -> Sign:
    """A cable went from one port of the home to another."""
    return _sign(
        FindingKind.CABLE_MOVED,
        subject="home",
        grade=Grade.LOW,
        reasons=(
            (
                f"Looks like a cable was moved: port {one} went dark, and port {other} lit up "
                f"{counted(max(1, round(at - since)), 'second')} later."
            ),
        ),
        alternatives=("One device may have been switched off just when another was switched on.",),
        since=since,
        ts=at,
    )


def provider_changed(*, since: float, at: float) -> Sign:
    """After the port to the provider was down, other devices than before are heard there."""
    return _sign(
        FindingKind.CABLE_MOVED,
        subject="provider",
        grade=Grade.MEDIUM,
        reasons=(
            (
                "Looks like the cable to the provider now ends at another device: "
                "after it was out, nothing is heard there that was heard before."
            ),
        ),
        alternatives=("The provider may have replaced its router, or the household may have changed provider.",),
        since=since,
        ts=at,
    )


def _sign(
    kind: FindingKind,
    *,
    subject: str,
    grade: Grade,
    reasons: tuple[str, ...],
    alternatives: tuple[str, ...],
    since: float,
    ts: float,
    signals: int = 1,
) -> Sign:
    return Sign(
        kind=kind,
        device_id=None,
        subject=subject,
        grade=grade,
        confidence={Grade.LOW: 0.5, Grade.MEDIUM: 0.7, Grade.HIGH: 0.85}[grade],
        reasons=reasons if signals > 1 else (*reasons, "This rests on one signal only."),
        alternatives=alternatives,
        cause="box",
        since=min(since, ts),
        ts=ts,
        signals=signals,
    )
