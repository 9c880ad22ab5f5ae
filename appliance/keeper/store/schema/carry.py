"""What waits for the server, counted in octets and in classes of its own for ledger and bulk."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0011-carry")
def carry(db: Database) -> None:
    """Rows know how much they take; one index gives order and sizes without touching a body."""
    for statement in (
        "alter table outbox add column octets integer not null default 0",
        # States leave two places before them to answers and the ledger: see `outbox.Priority`.
        "update outbox set priority = 3 where priority = 2",
        "update outbox set octets = length(cast(body as blob)) + 256",
        "drop index idx_outbox_priority_seq",
        "create index outbox_order on outbox (priority, seq, octets)",
    ):
        db.execute(statement)
