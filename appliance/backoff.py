"""How long to wait before trying again: doubling, capped, with jitter so that a fleet spreads out.

Nothing enters but the calls; bounded by `most`.
"""

from __future__ import annotations

import random


class Backoff:
    """Delays `first`, twice that, and so on up to `most` seconds, each cut by up to half at random."""

    def __init__(self, *, first: float, most: float, chance: random.Random) -> None:
        self._first = first
        self._most = most
        self._chance = chance
        self._next = first

    def delay(self) -> float:
        """Seconds to wait now; the next answer is longer."""
        whole = self._next
        self._next = min(self._next * 2, self._most)
        return whole * (0.5 + self._chance.random() / 2)

    def reset(self) -> None:
        """Start over: the last try held."""
        self._next = self._first
