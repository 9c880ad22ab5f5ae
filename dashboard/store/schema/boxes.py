"""What boxes say: written by ingest alone, but for `replacement`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, text

from dashboard.store.schema.base import metadata

_UNREAD: dict[str, Any] = dict.fromkeys(("sqlite_where", "postgresql_where"), text("unread IS NOT NULL"))
_WAITING: dict[str, Any] = dict.fromkeys(
    ("sqlite_where", "postgresql_where"), text("looked_at IS NULL AND severity <> 'information'")
)
_Key = String(253).with_variant(String(253, collation="C"), "postgresql")
"""Ordered by its characters alone, so that what begins alike lies together whatever the database's language."""

site = Table(
    "site",
    metadata,
    Column("site", String(63), primary_key=True, comment="opaque id, CN of the box's certificate"),
    Column("tenant", String(63), nullable=False),
    Column("title", String(120), nullable=False, comment="what officers call the household; a reference"),
    Column("verify_key", String(44), nullable=False, comment="Ed25519 public key of the box"),
    Column("seal_key", String(44), nullable=False, comment="X25519 public key of the box"),
    Column("status", JSON, comment="last BoxStatus payload"),
    Column("status_at", Float, comment="when the box said it"),
    Column("status_id", String(64), comment="CloudEvents id of that status: an older one does not replace it"),
    Column("heard_at", Float, comment="when ingest last heard anything of it"),
    Column("sequence_floor", BigInteger, comment="highest number given to a command, or passed over by a restore"),
    Column("revoked_at", Float, comment="from when on it gets no certificate, and nothing it says counts"),
)

event = Table(
    "event",
    metadata,
    Column("source", String(160), primary_key=True),
    Column("id", String(64), primary_key=True, comment="CloudEvents id: epoch-seq"),
    Column("site", ForeignKey("site.site"), nullable=False),
    Column("type", String(64), nullable=False),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the payload"),
    Column("received_at", Float, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("unread", Text, comment="payload as signed, while this version cannot read it; payload is empty then"),
    Index("ix_event_unread", "source", "id", **_UNREAD),
    # What is due is looked for every hour, while boxes wait to be heard.
    Index("ix_event_kept", "site", "received_at", "type"),
)

device = Table(
    "device",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("device_id", String(64), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("standing", String(20), nullable=False),
    Column("label", String(80)),
    Column("looks_like", JSON),
    Column("quarantined", Boolean, nullable=False, default=False),
    Column("first_seen", Float, nullable=False),
    Column("last_seen", Float, nullable=False),
    Column("addresses", JSON, nullable=False, comment="list of Address payloads"),
    Column("correction", JSON, comment="Correction payload: what a person said it is"),
    Column("presence", JSON, comment="Presence payload"),
    Column("merged_into", String(64), comment="counts as part of that device"),
    Column("key_id", String(64), comment="the passphrase that is its own"),
    Column("visibility", JSON, comment="Visibility payload"),
    Index("ix_device_merged_into", "site", "merged_into"),
)

proposal = Table(
    "proposal",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("proposal_id", String(64), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("device_id", String(64), nullable=False, comment="would stay"),
    Column("other_id", String(64), nullable=False, comment="would count as part of it"),
    Column("probability", Float, nullable=False),
    Column("state", String(10), nullable=False),
    Column("raised_at", Float, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("against", JSON, nullable=False),
    Index("ix_proposal_site_state", "site", "state"),
)


# "session" is an officer's sign-in; a device's session is its stay.
stay = Table(
    "stay",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("session_id", String(64), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("device_id", String(64), nullable=False),
    Column("mac", String(17), nullable=False),
    Column("started", Float, nullable=False),
    Column("ended", Float),
    Column("asleep_seconds", BigInteger, nullable=False),
    Column("ended_because", String(300)),
    Index("ix_stay_device", "site", "device_id", "started"),
)

finding = Table(
    "finding",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("finding_id", String(64), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("device_id", String(64), comment="none for one about the box or its network"),
    Column("cause", String(64), comment="findings of one cause are shown as one"),
    Column("state", String(10), nullable=False),
    Column("first_seen", Float, nullable=False),
    Column("last_seen", Float, nullable=False),
    Column("raised_at", Float, nullable=False),
    Column("count", Integer, nullable=False),
    Column("payload", JSON, nullable=False, comment="the whole Finding payload"),
    Column("stored_at", Float, nullable=False, comment="when this revision was committed here"),
    Column("looked_at", Float, comment="when somebody decided about it; none while it waits for that"),
    Column("name_key", _Key, comment="name on a list, last label first: dashboard.store.names"),
    Column("asked_key", _Key, comment="name that was asked for, where that is another one"),
    Index("ix_finding_state_site", "state", "site"),
    Index("ix_finding_device", "site", "device_id", "last_seen"),
    # What nobody has looked at is few among many.
    Index("ix_finding_waiting", "site", "raised_at", **_WAITING),
    # How much a day brought is asked by every *Today*.
    Index("ix_finding_raised", "raised_at", "severity", "site"),
    Index("ix_finding_name_key", "name_key"),
    Index("ix_finding_asked_key", "asked_key"),
)

arrangements = Table(
    "arrangements",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("payload", JSON, nullable=False, comment="the whole Arrangements payload"),
    Column("stored_at", Float, nullable=False, comment="when this revision was committed here"),
)

replacement = Table(
    "replacement",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("at", Float, primary_key=True, comment="when the new box's keys were entered"),
    Column("old_epoch", String(32)),
    Column("new_epoch", String(32)),
    Column("asked_at", Float, comment="when what the old box knew was queued for the new one"),
    Column("done_at", Float, comment="when the new box had answered all of it"),
)

watchman = Table(
    "watchman",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("since", Float, nullable=False, comment="since when ingest hears boxes without a break"),
    Column("at", Float, nullable=False, comment="when ingest last said so"),
)
