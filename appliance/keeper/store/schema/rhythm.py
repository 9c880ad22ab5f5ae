"""The tables of use over time: hours of each address, hours in which the box watched, away times."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0005-rhythm")
def rhythm(db: Database) -> None:
    """Use by hour goes with its address, so that devices that are joined or split take their past with them."""
    for statement in (
        """
        create table activity (
            mac text not null references address (mac) on delete cascade,
            hour integer not null,
            flows integer not null,
            unnamed integer not null,
            octets integer not null,
            unnamed_octets integer not null,
            others integer not null,
            pushes integer not null,
            chatter integer not null,
            primary key (mac, hour)
        ) strict, without rowid
        """,
        "create table watched (hour integer primary key, seconds real not null) strict",
        """
        create table away (
            away_id text primary key,
            device_id text,
            starts real not null,
            ends real not null,
            reason text not null,
            by text not null
        ) strict
        """,
        "alter table device add column visibility text",
    ):
        db.execute(statement)
