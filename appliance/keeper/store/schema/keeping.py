"""The table of case holds, and what purging and erasing look records up by."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0013-keeping")
def keeping(db: Database) -> None:
    """A hold that is over stays as a row, so that an order that comes twice does not begin it anew."""
    for statement in (
        """
        create table hold (
            hold_id text primary key,
            since real not null,
            until real not null,
            device_id text,
            review real not null,
            reason text not null,
            by text not null,
            second text,
            at real not null,
            ended real
        ) strict
        """,
        "create index ledger_key on ledger (key) where key is not null",
        "create index ledger_about_about on ledger_about (about)",
    ):
        db.execute(statement)
