"""Where signals leave the sensor, or do not.

Enters: what detectors noticed, and the keeper's collection mask. Leaves: `SignalSeen`, only for a MAC that
an unlapsed mask has in `signs`, or for any with `network` where the signal is about the network itself. The
first of a kind (device, signal, value, server, port) leaves at once; repeats are counted and told together.
Bounded: of one signal of a device `MAX_KINDS` kinds at a time, then as many without server and port, then none;
devices are those of the mask, and `MAX_STRANGERS` others for each signal about the network. So one that invents
kinds, or addresses, fills its own rows and hides nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.messages import CollectionMask, SignalSeen
from appliance.sensor.signals.detector import Noticed
from appliance.signals import MAX_VALUE, NETWORK, Signal

REPEAT_SECONDS = 60.0
"""Repeats of a kind are told together after this much packet time."""
MAX_KINDS = 32
"""Kinds of one signal of a device told apart within `REPEAT_SECONDS`; as many again without server and port."""
MAX_STRANGERS = 64
"""Devices outside the mask of which one signal about the network is told at a time: invented routers hide no server."""

_NOBODY = "00:00:00:00:00:00"
_Kind = tuple[str, str | None, int | None]
"""Value, server, port."""


@dataclass(slots=True)
class _Row:
    """Repeats of one kind since it was last told."""

    said: float
    since: float = 0.0
    last: float = 0.0
    count: int = 0
    octets: int | None = None


class Outlet:
    """Lets out what the mask allows."""

    def __init__(self) -> None:
        self._signs: frozenset[str] = frozenset()
        self._network = False
        self._generation = 0
        self._until = float("-inf")
        self._rows: dict[tuple[str, Signal], dict[_Kind, _Row]] = {}
        self._strangers: dict[Signal, dict[str, float]] = {}
        self.overflow = 0
        """Noticed of kinds, or by strangers, over a bound: not told."""

    def __len__(self) -> int:
        return sum(len(kinds) for kinds in self._rows.values())

    def set_mask(self, mask: CollectionMask, monotonic: float) -> None:
        """Take a mask in place of the one before. It lapses `mask.lease` seconds after `monotonic`."""
        if mask.generation != self._generation:
            self.forget()
        self._signs = frozenset(mask.signs)
        self._network = mask.network
        for mac, signal in list(self._rows):
            if not (self._network if signal in NETWORK else mac in self._signs):
                del self._rows[mac, signal]
        self._generation = mask.generation
        self._until = monotonic + mask.lease

    def forget(self) -> None:
        """Drop what was not told yet, and tell each kind at once when it is next noticed."""
        self._rows.clear()
        self._strangers.clear()

    def told_of(self, monotonic: float) -> frozenset[str]:
        """Devices whose signals and activity may leave now."""
        return self._signs if monotonic < self._until else frozenset()

    @property
    def generation(self) -> int:
        """Of the mask in force."""
        return self._generation

    def take(self, noticed: Iterable[Noticed], monotonic: float) -> list[SignalSeen]:
        """What of this leaves now."""
        told: list[SignalSeen] = []
        for one in noticed:
            if not self._may_leave(one, monotonic):
                continue
            kinds = self._rows.setdefault((one.mac, one.signal), {})
            kind = _kind(one, kinds)
            if kind is None:
                self.overflow += 1
                continue
            row = kinds.get(kind)
            if row is None:
                kinds[kind] = _Row(said=one.ts)
                told.append(self._say(one.mac, one.signal, kind, since=one.ts, ts=one.ts, count=1, octets=one.octets))
                continue
            if not row.count:
                row.since = one.ts
            row.last = one.ts
            row.count += 1
            if one.octets is not None:
                row.octets = (row.octets or 0) + one.octets
            if abs(one.ts - row.said) >= REPEAT_SECONDS:
                told.append(self._told(one.mac, one.signal, kind, row, one.ts))
        return told

    def tick(self, ts: float, monotonic: float) -> list[SignalSeen]:
        """Repeats that are due at this packet time; kinds that were not repeated are forgotten."""
        if monotonic >= self._until:
            self.forget()
            return []
        told: list[SignalSeen] = []
        for (mac, signal), kinds in list(self._rows.items()):
            for kind, row in list(kinds.items()):
                if abs(ts - row.said) < REPEAT_SECONDS:
                    continue
                if row.count:
                    told.append(self._told(mac, signal, kind, row, ts))
                else:
                    del kinds[kind]
            if not kinds:
                del self._rows[mac, signal]
        for strangers in self._strangers.values():
            for mac, seen in list(strangers.items()):
                if abs(ts - seen) >= REPEAT_SECONDS:
                    del strangers[mac]
        return told

    def _may_leave(self, one: Noticed, monotonic: float) -> bool:
        # Group addresses (the I/G bit, IEEE 802 clause 8.2) and zero are never a sender's own.
        if monotonic >= self._until or int(one.mac[1], 16) & 1 or one.mac == _NOBODY:
            return False
        if one.signal not in NETWORK:
            return one.mac in self._signs
        if not self._network:
            return False
        if one.mac not in self._signs:
            strangers = self._strangers.setdefault(one.signal, {})
            if one.mac not in strangers and len(strangers) >= MAX_STRANGERS:
                self.overflow += 1
                return False
            strangers[one.mac] = one.ts
        return True

    def _told(self, mac: str, signal: Signal, kind: _Kind, row: _Row, ts: float) -> SignalSeen:
        said = self._say(mac, signal, kind, since=row.since, ts=row.last, count=row.count, octets=row.octets)
        row.said, row.count, row.octets = ts, 0, None
        return said

    def _say(
        self, mac: str, signal: Signal, kind: _Kind, *, since: float, ts: float, count: int, octets: int | None
    ) -> SignalSeen:
        value, server, port = kind
        return SignalSeen(
            ts=ts,
            since=min(since, ts),
            mac=mac,
            signal=signal,
            value=value,
            generation=self._generation,
            count=count,
            server=server,
            port=port,
            octets=octets,
        )


def _kind(one: Noticed, kinds: dict[_Kind, _Row]) -> _Kind | None:
    """The row this counts in: its own, else one without server and port, else none."""
    kind = (one.value[:MAX_VALUE], one.server, one.port)
    if kind in kinds or len(kinds) < MAX_KINDS:
        return kind
    folded = (kind[0], None, None)
    return folded if folded in kinds or len(kinds) < 2 * MAX_KINDS else None
