"""What happens to the box itself: starts, ports and clocks in, findings about the box out (N15, R19).

In: what the box runs on at a start, changes of ports, whether the broker is reached, who is heard on the
provider's side, clocks. Out: findings about the box through `Signs`, also without an authority (N4): nothing of
them is about a device. The one exception is who is heard on the provider's side: keyed hashes, kept only where
the authority lets signs of unknown devices be kept.
What is remembered between starts is in `meta`. Bounded: `MAX_TIMES` moments of power cuts and of losses,
`MAX_SENDERS` hashes, `MAX_PORTS` ports; what goes over is forgotten, the oldest first.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from appliance.keeper.authority import Scope
from appliance.keeper.household.record import Record
from appliance.keeper.household.signs import Signs
from appliance.keeper.signs.spans import lasted
from appliance.keeper.signs.tamper import (
    CLOCK_SECONDS,
    CUTS_WITHIN,
    LOSSES_WITHIN,
    MOVED_SECONDS,
    WAN_SECONDS,
    Loss,
    Place,
    Start,
    cable_moved,
    clock_changed,
    internet_lost,
    provider_changed,
    started,
)
from appliance.messages import LinkChanged
from wire.authority import DataClass
from wire.base import Standing
from wire.findings import FindingKind

MAX_TIMES = 32
MAX_SENDERS = 16
MAX_PORTS = 16
CALM_SECONDS = 86_400.0
"""What is over in a moment (a start, a step of the clock, a moved cable) closes when a day passed without another."""
MEET_SECONDS = 600.0
"""After the cable to the provider is back: who is heard there in this time is who is there now."""
WRITE_SECONDS = 60.0

_PLACE, _STARTS, _ORDERED = "place", "place_starts", "stopped_in_order"
_CUTS, _LOSSES, _DOWN, _SENDERS = "power_cuts", "internet_losses", "internet_down", "provider_side"

_MOMENTARY = (
    (FindingKind.POWER_LOST, "power"),
    (FindingKind.POWER_LOST, "switched off"),
    (FindingKind.BOX_RESET, "memory"),
    (FindingKind.SETTINGS_CHANGED, "settings"),
    (FindingKind.STORAGE_CHANGED, "storage"),
    (FindingKind.CLOCK_CHANGED, "clock"),
    (FindingKind.CABLE_MOVED, "home"),
    (FindingKind.CABLE_MOVED, "provider"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the box stands on, as read at a start."""

    place: Place
    wan: str | None
    """Name of the port to the provider; None where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The clocks at one moment, in seconds."""

    wall: float
    monotonic: float
    at: float
    """What the keeper decides by: see `law.timekeeping`."""


