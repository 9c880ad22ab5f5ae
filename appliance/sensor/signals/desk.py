"""All detectors of signals, side by side, and the order in which they hear.

Enters: facts, counts of octets, packet time, the keeper's mask. Leaves: messages, as `outlet` lets them.
Detectors are shown facts of the devices that the mask names in `signs`, and of no others: what somebody else in the
household does fills none of their tables, and costs nothing. When a mask lapses they go on, since the next one will
hardly be another, and `outlet` keeps all in.
Bounded as each detector says; a detector that is to hear is named in `detectors`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from appliance.messages import CollectionMask, Observation, TalksCounted
from appliance.sensor.facts import Fact
from appliance.sensor.frame import Tap
from appliance.sensor.home import Home
from appliance.sensor.signals.activity import Activity
from appliance.sensor.signals.behind import Behind
from appliance.sensor.signals.busy import Busy
from appliance.sensor.signals.detector import Detector
from appliance.sensor.signals.dns_tunnels import DnsTunnels
from appliance.sensor.signals.hidden_names import HiddenHellos
from appliance.sensor.signals.named import Named
from appliance.sensor.signals.network import Network
from appliance.sensor.signals.noise import Noise
from appliance.sensor.signals.outlet import Outlet
from appliance.sensor.signals.quic_unnamed import QuicUnnamed
from appliance.sensor.signals.resolvers import Resolvers
from appliance.sensor.signals.told import Told
from appliance.sensor.signals.tor import Tor
from appliance.sensor.signals.tunnels import Tunnels
from appliance.sensor.signals.unasked import Unasked

TICK_SECONDS = 1.0
"""Packet time between two calls of `Detector.tick`."""


def detectors(home: Home, told: Told) -> tuple[Detector, ...]:
    """One of each kind, fresh. `told` hears each fact before them: what a device asked, and was told."""
    return (
        Named(),
        Resolvers(home),
        HiddenHellos(home),
        Unasked(home, told),
        DnsTunnels(),
        Tunnels(home),
        Noise(home, told),
        Tor(home, told),
        QuicUnnamed(home, told),
        Behind(home),
        Network(),
        Busy(home),
    )


class Desk:
    """Shows every fact to every detector and passes on what may leave."""

    def __init__(self, home: Home, listening: Sequence[Detector] | None = None) -> None:
        """Listen with all detectors, or with those of a test."""
        self._told = Told()
        self._activity = Activity(home, self._told)
        self._detectors = detectors(home, self._told) if listening is None else tuple(listening)
        self._wan = tuple(detector for detector in self._detectors if detector.hears_wan)
        self._hearing = {
            is_watched: {
                kind: tuple(one for one in self._detectors if kind in one.hears and (is_watched or one.hears_all))
                for kind in Detector.hears
            }
            for is_watched in (False, True)
        }
        self._watched: frozenset[str] = frozenset()
        self._outlet = Outlet()
        self._ticked: float | None = None

    @property
    def overflow(self) -> int:
        """What went over a bound of a detector or of the outlet."""
        return self._outlet.overflow + self._told.overflow + sum(detector.overflow for detector in self._detectors)

    def set_mask(self, mask: CollectionMask, monotonic: float) -> None:
        """As `Outlet.set_mask`; what was counted for devices that are no longer in `signs` is dropped."""
        self._outlet.set_mask(mask, monotonic)
        self._watched = frozenset(mask.signs)
        self._told.watch(self._watched)
        self._activity.allow(self._outlet.told_of(monotonic))

    def forget(self) -> None:
        """As `Outlet.forget`."""
        self._outlet.forget()

    def missed(self, ts: float) -> None:
        """As `Told.missed`."""
        self._told.missed(ts)

    def take(self, fact: Fact, monotonic: float) -> list[Observation]:
        """What the keeper is told because of a fact; packet time goes on with it."""
        told: list[Observation] = []
        if self._ticked is None or abs(fact.ts - self._ticked) >= TICK_SECONDS:
            told += self.tick(fact.ts, monotonic)
        if fact.tap is Tap.WAN:
            hearing = self._wan
        else:
            is_watched = fact.mac in self._watched
            hearing = self._hearing[is_watched][type(fact)]
            self._told.take(fact)
            if is_watched:
                self._activity.take(fact)
        noticed = [one for detector in hearing for one in detector.take(fact)]
        if noticed:
            told += self._outlet.take(noticed, monotonic)
        return told

    def counted(self, counted: TalksCounted, monotonic: float) -> list[Observation]:
        """What the keeper is told because of counts of octets."""
        told = self.tick(counted.ts, monotonic)  # a clock that was set ends what was counted before
        talks = tuple(talk for talk in counted.talks if talk.mac in self._watched)
        counted = msgspec.structs.replace(counted, talks=talks)
        self._activity.counted(counted)
        for detector in self._detectors:
            told += self._outlet.take(detector.counted(counted), monotonic)
        return told

    def tick(self, ts: float, monotonic: float) -> list[Observation]:
        """What the keeper is told because packet time passed."""
        self._ticked = ts
        told: list[Observation] = []
        self._told.tick(ts)
        for detector in self._detectors:
            told += self._outlet.take(detector.tick(ts), monotonic)
        told += self._outlet.tick(ts, monotonic)
        self._activity.allow(self._outlet.told_of(monotonic))
        told += self._activity.tick(ts, self._outlet.generation)
        return told
