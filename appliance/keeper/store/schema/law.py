"""The tables of the law: pauses, withdrawals, unmasked devices, and what is sealed until the time is known."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0007-law")
def law(db: Database) -> None:
    """What was ordered beside the authority document, and observations that nobody can read yet."""
    for statement in (
        """
        create table pause (
            pause_id integer primary key,
            starts real not null,
            ends real,
            by text not null,
            reason text not null
        ) strict
        """,
        """
        create table withdrawal (
            withdrawal_id integer primary key,
            authority_id text not null,
            number integer not null,
            consent text,
            at real not null,
            by text not null,
            reason text not null
        ) strict
        """,
        """
        create table unmasked (
            device_id text primary key,
            starts real not null,
            ends real not null,
            clause text not null,
            authority_id text not null,
            authority_number integer not null,
            by text not null,
            second text,
            broken integer not null,
            reason text not null
        ) strict
        """,
        """
        create table sealed (
            n integer primary key,
            boot text not null,
            monotonic real not null,
            observations integer not null,
            body blob not null
        ) strict
        """,
    ):
        db.execute(statement)
