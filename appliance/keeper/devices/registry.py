"""The devices the box knows, by id and by hardware address; in memory, the store keeps the same.

Bounded: `MAX_DEVICES`. Devices that an officer gave a standing are pinned; one that counts as part
of another goes when that one does.
When the table is full, an unknown device not seen for `STALE_SECONDS` makes room for a new one; is
there none, the new one is refused and counted in `overflow`. So a device that keeps inventing
addresses cannot push anybody out, and what it costs shows. Each question but `stale` and `latest`
costs the same however many devices there are.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from appliance.keeper.devices.model import Address, Device
from wire.base import Standing

MAX_DEVICES = 4096
STALE_SECONDS = 24 * 3600.0
LOOK_SECONDS = 60.0
"""A full table in which nobody may make room is looked through again only after this long."""


class Registry:
    """Table of devices."""

    def __init__(self, devices: Iterable[Device] = (), *, new_id: Callable[[], str], limit: int = MAX_DEVICES) -> None:
        """`new_id` gives an opaque id never given before, such as `d-` and ten base32 characters."""
        self._by_id: dict[str, Device] = {}
        self._by_mac: dict[str, str] = {}
        self._new_id = new_id
        self._limit = limit
        self._stale_due = float("-inf")
        self.overflow = 0
        """New devices refused because the table was full."""
        for device in devices:
            self.put(device)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Device]:
        return iter(tuple(self._by_id.values()))

    @property
    def full(self) -> bool:
        """Whether a new device would need room to be made."""
        return len(self._by_id) >= self._limit

    def by_id(self, device_id: str) -> Device | None:
        """The device of this id, also where it counts as part of another."""
        return self._by_id.get(device_id)

    def by_mac(self, mac: str) -> Device | None:
        """The device that uses this hardware address."""
        device_id = self._by_mac.get(mac)
        return self._by_id[device_id] if device_id is not None else None

    def put(self, device: Device) -> None:
        """Add a device, or put its new value in place of the old. An address of another becomes this one's."""
        old = self._by_id.get(device.device_id)
        self._by_id[device.device_id] = device
        if old is not None:
            if old.addresses == device.addresses:
                return
            for address in old.addresses:
                if self._by_mac.get(address.mac) == device.device_id:
                    del self._by_mac[address.mac]
        for address in device.addresses:
            self._by_mac[address.mac] = device.device_id

    def remove(self, device: Device) -> None:
        """Forget a device."""
        del self._by_id[device.device_id]
        for address in device.addresses:
            if self._by_mac.get(address.mac) == device.device_id:
                del self._by_mac[address.mac]

    def latest(self, wanted: Callable[[Device], bool], *, most: int) -> list[Device]:
        """The devices seen last of those that are wanted; what an officer gave a standing goes first."""
        return heapq.nlargest(
            most,
            (device for device in self._by_id.values() if wanted(device)),
            key=lambda device: (device.standing is not Standing.UNKNOWN, device.last_seen),
        )

    def stale(self, now: float) -> Device | None:
        """With the table full, the unknown device that may make room: the one longest not seen."""
        if not self.full or now < self._stale_due:
            return None
        candidates = (
            device
            for device in self._by_id.values()
            if device.standing is Standing.UNKNOWN
            and device.last_seen < now - STALE_SECONDS
            and device.merged_into is None
        )
        found = min(candidates, key=lambda device: device.last_seen, default=None)
        self._stale_due = now + LOOK_SECONDS if found is None else now
        return found

    def create(self, mac: str, ts: float) -> Device | None:
        """A new unknown device, not yet in the table; None (and counted) when the table is full."""
        if self.full:
            self.overflow += 1
            return None
        return self.made(Address(mac=mac, first_seen=ts, last_seen=ts))

    def made(self, address: Address) -> Device:
        """A device of one address under a new id, not yet in the table and whatever its bound."""
        return Device(
            device_id=self._new_id(),
            revision=0,  # the first report makes it 1
            standing=Standing.UNKNOWN,
            addresses=(replace(address, joined_by=None),),
            first_seen=address.first_seen,
            last_seen=address.last_seen,
            reported_at=0.0,
        )
