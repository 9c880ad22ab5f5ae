"""What can be read about devices: what is known of each, when it was at home, and which two may be one.

In: a call. Out: models. Every household comes through `desk.household_or_404`.
"""

from __future__ import annotations

from typing import Any

from flask import Response, abort
from sqlalchemy import select

from dashboard.api import models
from dashboard.api.frame import Call
from dashboard.api.listing import Declared, list_of, plain
from dashboard.api.models import Page, moment, moment_or_none
from dashboard.pages import sentences, words
from dashboard.pages.desk import audit_view, household_or_404, id_or_404
from dashboard.pages.rows import addresses
from dashboard.store import devices
from dashboard.store.schema import device, proposal, stay


def household_devices(call: Call) -> Page[models.Device] | Response:
    """Devices ever seen at a household."""
    return list_of(call, select(device), device.c.site, [device.c.device_id], _device, action="view-household")


def household_device(call: Call) -> models.Device:
    """One device."""
    with call.at_desk.reads.connect() as connection:
        home = household_or_404(connection, call.where["site"])
        query = select(device).where(device.c.site == home.site, device.c.device_id == id_or_404(call.where["device"]))
        row = connection.execute(query).mappings().one_or_none()
    if row is None:
        abort(404)
    audit_view("view-device", f"{home.site}/{row['device_id']}")
    return _device(dict(row))


def _device(row: dict[str, Any]) -> models.Device:
    like = sentences.looks(row["looks_like"])
    stored = devices.StoredDevice(**{name: row[name] for name in devices.StoredDevice.__slots__})
    return models.Device(
        site=row["site"],
        device=row["device_id"],
        standing=row["standing"],
        label=words.plain(row["label"] or "", 80),
        looks_like=words.plain(like.text) if like else "",
        confidence=like.confidence if like else None,
        quarantined=row["quarantined"],
        first_seen=moment(row["first_seen"]),
        last_seen=moment(row["last_seen"]),
        addresses=[
            models.Address(
                mac=item.mac,
                first_seen=item.first_seen,
                last_seen=item.last_seen,
                locally_administered=item.locally_administered,
            )
            for item in addresses(stored)
        ],
        merged_into=row["merged_into"],
        passphrase=words.plain(row["key_id"], 64) if row["key_id"] else None,
    )


def device_stays(call: Call) -> Page[models.Stay] | Response:
    """When a device was at home, newest first."""
    query = select(stay).where(stay.c.device_id == id_or_404(call.where["device"]))
    return list_of(
        call, query, stay.c.site, [stay.c.started, stay.c.session_id], _stay, action="view-device", newest_first=True
    )


def _stay(row: dict[str, Any]) -> models.Stay:
    return models.Stay(
        stay=row["session_id"],
        device=row["device_id"],
        mac=words.plain(row["mac"], 17),
        started=moment(row["started"]),
        ended=moment_or_none(row["ended"]),
        asleep_seconds=row["asleep_seconds"],
        ended_because=words.plain(row["ended_because"] or ""),
    )


def household_proposals(call: Call) -> Page[models.Proposal] | Response:
    """Pairs of devices that may be one."""
    return list_of(
        call, select(proposal), proposal.c.site, [proposal.c.proposal_id], _proposal, action="view-household"
    )


def _proposal(row: dict[str, Any]) -> models.Proposal:
    return models.Proposal(
        site=row["site"],
        proposal=row["proposal_id"],
        device=row["device_id"],
        other=row["other_id"],
        probability=row["probability"],
        state=row["state"],
        raised=moment(row["raised_at"]),
        reasons=plain(row["reasons"]),
        against=plain(row["against"]),
    )


LISTS: Declared = (
    ("/households/<site>/devices", household_devices, models.Device, "devices"),
    ("/households/<site>/devices/<device>/stays", device_stays, models.Stay, "devices"),
    ("/households/<site>/proposals", household_proposals, models.Proposal, "devices"),
)
ONES: Declared = (("/households/<site>/devices/<device>", household_device, models.Device, "devices"),)
