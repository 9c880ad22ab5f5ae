"""All detectors of signals, side by side, and the order in which they hear.

Enters: facts, counts of octets, packet time, the keeper's mask. Leaves: messages, as `outlet` lets them.
Bounded as each detector says; a detector that is to hear is named in `detectors`.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.messages import CollectionMask, Observation, TalksCounted
from appliance.sensor.facts import Fact
from appliance.sensor.frame import Tap
from appliance.sensor.home import Home
from appliance.sensor.signals.detector import Detector
from appliance.sensor.signals.outlet import Outlet

TICK_SECONDS = 1.0
"""Packet time between two calls of `Detector.tick`."""


def detectors(home: Home) -> tuple[Detector, ...]:  # noqa: ARG001 - for detectors that tell home from beyond
    """One of each kind, fresh."""
    return ()


class Desk:
    """Shows every fact to every detector and passes on what may leave."""

    def __init__(self, listening: Sequence[Detector]) -> None:
        self._detectors = tuple(listening)
        self._wan = tuple(detector for detector in self._detectors if detector.hears_wan)
        self._outlet = Outlet()
        self._ticked: float | None = None

    @property
    def overflow(self) -> int:
        """What went over a bound of a detector or of the outlet."""
        return self._outlet.overflow + sum(detector.overflow for detector in self._detectors)

    def set_mask(self, mask: CollectionMask, monotonic: float) -> None:
        """As `Outlet.set_mask`."""
        self._outlet.set_mask(mask, monotonic)

    def forget(self) -> None:
        """As `Outlet.forget`."""
        self._outlet.forget()

    def take(self, fact: Fact, monotonic: float) -> list[Observation]:
        """What the keeper is told because of a fact; packet time goes on with it."""
        told: list[Observation] = []
        if self._ticked is None or abs(fact.ts - self._ticked) >= TICK_SECONDS:
            told += self.tick(fact.ts, monotonic)
        for detector in self._detectors if fact.tap is not Tap.WAN else self._wan:
            noticed = detector.take(fact)
            if noticed:
                told += self._outlet.take(noticed, monotonic)
        return told

    def counted(self, counted: TalksCounted, monotonic: float) -> list[Observation]:
        """What the keeper is told because of counts of octets."""
        told: list[Observation] = []
        for detector in self._detectors:
            told += self._outlet.take(detector.counted(counted), monotonic)
        return told

    def tick(self, ts: float, monotonic: float) -> list[Observation]:
        """What the keeper is told because packet time passed."""
        self._ticked = ts
        told: list[Observation] = []
        for detector in self._detectors:
            told += self._outlet.take(detector.tick(ts), monotonic)
        told += self._outlet.tick(ts, monotonic)
        return told
