"""Puts devices on the register of a box that took another's place, as the dashboard knew them (N15).

In: a `RestoreDevices` that officers' dashboard gave, with an authority in force. Out: devices with their old ids and
revisions that go on from the old ones; None, or why nothing was done: all of an order or none of it. A box that
already has devices of its own on the register is left alone; what it saw meanwhile of a restored address, without
anybody having said whose it is, becomes the restored device's.
Bounded: `MAX_RESTORED_IDS` devices were ever restored; the register and the mask have bounds of their own.
"""

from __future__ import annotations

import json

from appliance.keeper.authority import Scope
from appliance.keeper.book import Book
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.devices.registry import MAX_DEVICES
from appliance.keeper.law.acts import Acts, Given
from appliance.keeper.store.database import Store
from appliance.messages import MAX_MASKED
from wire.acts import Restored, RestoreDevices
from wire.base import Correction, Standing
from wire.orders import BindPassphrase

MAX_RESTORED_IDS = 1024
_KEPT = "restored_devices"
_BECAUSE = "The device is known from before the box was replaced."
_NO_AUTHORITY = "No authority is in force at the box, so nothing about devices may be changed."
_NOT_EMPTY = "The box has devices of its own on its register already."
_TWICE = "Two of the devices have one address."
_FULL = "The box's register has no room for as many devices."


class Restoring:
    """One box's restoring."""

    def __init__(self, store: Store, book: Book, acts: Acts) -> None:
        self._store = store
        self._book = book
        acts.on(RestoreDevices, self.follow)

    def follow(self, order: RestoreDevices, given: Given) -> str | None:
        """Put these devices on the register; devices that are there from the same restoring are left as they are."""
        scope = given.scope
        if scope is None:
            return _NO_AUTHORITY
        restored = self._restored()
        registry = self._book.registry
        if any(device.on_the_register and device.device_id not in restored for device in registry):
            return _NOT_EMPTY
        fresh = [item for item in order.devices if item.device_id not in restored]
        refusal = self._refused(fresh, restored, scope)
        if refusal is not None:
            return refusal
        for item in fresh:
            self._take(item, scope, given.at)
        ids = [*restored, *(item.device_id for item in fresh)]
        self._store.set(_KEPT, json.dumps(ids))
        return None

    def _restored(self) -> list[str]:
        return list(json.loads(self._store.get(_KEPT) or "[]"))

    def _refused(self, fresh: list[Restored], restored: list[str], scope: Scope) -> str | None:
        registry = self._book.registry
        macs = [mac for item in fresh for mac in item.macs]
        if len(set(macs)) < len(macs) or len({item.device_id for item in fresh}) < len(fresh):
            return _TWICE
        for mac in macs:
            owner = registry.by_mac(mac)
            if owner is not None and owner.device_id in restored:
                return _TWICE
        if len(restored) + len(fresh) > MAX_RESTORED_IDS or len(registry) + len(fresh) > MAX_DEVICES:
            return _FULL
        named = sum(len(device.addresses) for device in registry if scope.names_leave(device.standing))
        more = sum(len(item.macs) for item in fresh if scope.names_leave(item.standing))
        if named + more > MAX_MASKED:
            return f"The box can keep names of {MAX_MASKED} addresses at most."
        return None

    def _take(self, item: Restored, scope: Scope, at: float) -> None:
        registry = self._book.registry
        seen: dict[str, Address] = {}
        for mac in item.macs:
            while (owner := registry.by_mac(mac)) is not None:
                address = owner.address(mac)
                if address is not None:
                    seen[mac] = address
                self._book.forget(owner, _BECAUSE, at)
        first, last = item.first_seen.timestamp(), item.last_seen.timestamp()
        addresses = tuple(
            Address(
                mac=mac,
                first_seen=min(first, seen[mac].first_seen) if mac in seen else first,
                last_seen=max(last, seen[mac].last_seen) if mac in seen else last,
                key_id=seen[mac].key_id if mac in seen else None,
                returned=mac in seen,
            )
            for mac in item.macs
        )
        guest_until = None if item.guest_until is None else item.guest_until.timestamp()
        over = item.standing is Standing.GUEST and (guest_until is None or guest_until <= at)
        device = Device(
            device_id=item.device_id,
            revision=item.revision,
            standing=Standing.UNKNOWN if over else item.standing,
            addresses=addresses,
            first_seen=min(address.first_seen for address in addresses),
            last_seen=max(address.last_seen for address in addresses),
            reported_at=0.0,
            label=item.label,
            guest_until=None if over else guest_until,
            visit_ended=guest_until if over else None,
        )
        self._book.restore(device, _said(item), scope=scope, at=at)
        if item.key_id is not None:
            self._bind(item.key_id, item.device_id, at)

    def _bind(self, key_id: str, device_id: str, at: float) -> None:
        # Where the passphrase cannot be bound any more, an officer sees it when it is used.
        self._book.keys.bind(BindPassphrase(key_id=key_id, purpose="device", device_id=device_id), at)


def _said(item: Restored) -> Correction | None:
    said = item.correction
    return said if said is not None and any(value is not None for value in said.model_dump().values()) else None
