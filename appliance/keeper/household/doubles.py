"""Two addresses of one device there at once: then the one that the box itself had joined is another device.

A device that makes up a new address uses one at a time. Whoever has a device's passphrase, or copies a
number it shows, counts as that device while it is away; when it comes back, both are there. In: stays.
Out: the address joined last is taken out again, and with it the finding that it is not registered; where
a passphrase joined it, the finding that two use one. What a person joined stays joined: a person knows
of second sockets. Bounded: all devices are looked at once in `CHECK_SECONDS`.
"""

from __future__ import annotations

from itertools import combinations

from appliance.keeper.devices.model import Address, Device
from appliance.keeper.household.arrivals import Arrivals
from appliance.keeper.household.keys import Keys
from appliance.keeper.household.kin import Kin
from appliance.keeper.household.record import Record
from appliance.keeper.household.stays import Stays
from appliance.keeper.now import Now
from wire.models import JoinedBy

CHECK_SECONDS = 30.0


class Doubles:
    """Looks for devices that are there twice."""

    def __init__(self, record: Record, stays: Stays, arrivals: Arrivals, kin: Kin, keys: Keys) -> None:
        self._record = record
        self._stays = stays
        self._arrivals = arrivals
        self._kin = kin
        self._keys = keys
        self._due = float("-inf")

    def tick(self, now: Now) -> None:
        """Take out what was joined and is there beside the device."""
        if now.at < self._due:
            return
        self._due = now.at + CHECK_SECONDS
        for device in self._record.registry:
            if len(device.addresses) > 1 and (address := self._second(device)) is not None:
                self._part(device, address, now)

    def _second(self, device: Device) -> Address | None:
        """Of two addresses that are there at once, the one that was joined last, by the box itself."""
        there = [address for address in device.addresses if self._stays.began(address.mac) is not None]
        for one, two in combinations(there, 2):
            late = max(one, two, key=lambda address: self._since(device, address))
            # One that a maker gave may be a second socket: not made up, so not in place of the other.
            by_itself = late.joined_by is JoinedBy.KEY or (late.joined_by is JoinedBy.IDENTIFIER and late.local)
            if by_itself and self._stays.together((one.mac,), (two.mac,)):
                return late
        return None

    def _since(self, device: Device, address: Address) -> float:
        links = self._record.store.devices.links([address.mac])
        return max((link.since for link in links if link.device_id == device.device_id), default=address.first_seen)

    def _part(self, device: Device, address: Address, now: Now) -> None:
        if self._kin.split(device, [address.mac], scope=now.scope, at=now.at) is None:
            return
        other = self._record.registry.by_mac(address.mac)
        holder = self._record.registry.by_id(device.device_id)
        if other is None or holder is None:
            return
        if address.joined_by is JoinedBy.KEY and address.key_id is not None:
            self._keys.shared(other, holder, address.key_id, now)
        self._arrivals.unregistered(other, now)
