"""The record of devices and findings: each change goes to memory, table and outbox in one transaction.

In: observations of the sensor and the warden, standings from commands. What may be kept of them is
decided by `minimise` before anything else. Out: rows of the store; `changed` rises whenever who may
be collected of what may have changed.

Callers hold the store's transaction. Bounded: see `Registry` and `Store`; what goes over is counted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.looks import DhcpRules, looks_like
from appliance.keeper.devices.model import Device, is_group, moment
from appliance.keeper.devices.registry import Registry
from appliance.keeper.lists.match import Lists, Match
from appliance.keeper.lists.names import normalise
from appliance.keeper.minimise import DeviceObservation, minimise
from appliance.keeper.store.database import Store, StoredFinding
from appliance.keeper.store.outbox import Priority
from appliance.messages import NameLookedUp, NeighbourChanged, Sighting, StationChanged, TraitSeen, Via
from appliance.traits import Trait
from wire.authority import DataClass
from wire.base import Payload, Standing
from wire.codec import payload_json
from wire.models import CommandResult, Finding, FindingKind, type_of

if TYPE_CHECKING:
    from collections.abc import Collection

REPORT_SECONDS = 60.0
"""A device that is merely still there is reported at most this often; so are repeats of a finding."""

ABSENT_SECONDS = 600.0
"""An unregistered device not seen for this long has come again when it is seen."""


class Book:
    """Devices and findings of one household."""

    def __init__(
        self,
        store: Store,
        *,
        lists: Lists,
        rules: DhcpRules,
        new_device_id: Callable[[], str],
        new_finding_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._lists = lists
        self._rules = rules
        self._new_finding_id = new_finding_id
        self.registry = Registry(store.devices(), new_id=new_device_id)
        self._dhcp: dict[str, tuple[str, str | None]] = {}
        self.changed = 0
        """Rises with every new, removed or newly classed device."""
        self.refused = 0
        """Observations of which nothing may be kept, or of which no rule makes use."""
        self.stray_names = 0
        """Looked-up names that the mask did not let out of the sensor; dropped."""
        self.outbox_full = 0
        """New devices not taken in because the outbox was full."""

    def overflow(self) -> int:
        """All that went over a bound, since start."""
        store = self._store
        counters = (store.evidence_overflow, store.names_overflow, store.findings_overflow)
        return self.registry.overflow + self.outbox_full + sum(counters)

    # --- observations -----------------------------------------------------------------------

    def observe(self, observation: DeviceObservation, *, scope: Scope | None, mask: dict[str, int], at: float) -> None:
        """Take one observation in; `mask` says whose names may have left the sensor since when."""
        device = self.registry.by_mac(observation.mac)
        standing = Standing.UNKNOWN if device is None else device.standing
        kept = None if is_group(observation.mac) else minimise(observation, standing, scope, self.blind)
        if kept is None or scope is None:
            self.refused += 1
            return
        if kept.ts < scope.authority.not_before.timestamp():
            self.refused += 1  # it waited in a queue from before there was leave
            return
        ts = min(kept.ts, at)
        match kept:
            case Sighting():
                self._see(kept.mac, device, scope=scope, via=kept.via, ts=ts, at=at)
            case NeighbourChanged(reachable=True) | StationChanged(joined=True):
                self._see(kept.mac, device, scope=scope, via=None, ts=ts, at=at)
            case TraitSeen():
                seen = self._see(kept.mac, device, scope=scope, via=Via.DHCP, ts=ts, at=at)
                if seen is not None:
                    self._trait(seen, kept, ts=ts, at=at)
            case NameLookedUp():
                self._name(device, kept, scope=scope, mask=mask, ts=ts, at=at)
            case _:
                self.refused += 1

    def blind(self, text: str) -> str:
        """Keyed hash that stands for a text that may not be kept."""
        digest = hmac.new(self._store.blinding_key, text.encode(), hashlib.sha256).hexdigest()
        return f"blind-{digest[:32]}"

    def _see(
        self, mac: str, device: Device | None, *, scope: Scope, via: Via | None, ts: float, at: float
    ) -> Device | None:
        if device is None:
            return self._new(mac, scope=scope, via=via, ts=ts, at=at)
        came_again = ts - device.last_seen >= ABSENT_SECONDS
        addresses = tuple(
            replace(item, first_seen=min(item.first_seen, ts), last_seen=max(item.last_seen, ts))
            if item.mac == mac
            else item
            for item in device.addresses
        )
        # Sensor and warden tell of one arrival apart, and the later frame may be heard first.
        device = replace(
            device,
            first_seen=min(device.first_seen, ts),
            last_seen=max(device.last_seen, ts),
            addresses=addresses,
        )
        self.registry.put(device)
        if device.standing is Standing.UNKNOWN:
            self._unregistered(device, scope=scope, via=via, ts=ts, at=at, came_again=came_again)
        if at - device.reported_at >= REPORT_SECONDS:
            device = self.report(device, at)
        return device

    def _new(self, mac: str, *, scope: Scope, via: Via | None, ts: float, at: float) -> Device | None:
        if self._store.outbox.full:
            self.outbox_full += 1
            return None
        stale = self.registry.stale(at)
        if stale is not None:
            self._forget(stale, at)
        device = self.registry.create(mac, ts)
        if device is None:
            return None
        device = self.report(device, at)
        self.changed += 1
        self._unregistered(device, scope=scope, via=via, ts=ts, at=at, came_again=False)
        return device

    def _forget(self, device: Device, at: float) -> None:
        for stored in self._store.open_findings_of(device.device_id):
            because = "The box forgot the device: it was long gone, and its list of devices was full."
            self._report_finding(stored, findings.closed(stored.finding, because), at)
        self._store.remove_device(device.device_id)
        self.registry.remove(device)
        self.changed += 1

    def _unregistered(
        self, device: Device, *, scope: Scope, via: Via | None, ts: float, at: float, came_again: bool
    ) -> None:
        clause = scope.register()
        if clause is None:
            return
        kind = FindingKind.UNREGISTERED_DEVICE
        stored = self._store.open_finding(device.device_id, kind.value, "")
        if stored is None:
            finding = findings.unregistered(
                device, scope=scope, clause=clause, via=via, ts=ts, at=at, finding_id=self._new_finding_id()
            )
            self._raise(finding, subject="", at=at)
        elif came_again:
            self._report_finding(stored, findings.revised(findings.again(stored.finding, ts)), at)
        elif moment(ts) < stored.finding.first_seen:
            earlier = stored.finding.model_copy(update={"first_seen": moment(ts)})
            self._store.put_finding(replace(stored, finding=earlier, dirty=True))

    def _trait(self, device: Device, heard: TraitSeen, *, ts: float, at: float) -> None:
        self._store.add_evidence(device.device_id, heard.trait.value, heard.value, ts)
        parameters, vendor_class = self._dhcp.get(device.device_id, ("", None))
        if heard.trait is Trait.DHCP4_PARAMETERS:
            parameters = heard.value
        elif heard.trait is Trait.DHCP4_VENDOR_CLASS:
            vendor_class = heard.value
        else:
            return
        self._dhcp[device.device_id] = parameters, vendor_class
        numbers = tuple(int(number) for number in parameters.split(",") if number.isdecimal())
        looks = looks_like(self._rules, parameters=numbers, vendor_class=vendor_class)
        old = device.looks_like
        if looks is not None and (old is None or looks.confidence > old.confidence):
            self.report(replace(device, looks_like=looks), at)

    def _name(
        self, device: Device | None, heard: NameLookedUp, *, scope: Scope, mask: dict[str, int], ts: float, at: float
    ) -> None:
        since = mask.get(heard.mac)
        name = normalise(heard.name)
        if since is None or heard.generation < since or device is None:
            self.stray_names += 1
            return
        if name is None:
            self.refused += 1
            return
        seen = self._see(heard.mac, device, scope=scope, via=Via.DNS, ts=ts, at=at)
        if seen is None:
            return
        classes = scope.classes(seen.standing)
        in_force = scope.lists(seen.standing)
        hits = list(self._lists.match(name, in_force))
        for hit in hits:
            clause = in_force[hit.list.id]
            self._hit(seen, hit, scope=scope, clause=clause, heard=heard, name=name, ts=ts, at=at)
        leave = classes.get(DataClass.FULL_NAMES) or (classes.get(DataClass.LIST_HITS) if hits else None)
        if leave is not None:
            self._store.add_name(
                seen.device_id,
                name,
                authority_id=scope.authority.id,
                authority_number=scope.authority.number,
                clause=leave,
                ts=ts,
            )

    def _hit(
        self,
        device: Device,
        match: Match,
        *,
        scope: Scope,
        clause: str,
        heard: NameLookedUp,
        name: str,
        ts: float,
        at: float,
    ) -> None:
        subject = f"{match.list.id} {match.entry}"
        stored = self._store.open_finding(device.device_id, FindingKind.LISTED_NAME.value, subject)
        if stored is None:
            finding = findings.listed(
                device,
                match,
                scope=scope,
                clause=clause,
                name=name,
                how=heard.how,
                ts=ts,
                at=at,
                finding_id=self._new_finding_id(),
            )
            self._raise(finding, subject=subject, at=at)
            return
        counted = findings.again(stored.finding, ts)
        if at - stored.reported_at >= REPORT_SECONDS:
            self._report_finding(stored, findings.revised(counted), at)
        else:
            self._store.put_finding(replace(stored, finding=counted, dirty=True))

    # --- decisions --------------------------------------------------------------------------

    def set_standing(
        self,
        device: Device,
        *,
        standing: Standing,
        label: str | None,
        guest_until: float | None,
        scope: Scope,
        at: float,
    ) -> Device:
        """Give a device a standing; closes its unregistered-device finding. No label leaves the old one."""
        changed = replace(
            device,
            standing=standing,
            label=label if label is not None else device.label,
            guest_until=guest_until if standing is Standing.GUEST else None,
        )
        changed = self.report(changed, at)
        self.changed += 1
        self._narrow(changed, scope=scope, at=at)
        if standing is not Standing.UNKNOWN:
            stored = self._store.open_finding(device.device_id, FindingKind.UNREGISTERED_DEVICE.value, "")
            if stored is not None:
                because = f"An officer gave the device the standing “{standing.value}”."
                self._report_finding(stored, findings.closed(stored.finding, because), at)
        return changed

    def _narrow(self, device: Device, *, scope: Scope, at: float) -> None:
        """Erase what may not be kept of a device of its new standing (R55, R65), and look for its names no more."""
        if device.standing is not Standing.REGISTERED:
            self._store.erase_announced(device.device_id)
        if scope.names_leave(device.standing):
            return
        self._store.erase_names(device.device_id)
        for stored in self._store.open_findings_of(device.device_id):
            if stored.finding.kind is FindingKind.LISTED_NAME:
                because = (
                    f"The device now has the standing “{device.standing.value}”: its names are no longer looked at."
                )
                self._report_finding(stored, findings.closed(stored.finding, because), at)

    def set_quarantined(self, macs: Collection[str], at: float) -> None:
        """What the warden says that it holds back."""
        for device in self.registry:
            held = any(address.mac in macs for address in device.addresses)
            if held != device.quarantined:
                self.report(replace(device, quarantined=held), at)

    def tick(self, *, scope: Scope, at: float) -> None:
        """What is due: guests whose time is over, repeats not yet reported."""
        for device in self.registry:
            if device.guest_until is not None and at >= device.guest_until:
                ended = self.report(replace(device, standing=Standing.UNKNOWN, guest_until=None), at)
                self.changed += 1
                self._narrow(ended, scope=scope, at=at)
        for stored in self._store.unreported_findings(at - REPORT_SECONDS):
            self._report_finding(stored, findings.revised(stored.finding), at)

    # --- outbox -----------------------------------------------------------------------------

    def report(self, device: Device, at: float) -> Device:
        """Write a device's next revision to table and outbox."""
        device = replace(device, revision=device.revision + 1, reported_at=at)
        self._store.put_device(device)
        self.registry.put(device)
        self._send(device.payload(), subject=device.device_id, priority=Priority.STATE, at=at)
        return device

    def answer(self, result: CommandResult, at: float) -> None:
        """Put the answer to a command in the outbox."""
        self._send(result, subject=result.command_id, priority=Priority.RESULT, at=at)

    def _raise(self, finding: Finding, *, subject: str, at: float) -> None:
        if not self._store.has_room():
            return
        self._store.put_finding(StoredFinding(finding=finding, subject=subject, reported_at=at, dirty=False))
        self._send(finding, subject=finding.finding_id, priority=Priority.FINDING, at=at)

    def _report_finding(self, stored: StoredFinding, finding: Finding, at: float) -> None:
        self._store.put_finding(replace(stored, finding=finding, reported_at=at, dirty=False))
        self._send(finding, subject=finding.finding_id, priority=Priority.FINDING, at=at)

    def _send(self, payload: Payload, *, subject: str, priority: Priority, at: float) -> None:
        self._store.outbox.add(
            type_=type_of(payload).ce_type,
            subject=subject,
            body=payload_json(payload).decode(),
            priority=priority,
            created=at,
        )
