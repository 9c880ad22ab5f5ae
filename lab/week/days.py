"""What happens in a watched household: a `Household` and a seed in, everything that the box hears out, in order.

Frames of the home and of the provider's side, hostapd's and the kernel's events, counts of octets each minute,
and when the box is without power. The same seed tells the same weeks. Bounded by the household.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from random import Random
from typing import NamedTuple

from appliance.messages import MAX_TALKS, LinkChanged, NeighbourChanged, StationChanged, Talk, TalksCounted
from lab.week import frames
from lab.week.around import around, resolver
from lab.week.box import WAN_PORT
from lab.week.cast import Hours, Member
from lab.week.household import Household, Outside
from lab.week.plot import DAY, HOUR, Stay, Week, rolls
from lab.week.speech import ROUTER, Speaker, Spoken
from lab.week.uses import Device, Done, Moved

COUNTED_EVERY = 120.0
"""Seconds between two counts of octets; the warden's are twice as often, which tells nothing more here."""
COUNTED_BEFORE = 1
"""Days before the story from which on octets are counted: what is usual rests on look-ups and connections."""
_PROVIDER_MAC, _PROVIDER, _OWN = "02:00:5e:10:09:01", IPv4Address("198.51.100.1"), IPv4Address("198.51.100.2")
_BACKGROUND = (1500.0, 3000.0)


class Upstream(NamedTuple):
    """A frame on the provider's side."""

    ts: float
    data: bytes


class Power(NamedTuple):
    """The box loses power, or has it again."""

    ts: float
    on: bool


Heard = Spoken | Upstream | StationChanged | NeighbourChanged | LinkChanged | Power
Happening = Heard | TalksCounted


