"""The tables of the first versions: devices, evidence, findings, outbox, gaps, identity."""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.devices.identity import distinctive
from appliance.keeper.store.blinding import blind
from appliance.keeper.store.schema.registry import migrations
from appliance.traits import Sort, Trait, sort


@migrations(name="0001-household")
def household(db: Database) -> None:
    """Devices, what supports them, findings, outbox, commands."""
    db.table("meta").create({"key": str, "value": str}, pk="key", not_null={"value"}, strict=True)
    db.table("device").create(
        {
            "device_id": str,
            "revision": int,
            "standing": str,
            "label": str,
            "looks_like": str,
            "guest_until": float,
            "quarantined": int,
            "first_seen": float,
            "last_seen": float,
            "reported_at": float,
        },
        pk="device_id",
        not_null={"revision", "standing", "quarantined", "first_seen", "last_seen", "reported_at"},
        strict=True,
    )
    db.table("address").create(
        {"mac": str, "device_id": str, "first_seen": float, "last_seen": float},
        pk="mac",
        foreign_keys=[("device_id", "device", "device_id")],
        not_null={"device_id", "first_seen", "last_seen"},
        strict=True,
    )
    db.table("evidence").create(
        {"device_id": str, "source": str, "value": str, "first_seen": float, "last_seen": float, "count": int},
        pk=("device_id", "source", "value"),
        foreign_keys=[("device_id", "device", "device_id")],
        not_null={"value", "first_seen", "last_seen", "count"},
        strict=True,
    )
    db.table("name_visit").create(
        {
            "device_id": str,
            "name": str,
            "authority_id": str,
            "authority_number": int,
            "clause": str,
            "first_seen": float,
            "last_seen": float,
            "count": int,
        },
        pk=("device_id", "name"),
        foreign_keys=[("device_id", "device", "device_id")],
        not_null={"authority_id", "authority_number", "clause", "first_seen", "last_seen", "count"},
        strict=True,
    )
    db.table("finding").create(
        {
            "finding_id": str,
            "device_id": str,
            "kind": str,
            "subject": str,
            "state": str,
            "payload": str,
            "reported_at": float,
            "dirty": int,
        },
        pk="finding_id",
        not_null={"device_id", "kind", "subject", "state", "payload", "reported_at", "dirty"},
        strict=True,
    )
    db.table("finding").create_index(["device_id", "kind", "subject"])
    db.execute("create index finding_dirty on finding (reported_at) where dirty = 1")
    # AUTOINCREMENT: a sequence number is never given twice, also after its row is gone.
    db.execute(
        """
        create table outbox (
            seq integer primary key autoincrement,
            epoch text not null,
            type text not null,
            subject text not null,
            body text not null,
            priority integer not null,
            created real not null
        ) strict
        """
    )
    db.table("outbox").create_index(["priority", "seq"])
    db.table("outbox").create_index(["type", "subject"])
    db.table("command").create(
        {"command_id": str, "sequence": int, "outcome": str, "detail": str, "at": float},
        pk="command_id",
        not_null={"sequence", "outcome", "detail", "at"},
        strict=True,
    )
    db.table("mask").create({"mac": str, "since": int}, pk="mac", not_null={"since"}, strict=True)


@migrations(name="0002-gaps")
def gaps(db: Database) -> None:
    """When the box could not see."""
    db.execute(
        """
        create table gap (
            gap_id integer primary key autoincrement,
            started real not null,
            ended real,
            cause text not null
        ) strict
        """
    )


