"""From facts to observations: the last place where a looked-up name may be seen.

Enters: facts, counts of octets, and the keeper's collection mask. Leaves: messages to the keeper. A looked-up
name (DNS question or answer, SNI, HTTP Host) leaves only for a MAC that an unlapsed mask names, with that
mask's generation; for all others at most its closed class. The name of an application in a User-Agent is held
the same way. What a device announces of itself is not a looked-up name. Signals and activity leave as
`signals.outlet` says.
Bounded: `MAX_SIGHTINGS` sightings, `MAX_REPEATS` names and `MAX_TRAITS` traits remembered so as not to say
them again; of one trait a device is heard with `MAX_VALUES` values in `TRAIT_SECONDS`, those that it passes on of others included.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from appliance.messages import (
    CollectionMask,
    How,
    NameClassSeen,
    NameLookedUp,
    Observation,
    Side,
    Sighting,
    TalksCounted,
    TraitSeen,
    Via,
)
from appliance.sensor.agents import without_applications
from appliance.sensor.answers import Answers
from appliance.sensor.classes import name_class
from appliance.sensor.facts import AnswerHeard, Fact, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.home import Home
from appliance.sensor.lookups import led_to, looked_up
from appliance.sensor.signals.desk import Desk
from appliance.sensor.table import AgedTable
from appliance.sensor.traits_of import Seen, traits_of
from appliance.traits import Trait

SIGHTING_SECONDS = 10.0
"""A (mac, ip, via, side) is said again after this much packet time."""
MAX_SIGHTINGS = 4096
REPEAT_SECONDS = 1.0
"""A (mac, name, how) is said again after this: the questions for A, AAAA and HTTPS are one look-up."""
CLASS_SECONDS = 10.0
"""A (mac, class) is said again after this."""
MAX_REPEATS = 4096
TRAIT_SECONDS = 600.0
"""A (mac, trait, value) is said again after this: how a device speaks changes seldom."""
MAX_TRAITS = 16384
MAX_VALUES = 64
"""Values of one trait of a device said in `TRAIT_SECONDS`; one that invents values is not heard out."""
MAX_KINDS = 8192
"""Traits of devices whose values are counted."""

_Key = TypeVar("_Key")
_AGENTS = frozenset({Trait.HTTP_USER_AGENT, Trait.SSDP_AGENT})
_NOBODY = "00:00:00:00:00:00"


class _Values(NamedTuple):
    """How many values of a trait of a device were said since when."""

    since: float
    said: int


class Observer:
    """Decides what of a fact leaves this process."""

    def __init__(self, home: Home | None = None) -> None:
        """Tell the household's own addresses by `home`; without, only private ones are known for such."""
        self._answers = Answers()
        self._desk = Desk(home or Home())
        self._mask: frozenset[str] = frozenset()
        self._watched: frozenset[str] = frozenset()
        self._generation = 0
        self._until = float("-inf")
        self._sightings: AgedTable[tuple[str, str | None, Via, Side], float] = AgedTable(
            bound=MAX_SIGHTINGS, age=SIGHTING_SECONDS
        )
        self._names: AgedTable[tuple[str, str, How], float] = AgedTable(bound=MAX_REPEATS, age=REPEAT_SECONDS)
        self._classes: AgedTable[tuple[str, str], float] = AgedTable(bound=MAX_REPEATS, age=CLASS_SECONDS)
        self._traits: AgedTable[Seen, float] = AgedTable(bound=MAX_TRAITS, age=TRAIT_SECONDS)
        self._values: AgedTable[tuple[str, Trait], _Values] = AgedTable(bound=MAX_KINDS, age=TRAIT_SECONDS)
        self._unsaid = 0

    @property
    def overflow(self) -> int:
        """What went over a bound.

        Entries of the repeat tables pushed out early: what they stood for may be said again too soon. And
        values of traits over `MAX_VALUES`; questions that did not wait for their answer; and as `desk` says.
        """
        tables = (self._sightings, self._names, self._classes, self._traits, self._values)
        return sum(table.overflow for table in tables) + self._unsaid + self._answers.overflow + self._desk.overflow

    @property
    def unasked(self) -> int:
        """Answers of the DNS that pair with no question: nothing is read from them."""
        return self._answers.unasked

    def set_mask(self, mask: CollectionMask, monotonic: float) -> None:
        """Take a mask in place of the one before. It lapses `mask.lease` seconds after `monotonic`."""
        if mask.generation != self._generation:
            self._names.clear()
            self.forget_traits()
        self._mask = frozenset(mask.names)
        self._watched = self._mask | frozenset(mask.signs)
        self._generation = mask.generation
        self._until = monotonic + mask.lease
        self._desk.set_mask(mask, monotonic)

    def forget(self) -> None:
        """Say all traits and signals again when they are next seen: the keeper is another."""
        self.forget_traits()
        self._desk.forget()

    def forget_traits(self) -> None:
        """Say all traits again when they are next seen: the keeper may now keep more."""
        self._traits.clear()
        self._values.clear()

    def missed(self, ts: float) -> None:
        """Frames of the DNS were lost before they came here."""
        self._desk.missed(ts)

    def take(self, fact: Fact, monotonic: float) -> list[Observation]:
        """What the keeper is told of a fact; `monotonic` is of the clock that `set_mask` was given."""
        answer = self._answers.take(fact, is_watched=fact.mac in self._watched)
        said = self._heard(fact, monotonic)
        if answer is not None:
            said += self._desk.take(answer, monotonic)
            said += self._answered(answer, monotonic)
        return said

    def counted(self, counted: TalksCounted, monotonic: float) -> list[Observation]:
        """What the keeper is told because of counts of octets."""
        return self._desk.counted(counted, monotonic)

    def tick(self, ts: float, monotonic: float) -> list[Observation]:
        """What the keeper is told because packet time passed; needed where no frame comes."""
        return self._desk.tick(ts, monotonic)

    def _heard(self, fact: Fact, monotonic: float) -> list[Observation]:
        mac = fact.mac
        # Group addresses (the I/G bit, IEEE 802 clause 8.2) and zero are never a sender's own.
        if mac is None or int(mac[1], 16) & 1 or mac == _NOBODY:
            return []
        if fact.tap is Tap.WAN:
            return self._sighting(fact, mac, Side.WAN) + self._desk.take(fact, monotonic)
        said = self._sighting(fact, mac, Side.LAN)
        for speaker, trait, value in traits_of(fact):
            text = value
            if trait in _AGENTS and not self._may_name(mac, monotonic):
                text = without_applications(value)
                if value and not text:
                    continue
            if not self._is_said((speaker, trait, text), mac, fact.ts):
                said.append(TraitSeen(ts=fact.ts, mac=speaker, trait=trait, value=text))
        if isinstance(fact, MessageHeard):
            for name, how in looked_up(fact):
                said += self._name(fact, mac, name, how, monotonic)
        said += self._desk.take(fact, monotonic)
        return said

    def _answered(self, answer: AnswerHeard, monotonic: float) -> list[Observation]:
        """Names that an answer led to; their classes are of no use, since the question had its own."""
        mac = answer.mac
        if mac is None or not self._may_name(mac, monotonic):
            return []
        return [
            NameLookedUp(
                ts=answer.ts,
                mac=mac,
                name=name,
                how=How.ANSWER,
                generation=self._generation,
                server=answer.dst,
                asked=asked,
            )
            for name, asked in led_to(answer)
            if not _lately(self._names, (mac, name, How.ANSWER), answer.ts)
        ]

    def _may_name(self, mac: str, monotonic: float) -> bool:
        """Whether what this device's user does may leave by name."""
        return monotonic < self._until and mac in self._mask

    def _is_said(self, seen: Seen, sender: str, ts: float) -> bool:
        """Whether this was said lately, or as many others of its kind were; if not, it counts as said now.

        Counted for who sent it: on Wi-Fi nobody chooses that address, but whose words it passes on anybody may invent.
        """
        if self._traits.get(seen, ts) is not None:
            return True
        kind = (sender, seen[1])
        values = self._values.get(kind, ts)
        if values is None or not 0 <= ts - values.since <= TRAIT_SECONDS:
            values = _Values(ts, 0)
        if values.said >= MAX_VALUES:
            self._unsaid += 1
            return True
        self._values.put(kind, _Values(values.since, values.said + 1), ts)
        self._traits.put(seen, ts, ts)
        return False

    def _sighting(self, fact: Fact, mac: str, side: Side) -> list[Observation]:
        key = (mac, fact.src, fact.via, side)
        if _lately(self._sightings, key, fact.ts):
            return []
        return [Sighting(ts=fact.ts, mac=mac, via=fact.via, side=side, ip=fact.src)]

    def _name(self, fact: MessageHeard, mac: str, name: str, how: How, monotonic: float) -> list[Observation]:
        if self._may_name(mac, monotonic):
            if _lately(self._names, (mac, name, how), fact.ts):
                return []
            return [NameLookedUp(ts=fact.ts, mac=mac, name=name, how=how, generation=self._generation, server=fact.dst)]
        found = name_class(name)
        if found is None or _lately(self._classes, (mac, found), fact.ts):
            return []
        return [NameClassSeen(ts=fact.ts, mac=mac, name_class=found)]


def _lately(table: AgedTable[_Key, float], key: _Key, ts: float) -> bool:
    """Whether `key` was said within the table's age; if not, it counts as said now."""
    if table.get(key, ts) is not None:
        return True
    table.put(key, ts, ts)
    return False
