"""When to ask the service for all that a box needs, and what its answer means. Pure: `now` and answers in, a yes or no out.

Patient where nobody helps by haste, quick where somebody stands before the box: unclaimed, every `CLAIM_SECONDS`; not
reached, from `FIRST` doubling to `MOST` seconds; refused, to `REFUSED_MOST`; each cut at random, so that a fleet that comes
back after a power cut does not come at once. Bounded: one question at a time.
"""

from __future__ import annotations

import random
from http import HTTPStatus

from appliance.backoff import Backoff
from appliance.fitting.uplink import Desk

CLAIM_SECONDS = 10.0
FIRST, MOST = 5.0, 60.0
REFUSED_FIRST, REFUSED_MOST = 15.0, 300.0

_OF_STATUS = {
    HTTPStatus.OK: Desk.ANSWERED,
    HTTPStatus.ACCEPTED: Desk.WAITING,
    HTTPStatus.FORBIDDEN: Desk.REFUSED,
    HTTPStatus.TOO_MANY_REQUESTS: Desk.BUSY,
    HTTPStatus.SERVICE_UNAVAILABLE: Desk.BUSY,
}


def of_status(status: int) -> Desk:
    """What an HTTP status of the desk means; one that it does not use is no answer of a desk."""
    return next((desk for known, desk in _OF_STATUS.items() if known == status), Desk.BAD_ANSWER)


class Asking:
    """The times at which one box asks."""

    def __init__(self, chance: random.Random) -> None:
        self._soon = Backoff(first=CLAIM_SECONDS, most=CLAIM_SECONDS, chance=chance)
        self._unheard = Backoff(first=FIRST, most=MOST, chance=chance)
        self._refused = Backoff(first=REFUSED_FIRST, most=REFUSED_MOST, chance=chance)
        self._due = 0.0
        self._asking = False

    def due(self, now: float) -> bool:
        """Whether to ask at monotonic `now`; true once, until `said`."""
        if self._asking or now < self._due:
            return False
        self._asking = True
        return True

    def said(self, desk: Desk, now: float) -> None:
        """What came of it."""
        self._asking = False
        match desk:
            case Desk.WAITING:
                wait = self._soon
                self._unheard.reset()
                self._refused.reset()
            case Desk.UNREACHABLE | Desk.BUSY:
                wait = self._unheard
            case _:  # an answer too: until it is found good, the next is not hurried
                wait = self._refused
        self._due = now + wait.delay()

    def soon(self, now: float) -> None:
        """Something changed (a cable, an address): ask again within moments."""
        if not self._asking:
            self._due = min(self._due, now + 1.0)
