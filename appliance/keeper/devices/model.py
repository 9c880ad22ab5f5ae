"""A device as the box knows it. Frozen: a change is a new value with a higher revision.

One hardware address is one device for now; `addresses` is a list so that a confirmed merge can
join several later. A locally administered address never proves identity on its own (R47).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from wire import models
from wire.base import Standing
from wire.models import LooksLike

MAX_ADDRESSES = 32


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device; times are Unix seconds."""

    device_id: str
    revision: int
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
    quarantined: bool = False
    """Whether the warden said that it holds the device back."""

    @property
    def locally_administered(self) -> bool:
        """Whether every address of the device is a made-up one."""
        return all(is_locally_administered(address.mac) for address in self.addresses)

    def payload(self) -> models.Device:
        """The device as it travels."""
        return models.Device(
            device_id=self.device_id,
            revision=self.revision,
            standing=self.standing,
            label=self.label,
            looks_like=self.looks_like,
            addresses=tuple(
                models.Address(
                    mac=address.mac,
                    locally_administered=is_locally_administered(address.mac),
                    first_seen=moment(address.first_seen),
                    last_seen=moment(address.last_seen),
                )
                for address in self.addresses[:MAX_ADDRESSES]
            ),
            first_seen=moment(self.first_seen),
            last_seen=moment(self.last_seen),
            quarantined=self.quarantined,
        )
