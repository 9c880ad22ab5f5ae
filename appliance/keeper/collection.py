"""Of whom names may be collected, and who is held back: the mask of the sensor, the order to the warden.

In: the scope in force and the devices. Out: `CollectionMask` and `Enforcement`, each with a generation
that never means two states, also across restarts. Both follow all addresses of a device. Callers hold
the store's transaction. Bounded: `MAX_MASKED` addresses each; the devices seen last go first, and what
is cut off is counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.keeper.authority import Scope
from appliance.keeper.devices.registry import Registry
from appliance.keeper.store.database import Store
from appliance.messages import MAX_MASKED, CollectionMask, Enforcement

MASK_LEASE = 30.0


class Collection:
    """The mask and the order in force."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._settled: tuple[object, int] | None = None
        self.mask: dict[str, int] = store.mask()
        """MACs whose names may leave the sensor, each with the generation that first said so."""
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
        named: list[str] = []
        held: list[str] = []
        for device in sorted(registry, key=lambda device: -device.last_seen) if scope is not None else ():
            if scope is not None and scope.names_leave(device.standing):
                named.extend(device.macs)
            if scope is not None and scope.quarantine(device.standing) is not None:
                held.extend(device.macs)
        self.cut = max(len(named) - MAX_MASKED, 0) + max(len(held) - MAX_MASKED, 0)
        return self._settle_mask(named[:MAX_MASKED]), self._settle_enforcement(tuple(sorted(held[:MAX_MASKED])))

    def message(self) -> CollectionMask:
        """The mask, for the sensor."""
        return CollectionMask(generation=self.generation, names=tuple(sorted(self.mask)), lease=MASK_LEASE)

    def _settle_mask(self, named: Sequence[str]) -> bool:
        if set(named) == set(self.mask):
            return False
        self.generation += 1
        self.mask = {mac: self.mask.get(mac, self.generation) for mac in named}
        self._store.put_mask(self.mask, self.generation)
        return True

    def _settle_enforcement(self, held: tuple[str, ...]) -> bool:
        if held == self.enforcement.quarantined:
            return False
        self.enforcement = Enforcement(generation=self.enforcement.generation + 1, quarantined=held)
        self._store.set("enforcement_generation", str(self.enforcement.generation))
        return True
