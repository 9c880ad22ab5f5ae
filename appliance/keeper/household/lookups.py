"""Names that a device asked for, as far as there is leave to keep them, and the lists they are on.

In: names that the collection mask let out of the sensor. Out: rows of names, findings of list hits.
Nothing is kept of a device whose names may not leave, whatever the sensor sends (R55, R61).
"""

from __future__ import annotations

from appliance.keeper import findings
from appliance.keeper.devices.model import Device
from appliance.keeper.household.record import Record
from appliance.keeper.lists.match import Lists, Match
from appliance.keeper.now import Now
from appliance.messages import NameLookedUp
from wire.authority import DataClass
from wire.findings import FindingKind


class Lookups:
    """Names and list hits."""

    def __init__(self, record: Record, lists: Lists) -> None:
        self._record = record
        self._lists = lists

    def heard(self, device: Device, heard: NameLookedUp, name: str, now: Now) -> None:
        """A name, normalised, that may be kept of this device."""
        in_force = now.scope.lists(device.standing)
        hits = list(self._lists.match(name, in_force))
        for hit in hits:
            self._hit(device, hit, heard, name, clause=in_force[hit.list.id], now=now)
        classes = now.scope.classes(device.standing)
        leave = classes.get(DataClass.FULL_NAMES) or (classes.get(DataClass.LIST_HITS) if hits else None)
        if leave is not None:
            self._record.store.evidence.add_name(
                heard.mac,
                name,
                authority_id=now.scope.authority.id,
                authority_number=now.scope.authority.number,
                clause=leave,
                ts=now.ts,
            )

    def _hit(self, device: Device, match: Match, heard: NameLookedUp, name: str, *, clause: str, now: Now) -> None:
        subject = f"{match.list.id} {match.entry}"
        stored = self._record.open_finding(device.device_id, FindingKind.LISTED_NAME, subject)
        if stored is not None:
            self._record.count_finding(stored, now.ts, now.at)
            return
        finding = findings.listed(
            device,
            match,
            clause=clause,
            name=name,
            how=heard.how,
            now=now,
            finding_id=self._record.ids.finding(),
        )
        self._record.raise_finding(finding, subject=subject, at=now.at)
