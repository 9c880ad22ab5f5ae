"""The keeper's clock: what moment it is, how sure that is, and what a restart may believe of it (R54, N1).

In: the wall clock, the monotonic clock and the id of this run of the machine; times signed by the server.
Out: the moment to decide by, and the `Stamp` that records carry.

Three rules, so that no clock that is set can lengthen an authority or end it for ever:

1. Once a fresh signed answer came in this run of the machine, the moment is that time plus what the monotonic
   clock has counted since. The wall clock is not looked at any more.
2. Before that the wall clock counts only as far as it is ahead of the floor, at most `MOST_AHEAD` ahead of it, and
   what it says is never stored as the floor.
3. The floor is the last signed moment plus what the monotonic clock has counted since, in runs of the machine that
   are one after the other. No moment is before it.

A moment never falls, with one exception: where a fresh signed answer says that an unsigned wall clock was ahead.
Then `anew` is set, and the keeper starts over from what it committed, so that no due time of before is left.

Bounded: it remembers one signed time and one floor.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime

from wire.ledger import ClockState, Stamp

LATEST = datetime(2199, 12, 31, tzinfo=UTC).timestamp()
"""No later moment can be put on the wire; a wall clock that shows one is broken."""

MOST_AHEAD = 400 * 86400.0
"""A box that was switched off for longer is not believed: seconds that an unsigned wall clock may be ahead."""

DRIFT = 100e-6
"""Seconds a second that a quartz of a small computer may be wrong by, over all temperatures it works at."""

HELD_SECONDS = 5.0
"""A signed answer that says so much less is within the errors of both: the moment stands still until it is passed."""

WIDEST_SECONDS = 30.0
"""An answer that took longer bounds too little to judge a day's records by."""

SCRIPTED = "0"
"""Run of the machine of a keeper whose time is a script's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a start may believe of the time; times in Unix seconds."""

    floor: float
    """No moment is before it; 0 where nobody ever signed one."""
    boot: str
    monotonic: float
    """When this was written, by the monotonic clock of that run of the machine."""
    signed: float | None = None
    """The moment, where it rested on a signed answer of that run."""
    error: float = 0.0
    """Bound of the error of `signed`, seconds."""

    def text(self) -> str:
        """As it is stored: JSON."""
        plain = {"floor": self.floor, "boot": self.boot, "monotonic": self.monotonic}
        return json.dumps(plain if self.signed is None else plain | {"signed": self.signed, "error": self.error})


