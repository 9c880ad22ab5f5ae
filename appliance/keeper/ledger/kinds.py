"""What a payload that is put in the outbox is in the ledger: its kind, its data class, and whom it is about (R68).

Pure: payloads in, filing out. What merely repeats is not filed: a device that only is still there goes into the
hour's record (`hourly`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.keeper.ledger.book import BOX
from wire.authority import DataClass
from wire.base import Payload
from wire.box import Arrangements
from wire.findings import Finding
from wire.household import HouseholdRequest, Notice
from wire.ledger import RecordKind
from wire.models import CommandResult, Device, Proposal, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """How a payload goes into the ledger."""

    kind: RecordKind
    data_class: str = BOX
    device_ids: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()


def filing(  # noqa: PLR0911 - one return a payload reads best
    payload: Payload, macs_of: Callable[[str], tuple[str, ...]]
) -> Filing | None:
    """How it is filed; None for what is no record, such as the ledger's own messages."""
    match payload:
        case Finding(device_id=None):
            return Filing(kind=RecordKind.FINDING)
        case Finding(device_id=str(device_id)):
            named = DataClass.SIGNS if payload.hit is None else DataClass.LIST_HITS
            return _about(RecordKind.FINDING, named, (device_id,), macs_of)
        case Device():
            macs = tuple(address.mac for address in payload.addresses)
            return Filing(
                kind=RecordKind.DEVICE,
                data_class=DataClass.FINGERPRINT.value,
                device_ids=(payload.device_id,),
                macs=macs,
            )
        case Session():
            return Filing(
                kind=RecordKind.SESSION,
                data_class=DataClass.PRESENCE.value,
                device_ids=(payload.device_id,),
                macs=(payload.mac,),
            )
        case Proposal():
            return _about(RecordKind.PROPOSAL, DataClass.FINGERPRINT, (payload.device_id, payload.other_id), macs_of)
        case CommandResult() | Arrangements():
            return Filing(kind=RecordKind.DECISION)
        case HouseholdRequest(device_id=None) | Notice():
            return Filing(kind=RecordKind.HOUSEHOLD)
        case HouseholdRequest(device_id=str(device_id)):
            return _about(RecordKind.HOUSEHOLD, DataClass.PRESENCE, (device_id,), macs_of)
        case _:
            return None


def _about(
    kind: RecordKind,
    data_class: DataClass,
    device_ids: tuple[str, ...],
    macs_of: Callable[[str], tuple[str, ...]],
) -> Filing:
    macs = tuple(mac for device_id in device_ids for mac in macs_of(device_id))
    return Filing(kind=kind, data_class=data_class.value, device_ids=device_ids, macs=macs)


def lasting(device: Device) -> Device:
    """A device without what changes while it merely is still there: two of these alike are one record."""
    addresses = tuple(address.model_copy(update={"last_seen": address.first_seen}) for address in device.addresses)
    return device.model_copy(
        update={"revision": 1, "last_seen": device.first_seen, "addresses": addresses, "visibility": None}
    )
