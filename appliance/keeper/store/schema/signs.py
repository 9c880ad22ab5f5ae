"""The tables of signs: records of signals by the hour, and rules that an officer quieted."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.store.schema.registry import migrations


@migrations(name="0004-signs")
def signs(db: Database) -> None:
    """What signals were heard, and which rules are not relevant here."""
    for statement in (
        # No reference to an address: what is heard on the provider's side is no device of the household.
        """
        create table record (
            record_id text primary key,
            mac text not null,
            signal text not null,
            value text not null,
            server text not null,
            port integer not null,
            hour integer not null,
            first real not null,
            last real not null,
            count integer not null,
            octets integer,
            authority_id text not null,
            authority_number integer not null,
            clause text not null,
            generation integer not null,
            unique (mac, hour, signal, value, server, port, clause, authority_id, authority_number)
        ) strict
        """,
        "create index record_last on record (last)",
        "create index record_mac_last on record (mac, last)",
        """
        create table quiet (
            quiet_id text primary key,
            rule text not null,
            device_id text,
            subject text,
            reason text not null,
            by text not null,
            at real not null,
            until real,
            count integer not null
        ) strict
        """,
        # A finding may be about the box or its network: then it has no device.
        "alter table finding rename to finding_old",
        "drop index finding_dirty",
        "drop index finding_subject",
        """
        create table finding (
            finding_id text primary key,
            device_id text,
            kind text not null,
            subject text not null,
            state text not null,
            payload text not null,
            reported_at real not null,
            dirty integer not null
        ) strict
        """,
        """
        insert into finding
        select finding_id, device_id, kind, subject, state, payload, reported_at, dirty from finding_old
        """,
        "drop table finding_old",
        "create index finding_device on finding (device_id, kind, subject)",
        "create index finding_dirty on finding (reported_at) where dirty = 1",
        "create index finding_subject on finding (kind, subject) where state = 'open'",
    ):
        db.execute(statement)
