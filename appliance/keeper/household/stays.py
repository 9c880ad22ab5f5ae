"""Since when each device is there: signs of life in, presence of devices and stays out (R13).

`devices.presence` decides; here its changes become rows, payloads and a device's presence. Looking
on never wakes a device: only what it sends by itself counts.
Bounded: the tracker's addresses; stays that wait to be told at most `MAX_WAITING`, more are told with
their next change and counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from appliance.keeper.devices.identity import MAX_SPANS, overlap
from appliance.keeper.devices.likelihoods import GRACE_SECONDS
from appliance.keeper.devices.model import Device, moment
from appliance.keeper.devices.presence import Change, Stay, Tracker, What
from appliance.keeper.household.record import REPORT_SECONDS, Record
from appliance.keeper.store.outbox import Priority
from appliance.keeper.store.stays import StoredStay
from wire.models import Presence, PresenceState, Session

TELL_SECONDS = 30.0
"""Changes of stays are gathered for this long; that a device is there is told with the device."""

MAX_WAITING = 1024
RECENT_SECONDS = 120.0
"""Where nobody says who is associated, a device counts as there for this long after a sign of life."""


class Stays:
    """Stays of all addresses, and with that the presence of devices."""

    def __init__(self, record: Record) -> None:
        self._record = record
        stored = record.store.stays.open()
        floor = record.store.get("time_floor")
        self._tracker = Tracker((item.stay for item in stored), ran_until=None if floor is None else float(floor))
        self._open = {item.stay.mac: item for item in stored}
        self._associated: set[str] = set()
        """Addresses with an open stay that the access point last said are joined."""
        self._waiting: dict[str, None] = {}
        self._tell_due: float | None = None
        self._touch_due = float("-inf")
        self._waiting_overflow = 0

    def overflow(self) -> int:
        """What went over a bound."""
        return self._tracker.overflow + self._waiting_overflow

    # --- questions --------------------------------------------------------------------------

    def here(self, mac: str, at: float) -> bool:
        """Whether the address is there now, as far as can be told: associated, or heard of late."""
        stay = self._tracker.stay(mac)
        if stay is None or not self._tracker.here(mac):
            return False
        return mac in self._associated or at - stay.last <= RECENT_SECONDS

    def device_here(self, device: Device, at: float, *, but: Iterable[str] = ()) -> bool:
        """Whether one of the device's addresses, without those in `but`, is there now."""
        without = frozenset(but)
        return any(self.here(mac, at) for mac in device.macs if mac not in without)

    def began(self, mac: str) -> float | None:
        """When the address's present stay began."""
        stay = self._tracker.stay(mac)
        return None if stay is None else stay.started

    def last(self, mac: str) -> float | None:
        """The last sign of life of an address that is there."""
        stay = self._tracker.stay(mac)
        return None if stay is None else stay.last

    def left_at(self, macs: tuple[str, ...]) -> float | None:
        """When the access point said of the last of these addresses that it left."""
        return max((ts for mac in macs if (ts := self._tracker.left_at(mac)) is not None), default=None)

    def spans(self, macs: tuple[str, ...], *, most: int) -> tuple[tuple[float, float], ...]:
        """The latest stays of these addresses, those that last still up to their last sign of life."""
        found: list[tuple[float, float]] = []
        for mac in macs:
            own = dict(self._record.store.stays.spans([mac], most=most))
            stay = self._tracker.stay(mac)
            if stay is not None:
                own[stay.started] = max(stay.last, own.get(stay.started, stay.last))
            found.extend(own.items())
        return tuple(sorted(found)[-most:])

    def together(self, one: tuple[str, ...], two: tuple[str, ...]) -> bool:
        """Whether addresses of both were there at once, for longer than frames take: so they are two devices."""
        return overlap(self.spans(one, most=MAX_SPANS), self.spans(two, most=MAX_SPANS)) > GRACE_SECONDS

    # --- events -----------------------------------------------------------------------------

    def heard(self, mac: str, ts: float) -> bool:
        """A frame of the device; true when a stay began."""
        return self._take(self._tracker.heard(mac, ts))

    def joined(self, mac: str, ts: float) -> bool:
        """The access point says that it joined; true when a stay began."""
        began = self._take(self._tracker.joined(mac, ts))
        if self._tracker.stay(mac) is not None:
            self._associated.add(mac)
        return began

    def left(self, mac: str, ts: float) -> None:
        """The access point says that it left."""
        self._associated.discard(mac)
        self._take(self._tracker.left(mac, ts))

    def associations_lost(self) -> None:
        """Who reads the access point is gone: what it said holds no longer."""
        self._associated.clear()
        self._tracker.associations_lost()

    def unreachable(self, mac: str, ts: float) -> None:
        """The kernel asked for it in vain."""
        self._take(self._tracker.unreachable(mac, ts))

    def moved(self, mac: str, ts: float, octets: int) -> None:
        """Its counter stands at `octets`."""
        self._take(self._tracker.moved(mac, ts, octets))

    def looks_like(self, device: Device) -> None:
        """What kind of device it is says whether it may sleep."""
        category = None if device.looks_like is None else device.looks_like.category
        for mac in device.macs:
            self._tracker.set_category(mac, category)

    def forget(self, mac: str) -> None:
        """Drop all that is known of an address; its rows go with it."""
        self._tracker.forget(mac)
        self._associated.discard(mac)
        stored = self._open.pop(mac, None)
        if stored is not None:
            self._waiting.pop(stored.session_id, None)

    def tick(self, at: float) -> None:
        """Time passed."""
        self._take(self._tracker.tick(at))
        if at >= self._touch_due:
            self._touch_due = at + REPORT_SECONDS
            lasts = [
                (stay.last, stored.session_id)
                for mac, stored in self._open.items()
                if (stay := self._tracker.stay(mac)) is not None and stay.last > stored.stay.last
            ]
            self._record.store.stays.touch(lasts)
        if self._waiting and self._tell_due is None:
            self._tell_due = at + TELL_SECONDS
        if self._tell_due is not None and at >= self._tell_due:
            self._tell_due = None
            self._tell(at)

    # --- what follows -----------------------------------------------------------------------

    def presence(self, device: Device) -> Presence | None:
        """Whether the device is there, by the address that was alive last; as it was where none is."""
        stays = [stay for mac in device.macs if (stay := self._tracker.stay(mac)) is not None]
        if not stays:
            return device.presence
        latest = max(stays, key=lambda stay: stay.last)
        return Presence(state=latest.state, since=moment(latest.since))

    def _take(self, changes: list[Change]) -> bool:
        for change in changes:
            self._write(change)
            device = self._record.registry.by_mac(change.stay.mac)
            if device is not None:
                self._show(device, change)
        return any(change.what is What.OPENED for change in changes)

    def _show(self, device: Device, change: Change) -> None:
        presence = self.presence(device)
        others = any(self._tracker.stay(mac) is not None for mac in device.macs)
        if change.what is What.CLOSED and not others and change.stay.ended is not None:
            presence = Presence(state=PresenceState.LEFT, since=moment(change.stay.ended))
        if presence != device.presence:
            self._record.soon(replace(device, presence=presence))

    def _write(self, change: Change) -> None:
        stay = change.stay
        stored = self._open.get(stay.mac)
        if stored is None:
            self._record.store.stays.make_room(stay.mac)
            stored = StoredStay(session_id=self._record.ids.session(), revision=0, stay=stay)
        stored = replace(stored, stay=stay)
        if change.what is What.CLOSED:
            self._open.pop(stay.mac, None)
            self._associated.discard(stay.mac)
        else:
            self._open[stay.mac] = stored
        if self._record.registry.by_mac(stay.mac) is None:
            return  # the first frame of a new address: `admit` writes it when the device is there
        self._keep(stored)

    def admit(self, mac: str) -> None:
        """The address has a device now: write the stay down that began before it had."""
        stored = self._open.get(mac)
        if stored is not None:
            self._keep(stored)

    def _keep(self, stored: StoredStay) -> None:
        self._record.store.stays.put(stored)
        if len(self._waiting) < MAX_WAITING:
            self._waiting[stored.session_id] = None
        else:
            self._waiting_overflow += 1

    def _tell(self, at: float) -> None:
        waiting, self._waiting = self._waiting, {}
        for session_id in waiting:
            stored = self._record.store.stays.get(session_id)
            device = None if stored is None else self._record.registry.by_mac(stored.stay.mac)
            if stored is None or device is None:
                continue
            if not device.revision:
                self._waiting[session_id] = None  # nobody was told of the device yet
                continue
            stored = replace(stored, revision=stored.revision + 1)
            self._record.store.stays.put(stored)
            if stored.stay.mac in self._open:
                self._open[stored.stay.mac] = replace(self._open[stored.stay.mac], revision=stored.revision)
            payload = _payload(stored, device.device_id)
            self._record.send(payload, subject=session_id, priority=Priority.STATE, at=at)


def _payload(stored: StoredStay, device_id: str) -> Session:
    stay: Stay = stored.stay
    return Session(
        session_id=stored.session_id,
        revision=stored.revision,
        device_id=device_id,
        mac=stay.mac,
        started=moment(stay.started),
        ended=None if stay.ended is None else moment(max(stay.ended, stay.started)),
        asleep_seconds=int(stay.asleep_seconds),
        ended_because=stay.ended_because,
    )
