"""Names that a device asked for, as far as there is leave to keep them, and the lists they are on.

In: names that the collection mask let out of the sensor. Out: rows of names, findings of list hits, counts of
categories. Nothing is kept of a device whose names may not leave, whatever the sensor sends (R55, R61).

- Excluded names leave no trace at all: no row, no finding, no count (R67).
- A category that is told as a trend only is counted by day, without the name, unless a clause says that its
  names are shown one by one (R32).
- Question, answer, greeting and request of one visit are one visit: what is heard of the same name of a device
  within `VISIT_SECONDS` of the first counts once (R26).
- A name that an answer led to is looked for on the lists, and kept only where it is on one. If it is, and the device
  then goes there, that is the same visit; if not, it hides none.

Bounded: `MAX_VISITS` visits are remembered; the oldest is forgotten and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.keeper import hits
from appliance.keeper.devices.model import Device
from appliance.keeper.household.record import Record
from appliance.keeper.household.watch import WATCH, Watch
from appliance.keeper.lists.match import ADULT, Lists, Match
from appliance.keeper.lists.names import normalise
from appliance.keeper.now import Now
from appliance.keeper.store.blinding import PREFIX
from appliance.messages import How, NameLookedUp
from wire.authority import DataClass
from wire.findings import FindingKind

VISIT_SECONDS = 30.0
MAX_VISITS = 4096
TREND_ONLY = frozenset({ADULT})
"""Categories that are told as a trend."""


@dataclass(slots=True, kw_only=True)
class _Visit:
    """What has been counted of it."""

    began: float
    asked: bool
    """The device itself named it; otherwise an answer led there so far, and its hits are told."""
    kept: bool = False
    """There is a row of the name."""


class Lookups:
    """Names and list hits."""

    def __init__(self, record: Record, lists: Lists, watch: Watch) -> None:
        self._record = record
        self._lists = lists
        self._watch = watch
        self._visits: dict[tuple[str, str], _Visit] = {}
        """The last visit of a device to a name, oldest first."""
        self.overflow = 0
        """Visits forgotten within `VISIT_SECONDS` to make room."""

    def heard(self, device: Device, heard: NameLookedUp, name: str, now: Now) -> None:
        """A name, normalised, that may be kept of this device."""
        asked = normalise(heard.asked) if heard.how is How.ANSWER and heard.asked else None
        if self._lists.excluded(name) or (asked is not None and self._lists.excluded(asked)):
            return
        answer = heard.how is How.ANSWER
        visit = self._visit(heard.mac, name, now.ts)
        if visit is not None and (answer or visit.asked):
            return
        if visit is not None:  # its hits were told when the answer came
            visit.asked = True
            visit.kept = visit.kept or self._keep(device, heard, name, named=False, now=now)
            return
        in_force = now.scope.lists(device.standing)
        found = list(self._lists.match(name, in_force))
        if asked is not None:  # its own visit has told what is on a list by the same entry
            told = {(match.list.id, match.entry) for match in self._lists.match(asked, in_force)}
            found = [match for match in found if (match.list.id, match.entry) not in told]
        if not found and answer:
            return
        named = False
        for match in found:
            clause = in_force[match.list.id]
            category = match.list.category
            if category in TREND_ONLY and not now.scope.itemise(device.standing, match.list.id):
                self._count(heard.mac, category or "", clause, now)
                continue
            self._hit(device, match, heard, name, asked=asked, clause=clause, now=now)
            named = named or not match.list.confidential
        kept = self._keep(device, heard, name, named=named, now=now)
        self._remember(heard.mac, name, _Visit(began=now.ts, asked=not answer, kept=kept))

    def _visit(self, mac: str, name: str, ts: float) -> _Visit | None:
        """The visit that what is heard at `ts` belongs to, if one has begun."""
        visit = self._visits.get((mac, name))
        return visit if visit is not None and 0 <= ts - visit.began < VISIT_SECONDS else None

    def _remember(self, mac: str, name: str, visit: _Visit) -> None:
        self._visits.pop((mac, name), None)
        if len(self._visits) >= MAX_VISITS:
            oldest = next(iter(self._visits))
            self.overflow += visit.began - self._visits.pop(oldest).began < VISIT_SECONDS
        self._visits[mac, name] = visit

    def _keep(self, device: Device, heard: NameLookedUp, name: str, *, named: bool, now: Now) -> bool:
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
        return leave is not None

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
        record = None if match.list.confidential else self._record_id(heard.mac, name)
        if stored is not None:
            self._record.count_finding(stored, now.ts, now.at, record=record)
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
            record=record,
        )
        self._record.raise_finding(finding, subject=subject, at=now.at)

    def _record_id(self, mac: str, name: str) -> str:
        """Id of the row that is kept of a name: always the same for the same address and name, and tells neither."""
        return f"n-{self._record.store.blind(f'name visit {mac} {name}').removeprefix(PREFIX)}"
