"""The devices the box knows, by id and by hardware address; in memory, the store keeps the same.

Bounded: `MAX_DEVICES`. Devices that an officer gave a standing are pinned. When the table is full,
an unknown device not seen for `STALE_SECONDS` makes room for a new one; is there none, the new one
is refused and counted in `overflow`. So a device that keeps inventing addresses cannot push
anybody out, and what it costs shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from appliance.keeper.devices.model import Address, Device
from wire.base import Standing

MAX_DEVICES = 4096
STALE_SECONDS = 24 * 3600.0


class Registry:
    """Table of devices."""

    def __init__(self, devices: Iterable[Device] = (), *, new_id: Callable[[], str], limit: int = MAX_DEVICES) -> None:
        """`new_id` gives an opaque id never given before, such as `d-` and ten base32 characters."""
        self._by_id: dict[str, Device] = {}
        self._by_mac: dict[str, str] = {}
        self._new_id = new_id
        self._limit = limit
        self.overflow = 0
        """New devices refused because the table was full."""
        for device in devices:
            self.put(device)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Device]:
        return iter(tuple(self._by_id.values()))

    def by_id(self, device_id: str) -> Device | None:
        """The device of this id."""
        return self._by_id.get(device_id)

    def by_mac(self, mac: str) -> Device | None:
        """The device that uses this hardware address."""
        device_id = self._by_mac.get(mac)
        return self._by_id[device_id] if device_id is not None else None

    def put(self, device: Device) -> None:
        """Add a device, or put its new value in place of the old."""
        self._by_id[device.device_id] = device
        for address in device.addresses:
            self._by_mac[address.mac] = device.device_id

    def remove(self, device: Device) -> None:
        """Forget a device."""
        del self._by_id[device.device_id]
        for address in device.addresses:
            del self._by_mac[address.mac]

    def stale(self, now: float) -> Device | None:
        """With the table full, the unknown device that may make room: the one longest not seen."""
        if len(self._by_id) < self._limit:
            return None
        candidates = (
            device
            for device in self._by_id.values()
            if device.standing is Standing.UNKNOWN and device.last_seen < now - STALE_SECONDS
        )
        return min(candidates, key=lambda device: device.last_seen, default=None)

    def create(self, mac: str, ts: float) -> Device | None:
        """A new unknown device, not yet in the table; None (and counted) when the table is full."""
        if len(self._by_id) >= self._limit:
            self.overflow += 1
            return None
        return Device(
            device_id=self._new_id(),
            revision=0,  # the first report makes it 1
            standing=Standing.UNKNOWN,
            addresses=(Address(mac=mac, first_seen=ts, last_seen=ts),),
            first_seen=ts,
            last_seen=ts,
            reported_at=0.0,
        )
