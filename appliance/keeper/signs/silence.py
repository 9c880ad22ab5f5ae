"""Silence: registered devices against their own baselines, told apart by what else was quiet. Pure (R14, N5).

In: each device as it stands (`Watched`), and how alive the rest of the home is. Out: signs. Only a device
that is quiet while others live is worth a look; that the whole home is quiet, or that a device is there and
idle, is information. Time in which the box could not see, and away times, never count as silence (R15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from appliance.keeper.signs.baseline import Baseline
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.spans import HOUR, counted, lasted
from wire.findings import FindingKind, Grade

LEAST_HOURS = 6
"""Hours since the last use: less is an afternoon out."""
LEAST_MISSED = 3.0
"""Hours of likely use that passed without any."""
LEAST_DAYS = 0.75
"""Usual days that passed without use: low."""
MEDIUM_DAYS = 2.0
HIGH_DAYS = 5.0
"""A working week of a device that is used every day."""
BEYOND = 1.25
"""So many times its longest quiet stretch but one: a device that often rests for days may do so."""
SEEN_SHARE = 0.5
"""Of the time since the last use, the box must have seen at least this share."""


class Quiet(StrEnum):
    """What a silence is, as far as can be told."""

    NONE = "none"
    """The device is used as usual, or has no baseline yet."""
    UNSEEN = "unseen"
    """The box could not see for most of the time."""
    AWAY = "away"
    """An officer was told that it would be away."""
    HOME = "home"
    """Every device with a rhythm is quiet."""
    IDLE = "idle"
    """It is joined to the network, and not used."""
    ALONE = "alone"
    """It is quiet while others live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One device as it stands."""

    device_id: str
    baseline: Baseline
    last_use: int
    """Number of the hour of its last use."""
    missed: tuple[int, ...]
    """Hours since then that the box could see, without away times."""
    now: int
    """Number of the hour in which is asked; it is not among `missed`."""
    joined: bool
    """It is joined to the network now, or was within the last day and after its last use: awake or asleep."""
    away: bool
    """It is said to be away now, alone or with the whole home."""

    @property
    def usual_days(self) -> float:
        """How many usual days of use passed without any."""
        usual = self.baseline.usual_day
        return self.baseline.likely(self.missed) / usual if usual else 0.0

    @property
    def quiet(self) -> bool:
        """Whether it is quiet against its own baseline."""
        missed = self.baseline.likely(self.missed)
        return (
            len(self.missed) >= LEAST_HOURS
            and missed >= LEAST_MISSED
            and missed >= self.baseline.longest * BEYOND
            and self.usual_days >= LEAST_DAYS
        )

    @property
    def seen_share(self) -> float:
        """How much of the time since its last use the box could see."""
        return len(self.missed) / max(1, self.now - self.last_use - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The other devices of the household, without things that run by themselves."""

    alive: int
    """Used, or newly joined, in the later half of the silence of the device in question."""


def tell_apart(watched: Watched, home: Home) -> Quiet:
    """What the silence of a device is."""
    if watched.away:
        return Quiet.AWAY
    if watched.now - watched.last_use > LEAST_HOURS and watched.seen_share < SEEN_SHARE:
        return Quiet.UNSEEN
    if not watched.quiet:
        return Quiet.NONE
    if watched.joined:
        return Quiet.IDLE
    return Quiet.ALONE if home.alive else Quiet.HOME


def grade(usual_days: float, quiet: Quiet) -> Grade:
    """How strongly: by length against what is usual; only a device quiet alone rises above low."""
    if quiet is not Quiet.ALONE or usual_days < MEDIUM_DAYS:
        return Grade.LOW
    return Grade.HIGH if usual_days >= HIGH_DAYS else Grade.MEDIUM


_MOBILE = "It may be used on mobile data or on another network: the box cannot see that."
_INNOCENT = (
    "It may be switched off, broken, lost, being repaired, or replaced by another device.",
    "Its user may be ill, or on a holiday of which the box was not told.",
)


def silent(watched: Watched, home: Home) -> Sign | None:
    """The sign that a device's silence gives, if any."""
    quiet = tell_apart(watched, home)
    if quiet not in {Quiet.IDLE, Quiet.ALONE}:
        return None
    days = watched.usual_days
    quiet_for = lasted((watched.now - watched.last_use - 1) * HOUR)
    likely = round(watched.baseline.likely(watched.missed))
    reasons = [
        f"Looks like the device has not been used for {quiet_for}; in the last day it was joined to the network and idle."
        if quiet is Quiet.IDLE
        else f"Looks like the device has not been used here for {quiet_for}, while others at home were.",
        (
            f"In that time it would usually have been used in about {counted(max(1, likely), 'hour')}, "
            f"by its own rhythm over {counted(watched.baseline.days, 'day')}."
        ),
    ]
    if quiet is Quiet.ALONE:
        reasons.append(f"{counted(home.alive, 'other device')} at home showed use in that time.")
    unseen = watched.now - watched.last_use - 1 - len(watched.missed)
    if unseen > 0:
        reasons.append(f"In {counted(unseen, 'hour')} of it the box could not see, or it was said to be away.")
    reasons.append("This rests on one signal only: that nothing was seen.")
    since = (watched.last_use + 1) * HOUR
    return Sign(
        kind=FindingKind.SILENT_DEVICE,
        device_id=watched.device_id,
        subject="",
        grade=grade(days, quiet),
        confidence=min(0.9, 0.4 + 0.1 * days),
        reasons=tuple(reasons),
        alternatives=(
            ("It may lie unused while its user does something else.", _MOBILE)
            if quiet is Quiet.IDLE
            else (_MOBILE, *_INNOCENT)
        ),
        cause=f"use-{watched.device_id}",
        since=since,
        ts=max(since, watched.now * HOUR),
    )


def home_quiet(devices: Sequence[tuple[Watched, Home]]) -> Sign | None:
    """One sign for a home in which every device with a rhythm is quiet; None where any is not."""
    if not devices or any(tell_apart(watched, home) is not Quiet.HOME for watched, home in devices):
        return None
    since = (max(watched.last_use for watched, _ in devices) + 1) * HOUR
    now = max(watched.now for watched, _ in devices) * HOUR
    return Sign(
        kind=FindingKind.SILENT_DEVICE,
        device_id=None,
        subject="home",
        grade=Grade.LOW,
        confidence=0.6,
        reasons=(
            f"Looks like no device that people use at home has used the internet for {lasted(now - since)}.",
            f"All {len(devices)} devices whose rhythm the box knows are quiet at once."
            if len(devices) > 1
            else "The only device whose rhythm the box knows is quiet, so it cannot tell whether anybody is at home.",
            "This rests on one signal only: that nothing was seen.",
        ),
        alternatives=(
            "The household may be away. An away time can be entered, and the box then says nothing of it.",
            "The household may use mobile data or another network: the box cannot see that.",
        ),
        cause="home-quiet",
        since=since,
        ts=max(since, now),
    )