@dataclass(slots=True)
class Days(Week):
    """The weeks of a household."""

    household: Household = field(init=False)

    def __post_init__(self) -> None:
        """Work out who is there when."""
        if not isinstance(self.cast, Household):
            raise TypeError("these are the weeks of a household")
        self.household = self.cast
        Week.__post_init__(self)

    @property
    def told_from(self) -> float:
        """Midnight of the first day of the story, Unix seconds."""
        return self.starts + self.household.before * DAY

    def story(self) -> Iterator[Happening]:
        """Everything, in order of time, to the end."""
        stays = [sorted(self._lived(stay), key=_when) for stay in self.stays]
        told = heapq.merge(*stays, sorted(self.house(), key=_when), key=_when)
        since = self.told_from - COUNTED_BEFORE * DAY
        yield from _counted(one for one in told if self._is_told(one, since))

    def _is_told(self, one: Heard | Moved, counted_since: float) -> bool:
        return max(self.starts, counted_since if isinstance(one, Moved) else 0.0) <= one.ts < self.ends

    # --- the house ------------------------------------------------------------------------------

    def house(self) -> Iterator[Heard]:
        """The provider's side, the line, the power."""
        asked = frames.arp(sender=_PROVIDER_MAC, sender_ip=_PROVIDER, target_ip=_OWN)
        ts = self.starts + 30.0
        while ts < self.ends:
            if self._online(ts):
                yield Upstream(ts, asked)
            ts += 3600.0
        for gap in self.household.no_internet:
            began, ended = self._span(gap)
            yield LinkChanged(ts=began, interface=WAN_PORT, up=False)
            yield LinkChanged(ts=ended, interface=WAN_PORT, up=True)
        for gap in self.household.no_power:
            began, ended = self._span(gap)
            yield Power(began, on=False)
            yield Power(ended, on=True)

    def _span(self, outside: Outside) -> tuple[float, float]:
        return self._at(outside.day, outside.hours[0]), self._at(outside.day, outside.hours[1])

    def _at(self, day: int, hour: float) -> float:
        return self.starts + day * DAY + hour * HOUR

    def _online(self, ts: float) -> bool:
        gaps = (*self.household.no_internet, *self.household.no_power)
        return not any(began <= ts < ended for began, ended in map(self._span, gaps))

    # --- its members ----------------------------------------------------------------------------

    def _presence(self, member: Member, dice: Random) -> Iterator[Hours]:
        out = [self._span(outside) for outside in self.household.outside]
        for began, ended in super(Days, self)._presence(member, dice):
            left, first = ended, began
            for gone, back in out if self.household.of(member.name).carried else ():
                if first < back and gone < left:
                    if gone - first > HOUR / 2:
                        yield first, gone
                    first = back
            if left - first > HOUR / 2:
                yield first, left

    def _lived(self, stay: Stay) -> Iterator[Heard | Moved]:
        member, name = stay.member, stay.member.name
        dice = rolls(self.seed, name, stay.mac, repr(stay.began))
        speaker = Speaker(persona=member.spoken_by(), device=name, mac=stay.mac, ip4=stay.ip4, dice=dice)
        mine = [one for one in self.household.around if one.member == name]

        def asked(ts: float) -> IPv4Address | None:
            day, hour = divmod((ts - self.starts) / HOUR, 24)
            ways = [one for one in mine if int(day) in one.days and one.hours[0] <= hour < one.hours[1]]
            return resolver(ways[0].way) if ways else ROUTER

        device = Device(speaker=speaker, life=self.household.of(name), dice=dice, online=self._online, resolver=asked)
        if not member.wired:
            yield StationChanged(ts=stay.began + 0.03, mac=stay.mac, joined=True, key_id=member.key)
        yield from speaker.join(stay.began)
        yield NeighbourChanged(ts=stay.began + 0.75, mac=stay.mac, ip=str(stay.ip4), reachable=True)
        yield from device.joined(stay.began)
        for day in range(int((stay.began - self.starts) // DAY), int((stay.ended - self.starts) // DAY) + 1):
            yield from self._day(device, stay, day)
        yield from self._background(device, stay)
        if not member.wired:
            yield StationChanged(ts=stay.ended, mac=stay.mac, joined=False)
            yield NeighbourChanged(ts=stay.ended + 45, mac=stay.mac, ip=str(stay.ip4), reachable=False)

    def _day(self, device: Device, stay: Stay, day: int) -> Iterator[Done]:
        name = stay.member.name
        rests = any(rest.member == name and day in rest.days for rest in self.household.rest)
        out = [self._span(outside) for outside in self.household.outside]
        for use in () if rests else device.life.use:
            began, ended = (
                max(self._at(day, use.hours[0]), stay.began + 60),
                min(self._at(day, use.hours[1]), stay.ended),
            )
            away = any(gone < ended and began < back for gone, back in out)
            if day % 7 in use.weekdays and ended - began > 600 and not away:
                yield from device.use(use, began, ended)
        if device.life.backs_up and stay.began < self._at(day, 2) and self._at(day, 3.2) < stay.ended:
            yield from device.backup(self._at(day, 0))
        for one in self.household.around:
            began, ended = self._at(day, one.hours[0]), self._at(day, one.hours[1])
            if one.member == name and day in one.days and stay.began < began < stay.ended - 600:
                yield from around(one.way, device, began, min(ended, stay.ended))

    def _background(self, device: Device, stay: Stay) -> Iterator[Done]:
        ts = stay.began + device.dice.uniform(120, 600)
        while ts < stay.ended - 60:
            yield from device.in_the_background(ts)
            ts += device.dice.uniform(*_BACKGROUND)


def _when(happening: Heard | Moved) -> float:
    return happening.ts


def _counted(told: Iterable[Heard | Moved]) -> Iterator[Happening]:
    """The same, with what was moved as counts."""
    going: list[Moved] = []
    due: float | None = None
    for one in told:
        while due is not None and due <= one.ts:
            yield from _minute(going, due)
            going = [moved for moved in going if moved.until > due]
            due = due + COUNTED_EVERY if going else None
        if isinstance(one, Moved):
            going.append(one)
            if due is None:
                due = (one.ts // COUNTED_EVERY + 1) * COUNTED_EVERY
        else:
            yield one


def _minute(going: list[Moved], ends: float) -> Iterator[TalksCounted]:
    talks: dict[tuple[str, str, int, int], list[int]] = defaultdict(lambda: [0, 0])
    for moved in going:
        share = (min(moved.until, ends) - max(moved.ts, ends - COUNTED_EVERY)) / (moved.until - moved.ts)
        talk = talks[moved.mac, moved.server, moved.protocol, moved.port]
        talk[0] += int(moved.up * share)
        talk[1] += int(moved.down * share)
    rows = [
        Talk(mac=mac, server=server, protocol=protocol, port=port, up=up, down=down)
        for (mac, server, protocol, port), (up, down) in sorted(talks.items())
    ]
    for first in range(0, len(rows), MAX_TALKS):
        yield TalksCounted(ts=ends, seconds=COUNTED_EVERY, talks=tuple(rows[first : first + MAX_TALKS]))
