"""Asks the server for the time, and judges its answers (R54).

In: whether the broker is there, answers, moments of the monotonic clock. Out: questions, outside the outbox; a time
for the `Timekeeper`; a finding where the server is reached and vouches for no time. Only an answer to the question
asked last counts, so that a broker that keeps or repeats answers proves nothing.
Bounded: one question is on its way.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.keeper.authority import Scope
from appliance.keeper.law.sealing import Sealing
from appliance.keeper.law.telling import Ender, Teller, told
from appliance.keeper.law.timekeeping import Timekeeper
from wire.findings import FindingKind, Grade
from wire.timing import TimeAnswer, TimeRequest

FIRST_SECONDS, MOST_SECONDS = 5.0, 60.0
"""Between two questions while nobody vouches for the time; each wait is twice the one before."""
AGAIN_SECONDS = 3600.0
"""Between two questions once somebody has."""
PATIENCE_SECONDS = 600.0
"""The server is reached for so long and vouches for no time: that is told."""

_SUBJECT = "time"


class Asking:
    """One per keeper."""

    def __init__(
        self, clock: Timekeeper, sealing: Sealing, *, tell: Teller, end: Ender, new_nonce: Callable[[], str]
    ) -> None:
        """`end` closes what was told; `new_nonce` gives 64 hexadecimal digits that nobody can guess."""
        self._clock = clock
        self._sealing = sealing
        self._tell = tell
        self._end = end
        self._new_nonce = new_nonce
        self._nonce: str | None = None
        self._asked = 0.0
        self._sent_key = False
        self._due = float("-inf")
        self._wait = FIRST_SECONDS
        self._reached: float | None = None
        """Since when the server is reached without an answer that counts, by the monotonic clock."""
        self._told = self._ended = False
        self.refused = 0
        """Answers that did not count, since start."""

    def question(self, monotonic: float, *, broker: bool) -> TimeRequest | None:
        """What to ask now, if anything; ask it at once, or its answer bounds less than it could."""
        if self._clock.scripted:
            return None
        if not broker:
            self._nonce, self._reached, self._due, self._wait = None, None, float("-inf"), FIRST_SECONDS
            return None
        content = self._clock.authenticated and self._sealing.key is None
        if self._reached is None and not content:
            self._reached = monotonic
        if monotonic < self._due:
            return None
        self._nonce, self._asked = self._new_nonce(), monotonic
        self._due = monotonic + (AGAIN_SECONDS if content else self._wait)
        self._wait = FIRST_SECONDS if content else min(self._wait * 2, MOST_SECONDS)
        self._sent_key = self._sealing.key is not None
        return TimeRequest(
            nonce=self._nonce, boot=self._clock.boot, sealed_key=self._sealing.key, sealed=self._sealing.count
        )

    def heard(self, monotonic: float) -> None:
        """The server said something else: if a question never reached it, it is asked again now."""
        if self._nonce is not None and not self._clock.authenticated and monotonic - self._asked >= FIRST_SECONDS:
            self._due, self._wait = min(self._due, monotonic), FIRST_SECONDS

    def answered(self, answer: TimeAnswer, monotonic: float) -> bool:
        """The server's answer. Whether it counts."""
        if self._nonce is None or answer.nonce != self._nonce:
            self.refused += 1
            return False
        self._nonce = None
        if not self._clock.authenticate(answer.at.timestamp(), asked=self._asked, monotonic=monotonic):
            self.refused += 1
            self._due = min(self._due, monotonic + FIRST_SECONDS)
            return False
        self._reached = None
        if self._sent_key:
            self._sealing.opened(answer.key)
        # What was sealed between question and answer needs its key still.
        again = AGAIN_SECONDS if self._sent_key or not self._sealing.count else 0.0
        self._due, self._wait = monotonic + again, FIRST_SECONDS
        return True

    def tick(self, scope: Scope | None, at: float, monotonic: float) -> None:
        """Say where the server is reached and nobody vouches for the time; and when that is over."""
        late = self._reached is not None and monotonic - self._reached >= PATIENCE_SECONDS
        if late and not self._told and not self._clock.authenticated:
            self._told = True
            reasons = (
                "The box reaches the server, and the server has not vouched for the time for ten minutes.",
                "What the box sees is sealed meanwhile: nobody can read it until the time is known.",
            )
            since = at - (monotonic - (self._reached or monotonic))
            self._tell(
                told(FindingKind.TIME_UNAUTHENTICATED, _SUBJECT, reasons, Grade.HIGH, ts=at, since=since), scope, at
            )
        elif self._clock.authenticated and not self._ended:
            self._ended = True
            self._end(FindingKind.TIME_UNAUTHENTICATED, _SUBJECT, "The server vouches for the time.", at)
