"""Who sent this? A device that is known, or a new one: then it is put on record and reported (R11).

In: hardware addresses as they are seen. Out: devices, and the finding that one is not registered.
A made-up address may be that of a known device, and the word of the access point that says so can
come some milliseconds after the first frame: while a device is away that could be told for sure by
its passphrase or a confirmed identifier, a new made-up address waits `WAIT_SECONDS` before anybody
is told. In all other cases a new device is told at once.
Bounded: `MAX_WAITING` addresses wait; one more is told at once and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.keeper import findings, identity_findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import MAX_ADDRESSES, Address, Device, is_locally_administered, moment
from appliance.keeper.household.crowd import Crowd
from appliance.keeper.household.record import REPORT_SECONDS, Record
from appliance.keeper.household.stays import Stays
from appliance.keeper.now import Now
from appliance.keeper.store.devices import Link
from appliance.messages import Via
from wire.authority import DataClass
from wire.base import Standing
from wire.findings import FindingKind
from wire.models import JoinedBy

ABSENT_SECONDS = 600.0
"""An unregistered device not seen for this long has come again when it is seen."""

WAIT_SECONDS = 2.0
MAX_WAITING = 256

INSTEAD = (FindingKind.VISIT_OVER, FindingKind.SAME_DEVICE)
"""Findings that say more of a device than that it is not registered, and so stand in for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A new device that nobody was told of yet."""

    device_id: str
    via: Via | None
    ts: float
    due: float


def _concerns_others(scope: Scope, standing: Standing) -> bool:
    """Whether sensor or warden must be told that there is one more of this standing."""
    collected = scope.names_leave(standing) or DataClass.SIGNS in scope.classes(standing)
    return collected or scope.quarantine(standing) is not None or scope.filtered(standing) is not None


class Arrivals:
    """New devices, and known ones seen again."""

    def __init__(self, record: Record, stays: Stays) -> None:
        self._record = record
        self._stays = stays
        self._waiting: dict[str, _Waiting] = {}
        self.crowd = Crowd()
        self.overflow = 0
        """New addresses that did not wait, or old ones forgotten, because there was no room."""
        for device in record.registry:
            if device.revision == 0 and device.addresses and len(self._waiting) < MAX_WAITING:
                # The process ended while it waited: it has waited long enough.
                mac, seen = device.addresses[0].mac, device.first_seen
                self._waiting[mac] = _Waiting(device_id=device.device_id, via=None, ts=seen, due=seen)

    # --- seen -------------------------------------------------------------------------------

    def see(self, mac: str, now: Now, via: Via | None) -> Device | None:
        """A sign of life of an address; the device it is, None where there is no room for one more."""
        device = self._record.registry.by_mac(mac)
        if device is None:
            return self._new(mac, now, via)
        address = device.address(mac)
        came_again = address is not None and now.ts - device.last_seen >= ABSENT_SECONDS
        self._stays.heard(mac, now.ts)
        device = self._record.registry.by_mac(mac) or device
        # Sensor and warden tell of one arrival apart, and the later frame may be heard first.
        device = replace(
            device,
            first_seen=min(device.first_seen, now.ts),
            last_seen=max(device.last_seen, now.ts),
            addresses=tuple(item.seen(now.ts) if item.mac == mac else item for item in device.addresses),
        )
        self._record.registry.put(device)
        if mac in self._waiting:
            return device
        if device.standing is Standing.UNKNOWN:
            self._unregistered(device, now, via, came_again=came_again)
        if now.at - device.reported_at >= REPORT_SECONDS:
            device = self._record.report(device, now.at)
        return device

    def _new(self, mac: str, now: Now, via: Via | None) -> Device | None:
        if not self.crowd.admit(mac, now.at):
            return None
        self._make_room(now.at)
        device = self._record.registry.create(mac, now.ts)
        if device is None:
            return None
        self._stays.heard(mac, now.ts)
        device = self._record.keep(replace(device, presence=self._stays.presence(device)))
        self._record.store.devices.link(Link(mac=mac, device_id=device.device_id, since=now.ts))
        self._stays.admit(mac)
        if _concerns_others(now.scope, device.standing):
            self._record.changed += 1
        if is_locally_administered(mac) and self._may_be_known(now.at):
            if len(self._waiting) < MAX_WAITING:
                due = now.at + WAIT_SECONDS
                self._waiting[mac] = _Waiting(device_id=device.device_id, via=via, ts=now.ts, due=due)
                return device
            self.overflow += 1
        return self._tell(device, now, via)

    def _tell(self, device: Device, now: Now, via: Via | None) -> Device:
        device = self._record.report(device, now.at)
        if device.standing is Standing.UNKNOWN:
            self._unregistered(device, now, via, came_again=False)
        return device

    def _make_room(self, at: float) -> None:
        stale = self._record.registry.stale(at)
        if stale is not None:
            self.forget(stale, "The box forgot the device: it was long gone, and its list of devices was full.", at)

    def forget(self, device: Device, because: str, at: float) -> None:
        """Forget a device and all that hangs on it; its open findings close."""
        self._record.close_findings(device.device_id, frozenset(FindingKind), because, at)
        for mac in device.macs:
            self._drop(mac)
        self._record.remove(device)
        self._record.changed += 1

    def let_go(self, device: Device, before: float) -> int:
        """Forget the addresses of a device that it did not use since a moment, but the last; how many."""
        latest = max(device.addresses, key=lambda address: address.last_seen, default=None)
        gone = tuple(item for item in device.addresses if item is not latest and item.last_seen < before)
        for address in gone:
            self._drop(address.mac)
        if gone:
            self._record.keep(replace(device, addresses=tuple(item for item in device.addresses if item not in gone)))
            self._record.changed += 1
        return len(gone)

    def _drop(self, mac: str) -> None:
        self._waiting.pop(mac, None)
        self._stays.forget(mac)
        devices = self._record.store.devices
        earlier = {link.device_id for link in devices.links([mac])}
        devices.remove_address(mac)
        for device_id in earlier:
            # What the address was before it was joined cannot come back any more.
            part = self._record.registry.by_id(device_id)
            if part is not None and part.merged_into is not None and not devices.linked(device_id):
                self._record.remove(part)

    # --- waiting ----------------------------------------------------------------------------

    def _may_be_known(self, at: float) -> bool:
        """Whether a device is away that a passphrase or a confirmed identifier would tell for sure."""
        kinship = self._record.store.kinship
        told = {item.device_id for item in kinship.passphrases() if item.device_id is not None}
        for device_id in told | kinship.with_confirmed():
            device = self._record.registry.by_id(device_id)
            if device is not None and device.addresses and not self._stays.device_here(device, at):
                return True
        return False

    def waits(self, mac: str) -> bool:
        """Whether nobody was told of this address yet."""
        return mac in self._waiting

    def found(self, mac: str) -> None:
        """It turned out which device the address is: nothing to wait for."""
        self._waiting.pop(mac, None)

    def release(self, mac: str, now: Now) -> None:
        """It is a device of its own: tell of it now."""
        waiting = self._waiting.pop(mac, None)
        device = None if waiting is None else self._record.registry.by_id(waiting.device_id)
        if waiting is not None and device is not None and device.revision == 0:
            self._tell(device, replace(now, ts=waiting.ts), waiting.via)

    def tick(self, now: Now) -> None:
        """Tell of those that have waited long enough."""
        for mac in [mac for mac, waiting in self._waiting.items() if now.at >= waiting.due]:
            self.release(mac, now)

    # --- addresses --------------------------------------------------------------------------

    def attach(self, device: Device, mac: str, now: Now, *, how: JoinedBy) -> Device:
        """A new address that is known at once to be this device's."""
        device = self.make_room(device)
        address = Address(mac=mac, first_seen=now.ts, last_seen=now.ts, joined_by=how)
        device = replace(device, last_seen=max(device.last_seen, now.ts), addresses=(*device.addresses, address))
        self._record.keep(device)
        self._record.store.devices.link(Link(mac=mac, device_id=device.device_id, since=now.ts, how=how))
        self._stays.heard(mac, now.ts)
        device = self._record.registry.by_id(device.device_id) or device
        self._record.changed += 1
        return self._record.report(replace(device, presence=self._stays.presence(device)), now.at)

    def make_room(self, device: Device, wanted: int = 1) -> Device:
        """Forget the addresses longest not used where the device has too many for `wanted` more."""
        surplus = len(device.addresses) + wanted - MAX_ADDRESSES
        if surplus <= 0:
            return device
        oldest = sorted(device.addresses, key=lambda address: address.last_seen)[:surplus]
        for address in oldest:
            self._drop(address.mac)
        self.overflow += len(oldest)
        device = replace(device, addresses=tuple(item for item in device.addresses if item not in oldest))
        return self._record.keep(device)

    # --- not registered ---------------------------------------------------------------------

    def unregistered(self, device: Device, now: Now) -> None:
        """It turned out to be a device of its own."""
        if device.standing is Standing.UNKNOWN:
            self._unregistered(device, now, None, came_again=False)

    def _unregistered(self, device: Device, now: Now, via: Via | None, *, came_again: bool) -> None:
        clause = now.scope.register()
        if clause is None:
            return
        record = self._record
        for kind in INSTEAD:
            other = record.open_finding(device.device_id, kind)
            if other is not None:
                if came_again:
                    record.count_finding(other, now.ts, now.at)
                return
        stored = record.open_finding(device.device_id, FindingKind.UNREGISTERED_DEVICE)
        if stored is None and device.visit_ended is not None:
            finding = identity_findings.visit_over(
                device, clause=clause, now=now, ended=device.visit_ended, finding_id=record.ids.finding()
            )
            record.raise_finding(finding, at=now.at)
        elif stored is None:
            finding = findings.unregistered(device, clause=clause, via=via, now=now, finding_id=record.ids.finding())
            record.raise_finding(finding, at=now.at)
        elif came_again:
            record.report_finding(stored, findings.revised(findings.again(stored.finding, now.ts)), now.at)
        elif moment(now.ts) < stored.finding.first_seen:
            earlier = stored.finding.model_copy(update={"first_seen": moment(now.ts)})
            record.store.findings.put(replace(stored, finding=earlier, dirty=True))
