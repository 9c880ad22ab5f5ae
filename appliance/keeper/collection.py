"""Of whom names may be collected, and who is held back: the mask of the sensor, the order to the warden.

In: the scope in force and the devices. Out: `CollectionMask` and `Enforcement`, each with a generation
that never means two states, also across restarts. Both follow all addresses of a device. Callers hold
the store's transaction. Bounded: `MAX_MASKED` addresses each; devices on the register and those seen last have
room first, and what is cut off is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device
from appliance.keeper.devices.registry import Registry
from appliance.keeper.filtering import NO_FILTERS, Filters
from appliance.keeper.minimise import Leave
from appliance.keeper.store.database import Store
from appliance.messages import MAX_MASKED, CollectionMask, Enforcement, Filter
from wire.authority import DataClass
from wire.base import Standing

MASK_LEASE = 30.0
NOBODY: Mapping[str, Scope] = MappingProxyType({})
"""All masks are on."""


class Collection:
    """The mask and the order in force."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._settled: tuple[object, ...] | None = None
        self.mask: dict[str, int] = store.mask()
        """MACs whose names may leave the sensor, each with the generation that first said so."""
        self.signs: dict[str, int] = {}
        """MACs whose signals and activity may leave it; not kept over a restart, which begins a new generation."""
        self.network: int | None = None
        """Since which generation signals about the network itself may leave it."""
        self.generation = int(store.get("mask_generation") or "0")
        generation = int(store.get("enforcement_generation") or "0") + 1
        with store.transaction():
            store.set("enforcement_generation", str(generation))
        self.enforcement = Enforcement(generation=generation, quarantined=())
        self.cut = 0
        """Addresses that found no room."""

    def settle(
        self,
        scope: Scope | None,
        registry: Registry,
        changed: int,
        filters: Filters = NO_FILTERS,
        opened: Mapping[str, Scope] = NOBODY,
        *,
        heard: Scope | None = None,
    ) -> tuple[bool, bool]:
        """Bring both in line with scope, registry and filters; whether mask and enforcement are new.

        `opened` is the scope of each device whose mask is off, by its id; `heard` what the mask goes by, where that
        is not what is in force.
        """
        heard = heard or scope
        authorities = [None if each is None else each.authority for each in (scope, heard)]
        key = (*authorities, changed, filters, tuple(opened.items()))
        if key == self._settled:
            return False, False
        self._settled = key
        named: list[Device] = []
        signed: list[Device] = []
        network = False
        held: list[Device] = []
        closed: list[Device] = []
        filtered: dict[int, list[Device]] = {}
        # Asked once a standing, not once a device: there may be thousands.
        if heard is not None:
            may_name = {standing for standing in Standing if heard.names_leave(standing)}
            may_sign = {standing for standing in Standing if DataClass.SIGNS in heard.classes(standing)}
            network = Standing.UNKNOWN in may_sign
            named = [
                device
                for device in registry
                if device.standing in may_name
                or ((own := opened.get(device.device_id)) is not None and own.names_leave(device.standing))
            ]
            signed = [device for device in registry if device.standing in may_sign]
        if scope is not None:
            may_hold = {standing for standing in Standing if scope.quarantine(standing) is not None}
            stays_held = {standing for standing in may_hold if scope.quarantine_closed(standing)}
            held = [device for device in registry if device.standing in may_hold]
            closed = [device for device in held if device.standing in stays_held]
            for device in registry if filters.numbers else ():
                number = filters.numbers.get(device.standing)
                if number is not None and filters.in_force(number):
                    filtered.setdefault(number, []).append(device)
        macs, sign_macs, held_macs = _macs(named), _macs(signed), _macs(held)
        self.cut = sum(max(len(found) - MAX_MASKED, 0) for found in (macs, sign_macs, held_macs))
        filter_macs: dict[int, list[str]] = {}
        room = MAX_MASKED
        for number, devices in sorted(filtered.items()):
            found = _macs(devices)
            filter_macs[number] = sorted(found[:room])
            self.cut += max(len(found) - room, 0)
            room -= len(filter_macs[number])
        mask = self._settle_mask(macs[:MAX_MASKED], sign_macs[:MAX_MASKED], network=network)
        held_macs = sorted(held_macs[:MAX_MASKED])
        of_closed = set(_macs(closed))
        refused = dict(filters.refused)
        stays = any(mac in of_closed for mac in held_macs) or any(filter_macs.get(number) for number in filters.closed)
        order = Enforcement(
            generation=self.enforcement.generation,
            quarantined=tuple(held_macs),
            closed=tuple(mac for mac in held_macs if mac in of_closed),
            filters=tuple(
                Filter(number=number, macs=tuple(found), refused=refused.get(number, ()))
                for number, found in filter_macs.items()
            ),
            filtered_closed=tuple(
                mac for number, found in filter_macs.items() if number in filters.closed for mac in found
            ),
            known=tuple(sorted(_macs([device for device in registry if device.on_the_register])[:MAX_MASKED])),
            nearby=scope is not None and scope.nearby() is not None,
            ends=scope.authority.not_after.timestamp() if scope is not None and stays else None,
        )
        return mask, self._settle_enforcement(order)

    def message(self) -> CollectionMask:
        """The mask, for the sensor."""
        return CollectionMask(
            generation=self.generation,
            names=tuple(sorted(self.mask)),
            lease=MASK_LEASE,
            signs=tuple(sorted(self.signs)),
            network=self.network is not None,
        )

    @property
    def leave(self) -> Leave:
        """The mask, by which what comes from the sensor is judged."""
        return Leave(names=self.mask, signs=self.signs, network=self.network)

    def _settle_mask(self, named: Sequence[str], signed: Sequence[str], *, network: bool) -> bool:
        same_signs = set(signed) == set(self.signs) and network == (self.network is not None)
        if set(named) == set(self.mask) and same_signs:
            return False
        self.generation += 1
        self.mask = {mac: self.mask.get(mac, self.generation) for mac in named}
        self.signs = {mac: self.signs.get(mac, self.generation) for mac in signed}
        self.network = (self.network or self.generation) if network else None
        self._store.put_mask(self.mask, self.generation)
        return True

    def _settle_enforcement(self, order: Enforcement) -> bool:
        if order == self.enforcement:
            return False
        self.enforcement = msgspec.structs.replace(order, generation=order.generation + 1)
        self._store.set("enforcement_generation", str(self.enforcement.generation))
        return True


def _macs(devices: list[Device]) -> list[str]:
    """All addresses: of the devices on the register first, which nobody can make up, then of those seen last."""
    in_order = sorted(devices, key=lambda device: (not device.on_the_register, -device.last_seen))
    return [mac for device in in_order for mac in device.macs]
