"""Devices, their addresses and proposals about them as rows of a page. Stored rows in, contexts out."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from dashboard.pages import sentences, words
from dashboard.pages.contexts_device import AddressRow, DeviceRow, ProposalCard
from dashboard.pages.desk import Desk
from dashboard.pages.orders import told
from dashboard.pages.outcomes import outcome_words
from dashboard.store.devices import StoredDevice, StoredProposal
from dashboard.store.queries import StoredCommand
from wire.base import Standing
from wire.models import Address


def device_row(at_desk: Desk, site: str, row: StoredDevice) -> DeviceRow:
    """A device in words."""
    like = sentences.looks(row.looks_like)
    used = addresses(row)
    there, state = sentences.presence(row.presence, at_desk.now(), at_desk.zone)
    return DeviceRow(
        anchor=f"device-{row.device_id}",
        address=f"/households/{site}/devices/{row.device_id}",
        name=words.plain(row.label, 80) if row.label else "No label yet",
        standing=words.standing(row.standing),
        standing_key=row.standing if row.standing in tuple(Standing) else Standing.UNKNOWN,
        looks_like=words.plain(like.text) if like else "Nothing is known yet",
        sure=words.confidence(like.confidence) if like else "",
        reasons=tuple(words.plain(reason) for reason in like.reasons) if like else (),
        against=tuple(words.plain(item) for item in like.conflicts or ()) if like else (),
        corrected=bool(sentences.correction(row.correction).model_dump(exclude_none=True)),
        visibility=sentences.visibility(row.visibility),
        presence=there,
        presence_key=state,
        first_seen=at_desk.moment(row.first_seen),
        last_seen=at_desk.moment(row.last_seen),
        private=bool(used) and _made_up(used[0].mac),
        quarantined=row.quarantined,
        addresses=tuple(_address(at_desk, item) for item in used),
    )


def addresses(row: StoredDevice) -> list[Address]:
    """A device's addresses, latest seen first; those of another version are left out."""
    used: list[Address] = []
    for item in row.addresses:
        try:
            used.append(Address.model_validate(item))
        except ValidationError:
            continue
    return sorted(used, key=lambda item: item.last_seen, reverse=True)


def device_name(row: StoredDevice | None, device_id: str) -> str:
    """A device in a few words."""
    if row is None:
        return sentences.device(None, None, device_id)
    return sentences.device(row.label, sentences.looks(row.looks_like), row.device_id)


def proposal_card(
    at_desk: Desk,
    site: str,
    row: StoredProposal,
    known: Mapping[str, StoredDevice],
    answer: StoredCommand | None = None,
) -> ProposalCard:
    """A proposal in words; `answer` is the latest that was sent."""
    return ProposalCard(
        anchor=f"proposal-{row.proposal_id}",
        sentence=sentences.proposal(row.probability),
        sure=words.confidence(row.probability),
        state=sentences.proposal_state(row.state),
        open=row.state == "open",
        sent=f"{told(answer.body, at_desk.zone).short}: {outcome_words(answer, at_desk.now())[0]}" if answer else "",
        sent_address=f"/commands/{answer.command_id}" if answer else "",
        stays=device_name(known.get(row.device_id), row.device_id),
        stays_address=f"/households/{site}/devices/{row.device_id}",
        goes=device_name(known.get(row.other_id), row.other_id),
        goes_address=f"/households/{site}/devices/{row.other_id}",
        reasons=tuple(words.plain(item) for item in row.reasons),
        against=tuple(words.plain(item) for item in row.against),
        raised=at_desk.moment(row.raised_at),
        address=f"/households/{site}/proposals/{row.proposal_id}",
    )


def _address(at_desk: Desk, item: Address) -> AddressRow:
    return AddressRow(
        text=item.mac,
        kind=words.address_kind(made_up=_made_up(item.mac), rotating=item.rotating),
        first_seen=at_desk.moment(item.first_seen.timestamp()),
        last_seen=at_desk.moment(item.last_seen.timestamp()),
        joined=words.joined(item.joined_by),
    )


def _made_up(mac: str) -> bool:
    # IEEE 802c: the second-lowest bit of the first octet says the address was not given by a maker.
    return bool(int(mac[:2], 16) & 0b10)
