"""Does what two people agreed to: makes the file of a household that goes, takes in one that came.

Runs where the keys are, in ingest's rounds or by the operator's command; the pages hold none. In: an open connection in
a transaction, the keys, now. Out: rows. One transfer a round; one that fails is written down with the reason and does
not come again.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from dashboard.store import transfers
from dashboard.store.queries import write_audit
from dashboard.store.transfers import StoredTransfer
from dashboard.transfer.collect import collect
from dashboard.transfer.pack import PackError, open_pack, read_header, write
from dashboard.transfer.take import take
from wire.keys import key_id, public_text, seal_key, verify_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What signs and opens, and for whom."""

    tenant: str
    operator: str
    show_names: bool
    signing: Ed25519PrivateKey
    sealing: X25519PrivateKey


def work(connection: Connection, keys: Keys, now: float) -> int:
    """Do the next one; how many were done (0 or 1)."""
    transfers.keep_own(
        connection,
        tenant=keys.tenant,
        verify_key=public_text(keys.signing),
        seal_key=public_text(keys.sealing),
        now=now,
    )
    transfers.expire(connection, keys.tenant, now)
    row = transfers.next_agreed(connection, keys.tenant)
    if row is None:
        return 0
    try:
        with connection.begin_nested():
            if row.way == transfers.OUT:
                _make(connection, keys, row, now)
            else:
                _take(connection, keys, row, now)
        outcome = "done"
    except (PackError, IntegrityError, DataError) as error:
        # What the database refuses was written by whoever signed: it names one thing twice, or holds what no text may.
        problem = str(error) if isinstance(error, PackError) else "what is in it does not fit together"
        transfers.finish(connection, row.transfer_id, state=transfers.FAILED, now=now, problem=problem[:300], data=None)
        outcome = "refused"
    action = "make-transfer" if row.way == transfers.OUT else "take-transfer"
    subject = f"{row.site or ''}/{row.transfer_id}"
    write_audit(connection, at=now, account_id=None, action=action, subject=subject, outcome=outcome)
    return 1


def _make(connection: Connection, keys: Keys, row: StoredTransfer, now: float) -> None:
    to = None if row.partner_id is None else transfers.partner_of(connection, keys.tenant, row.partner_id)
    if to is None or not to.confirmed or row.site is None:
        raise PackError("whom it is for is not confirmed any more")
    pack = collect(connection, site_id=row.site, tenant=keys.tenant, operator=keys.operator, now=now)
    data = write(pack, pack_id=secrets.token_hex(16), at=now, signer=keys.signing, recipient=seal_key(to.seal_key))
    transfers.finish(
        connection,
        row.transfer_id,
        state=transfers.MADE,
        now=now,
        data=data,
        octets=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _take(connection: Connection, keys: Keys, row: StoredTransfer, now: float) -> None:
    data = transfers.data_of(connection, row.transfer_id)
    if data is None or row.second is None:
        raise PackError("the file is not here any more")
    header = read_header(data)
    known = {key_id(one.verify_key): one for one in transfers.partners_of(connection, keys.tenant) if one.confirmed}
    sender = known.get(header.sender)
    if sender is None:
        raise PackError("it was signed with a key that two people here have not confirmed")
    header, pack = open_pack(data, key=keys.sealing, sender=verify_key(sender.verify_key), now=now)
    site_id = take(
        connection,
        header=header,
        pack=pack,
        tenant=keys.tenant,
        title=row.title,
        show_names=keys.show_names,
        by=row.second,
        now=now,
    )
    transfers.finish(
        connection,
        row.transfer_id,
        state=transfers.TAKEN,
        now=now,
        site=site_id,
        partner_id=sender.partner_id,
        data=None,
    )