def kept(text: str | None) -> Kept | None:
    """What was stored; None where nothing was, or it is not what this module writes."""
    if text is None:
        return None
    try:
        plain = json.loads(text)
        signed = plain.get("signed")
        found = Kept(
            floor=float(plain["floor"]),
            boot=str(plain["boot"]),
            monotonic=float(plain["monotonic"]),
            signed=None if signed is None else float(signed),
            error=float(plain.get("error", 0.0)),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    numbers = (found.floor, found.monotonic, found.signed or 0.0, found.error)
    return found if all(math.isfinite(number) and number >= 0 for number in numbers) else None


class Timekeeper:
    """Reads clocks for the keeper. `boot` None: time is a script's, and the wall clock is believed when it is ahead."""

    def __init__(self, *, boot: str | None, monotonic: float, stored: Kept | None = None, floor: float = 0.0) -> None:
        """`stored` is what was kept before this start; `floor` the last committed moment, for a script."""
        self._scripted = boot is None
        self.boot = SCRIPTED if boot is None else boot
        """Id of this run of the machine."""
        self._floor = floor if boot is None else 0.0
        self._vouched = False
        """Whether anybody ever signed a time: else there is no floor to speak of."""
        self._anchor = monotonic
        """The monotonic clock when the floor was right."""
        self._signed: float | None = None
        self._error = 0.0
        self._signed_at = monotonic
        """The monotonic clock when `_signed` was right."""
        self._moment = 0.0
        self._read_at = monotonic
        self._monotonic = monotonic
        self.anew = False
        """The moment fell: the keeper has to start over."""
        if stored is not None and boot is not None:
            self._floor = stored.floor
            self._vouched = stored.floor > 0
            if stored.boot == boot and stored.monotonic <= monotonic:
                self._anchor = stored.monotonic
                self._signed, self._error, self._signed_at = stored.signed, stored.error, stored.monotonic

    @property
    def authenticated(self) -> bool:
        """Whether the moment rests on a signed answer of this run of the machine; a script's time always counts."""
        return self._scripted or self._signed is not None

    @property
    def scripted(self) -> bool:
        """Whether time is a script's."""
        return self._scripted

    def read(self, *, wall: float, monotonic: float) -> float:
        """The moment to decide by, Unix seconds."""
        monotonic = max(monotonic, self._monotonic)
        floor = self._floor + (monotonic - self._anchor)
        if self._scripted:
            moment = floor = min(max(wall, floor), LATEST)
        elif self._signed is not None:
            moment = max(self._signed + (monotonic - self._signed_at), floor)
            if moment < self._moment:
                if self._moment - moment <= HELD_SECONDS:
                    moment = self._moment
                else:
                    self.anew = True
            moment = min(moment, LATEST)
            floor = max(floor, min(self._signed + (monotonic - self._signed_at), LATEST))
        else:
            passed = self._moment + (monotonic - self._read_at)
            moment = min(max(floor, passed, self._believed(wall, floor)), LATEST)
        self._floor, self._anchor = floor, monotonic
        self._moment, self._read_at, self._monotonic = moment, monotonic, monotonic
        return moment

    def _believed(self, wall: float, floor: float) -> float:
        """What an unsigned wall clock says, as far as it may be right."""
        if not math.isfinite(wall) or wall > LATEST or (self._vouched and wall > floor + MOST_AHEAD):
            return floor
        return wall

    # --- signed times -----------------------------------------------------------------------

    def learn(self, signed: float, *, monotonic: float) -> None:
        """A time in something signed by the server: it is at least that late. It may be old, so it proves no more."""
        passed = self._floor + (monotonic - self._anchor)
        self._floor, self._anchor = min(max(passed, signed), LATEST), monotonic
        self._vouched = True

    def authenticate(self, signed: float, *, asked: float, monotonic: float) -> bool:
        """A fresh signed answer: the server said `signed` between `asked` and now (monotonic). Whether it counts.

        Half of the time it took is its error. One that took too long says nothing; one less sure than what is
        known already is not needed.
        """
        took = monotonic - asked
        if self._scripted or not 0 <= took <= WIDEST_SECONDS or not 0 < signed <= LATEST:
            return False
        told, known = signed + took / 2, self.error(monotonic)
        if self._signed is not None and known is not None and known <= took / 2:
            off = abs(self._signed + (monotonic - self._signed_at) - told)
            if off <= known + took / 2:
                return True
        self._signed, self._error, self._signed_at = told, took / 2, monotonic
        self._vouched = True
        return True

    def error(self, monotonic: float) -> float | None:
        """Bound of the error of the moment, seconds; None where nothing bounds it."""
        if self._signed is None:
            return None
        passed = monotonic - self._signed_at
        told = self._signed + passed
        ahead = max(self._floor + (monotonic - self._anchor) - told, self._moment - told, 0.0)
        return self._error + DRIFT * passed + ahead

    def span(self) -> tuple[float, float]:
        """Earliest and latest that it may be at the moment read last; the moment itself where nothing bounds it."""
        if self._signed is None:
            return self._moment, self._moment
        passed = self._read_at - self._signed_at
        told, error = self._signed + passed, self._error + DRIFT * passed
        return told - error, told + error

    # --- what others are told ---------------------------------------------------------------

    def stamp(self) -> Stamp:
        """The moment read last, and how sure it is, as records carry it."""
        error = self.error(self._read_at)
        return Stamp(
            wall_ms=max(round(self._moment * 1000), 0),
            mono_ms=max(round(self._read_at * 1000), 0),
            boot=self.boot,
            clock=ClockState.FREE if self._signed is None else ClockState.AUTHENTICATED,
            error_ms=None if error is None else math.ceil(error * 1000),
        )

    def keep(self) -> Kept:
        """What a later start may believe, as of the moment read last."""
        if self._signed is None:
            return Kept(
                floor=self._floor if self._vouched or self._scripted else 0.0, boot=self.boot, monotonic=self._anchor
            )
        return Kept(
            floor=self._floor,
            boot=self.boot,
            monotonic=self._anchor,
            signed=self._signed + (self._anchor - self._signed_at),
            error=self._error + DRIFT * (self._anchor - self._signed_at),
        )
