"""How fast one token may ask: a bucket for each, filled at a steady pace. Pure; the time is an argument.

Bounded: `MOST_BUCKETS`; the one unused for longest goes first, and is counted if it was not full, as its token then
gets a full bucket too early.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

BURST = 120.0
"""Requests at once."""
RATE = 10.0
"""Requests a second for ever."""
MOST_BUCKETS = 1024


@dataclass(slots=True, kw_only=True)
class Pace:
    """Buckets by token."""

    burst: float = BURST
    rate: float = RATE
    buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    overflow: int = 0
    """Buckets pushed out before they were full again."""
    lock: Lock = field(default_factory=Lock)

    def wait(self, key: str, now: float) -> float:
        """0 when a request may be served, and takes it from the bucket; else seconds until one may be."""
        with self.lock:
            held, at = self.buckets.pop(key, (self.burst, now))
            # A clock that was set back fills nothing.
            held = min(self.burst, held + max(0.0, now - at) * self.rate)
            short = max(0.0, (1.0 - held) / self.rate)
            self.buckets[key] = (held if short else held - 1.0, now)
            if len(self.buckets) > MOST_BUCKETS:
                _, (left, since) = self.buckets.popitem(last=False)
                self.overflow += left + (now - since) * self.rate < self.burst
            return short
