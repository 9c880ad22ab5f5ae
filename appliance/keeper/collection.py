"""Of whom names may be collected, and who is held back: the mask of the sensor, the order to the warden.

In: the scope in force and the devices. Out: `CollectionMask` and `Enforcement`, each with a generation
that never means two states, also across restarts. Both follow all addresses of a device. Callers hold
the store's transaction. Bounded: `MAX_MASKED` addresses each; the devices seen last go first, and what
is cut off is counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device
from appliance.keeper.devices.registry import Registry
from appliance.keeper.minimise import Leave
from appliance.keeper.store.database import Store
from appliance.messages import MAX_MASKED, CollectionMask, Enforcement
from wire.authority import DataClass
from wire.base import Standing

MASK_LEASE = 30.0


class Collection:
    """The mask and the order in force."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._settled: tuple[object, int] | None = None
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

    def settle(self, scope: Scope | None, registry: Registry, changed: int) -> tuple[bool, bool]:
        """Bring both in line with scope and registry; whether mask and enforcement are new."""
        key = (None if scope is None else scope.authority, changed)
        if key == self._settled:
            return False, False
        self._settled = key
        named: list[Device] = []
        signed: list[Device] = []
        network = False
        held: list[Device] = []
        if scope is not None:
            # Asked once a standing, not once a device: there may be thousands.
            may_name = {standing for standing in Standing if scope.names_leave(standing)}
            may_sign = {standing for standing in Standing if DataClass.SIGNS in scope.classes(standing)}
            network = Standing.UNKNOWN in may_sign
            may_hold = {standing for standing in Standing if scope.quarantine(standing) is not None}
            named = [device for device in registry if device.standing in may_name]
            signed = [device for device in registry if device.standing in may_sign]
            held = [device for device in registry if device.standing in may_hold]
        macs, sign_macs, held_macs = _macs(named), _macs(signed), _macs(held)
        self.cut = sum(max(len(found) - MAX_MASKED, 0) for found in (macs, sign_macs, held_macs))
        mask = self._settle_mask(macs[:MAX_MASKED], sign_macs[:MAX_MASKED], network=network)
        return mask, self._settle_enforcement(tuple(sorted(held_macs[:MAX_MASKED])))

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

    def _settle_enforcement(self, held: tuple[str, ...]) -> bool:
        if held == self.enforcement.quarantined:
            return False
        self.enforcement = Enforcement(generation=self.enforcement.generation + 1, quarantined=held)
        self._store.set("enforcement_generation", str(self.enforcement.generation))
        return True


def _macs(devices: list[Device]) -> list[str]:
    """All addresses, of the devices seen last first."""
    return [mac for device in sorted(devices, key=lambda device: -device.last_seen) for mac in device.macs]
