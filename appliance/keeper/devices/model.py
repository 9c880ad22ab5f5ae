"""A device as the box knows it: a set of hardware addresses. Frozen: a change is a new value.

An address that is made up (locally administered) never proves identity on its own (R47); how it came
to count as the device's is kept with it. Bounded: `MAX_ADDRESSES` a device, of which the latest
`TOLD` travel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from wire import models
from wire.base import Correction, Standing
from wire.models import JoinedBy, LooksLike, Presence, Visibility

MAX_ADDRESSES = 128
"""Of one device; the one longest not used is forgotten for a new one."""

TOLD = 32
"""Of them, how many travel: see `wire.models.Device`."""

KEPT_SECONDS = 24 * 3600.0
"""An address used again after so long is one that the device keeps."""


def is_locally_administered(mac: str) -> bool:
    """Whether a MAC was made up rather than given by a maker: bit 2 of its first octet (IEEE 802-2014 8.2.2)."""
    return bool(int(mac[:2], 16) & 0b10)


def is_group(mac: str) -> bool:
    """Whether a MAC names a group or nobody: no device sends from one (IEEE 802-2014 8.2.2)."""
    return bool(int(mac[:2], 16) & 0b1) or mac == "00:00:00:00:00:00"


def moment(seconds: float) -> datetime:
    """Unix seconds as an aware time, for the wire."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One hardware address and when it was used, Unix seconds."""

    mac: str
    first_seen: float
    last_seen: float
    joined_by: JoinedBy | None = None
    """How it came to count as the device's; None for the one the device was first known by."""
    key_id: str | None = None
    """The passphrase it joined with last, where that is known."""
    returned: bool = False
    """It was used again a day or more after it was first used."""

    @property
    def local(self) -> bool:
        """Whether it is a made-up one."""
        return is_locally_administered(self.mac)

    def seen(self, ts: float) -> Address:
        """The same address, seen at `ts`."""
        return replace(
            self,
            first_seen=min(self.first_seen, ts),
            last_seen=max(self.last_seen, ts),
            returned=self.returned or ts - self.first_seen >= KEPT_SECONDS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device; times are Unix seconds."""

    device_id: str
    revision: int
    """0 until it is first reported."""
    standing: Standing
    addresses: tuple[Address, ...]
    first_seen: float
    last_seen: float
    reported_at: float
    """When its state was last put in the outbox."""
    label: str | None = None
    """Given by an officer; evidence never overwrites it."""
    looks_like: LooksLike | None = None
    guest_until: float | None = None
    visit_ended: float | None = None
    """When a visit was over that no decision has followed yet."""
    quarantined: bool = False
    """Whether the warden said that it holds the device back."""
    correction: Correction | None = None
    """What a person said it is; evidence never overwrites it."""
    presence: Presence | None = None
    visibility: Visibility | None = None
    """Of the last day with any traffic; None where signs may not be kept."""
    merged_into: str | None = None
    """It counts as part of that device; it has no address of its own then."""

    @property
    def locally_administered(self) -> bool:
        """Whether every address of the device is a made-up one."""
        return all(address.local for address in self.addresses)

    @property
    def macs(self) -> tuple[str, ...]:
        """Its hardware addresses."""
        return tuple(address.mac for address in self.addresses)

    @property
    def on_the_register(self) -> bool:
        """Whether an officer has said what it is to the household, and let it be."""
        return self.standing not in {Standing.UNKNOWN, Standing.REFUSED}

    def address(self, mac: str) -> Address | None:
        """One of its addresses."""
        return next((address for address in self.addresses if address.mac == mac), None)

    def rotates(self) -> bool | None:
        """Whether it makes up a new address from time to time; None where that is not known yet.

        Made-up addresses used one after the other say so. Used beside each other, or again after a
        day, they are addresses that it keeps (as phones do, one for each network).
        """
        local = sorted(
            (address for address in self.addresses if address.local), key=lambda item: (item.first_seen, item.last_seen)
        )
        if len(local) > 1:
            return all(one.last_seen <= two.first_seen for one, two in pairwise(local))
        return False if local and local[0].returned else None

    def payload(self, *, key_id: str | None = None) -> models.Device:
        """The device as it travels; `key_id` is the passphrase that is its own."""
        rotating = self.rotates()
        latest = sorted(self.addresses, key=lambda address: address.last_seen)[-TOLD:]
        return models.Device(
            device_id=self.device_id,
            revision=self.revision,
            standing=self.standing,
            label=self.label,
            looks_like=self.looks_like,
            addresses=tuple(
                models.Address(
                    mac=address.mac,
                    locally_administered=address.local,
                    first_seen=moment(address.first_seen),
                    last_seen=moment(address.last_seen),
                    rotating=rotating if address.local else None,
                    joined_by=address.joined_by,
                )
                for address in sorted(latest, key=lambda address: address.first_seen)
            ),
            first_seen=moment(self.first_seen),
            last_seen=moment(self.last_seen),
            quarantined=self.quarantined,
            correction=self.correction,
            presence=self.presence,
            merged_into=self.merged_into,
            key_id=key_id,
            visibility=self.visibility,
        )
