"""The tables of the ledger: leaves with their sealed bodies, inner nodes, heads, the ratchet, and hours that are closed."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0008-ledger")
def ledger(db: Database) -> None:
    """A leaf's row says when and what kind; whom it is about stands beside it and goes when its body goes."""
    for statement in (
        """
        create table ledger (
            n integer primary key,
            kind text not null,
            data_class text not null,
            wall_ms integer not null,
            mono_ms integer not null,
            boot integer not null references ledger_boot (boot),
            clock text not null,
            error_ms integer,
            commitment blob not null,
            hash blob not null,
            key integer,
            sealed blob,
            stretch integer,
            step integer,
            mac blob
        ) strict
        """,
        "create table ledger_boot (boot integer primary key, name text not null unique) strict",
        "create table ledger_about (n integer not null, about text not null, primary key (n, about)) strict, without rowid",
        """
        create table ledger_node (
            level integer not null,
            place integer not null,
            hash blob not null,
            primary key (level, place)
        ) strict, without rowid
        """,
        """
        create table ledger_head (
            size integer primary key,
            root blob not null,
            stamp text not null,
            signature text not null,
            cosigned_at real,
            cosignature text
        ) strict
        """,
        """
        create table ledger_ratchet (
            stretch integer primary key,
            begins integer not null,
            step integer not null,
            boot text not null,
            due real not null,
            key blob not null
        ) strict
        """,
        # How much of a count the ledger has already: what is added later goes into a later record.
        "alter table record add column filed integer not null default 0",
        "alter table name_visit add column filed integer not null default 0",
        "create index record_unfiled on record (hour) where count > filed",
        "create index name_visit_unfiled on name_visit (mac) where count > filed",
    ):
        db.execute(statement)