@migrations(name="0003-identity")
def identity(db: Database) -> None:
    """Evidence, names and stays belong to an address; a device is a set of addresses that may be taken apart."""
    for statement in (
        "alter table device add column correction text",
        "alter table device add column merged_into text",
        "alter table device add column visit_ended real",
        "alter table device add column presence text",
        "alter table address add column joined_by text",
        "alter table address add column key_id text",
        "alter table address add column returned integer not null default 0",
        "create index finding_subject on finding (kind, subject) where state = 'open'",
        "create index address_device on address (device_id)",
        """
        create table hit (
            mac text not null references address (mac),
            rule text not null,
            first_seen real not null,
            last_seen real not null,
            count integer not null,
            primary key (mac, rule)
        ) strict
        """,
        """
        create table link (
            link_id integer primary key autoincrement,
            mac text not null,
            device_id text not null,
            since real not null,
            until real,
            how text,
            probability real,
            reasons text not null,
            by text
        ) strict
        """,
        "create index link_mac on link (mac)",
        "create index link_device on link (device_id)",
        """
        create table proposal (
            proposal_id text primary key,
            device_id text not null,
            other_id text not null,
            state text not null,
            payload text not null,
            identifiers text not null,
            reported_at real not null
        ) strict
        """,
        "create index proposal_pair on proposal (device_id, other_id)",
        """
        create table confirmed (
            trait text not null,
            token text not null,
            device_id text not null,
            since real not null,
            primary key (trait, token)
        ) strict
        """,
        """
        create table binding (
            key_id text primary key,
            purpose text not null,
            device_id text,
            until real
        ) strict
        """,
        """
        create table session (
            session_id text primary key,
            mac text not null references address (mac),
            revision integer not null,
            started real not null,
            last real not null,
            state text not null,
            since real not null,
            asleep_seconds real not null,
            ended real,
            ended_because text
        ) strict
        """,
        "create index session_mac on session (mac, started)",
    ):
        db.execute(statement)
    db.execute("insert into link (mac, device_id, since, reasons) select mac, device_id, first_seen, '[]' from address")
    _evidence_of_addresses(db)
    _names_of_addresses(db)


_OLD_SOURCES = {
    "dhcp-host-name": "dhcp4-host-name",
    "dhcp-vendor-class": "dhcp4-vendor-class",
    "dhcp-client-id": "dhcp4-client-id",
    "dhcp-parameters": "dhcp4-parameters",
}
"""What version 0.1 called the traits."""


def _evidence_of_addresses(db: Database) -> None:
    """Until now a device had one address, and a token was the value itself or its keyed hash."""
    db.execute("alter table evidence rename to evidence_old")
    db.execute(
        """
        create table evidence (
            mac text not null references address (mac),
            trait text not null,
            token text not null,
            value text,
            distinctive real not null,
            first_seen real not null,
            last_seen real not null,
            count integer not null,
            primary key (mac, trait, token)
        ) strict
        """
    )
    db.execute("create index evidence_token on evidence (trait, token)")
    found = db.execute("select value from meta where key = 'blinding_key'").fetchone()
    key = b"" if found is None else bytes.fromhex(found[0])
    rows = db.execute(
        "select a.mac, e.source, e.value, e.first_seen, e.last_seen, e.count "
        "from evidence_old e join address a on a.device_id = e.device_id"
    ).fetchall()
    for mac, source, value, first, last, count in rows:
        name = _OLD_SOURCES.get(source, source)
        if name not in set(Trait):
            continue
        trait = Trait(name)
        blinded = value.startswith("blind-")
        # How distinctive a value is can only be told from the value; of a hash it stays unknown.
        worth = 0.0 if blinded else distinctive(trait, value)
        token = value if blinded or not value or sort(trait) is Sort.HABIT else blind(key, value)
        db.execute(
            "insert or ignore into evidence values (?, ?, ?, ?, ?, ?, ?, ?)",
            (mac, name, token, None if blinded else value, worth, first, last, count),
        )
    db.execute("drop table evidence_old")


def _names_of_addresses(db: Database) -> None:
    db.execute("alter table name_visit rename to name_visit_old")
    db.execute(
        """
        create table name_visit (
            mac text not null references address (mac),
            name text not null,
            authority_id text not null,
            authority_number integer not null,
            clause text not null,
            first_seen real not null,
            last_seen real not null,
            count integer not null,
            primary key (mac, name)
        ) strict
        """
    )
    db.execute(
        "insert into name_visit select a.mac, n.name, n.authority_id, n.authority_number, n.clause, n.first_seen, "
        "n.last_seen, n.count from name_visit_old n join address a on a.device_id = n.device_id"
    )
    db.execute("drop table name_visit_old")
