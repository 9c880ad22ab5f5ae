"""The round of the hours: who is silent against its own past, and what is due once a day (N5, R14).

In: time, under an authority. Out: signs through `Signs`, closed findings. Silence is looked at once an hour,
everything else once a day, a few devices a tick, so that no turn takes long. The rules are in `signs`.
Bounded: `MAX_WATCHED` devices, those seen last; `LOOKED_AT` devices a tick.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.keeper.devices.model import Device
from appliance.keeper.findings import closed
from appliance.keeper.household.away import AwayTimes
from appliance.keeper.household.habits import MAX_STAYS, Habits, of_people, say
from appliance.keeper.household.past import MAX_WATCHED, Past
from appliance.keeper.household.record import Record
from appliance.keeper.household.signs import BECAUSE_OVER, CLOSE_SECONDS, Signs
from appliance.keeper.household.stays import Stays
from appliance.keeper.now import Now
from appliance.keeper.signs.silence import Home, Quiet, Watched, home_quiet, silent, tell_apart
from appliance.keeper.signs.spans import HOUR, covered, day_of, hour_of
from appliance.keeper.store.activity import KEEP_HOURS
from wire.authority import DataClass
from wire.base import Standing
from wire.findings import FindingKind

LOOKED_AT = 4
SETTLE_SECONDS = 600.0
"""After the end of an hour, so that what the sensor gathers of it has come."""

LASTING = (
    FindingKind.SILENT_DEVICE,
    FindingKind.TREND,
    FindingKind.UNSEEN_USE,
    FindingKind.AGENT_DISAGREES,
)
"""Said again each day while they last; with reports of agents, with each that disagrees."""

_LAST = "rhythm_hour"
_OVER = {
    Quiet.NONE: "The device is in use again.",
    Quiet.AWAY: "An away time was entered.",
    Quiet.HOME: "All devices at home are quiet.",
}


@dataclass(slots=True)
class _Round:
    """Devices that are still to be looked at for one hour."""

    hour: int
    waiting: list[str]
    standing: dict[str, Watched]
    """Of those looked at: as they stand."""
    daily: bool


class Rhythm:
    """Rounds over the devices of one household."""

    def __init__(
        self, record: Record, stays: Stays, away: AwayTimes, *, past: Past, habits: Habits, signs: Signs
    ) -> None:
        self._record = record
        self._stays = stays
        self._away = away
        self._past = past
        self._habits = habits
        self._signs = signs
        self._hour = int(record.store.get(_LAST) or "0")
        """The last hour that was looked at."""
        self._round: _Round | None = None
        self._changed = -1
        self.overflow = 0
        """Devices beyond `MAX_WATCHED`, at the last look."""

    def tick(self, now: Now, *, online: bool = True) -> None:
        """Time has passed, under an authority; `online`: the box reaches its provider."""
        self._past.watch(now.at, online=online)
        hour = hour_of(now.at - SETTLE_SECONDS)
        if self._round is None and hour > self._hour:
            self._round = self._begin(hour, now)
        elif hour < self._hour - 1:
            self._hour = hour  # the clock was far ahead once
        if self._round is not None:
            self._look(self._round, now)

    def _begin(self, hour: int, now: Now) -> _Round:
        """A new hour: drop what may not be kept, and line up who is to be looked at."""
        store, registry = self._record.store, self._record.registry
        allowed = {standing for standing in Standing if DataClass.SIGNS in now.scope.classes(standing)}
        store.activity.forget(
            mac
            for mac in store.activity.addresses()
            if (device := registry.by_mac(mac)) is None or device.standing not in allowed
        )
        store.activity.prune(hour)
        for device in registry:
            if device.visibility is not None and device.standing not in allowed:
                self._record.soon(replace(device, visibility=None))
        self._away.tick(now.at)
        self._close(now.at)
        wanted = sorted(
            (device for device in registry if device.standing in allowed and device.addresses),
            key=lambda device: -device.last_seen,
        )
        self.overflow = max(0, len(wanted) - MAX_WATCHED)
        waiting = [device.device_id for device in wanted[:MAX_WATCHED]]
        self._past.keep_only(() if self._record.changed != self._changed else frozenset(waiting))
        self._changed = self._record.changed
        return _Round(hour=hour, waiting=waiting, standing={}, daily=day_of(hour) > day_of(self._hour))

    def _close(self, at: float) -> None:
        """What was not said again for days is over."""
        for stored in self._record.store.findings.of_kind([kind.value for kind in LASTING]):
            said = max(stored.finding.last_seen, stored.finding.raised_at).timestamp()
            if at - said >= CLOSE_SECONDS:
                self._record.report_finding(stored, closed(stored.finding, BECAUSE_OVER), at)

    def _look(self, todo: _Round, now: Now) -> None:
        """A few devices of this round; after the last, what can only be said of them together."""
        for _ in range(min(LOOKED_AT, len(todo.waiting))):
            device = self._record.registry.by_id(todo.waiting.pop())
            if device is not None and device.addresses:
                self._one(device, todo, now)
        if not todo.waiting:
            self._silences(todo, now)
            self._round = None
            self._hour = todo.hour
            self._record.store.set(_LAST, str(todo.hour))

    def _one(self, device: Device, todo: _Round, now: Now) -> None:
        use = self._past.use(device, first=todo.hour - KEEP_HOURS, last=todo.hour)
        seen = self._past.seen(device, todo.hour)
        usual = self._past.baseline(device, todo.hour, use, seen)
        if usual is not None:
            last_use = max((hour for hour, amount in use.items() if usual.used(amount)), default=None)
            if last_use is not None:
                there = covered(
                    self._stays.spans(device.macs, most=MAX_STAYS), max(last_use + 1, todo.hour - 24), todo.hour
                )
                todo.standing[device.device_id] = Watched(
                    device_id=device.device_id,
                    baseline=usual,
                    last_use=last_use,
                    missed=tuple(hour for hour in seen if last_use < hour < todo.hour),
                    now=todo.hour,
                    joined=bool(there) or any(self._stays.began(mac) is not None for mac in device.macs),
                    away=self._away.away(device.device_id, now.at),
                )
        if todo.daily:
            self._habits.look(device, use, seen, usual, today=day_of(todo.hour), now=now)

    # --- silence ------------------------------------------------------------------------------

    def _silences(self, todo: _Round, now: Now) -> None:
        judged: list[tuple[Watched, Home]] = []
        for watched in todo.standing.values():
            device = self._record.registry.by_id(watched.device_id)
            if device is None:
                continue
            home = self._home(device, watched, todo)
            judged.append((watched, home))
            if device.standing is Standing.REGISTERED:
                self._silence(watched, home, now)
        sign = home_quiet(judged)
        if sign is not None:
            say(self._record, self._signs, sign, now)
        else:
            self._end(None, "home", "A device at home is in use again, or an away time was entered.", now)

    def _silence(self, watched: Watched, home: Home, now: Now) -> None:
        sign = silent(watched, home)
        if sign is not None:
            say(self._record, self._signs, sign, now)
            return
        over = _OVER.get(tell_apart(watched, home))
        if over is not None:
            self._end(watched.device_id, "", over, now)

    def _home(self, device: Device, watched: Watched, todo: _Round) -> Home:
        """Who else was alive while the device was silent; things that run by themselves do not count.

        Only the later half of the silence counts: when a family leaves, its devices fall silent one after
        the other.
        """
        middle = (watched.last_use + watched.now) / 2
        alive = 0
        for other in self._record.registry:
            if other.device_id == device.device_id or not of_people(other):
                continue
            stands = todo.standing.get(other.device_id)
            if stands is not None:
                alive += stands.last_use > middle
            elif any((began := self._stays.began(mac)) is not None and began > middle * HOUR for mac in other.macs):
                alive += 1
        return Home(alive=alive)

    def _end(self, device_id: str | None, subject: str, because: str, now: Now) -> None:
        self._signs.end(device_id, FindingKind.SILENT_DEVICE, subject, because, now.at)
