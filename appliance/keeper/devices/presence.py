"""Who is there: signs of life in, stays of a device and their changes out. Sans-IO (R13).

A stay begins with the first sign of life and ends when the device is gone. Quiet is not gone: a phone
that dozes says nothing for an hour and is still there. While hostapd says that a station is
associated, silence means asleep, however long; where nobody says, silence means asleep first and
left after hours. What a stay's end says is the last sign of life, not the moment it was noticed.
Bounded: `MAX_ADDRESSES` addresses; one that is gone makes room, else the new one is refused and
counted in `overflow`. Times are Unix seconds and may step: see `Tracker.tick`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from wire.models import PresenceState

MAX_ADDRESSES = 4096
MAX_SPANS = 64
"""Stays of an address that are remembered for `Tracker.spans`."""

ASLEEP_SECONDS = 600.0
"""Quiet for so long: a device of a kind that sleeps is asleep. Longer than counters are apart (5 minutes)."""
LEFT_SECONDS = 4 * 3600.0
"""Quiet for so long, and nobody knows of an association: gone."""
LEASE_SECONDS = 3600.0
"""Unless told otherwise, how long an address lease lasts: a device that is there renews it before."""
REJOIN_SECONDS = 30.0
"""A station that leaves and joins again within this changed radio or channel; it was never away."""
FLAPPING_JOINS = 5
FLAPPING_SECONDS = 600.0
"""So many joins in so many seconds: it comes and goes."""
BLIND_SECONDS = 600.0
"""A tick that comes so late, or from the past: the clock stepped or the box slept, so silence proves nothing."""
SCAN_SECONDS = 10.0
"""All stays are looked through at most this often."""

AWAKE = frozenset({"camera", "plug", "router", "iot-other"})
"""Categories that do not sleep; all others, and unknown ones, may."""


class What(StrEnum):
    """What became of a stay."""

    OPENED = "opened"
    CHANGED = "changed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay of an address."""

    mac: str
    started: float
    last: float
    """Last sign of life."""
    state: PresenceState = PresenceState.HERE
    since: float
    """Since when `state` holds."""
    asleep_seconds: float = 0.0
    """How much of the stay it was quiet, as far as it has woken since."""
    ended: float | None = None
    ended_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A stay as it is now, and what became of it."""

    what: What
    stay: Stay


@dataclass(slots=True)
class _Entry:
    """What is known of one address."""

    mac: str
    stay: Stay | None = None
    associated: bool | None = None
    """What hostapd said last; None where it said nothing."""
    parted_at: float | None = None
    """When hostapd said that it left, while it may still come back at once."""
    left_at: float | None = None
    """As `parted_at`, and kept until it joins again."""
    unreachable: bool = False
    """The kernel asked for it in vain since its last sign of life."""
    sleeps: bool = True
    quiet_from: float = 0.0
    """From when silence counts: its last sign of life, or when the clock stepped."""
    restored: bool = False
    """Its stay is from before a restart, and it was not heard of since."""
    counter: tuple[float, int] | None = None
    """Last reading of its counter: when, octets."""
    joins: deque[float] = field(default_factory=lambda: deque(maxlen=FLAPPING_JOINS))
    past: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MAX_SPANS))


class Tracker:
    """Stays of all addresses."""

    def __init__(
        self,
        stays: Iterable[Stay] = (),
        *,
        ran_until: float | None = None,
        lease_seconds: float = LEASE_SECONDS,
        limit: int = MAX_ADDRESSES,
    ) -> None:
        """`stays`: open stays as stored before a restart; `ran_until`: when somebody looked last before it.

        None of them is ended for its silence before `lease_seconds` or `LEFT_SECONDS` have passed anew.
        """
        self._entries: dict[str, _Entry] = {}
        self._gone: dict[str, None] = {}  # addresses without an open stay, in the order in which they went
        self._lease = lease_seconds
        self._limit = limit
        self._ran_until = ran_until
        self._ticked: float | None = None
        self._scanned = float("-inf")
        self.overflow = 0
        """Addresses refused because the table was full of devices that are there."""
        for stay in stays:
            entry = self._entry(stay.mac)
            if entry is not None and stay.ended is None:
                self._gone.pop(stay.mac, None)
                entry.stay = stay
                entry.quiet_from = stay.last
                entry.restored = True

    def __len__(self) -> int:
        return len(self._entries)

    # --- questions -----------------------------------------------------------------------------

    def stay(self, mac: str) -> Stay | None:
        """The open stay of an address; None where it is not there."""
        entry = self._entries.get(mac)
        return entry.stay if entry is not None else None

    def here(self, mac: str) -> bool:
        """Whether the address is there, awake or asleep; false as soon as hostapd says that it left."""
        entry = self._entries.get(mac)
        return entry is not None and entry.stay is not None and entry.parted_at is None

    def spans(self, mac: str) -> tuple[tuple[float, float], ...]:
        """Its latest stays from their start to the last sign of life, the open one included."""
        entry = self._entries.get(mac)
        if entry is None:
            return ()
        now = ((entry.stay.started, entry.stay.last),) if entry.stay is not None else ()
        return (*entry.past, *now)[-MAX_SPANS:]

    def left_at(self, mac: str) -> float | None:
        """When hostapd last said that it left; None if it joined since, or hostapd said nothing."""
        entry = self._entries.get(mac)
        return entry.left_at if entry is not None else None

    # --- what is known beside events --------------------------------------------------------------

    def set_category(self, mac: str, category: str | None) -> None:
        """What kind of device it is, which says whether it may sleep."""
        entry = self._entries.get(mac)
        if entry is not None:
            entry.sleeps = category not in AWAKE

    def forget(self, mac: str) -> None:
        """Drop all that is known of an address."""
        self._entries.pop(mac, None)
        self._gone.pop(mac, None)

    def associations_lost(self) -> None:
        """Hostapd is gone or was started anew: what it said holds no longer."""
        for entry in self._entries.values():
            entry.associated = None

    # --- events ---------------------------------------------------------------------------------------

    def heard(self, mac: str, ts: float) -> list[Change]:
        """A frame of the device, a lease, an answer to the kernel: it is there and awake."""
        entry = self._entry(mac)
        if entry is None:
            return []
        entry.unreachable = False
        entry.quiet_from = max(entry.quiet_from, ts)
        return self._alive(entry, ts)

    def joined(self, mac: str, ts: float) -> list[Change]:
        """Hostapd: the station is associated."""
        entry = self._entry(mac)
        if entry is None:
            return []
        entry.associated, entry.unreachable = True, False
        entry.parted_at = entry.left_at = None
        entry.quiet_from = max(entry.quiet_from, ts)
        entry.joins.append(ts)
        changes = self._alive(entry, ts)
        if self._flaps(entry, ts):
            changes += self._turn(entry, PresenceState.FLAPPING, ts)
        return changes

    def left(self, mac: str, ts: float) -> list[Change]:
        """Hostapd: the station is no longer associated. Its stay ends when it has not come back by then."""
        entry = self._entries.get(mac)
        if entry is not None:
            entry.associated, entry.left_at = False, ts
            if entry.stay is not None:
                entry.parted_at = ts
        return []

    def unreachable(self, mac: str, ts: float) -> list[Change]:
        """The kernel asked for the device and got no answer; a dozing phone does not answer either."""
        entry = self._entries.get(mac)
        if entry is not None and (entry.stay is None or ts >= entry.stay.last):
            entry.unreachable = True
        return []

    def moved(self, mac: str, ts: float, octets: int) -> list[Change]:
        """Its counter stood at `octets` at `ts`. If it rose since, the device was awake in between.

        When in between is not known, so this counts as a sign of life of the earlier reading: else a
        device that has just changed its address would seem to be there under both.
        """
        entry = self._entries.get(mac)
        if entry is None:
            return []
        before, entry.counter = entry.counter, (ts, octets)
        if before is None or octets <= before[1] or entry.stay is None or before[0] < entry.stay.last:
            return []
        entry.quiet_from = max(entry.quiet_from, ts)
        return self._alive(entry, before[0])

    def tick(self, now: float) -> list[Change]:
        """Time passed: who fell asleep, who is gone. Call at least every `BLIND_SECONDS`.

        Where the clock stepped, or nobody called for longer, silence is counted from now on anew.
        """
        before, self._ticked = self._ticked, now
        if before is None or not before - SCAN_SECONDS <= now <= before + BLIND_SECONDS:
            for entry in self._entries.values():
                entry.quiet_from = now
                entry.parted_at = None if entry.parted_at is None else now
                entry.joins.clear()
            self._scanned = now
            return []
        if now - self._scanned < SCAN_SECONDS:
            return []
        self._scanned = now
        changes: list[Change] = []
        for entry in [entry for entry in self._entries.values() if entry.stay is not None]:
            changes += self._look(entry, now)
        return changes

    # --- inside ------------------------------------------------------------------------------------------

    def _entry(self, mac: str) -> _Entry | None:
        entry = self._entries.get(mac)
        if entry is not None:
            return entry
        if len(self._entries) >= self._limit:
            if not self._gone:
                self.overflow += 1
                return None
            oldest = next(iter(self._gone))
            del self._gone[oldest], self._entries[oldest]
        entry = self._entries[mac] = _Entry(mac=mac)
        self._gone[mac] = None
        return entry

    def _alive(self, entry: _Entry, ts: float) -> list[Change]:
        if entry.stay is None:
            self._gone.pop(entry.mac, None)
            entry.stay = Stay(mac=entry.mac, started=ts, last=ts, since=ts)
            return [Change(what=What.OPENED, stay=entry.stay)]
        restored, entry.restored = entry.restored, False
        if restored and self._ran_until is not None and ts - max(self._ran_until, entry.stay.last) > LEFT_SECONDS:
            # Nobody looked for hours: that it was there all the while is not known.
            return [*self._close(entry, "The box was off for hours.", entry.stay.last), *self._alive(entry, ts)]
        entry.stay = replace(entry.stay, last=max(entry.stay.last, ts))
        if entry.stay.state is PresenceState.ASLEEP:
            return self._turn(entry, PresenceState.HERE, ts)
        return []

    def _turn(self, entry: _Entry, state: PresenceState, since: float) -> list[Change]:
        stay = entry.stay
        if stay is None or stay.state is state:
            return []
        slept = max(0.0, since - stay.since) if stay.state is PresenceState.ASLEEP else 0.0
        entry.stay = replace(stay, state=state, since=since, asleep_seconds=stay.asleep_seconds + slept)
        return [Change(what=What.CHANGED, stay=entry.stay)]

    def _close(self, entry: _Entry, because: str, ended: float) -> list[Change]:
        stay = entry.stay
        if stay is None:
            return []
        entry.stay, entry.parted_at = None, None
        entry.past.append((stay.started, stay.last))
        self._gone[entry.mac] = None
        slept = max(0.0, ended - stay.since) if stay.state is PresenceState.ASLEEP else 0.0
        closed = replace(
            stay,
            state=PresenceState.LEFT,
            since=ended,
            asleep_seconds=stay.asleep_seconds + slept,
            ended=ended,
            ended_because=because,
        )
        return [Change(what=What.CLOSED, stay=closed)]

    @staticmethod
    def _flaps(entry: _Entry, now: float) -> bool:
        return len(entry.joins) == FLAPPING_JOINS and now - entry.joins[0] <= FLAPPING_SECONDS

    def _look(self, entry: _Entry, now: float) -> list[Change]:
        """One open stay, at `now`."""
        changes: list[Change] = []
        if entry.stay is not None and entry.stay.state is PresenceState.FLAPPING:
            if self._flaps(entry, now):
                return []
            changes = self._turn(entry, PresenceState.HERE, now)
        if entry.stay is None or (entry.parted_at is not None and now - entry.parted_at < REJOIN_SECONDS):
            return changes
        quiet = now - entry.quiet_from
        because = self._gone_because(entry, quiet)
        if because:
            ended = entry.stay.last if entry.parted_at is None else max(entry.stay.last, entry.parted_at)
            return changes + self._close(entry, because, ended)
        if entry.sleeps and quiet >= ASLEEP_SECONDS:
            changes += self._turn(entry, PresenceState.ASLEEP, entry.stay.last)
        return changes

    def _gone_because(self, entry: _Entry, quiet: float) -> str:
        if entry.parted_at is not None:
            return "It left the Wi-Fi."
        if entry.associated is True:
            return ""
        if entry.unreachable and quiet >= self._patience(entry):
            return "It no longer answers."
        return "Nothing was heard of it for hours." if quiet >= LEFT_SECONDS else ""

    def _patience(self, entry: _Entry) -> float:
        """How long silence may last where the device does not answer: a sleeper renews its lease, others answer."""
        return self._lease if entry.sleeps else ASLEEP_SECONDS
