"""Takes a household in: a checked pack becomes a household of ours, without a visit (R46).

In: a `Pack` whose seal, signature and age held. Out: rows, in the caller's transaction. The household gets an id of its
own; two of one title, or of one reference, never become one (R47). No box speaks for it yet: it is entered as revoked,
so that nothing is sent and nothing counts, until the new box's keys are entered with `replace-box`; from then on ingest
gives that box the devices (`dashboard.ingest.replaced`). What the other operator decided is history, and only read.
A pack is taken in once, whoever brings it.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection, insert, select

from dashboard.store.cases import Risk, TakenError, keep_person
from dashboard.store.charge import assign
from dashboard.store.queries import write_audit
from dashboard.store.schema import device, history, site, transfer_taken
from dashboard.transfer.pack import Header, Pack, PackError
from wire.acts import Restored

NO_KEY = "A" * 43 + "="
"""Of a household that no box speaks for: 32 octets of zero, which is no point that anybody could sign with or open."""


def take(
    connection: Connection,
    *,
    header: Header,
    pack: Pack,
    tenant: str,
    title: str,
    show_names: bool,
    by: str,
    now: float,
) -> str:
    """Make the household; its id.

    Args:
        connection: in a transaction.
        header: of the file.
        pack: what is in it.
        tenant: of this service.
        title: what the household is to be called here; empty for its title there.
        show_names: whether this operator keeps names.
        by: account that agreed to it; it is put in charge.
        now: Unix seconds.

    Raises:
        PackError: it was taken in before.
    """
    table = transfer_taken.c
    before = select(table.site).where(table.tenant == tenant, table.pack_id == header.pack_id)
    if connection.execute(before).first() is not None:
        raise PackError("it was taken in before")
    site_id = f"moved-{header.pack_id[:24]}"
    connection.execute(
        insert(site).values(
            site=site_id,
            tenant=tenant,
            title=title or pack.title,
            verify_key=NO_KEY,
            seal_key=NO_KEY,
            revoked_at=now,
        )
    )
    connection.execute(
        insert(transfer_taken).values(
            tenant=tenant,
            pack_id=header.pack_id,
            site=site_id,
            sender=f"{pack.operator}"[:80],
            made_at=header.made_at.timestamp(),
            taken_at=now,
        )
    )
    if pack.devices:
        connection.execute(insert(device), [_device(site_id, item) for item in pack.devices])
    if pack.history:
        connection.execute(
            insert(history),
            [
                {
                    "site": site_id,
                    "pack_id": header.pack_id,
                    "part": item.part,
                    "number": number,
                    "at": item.at,
                    "text": json.dumps(item.body, sort_keys=True, separators=(",", ":")),
                }
                for number, item in enumerate(pack.history)
            ],
        )
    _person(connection, pack, tenant=tenant, site_id=site_id, show_names=show_names, by=by, now=now)
    assign(connection, sites=[site_id], account_id=by, by=by, now=now)
    write_audit(
        connection,
        at=now,
        account_id=by,
        action="take-in-household",
        subject=f"{site_id}/{header.pack_id}",
        outcome="taken",
    )
    return site_id


def _person(
    connection: Connection, pack: Pack, *, tenant: str, site_id: str, show_names: bool, by: str, now: float
) -> None:
    """Enter the person, where the reference is free: that of another person here is entered by hand."""
    if pack.whom is None or not pack.whom.reference:
        return
    risk = Risk(pack.whom.risk) if pack.whom.risk in tuple(Risk) else Risk.NONE
    try:
        keep_person(
            connection,
            tenant=tenant,
            site_id=site_id,
            reference=pack.whom.reference,
            name=pack.whom.name if show_names else None,
            risk=risk,
            review_days=None,
            revision=0,
            by=by,
            now=now,
        )
    except TakenError:
        write_audit(
            connection, at=now, account_id=by, action="take-in-person", subject=site_id, outcome="reference in use"
        )


def _device(site_id: str, item: Restored) -> dict[str, object]:
    seen = {"first_seen": item.first_seen.isoformat(), "last_seen": item.last_seen.isoformat()}
    return {
        "site": site_id,
        "device_id": item.device_id,
        "revision": item.revision,
        "standing": str(item.standing),
        "label": item.label,
        "looks_like": None,
        "quarantined": False,
        "first_seen": item.first_seen.timestamp(),
        "last_seen": item.last_seen.timestamp(),
        # The second-lowest bit of the first octet says that an address was made up (IEEE 802c).
        "addresses": [{"mac": mac, "locally_administered": bool(int(mac[:2], 16) & 2), **seen} for mac in item.macs],
        "correction": None if item.correction is None else item.correction.model_dump(mode="json", exclude_none=True),
        "presence": None,
        "merged_into": None,
        "key_id": item.key_id,
        "visibility": None,
    }