class Tamper:
    """Watches the box."""

    def __init__(self, record: Record, signs: Signs, ground: Ground | None) -> None:
        """`ground`: what the box stands on; None where there is no box, and nothing is said."""
        self._record = record
        self._store = record.store
        self._signs = signs
        self._ground = ground
        self._ran_until = float(self._store.get("time_floor") or "0")
        """The last moment that was committed before this start; 0 where there is no memory."""
        self._started_at: float | None = None
        self._offset: float | None = None
        self._down = self._moment(_DOWN)
        """Since when the port to the provider is down."""
        self._broker_lost: float | None = None
        self._upstream: float | None = None
        """When anything was heard from the provider's side last."""
        self._silent: float | None = None
        """Since when nothing comes from the provider, though the cable is in."""
        self._lit: dict[str, None] = {}
        """Ports of the home that are known to have been up: what was dark from the beginning went nowhere."""
        self._dark: dict[str, float] = {}
        """Ports of the home that went dark, and when."""
        self._met: set[str] = set()
        self._meeting: tuple[float, float] | None = None
        """After a loss of the port: since when it was down, and until when those who are there are met."""
        self._write_due = float("-inf")
        self._closed_at = float("-inf")

    @property
    def online(self) -> bool:
        """Whether the provider's side is there, as far as is known."""
        return self._down is None and self._silent is None

    # --- start and stop -----------------------------------------------------------------------

    def _start(self, place: Place, clocks: Clocks, scope: Scope | None) -> None:
        """The keeper starts."""
        self._started_at = clocks.monotonic
        kept = self._store.get(_PLACE)
        before = None if kept is None else _place(kept)
        anew = before is None or place.boot != before.boot
        starts = int(self._store.get(_STARTS) or "0") + int(anew)
        ordered = self._store.get(_ORDERED) == "1"
        cuts = self._times(_CUTS, since=clocks.wall - CUTS_WITHIN)
        start = Start(
            before=before,
            now=place,
            ordered=ordered,
            ran_until=self._ran_until,
            at=clocks.wall,
            cuts=cuts,
            starts=starts,
        )
        for sign in started(start):
            self._signs.tell_box(sign, scope=scope, at=clocks.at)
            if sign.kind is FindingKind.POWER_LOST and not ordered:
                self._keep_times(_CUTS, (*cuts, clocks.wall))
        self._store.set(_PLACE, json.dumps(asdict(_merged(before, place))))
        self._store.set(_STARTS, str(starts))
        self._store.set(_ORDERED, "0")

    def stopping(self) -> None:
        """The keeper stops because it was told to."""
        self._store.set(_ORDERED, "1")

    # --- ports ----------------------------------------------------------------------------------

    def link(self, change: LinkChanged, at: float, scope: Scope | None) -> None:
        """A port went up or down."""
        if self._ground is None:
            return
        ts = min(change.ts, at)
        if change.interface == self._ground.wan:
            self._wan(ts, at, up=change.up)
        elif not change.up:
            self._dark.pop(change.interface, None)
            if change.interface not in self._lit:
                return
            del self._lit[change.interface]
            if len(self._dark) >= MAX_PORTS:
                del self._dark[next(iter(self._dark))]
            self._dark[change.interface] = ts
        else:
            self._dark.pop(change.interface, None)
            if len(self._lit) < MAX_PORTS:
                self._lit[change.interface] = None
            gone = [port for port, since in self._dark.items() if 0 <= ts - since <= MOVED_SECONDS]
            if len(gone) == 1:  # several ports at once: the switch or the box itself was restarted
                since = self._dark.pop(gone[0])
                sign = cable_moved(gone[0], change.interface, since=since, at=ts)
                self._signs.tell_box(sign, scope=scope, at=at)

    def _wan(self, ts: float, at: float, *, up: bool) -> None:
        if not up and self._down is None:
            self._down, self._silent = ts, None
            self._store.set(_DOWN, repr(ts))
        elif up and self._down is not None:
            since, self._down = self._down, None
            self._store.set(_DOWN, "")
            self._over(Loss.LINK, since, ts, at)
            self._met.clear()
            self._meeting = (since, ts + MEET_SECONDS)

    def broker(self, at: float, *, connected: bool) -> None:
        """Whether the server's broker is reached."""
        if connected:
            self._broker_lost = None
            if self._silent is None:  # it may be open from before a restart
                self._signs.end(None, FindingKind.WAN_LOST, Loss.PROVIDER.value, "The internet is there again.", at)
        elif self._broker_lost is None:
            self._broker_lost = at

    def heard_upstream(self, mac: str, ts: float, scope: Scope | None) -> None:
        """Somebody was heard on the provider's side."""
        self._upstream = ts if self._upstream is None else max(self._upstream, ts)
        if scope is not None and DataClass.SIGNS in scope.classes(Standing.UNKNOWN):
            sender = self._store.blind(f"provider-side {mac}")
            if len(self._met) < MAX_SENDERS:
                self._met.add(sender)

    # --- time -----------------------------------------------------------------------------------

    def tick(self, clocks: Clocks, scope: Scope | None) -> None:
        """Time has passed; the first of these is the start."""
        if self._ground is None:
            return
        if self._started_at is None:
            self._start(self._ground.place, clocks, scope)
        self._clock(clocks, scope)
        self._internet(clocks.at, scope)
        self._provider(clocks.at, scope)
        if clocks.at - self._closed_at >= WRITE_SECONDS:
            self._closed_at = clocks.at
            self._close(clocks.at)

    def _clock(self, clocks: Clocks, scope: Scope | None) -> None:
        offset = clocks.wall - clocks.monotonic
        before, self._offset = self._offset, offset
        if before is None or abs(offset - before) <= CLOCK_SECONDS:
            return
        since = clocks.monotonic - (clocks.monotonic if self._started_at is None else self._started_at)
        sign = clock_changed(offset - before, at=clocks.at, since_start=since)
        self._signs.tell_box(sign, scope=scope, at=clocks.at)

    def _internet(self, at: float, scope: Scope | None) -> None:
        if self._down is None:
            self._hush(at)
        loss, since = (Loss.LINK, self._down) if self._down is not None else (Loss.PROVIDER, self._silent)
        if since is None:
            return
        earlier = self._times(_LOSSES, since=since - LOSSES_WITHIN)
        sign = internet_lost(loss, since=since, at=at, earlier=earlier)
        if sign is None:
            return
        if since not in earlier:
            self._keep_times(_LOSSES, (*earlier, since))
        stored = self._record.open_finding(None, sign.kind, sign.subject)
        if stored is None or stored.finding.grade is not sign.grade:
            self._signs.tell_box(sign, scope=scope, at=at)

    def _hush(self, at: float) -> None:
        """Whether anything still comes from the provider: silence counts only with the broker lost too."""
        heard, lost = self._upstream, self._broker_lost
        if heard is not None and lost is not None and at - max(heard, lost) >= WAN_SECONDS:
            self._silent = max(heard, lost) if self._silent is None else self._silent
        elif self._silent is not None:
            self._over(Loss.PROVIDER, self._silent, at, at)
            self._silent = None

    def _over(self, loss: Loss, since: float, ts: float, at: float) -> None:
        because = f"The internet came back after {lasted(ts - since)}."
        self._signs.end(None, FindingKind.WAN_LOST, loss.value, because, at)

    def _provider(self, at: float, scope: Scope | None) -> None:
        """Who is heard on the provider's side: compared after the cable was out, else added to who is known."""
        if not self._met or (self._meeting is None and at < self._write_due):
            return
        if self._meeting is not None and at < self._meeting[1]:
            return
        self._write_due = at + WRITE_SECONDS
        known = json.loads(self._store.get(_SENDERS) or "[]")
        new = sorted(self._met - set(known))
        if self._meeting is not None and known and not self._met & set(known):
            sign = provider_changed(since=self._meeting[0], at=at)
            self._signs.tell_box(sign, scope=scope, at=at)
            known = []
        self._meeting = None
        self._met.clear()
        if new:
            self._store.set(_SENDERS, json.dumps([*known, *new][-MAX_SENDERS:]))

    def _close(self, at: float) -> None:
        for kind, subject in _MOMENTARY:
            stored = self._record.open_finding(None, kind, subject)
            if stored is not None and at - stored.finding.last_seen.timestamp() >= CALM_SECONDS:
                self._signs.end(None, kind, subject, "It has not happened again for a day.", at)

    # --- memory -----------------------------------------------------------------------------------

    def _moment(self, key: str) -> float | None:
        value = self._store.get(key)
        return float(value) if value else None

    def _times(self, key: str, *, since: float) -> tuple[float, ...]:
        return tuple(moment for moment in json.loads(self._store.get(key) or "[]") if moment >= since)

    def _keep_times(self, key: str, times: tuple[float, ...]) -> None:
        self._store.set(key, json.dumps(times[-MAX_TIMES:]))


def _place(text: str) -> Place:
    fields = json.loads(text)
    settings = tuple((str(name), str(digest)) for name, digest in fields.pop("settings"))
    return Place(**fields, settings=settings)


def _merged(before: Place | None, now: Place) -> Place:
    """What is kept: as it is now, and what could not be read as it was."""
    if before is None:
        return now
    settings = dict(before.settings) | dict(now.settings)
    return Place(
        boot=now.boot or before.boot,
        machine=now.machine or before.machine,
        filesystem=now.filesystem or before.filesystem,
        settings=tuple(sorted(settings.items())),
    )
