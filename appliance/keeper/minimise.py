"""Cuts an observation down to what the authority allows for that device (R55, R56, R61).

In: an observation, the device's standing, the scope in force (or None). Out: what may be kept of
it, or None. Pure; everything the keeper stores about a device has passed here first.
Announced names (what a device calls itself) stay readable only for registered devices; of all
others a keyed hash is kept, so that the same device can be told again without its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from appliance.keeper.authority import Scope
from appliance.messages import (
    ActivitySeen,
    DeviceVolume,
    NameClassSeen,
    NameLookedUp,
    NeighbourChanged,
    Side,
    Sighting,
    SignalSeen,
    StationChanged,
    TraitSeen,
    Via,
)
from appliance.signals import NETWORK
from appliance.traits import Sort, Trait, sort
from wire.authority import DataClass
from wire.base import Standing

DeviceObservation = (
    Sighting
    | TraitSeen
    | NameLookedUp
    | NameClassSeen
    | SignalSeen
    | ActivitySeen
    | NeighbourChanged
    | StationChanged
    | DeviceVolume
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Since which generation of the collection mask what may leave the sensor."""

    names: Mapping[str, int] = field(default_factory=dict)
    """By MAC: looked-up names."""
    signs: Mapping[str, int] = field(default_factory=dict)
    """By MAC: signals and activity."""
    network: int | None = None
    """Signals about the network itself; None while they may not."""

    def lets_out(self, heard: NameLookedUp | SignalSeen | ActivitySeen) -> bool:
        """Whether the mask in force let this out; what an earlier one let out does not count any more."""
        if isinstance(heard, NameLookedUp):
            since = self.names.get(heard.mac)
        elif isinstance(heard, SignalSeen) and heard.signal in NETWORK:
            since = self.network
        else:
            since = self.signs.get(heard.mac)
        return since is not None and heard.generation >= since


_HEARD_BY = {
    "dhcp4": Via.DHCP,
    "dhcp6": Via.DHCP,
    "nd": Via.ND,
    "ip6": Via.ND,
    "mdns": Via.MDNS,
    "ssdp": Via.SSDP,
    "nbns": Via.NBNS,
    "llmnr": Via.LLMNR,
}
"""By the first word of a trait's name; all others are heard in connections."""

_NEEDED = {
    NameClassSeen: DataClass.SIGNS,
    SignalSeen: DataClass.SIGNS,
    ActivitySeen: DataClass.SIGNS,
    DeviceVolume: DataClass.VOLUMES,
}


def minimise(  # noqa: PLR0911 - one return a rule reads best
    observation: DeviceObservation, standing: Standing, scope: Scope | None, blind: Callable[[str], str]
) -> DeviceObservation | None:
    """What may be kept of `observation` for a device of `standing`; None when nothing may.

    `blind` is the keyed hash that stands in for the announced name of a device that is not registered.
    """
    if scope is None:
        return None
    if isinstance(observation, SignalSeen) and observation.signal in NETWORK:
        # Whoever sends it, it is about the network: the leave is that for devices nobody knows.
        standing = Standing.UNKNOWN
    classes = scope.classes(standing)
    if DataClass.PRESENCE not in classes:
        return None
    match observation:
        case Sighting(side=Side.WAN):
            return None  # heard upstream of the box: not a device of the household's own network
        case NameLookedUp():
            return observation if scope.names_leave(standing) else None
        case TraitSeen():
            return _trait(observation, standing, classes, blind)
        case SignalSeen() | ActivitySeen() if DataClass.SIGNS in classes:
            return observation if DataClass.VOLUMES in classes else _unmeasured(observation)
        case StationChanged(key_id=str()) if DataClass.FINGERPRINT not in classes:
            return msgspec.structs.replace(observation, key_id=None)
        case _:
            needed = _NEEDED.get(type(observation), DataClass.PRESENCE)
            return observation if needed in classes else None


def _trait(
    observation: TraitSeen, standing: Standing, classes: Mapping[DataClass, str], blind: Callable[[str], str]
) -> DeviceObservation:
    if DataClass.FINGERPRINT not in classes:
        return Sighting(ts=observation.ts, mac=observation.mac, via=heard_by(observation.trait))
    if standing is Standing.REGISTERED or sort(observation.trait) is Sort.HABIT:
        return observation
    return msgspec.structs.replace(observation, value=_blinded(observation.value, blind))


def heard_by(trait: Trait) -> Via:
    """In what kind of frame a trait is heard."""
    protocol = trait.value.split("-", maxsplit=1)[0]
    return _HEARD_BY.get(protocol, Via.FLOW)


def _unmeasured(observation: SignalSeen | ActivitySeen) -> SignalSeen | ActivitySeen:
    """Without how much was moved."""
    if isinstance(observation, SignalSeen):
        return msgspec.structs.replace(observation, octets=None)
    return msgspec.structs.replace(observation, octets=0, unnamed_octets=0)


def _blinded(text: str, blind: Callable[[str], str]) -> str:
    """Seen empty stays empty."""
    return blind(text) if text else text
