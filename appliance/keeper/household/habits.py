"""Habits, looked at once a day: trends, visibility, and whether another device may be in use (N6, N10, R16, R32).

In: what is known of a device's use. Out: signs through `Signs`, the visibility of devices. The rules are in
`signs`; here they are fed.
Bounded: by what `Past` keeps; `MAX_WATCHED` devices that nobody declared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from appliance.keeper.devices.model import Device, moment
from appliance.keeper.devices.presence import AWAKE
from appliance.keeper.findings import GRADES
from appliance.keeper.household.past import MAX_WATCHED, Past
from appliance.keeper.household.record import Record
from appliance.keeper.household.signs import Signs
from appliance.keeper.household.stays import Stays
from appliance.keeper.now import Now
from appliance.keeper.signs.agent import LEAST_USE
from appliance.keeper.signs.baseline import Baseline, baseline
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.spans import DAY, HOUR, covered, day_of
from appliance.keeper.signs.trend import RECENT_DAYS, Figure, trend
from appliance.keeper.signs.unseen import HOURS, Declared, DeclaredDay, Other, unseen_use
from wire.authority import DataClass
from wire.base import Standing
from wire.models import Visibility

AGAIN_SECONDS = DAY
"""A sign that lasts is said again at most this often."""
MAX_STAYS = 256
PHONES = frozenset({"phone", "tablet"})
"""What a person carries and uses every day."""


class Habits:
    """What a day of a device comes to."""

    def __init__(self, record: Record, stays: Stays, *, past: Past, signs: Signs, trends: Collection[str] = ()) -> None:
        """`trends`: categories of lists that show as a trend only (R32)."""
        self._record = record
        self._stays = stays
        self._past = past
        self._signs = signs
        self._trends = trends

    def look(
        self,
        device: Device,
        use: Mapping[int, int],
        seen: list[int],
        usual: Baseline | None,
        *,
        today: int,
        now: Now,
    ) -> None:
        """One device, once a day: its use by hour, the hours that count, and what is usual for it."""
        self._show(device, today)
        if device.standing is not Standing.REGISTERED:
            return
        for figure in self._figures(device, use, seen, today):
            sign = trend(figure, _whole_days(seen), today=today)
            if sign is not None:
                say(self._record, self._signs, sign, now)
        if device.looks_like is not None and device.looks_like.category in PHONES:
            sign = unseen_use(self._declared(device, use, seen, usual, today), self._others(today, now), today=today)
            if sign is not None:
                say(self._record, self._signs, sign, now)

    def _show(self, device: Device, today: int) -> None:
        """Visibility of the last day with any traffic."""
        found = self._past.shares(device, today)
        if not found:
            return
        last = found[-1]
        visibility = Visibility(
            day=moment(last.day * DAY),
            connections=last.connections,
            named=round(last.named, 3),
            octets_named=None if last.octets_named is None else round(last.octets_named, 3),
        )
        if visibility != device.visibility:
            self._record.soon(replace(device, visibility=visibility))

    def _figures(self, device: Device, use: Mapping[int, int], seen: list[int], today: int) -> list[Figure]:
        by_day: dict[int, int] = {}
        by_night: dict[int, int] = {}
        before = baseline(use, seen, until=(today - RECENT_DAYS) * 24)
        night = before.own_night() if isinstance(before, Baseline) else frozenset[int]()
        for hour, amount in use.items():
            by_day[day_of(hour)] = by_day.get(day_of(hour), 0) + amount
            if hour % 24 in night:
                by_night[day_of(hour)] = by_night.get(day_of(hour), 0) + amount
        own = device.device_id
        figures = [Figure(device_id=own, subject="use", words="use of the device", by_day=by_day, least=20.0)]
        if night:
            words = "use of the device in the hours in which it was used least before"
            figures.append(Figure(device_id=own, subject="night", words=words, by_day=by_night, least=10.0))
        for category in sorted(self._trends):
            counts = self._record.store.categories.days(device.macs, category)
            words = f"the number of visits to sites of the category {category}"
            figures.append(Figure(device_id=own, subject=f"category {category}", words=words, by_day=counts, least=3.0))
        return figures

    def _declared(
        self, device: Device, use: Mapping[int, int], seen: list[int], usual: Baseline | None, today: int
    ) -> Declared:
        first = today * 24 - HOURS
        rows = self._past.hours(device, first=first, last=today * 24)
        there = covered(self._stays.spans(device.macs, most=MAX_STAYS), first, today * 24)
        floor = LEAST_USE if usual is None else usual.floor
        used = frozenset(hour for hour, amount in use.items() if amount >= floor)
        days: list[DeclaredDay] = []
        for day in range(first // 24, today):
            hours = tuple(hour for hour in seen if day_of(hour) == day)
            own = [row for row in rows if day_of(row.hour) == day]
            if len(hours) >= 12:
                days.append(
                    DeclaredDay(
                        day=day,
                        hours=hours,
                        joined_hours=sum(1 for hour in hours if hour in there),
                        used_hours=sum(1 for hour in hours if hour in used),
                        use=sum(row.use for row in own),
                        pushes=sum(row.pushes for row in own),
                        chatter=sum(row.chatter for row in own),
                    )
                )
        return Declared(device_id=device.device_id, baseline=usual, days=tuple(days), used=used, seen=frozenset(seen))

    def _others(self, today: int, now: Now) -> list[Other]:
        """Devices that nobody declared: what they did where that may be kept, else when they were there."""
        first, last = today * 24 - HOURS, today * 24
        undeclared = [
            device
            for device in self._record.registry.latest(_undeclared, most=MAX_WATCHED)
            if device.addresses and device.last_seen >= first * HOUR
        ]
        others: list[Other] = []
        for device in undeclared:
            kept = DataClass.SIGNS in now.scope.classes(device.standing)
            if kept:
                use = self._past.use(device, first=first, last=last)
                active = frozenset(hour for hour, amount in use.items() if amount >= LEAST_USE)
            else:
                active = covered(self._stays.spans(device.macs, most=MAX_STAYS), first, last)
            others.append(Other(device_id=device.device_id, active=active, by_presence=not kept))
        return others


def of_people(device: Device) -> bool:
    """Whether a device is one that people use, rather than one that runs by itself."""
    category = None if device.looks_like is None else device.looks_like.category
    return device.standing is not Standing.INFRASTRUCTURE and category not in AWAKE and bool(device.addresses)


def _undeclared(device: Device) -> bool:
    return device.standing in {Standing.UNKNOWN, Standing.GUEST} and of_people(device)


def _whole_days(seen: list[int]) -> list[int]:
    """Days of which the box saw at least half."""
    counts: dict[int, int] = {}
    for hour in seen:
        counts[day_of(hour)] = counts.get(day_of(hour), 0) + 1
    return [day for day, count in counts.items() if count >= 12]


def say(record: Record, signs: Signs, sign: Sign, now: Now) -> None:
    """Tell a lasting sign where it is graded higher than before, or was not said for a day."""
    stored = record.open_finding(sign.device_id, sign.kind, sign.subject)
    if (
        stored is None
        or stored.finding.grade is None
        or GRADES.index(sign.grade) > GRADES.index(stored.finding.grade)
        or sign.ts - stored.finding.last_seen.timestamp() >= AGAIN_SECONDS
    ):
        signs.tell(sign, now)
