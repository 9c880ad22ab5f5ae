"""Names that a device asked for, as far as there is leave to keep them, and the lists they are on.

In: names that the collection mask let out of the sensor. Out: rows of names, findings of list hits, counts of
categories. Nothing is kept of a device whose names may not leave, whatever the sensor sends (R55, R61).

- Excluded names leave no trace at all: no row, no finding, no count (R67).
- A category that is told as a trend only is counted by day, without the name, unless a clause says that its
  names are shown one by one (R32).
- Question, answer, greeting and request of one visit are one visit: what is heard of the same name of a device
  within `VISIT_SECONDS` counts once (R26).
- A name that an answer led to is looked for on the lists, and kept only where it is on one.

Bounded: `MAX_VISITS` visits are remembered; the oldest is forgotten and counted.
"""

from __future__ import annotations

from dataclasses import replace

from appliance.keeper import hits
from appliance.keeper.devices.model import Device
from appliance.keeper.household.record import Record
from appliance.keeper.household.watch import WATCH, Watch
from appliance.keeper.lists.match import ADULT, Lists, Match
from appliance.keeper.lists.names import normalise
from appliance.keeper.now import Now
from appliance.messages import How, NameLookedUp
from wire.authority import DataClass
from wire.findings import FindingKind

VISIT_SECONDS = 30.0
MAX_VISITS = 4096
TREND_ONLY = frozenset({ADULT})
"""Categories that are told as a trend."""


class Lookups:
    """Names and list hits."""

    def __init__(self, record: Record, lists: Lists, watch: Watch) -> None:
        self._record = record
        self._lists = lists
        self._watch = watch
        self._visits: dict[tuple[str, str, bool], float] = {}
        """When the last visit of a device to a name began; apart, when an answer last led there: that is none yet."""
        self.overflow = 0
        """Visits forgotten within `VISIT_SECONDS` to make room."""

    def heard(self, device: Device, heard: NameLookedUp, name: str, now: Now) -> None:
        """A name, normalised, that may be kept of this device."""
        asked = normalise(heard.asked) if heard.how is How.ANSWER and heard.asked else None
        if self._lists.excluded(name) or (asked is not None and self._lists.excluded(asked)):
            return
        if self._same_visit(heard.mac, name, now.ts, answer=heard.how is How.ANSWER):
            return
        in_force = now.scope.lists(device.standing)
        found = list(self._lists.match(name, in_force))
        if asked is not None:  # its own visit has told what is on a list by the same entry
            told = {(match.list.id, match.entry) for match in self._lists.match(asked, in_force)}
            found = [match for match in found if (match.list.id, match.entry) not in told]
        named = False
        for match in found:
            clause = in_force[match.list.id]
            category = match.list.category
            if category in TREND_ONLY and not now.scope.itemise(device.standing, match.list.id):
                self._count(heard.mac, category or "", clause, now)
                continue
            self._hit(device, match, heard, name, asked=asked, clause=clause, now=now)
            named = named or not match.list.confidential
        self._keep(device, heard, name, named=named, now=now)

    def _same_visit(self, mac: str, name: str, ts: float, *, answer: bool) -> bool:
        """Whether this belongs to a visit that was counted already."""
        key = (mac, name, answer)
        began = self._visits.get(key)
        if began is not None and 0 <= ts - began < VISIT_SECONDS:
            return True
        self._visits.pop(key, None)
        if len(self._visits) >= MAX_VISITS:
            oldest = next(iter(self._visits))
            self.overflow += ts - self._visits.pop(oldest) < VISIT_SECONDS
        self._visits[key] = ts
        return False

    def _keep(self, device: Device, heard: NameLookedUp, name: str, *, named: bool, now: Now) -> None:
        """A row of the name, where there is leave: all names, or those on a list whose names may be said."""
        classes = now.scope.classes(device.standing)
        leave = classes.get(DataClass.FULL_NAMES) if heard.how is not How.ANSWER or named else None
        leave = leave or (classes.get(DataClass.LIST_HITS) if named else None)
        if leave is not None:
            self._record.store.evidence.add_name(
                heard.mac,
                name,
                authority_id=now.scope.authority.id,
                authority_number=now.scope.authority.number,
                clause=leave,
                ts=now.ts,
            )

    def _count(self, mac: str, category: str, clause: str, now: Now) -> None:
        authority = now.scope.authority
        self._record.store.categories.count(
            mac, category, authority_id=authority.id, authority_number=authority.number, clause=clause, ts=now.ts
        )

    def _hit(
        self,
        device: Device,
        match: Match,
        heard: NameLookedUp,
        name: str,
        *,
        asked: str | None,
        clause: str,
        now: Now,
    ) -> None:
        subject = f"{match.list.id} {match.entry}"
        stored = self._record.open_finding(device.device_id, FindingKind.LISTED_NAME, subject)
        if stored is not None:
            self._record.count_finding(stored, now.ts, now.at)
            return
        because = None
        if match.list.id == WATCH and (entry := self._watch.entry(match.entry)) is not None:
            because = entry.reason
            match = replace(match, list=replace(match.list, severity=entry.severity))
        finding = hits.listed(
            device,
            match,
            clause=clause,
            name=name,
            how=heard.how,
            now=now,
            finding_id=self._record.ids.finding(),
            asked=asked,
            because=because,
        )
        self._record.raise_finding(finding, subject=subject, at=now.at)
