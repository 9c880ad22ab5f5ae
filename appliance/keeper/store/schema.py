"""Tables of the keeper's database and how they came to be: one migration a step, never edited later.

sqlite-utils commits each migration together with the record that it was applied, so a power cut in
the middle leaves the database as it was before that step. All tables are STRICT.

Bounds: `device` by the registry (4,096), `evidence` 64 rows a device, `name_visit` 20,000 rows a
device, `finding` 50,000, `command` 1,024, `outbox` `store.MAX_OUTBOX`, `gap` `gaps.MAX_GAPS`; see
`database.py`, `outbox.py` and `gaps.py`.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("gatehouse.keeper")


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
