"""What a device is to the household, as an officer said; and what may no longer be kept then.

In: standings from commands, and time. Out: devices as they now stand, findings closed, erased rows.
"""

from __future__ import annotations

from dataclasses import replace

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device
from appliance.keeper.household.record import Record
from appliance.keeper.signs.rules import KINDS
from wire.authority import DataClass
from wire.base import Standing
from wire.findings import FindingKind
from wire.ledger import RecordKind

DECIDED = frozenset(
    {
        FindingKind.UNREGISTERED_DEVICE,
        FindingKind.SAME_DEVICE,
        FindingKind.VISIT_OVER,
        FindingKind.KEY_SHARED,
        FindingKind.KEY_ENDED,
    }
)
"""Findings that wait for an officer to say what the device is to the household.

Those about a passphrase come again at the next join while it is still used so.
"""


OF_SIGNS = KINDS | {
    FindingKind.SILENT_DEVICE,
    FindingKind.TREND,
    FindingKind.UNSEEN_USE,
    FindingKind.AGENT_DISAGREES,
}
"""Findings that rest on signals and activity of the device."""


class Standings:
    """Standings, and what follows from them."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def set(
        self,
        device: Device,
        *,
        standing: Standing,
        label: str | None,
        guest_until: float | None,
        scope: Scope,
        at: float,
    ) -> Device:
        """Give a device a standing; closes what waited for that. No label leaves the old one."""
        device = replace(
            device,
            standing=standing,
            label=label if label is not None else device.label,
            guest_until=guest_until if standing is Standing.GUEST else None,
            visit_ended=None,
        )
        device = self._record.report(device, at)
        self._record.changed += 1
        self.narrow(device, scope=scope, at=at)
        if standing is not Standing.UNKNOWN:
            because = f"An officer gave the device the standing “{standing.value}”."
            self._record.close_findings(device.device_id, DECIDED, because, at)
        return device

    def narrow(self, device: Device, *, scope: Scope | None, at: float) -> None:
        """Erase what may not be kept of a device of its standing (R55, R65), and look for its names no more."""
        evidence = self._record.store.evidence
        if scope is None or DataClass.SIGNS not in scope.classes(device.standing):
            self._record.store.records.erase(device.macs)
            self._record.store.ledger.forget(device.macs, {RecordKind.SIGNALS}, why="standing")
            because = f"The device now has the standing “{device.standing.value}”: no signs are kept of it."
            self._record.close_findings(device.device_id, OF_SIGNS, because, at)
        if device.standing is not Standing.REGISTERED:
            evidence.erase_readable(device.macs)
        if scope is not None and scope.names_leave(device.standing):
            return
        evidence.erase_names(device.macs)
        self._record.store.ledger.forget(device.macs, {RecordKind.NAMES}, why="standing")
        self._record.store.categories.erase(device.macs)
        for stored in self._record.store.findings.open_of(device.device_id):
            if stored.finding.kind is FindingKind.LISTED_NAME:
                because = (
                    f"The device now has the standing “{device.standing.value}”: its names are no longer looked at."
                )
                self._record.report_finding(stored, findings.closed(stored.finding, because), at)

    def tick(self, *, scope: Scope, at: float) -> None:
        """Visits that are over: the device is up for review when it is seen again (R23)."""
        for device in self._record.registry:
            until = device.guest_until
            if until is not None and at >= until:
                ended = replace(device, standing=Standing.UNKNOWN, guest_until=None, visit_ended=until)
                ended = self._record.report(ended, at)
                self._record.changed += 1
                self.narrow(ended, scope=scope, at=at)
