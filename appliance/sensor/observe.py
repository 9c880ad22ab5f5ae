"""From facts to observations: the last place where a looked-up name may be seen.

Enters: facts, and the keeper's collection mask. Leaves: messages to the keeper. A looked-up name
(DNS question, SNI) leaves only for a MAC that an unlapsed mask names, with that mask's generation;
for all others at most its closed class. What a device announces of itself is not a looked-up name.
Bounded: `MAX_SIGHTINGS` sightings and `MAX_REPEATS` names remembered so as not to say them again.
"""

from __future__ import annotations

from typing import TypeVar

from appliance.messages import (
    CollectionMask,
    How,
    NameClassSeen,
    NameLookedUp,
    Observation,
    Side,
    Sighting,
    TraitSeen,
    Via,
)
from appliance.sensor.classes import name_class
from appliance.sensor.facts import Fact, Kind, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.packet import dhcp4, dns, tls
from appliance.sensor.table import AgedTable
from appliance.traits import MAX_VALUE, Trait

SIGHTING_SECONDS = 10.0
"""A (mac, ip, via, side) is said again after this much packet time."""
MAX_SIGHTINGS = 4096
REPEAT_SECONDS = 1.0
"""A (mac, name, how) is said again after this: the questions for A, AAAA and HTTPS are one look-up."""
CLASS_SECONDS = 10.0
"""A (mac, class) is said again after this."""
MAX_REPEATS = 4096

_Key = TypeVar("_Key")
_HELLOS = {Kind.TLS_CLIENT_HELLO: How.TLS, Kind.QUIC_CLIENT_HELLO: How.QUIC}
_NOBODY = "00:00:00:00:00:00"


class Observer:
    """Decides what of a fact leaves this process."""

    def __init__(self) -> None:
        self._mask: frozenset[str] = frozenset()
        self._generation = 0
        self._until = float("-inf")
        self._sightings: AgedTable[tuple[str, str | None, Via, Side], float] = AgedTable(
            bound=MAX_SIGHTINGS, age=SIGHTING_SECONDS
        )
        self._names: AgedTable[tuple[str, str, How], float] = AgedTable(bound=MAX_REPEATS, age=REPEAT_SECONDS)
        self._classes: AgedTable[tuple[str, str], float] = AgedTable(bound=MAX_REPEATS, age=CLASS_SECONDS)

    @property
    def overflow(self) -> int:
        """Entries of the repeat tables pushed out early: what they stood for may be said again too soon."""
        return self._sightings.overflow + self._names.overflow + self._classes.overflow

    def set_mask(self, mask: CollectionMask, monotonic: float) -> None:
        """Take a mask in place of the one before. It lapses `mask.lease` seconds after `monotonic`."""
        if mask.generation != self._generation:
            self._names.clear()
        self._mask = frozenset(mask.names)
        self._generation = mask.generation
        self._until = monotonic + mask.lease

    def take(self, fact: Fact, monotonic: float) -> list[Observation]:
        """What the keeper is told of a fact; `monotonic` is of the clock that `set_mask` was given."""
        mac = fact.mac
        # Group addresses (the I/G bit, IEEE 802 clause 8.2) and zero are never a sender's own.
        if mac is None or int(mac[1], 16) & 1 or mac == _NOBODY:
            return []
        if fact.tap is Tap.WAN:
            return self._sighting(fact, mac, Side.WAN)
        said = self._sighting(fact, mac, Side.LAN)
        if not isinstance(fact, MessageHeard):
            return said
        parsed = fact.message
        if isinstance(parsed, dhcp4.Message):
            said += _announcement(fact, mac, parsed)
        elif isinstance(parsed, tls.ClientHello):
            if sni := parsed.sni:
                said += self._name(fact, mac, sni, _HELLOS[fact.kind], monotonic)
        elif fact.kind is Kind.DNS and isinstance(parsed, dns.Message) and not parsed.response:
            for question in parsed.questions:
                if question.name:
                    said += self._name(fact, mac, question.name, How.DNS, monotonic)
        return said

    def _sighting(self, fact: Fact, mac: str, side: Side) -> list[Observation]:
        key = (mac, fact.src, fact.via, side)
        if _lately(self._sightings, key, fact.ts):
            return []
        return [Sighting(ts=fact.ts, mac=mac, via=fact.via, side=side, ip=fact.src)]

    def _name(self, fact: MessageHeard, mac: str, name: str, how: How, monotonic: float) -> list[Observation]:
        if monotonic < self._until and mac in self._mask:
            if _lately(self._names, (mac, name, how), fact.ts):
                return []
            return [NameLookedUp(ts=fact.ts, mac=mac, name=name, how=how, generation=self._generation, server=fact.dst)]
        found = name_class(name)
        if found is None or _lately(self._classes, (mac, found), fact.ts):
            return []
        return [NameClassSeen(ts=fact.ts, mac=mac, name_class=found)]


def _announcement(fact: MessageHeard, mac: str, message: dhcp4.Message) -> list[Observation]:
    if not message.from_client:
        return []
    # A repeater may send for a device behind it: the message speaks of chaddr (RFC 2131 section 2).
    mac = _unicast(message.client_mac) or mac
    values = {
        Trait.DHCP4_PARAMETERS: ",".join(map(str, message.parameters)),
        Trait.DHCP4_VENDOR_CLASS: message.vendor_class,
        Trait.DHCP4_HOST_NAME: message.host_name,
        Trait.DHCP4_CLIENT_ID: message.client_id,
    }
    return [
        TraitSeen(ts=fact.ts, mac=mac, trait=trait, value=value[:MAX_VALUE]) for trait, value in values.items() if value
    ]


def _unicast(address: bytes | None) -> str | None:
    return address.hex(":") if address and not address[0] & 1 and any(address) else None


def _lately(table: AgedTable[_Key, float], key: _Key, ts: float) -> bool:
    """Whether `key` was said within the table's age; if not, it counts as said now."""
    if table.get(key, ts) is not None:
        return True
    table.put(key, ts, ts)
    return False
