"""The tables of the household's own side: who was shown the notice, visits that were said, codes, how much was sent."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0010-household-side")
def household_side(db: Database) -> None:
    """No text of a person is in any of them: what somebody wrote goes to the outbox and, sealed, to the ledger."""
    for statement in (
        """
        create table notice_shown (
            device_id text primary key,
            sha256 text not null,
            shown real not null,
            read real
        ) strict
        """,
        """
        create table notice_told (
            sha256 text primary key,
            at real not null
        ) strict
        """,
        """
        create table guest_claim (
            device_id text primary key,
            visitor text not null,
            until real not null,
            at real not null
        ) strict
        """,
        """
        create table own_code (
            device_id text primary key,
            sha256 text not null,
            expires real not null,
            wrong integer not null default 0
        ) strict
        """,
        """
        create table form_sent (
            device_id text,
            kind text not null,
            at real not null
        ) strict
        """,
        "create index form_sent_at on form_sent (at)",
    ):
        db.execute(statement)
