"""What happens in the week: a cast and a seed in, frames and hostapd's and the kernel's events out, in order.

The same seed gives the same week. Bounded by the cast: some tens of thousands of frames.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from random import Random

from appliance.messages import NeighbourChanged, StationChanged
from lab.week.cast import Cast, Hours, Member
from lab.week.speech import Speaker, Spoken

DAY, HOUR = 86400.0, 3600.0
ROTATES_AT = 27.1
"""The hour at which a nightly address changes: shortly after three of the next day."""
MORNING = 8.0
_AWAKE_SECONDS, _DOZE_SECONDS = 2400.0, 5400.0
_FIRST_IP = 20

Told = StationChanged | NeighbourChanged
Happening = Spoken | Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A device under one address, from joining to leaving, Unix seconds."""

    member: Member
    mac: str
    ip4: IPv4Address
    began: float
    ended: float


@dataclass(slots=True)
class Week:
    """The story with its truth."""

    cast: Cast
    seed: int = 1
    passphrases: bool = True
    """False: nobody knows who joined with which."""
    stays: list[Stay] = field(init=False)

    def __post_init__(self) -> None:
        """Work out who is there when, and under which address."""
        self.stays = [stay for member in self.cast.member for stay in self._stays(member)]
        macs = sorted({stay.mac for stay in self.stays}, key=self._first_use)
        given = {mac: IPv4Address(f"192.0.2.{_FIRST_IP + number % 200}") for number, mac in enumerate(macs)}
        self.stays = [
            Stay(member=stay.member, mac=stay.mac, ip4=given[stay.mac], began=stay.began, ended=stay.ended)
            for stay in self.stays
        ]

    @property
    def starts(self) -> float:
        """Midnight of the first day, Unix seconds."""
        return self.cast.starts.timestamp()

    @property
    def ends(self) -> float:
        """The morning after the last night."""
        return self.starts + self.cast.days * DAY + MORNING * HOUR

    @property
    def truth(self) -> dict[str, str]:
        """Which member each hardware address was."""
        return {stay.mac: stay.member.name for stay in self.stays}

    def happenings(self) -> Iterator[Happening]:
        """Everything, in order of time, to the end."""
        told = heapq.merge(*(sorted(self._stay(stay), key=_when) for stay in self.stays), key=_when)
        return (happening for happening in told if self.starts <= happening.ts < self.ends)

    def _first_use(self, mac: str) -> tuple[float, str]:
        return min(stay.began for stay in self.stays if stay.mac == mac), mac

    def _stays(self, member: Member) -> Iterator[Stay]:
        dice = rolls(self.seed, member.name, "stays")
        macs = self._addresses(member)
        mac = next(macs)
        for number, (came, ended) in enumerate(self._presence(member, dice)):
            began, day = came, int((came - self.starts) // DAY)
            renewed = member.address == "each-join" or day in member.new_address_on
            if renewed and number:
                mac = next(macs)
            turn = self.starts + day * DAY + ROTATES_AT * HOUR + dice.uniform(0, 600)
            if member.address == "nightly" and began < turn < ended:
                yield self._under(member, mac, began, turn)
                mac, began = next(macs), turn + dice.uniform(2, 8)
            yield self._under(member, mac, began, ended)

    def _presence(self, member: Member, dice: Random) -> Iterator[Hours]:
        """Stays as moments, some minutes off their hours; such as touch are one."""
        joined: list[Hours] = []
        for day in range(self.cast.days):
            for from_hour, to_hour in member.hours(day):
                began = self.starts + day * DAY + from_hour * HOUR + dice.uniform(5, 50)
                ended = self.starts + day * DAY + to_hour * HOUR - dice.uniform(5, 15)
                if joined and began - joined[-1][1] < 120:
                    joined[-1] = (joined[-1][0], ended)
                else:
                    joined.append((began, ended))
        yield from joined

    @staticmethod
    def _under(member: Member, mac: str, began: float, ended: float) -> Stay:
        return Stay(member=member, mac=mac, ip4=IPv4Address(0), began=began, ended=ended)

    def _addresses(self, member: Member) -> Iterator[str]:
        """The persona's own, then made-up ones; a second device of the persona has only made-up ones."""
        persona = member.spoken_by()
        first = next(other for other in self.cast.member if other.persona == member.persona)
        if first is member:
            yield persona.mac
        dice = rolls(self.seed, member.name, "addresses")
        while True:
            octets = bytearray(dice.randbytes(6))
            octets[0] = octets[0] & 0xFC | 0x02
            yield octets.hex(":")

    def _stay(self, stay: Stay) -> Iterator[Happening]:
        dice = rolls(self.seed, stay.member.name, stay.mac, repr(stay.began))
        persona = stay.member.spoken_by()
        speaker = Speaker(persona=persona, device=stay.member.name, mac=stay.mac, ip4=stay.ip4, dice=dice)
        key = stay.member.key if self.passphrases else None
        if not stay.member.wired:
            # hostapd's word may come a moment after the first frame.
            yield StationChanged(ts=stay.began + dice.choice((-0.05, 0.03)), mac=stay.mac, joined=True, key_id=key)
        yield from speaker.join(stay.began)
        yield NeighbourChanged(ts=stay.began + 0.75, mac=stay.mac, ip=str(stay.ip4), reachable=True)
        yield from self._life(stay, speaker, dice)
        if not stay.member.wired:
            yield StationChanged(ts=stay.ended, mac=stay.mac, joined=False)
            yield NeighbourChanged(ts=stay.ended + 45, mac=stay.mac, ip=str(stay.ip4), reachable=False)

    def _life(self, stay: Stay, speaker: Speaker, dice: Random) -> Iterator[Spoken]:
        names = (*speaker.persona.habits, *speaker.persona.reports_to)
        moment = stay.began + dice.uniform(120, 600)
        used = 0
        while moment < stay.ended - 60:
            hour = (moment - self.starts) % DAY / HOUR
            if any(begin <= hour < end for begin, end in stay.member.awake):
                yield Spoken(moment, speaker.keep_alive())
                if names:
                    yield from speaker.connect(moment + 0.2, dice.choice(names))
                if used % 3 == 0:
                    yield from speaker.renew(moment + 1.0)
                    yield from speaker.announce(moment + 1.2)
                used += 1
                moment += dice.uniform(0.6, 1.4) * _AWAKE_SECONDS
            else:
                yield Spoken(moment, speaker.keep_alive())
                moment += dice.uniform(0.6, 1.4) * _DOZE_SECONDS


def _when(happening: Happening) -> float:
    return happening.ts


def rolls(seed: int, *words: str) -> Random:
    """Dice that fall the same way every time: what they are for, and the seed, decide it."""
    own = hashlib.sha256("/".join((str(seed), *words)).encode()).digest()
    return Random(int.from_bytes(own, "big"))  # noqa: S311 - a story's dice, not a key's
