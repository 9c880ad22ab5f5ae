"""Tables of the dashboard, SQLAlchemy Core, one definition for SQLite and PostgreSQL.

Ingest writes `site`, `event`, `device`, `proposal`, `stay`, `finding`, `arrangements`, `command` outcomes;
the pages write `command`, `account`, `session`, `audit`. Times are Unix seconds (UTC) as float,
so that both databases order and compare them alike. JSON columns hold the wire payload.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_UNREAD: dict[str, Any] = dict.fromkeys(("sqlite_where", "postgresql_where"), text("unread IS NOT NULL"))

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
    Index("ix_finding_state_site", "state", "site"),
    Index("ix_finding_device", "site", "device_id", "last_seen"),
)

arrangements = Table(
    "arrangements",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("payload", JSON, nullable=False, comment="the whole Arrangements payload"),
    Column("stored_at", Float, nullable=False, comment="when this revision was committed here"),
)

account = Table(
    "account",
    metadata,
    Column("account_id", String(63), primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("code_hash", String(255), comment="hash of the unused one-time sign-in code"),
    Column("code_expires_at", Float),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", Float),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True, comment="SHA-256 of the cookie's token"),
    Column("account_id", ForeignKey("account.account_id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

command = Table(
    "command",
    metadata,
    Column("command_id", String(64), primary_key=True),
    Column("site", ForeignKey("site.site"), nullable=False),
    Column("sequence", BigInteger, comment="given by ingest when it signs and sends"),
    Column("device_id", String(64), comment="which device it is about; none for one about the household"),
    Column("proposal_id", String(64), comment="which proposal it answers"),
    Column("finding_id", String(64), comment="from which finding it was asked"),
    Column("body", JSON, nullable=False, comment="payload of an order"),
    Column("reason", String(500), nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("state", String(20), nullable=False, comment="waiting, sent, unsent, unanswered; or the box's outcome"),
    Column("detail", String(300), nullable=False, default=""),
    Column("answered_at", Float),
    Column("second", String(63), comment="another account, that agreed; or that refused, by the state"),
    Column("seconded_at", Float),
    Column("second_reason", String(500), comment="in the second person's words"),
    Column("break_glass", Boolean, comment="one person acted in an emergency"),
    Column("reviewed_by", String(63), comment="who looked at an emergency afterwards"),
    Column("reviewed_at", Float),
    Column("review_note", String(500)),
    Index("ix_command_state", "state"),
    Index("ix_command_about", "site", "device_id", "created_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("account_id", String(63)),
    Column("action", String(60), nullable=False, comment="e.g. view-household, register-device, sign-in-failed"),
    Column("subject", String(160), nullable=False, default=""),
    Column("outcome", String(20), nullable=False),
    Column("digest", String(64), nullable=False, server_default="", comment="chains the rows: dashboard.store.chain"),
)

# --- two people, law and household (0005) ---------------------------------------------------------

told = Table(
    "told",
    metadata,
    Column("account_id", ForeignKey("account.account_id"), primary_key=True),
    Column("about", String(64), primary_key=True, comment="id of the command that it is about"),
    Column("site", ForeignKey("site.site"), nullable=False),
    Column("text", String(300), nullable=False),
    Column("at", Float, nullable=False),
    Column("read_at", Float, comment="when the account said that it has read it"),
)

authority_document = Table(
    "authority_document",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("sha256", String(64), primary_key=True, comment="of `document`"),
    Column("authority_id", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("document", Text, nullable=False, comment="SignedAuthority JSON; its signature was checked"),
    Column("stored_at", Float, nullable=False),
    Column("by", String(63), nullable=False),
    Column("second", String(63), comment="who agreed that it is sent"),
    Column("accepted_at", Float, comment="when the box said that it is in force"),
)

request = Table(
    "request",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("device_id", String(64)),
    Column("proved", Boolean, nullable=False),
    Column("text", String(500), nullable=False),
    Column("until", Float),
    Column("notice", String(64)),
    Column("at", Float, nullable=False),
    Column("stored_at", Float, nullable=False),
    Column("state", String(10), nullable=False, comment="open, answered"),
    Column("note", String(500), nullable=False, comment="what the officer did about it"),
    Column("answered_by", String(63)),
    Column("answered_at", Float),
    Index("ix_request_state", "state", "site"),
)

notice = Table(
    "notice",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("language", String(8), nullable=False),
    Column("lines", JSON, nullable=False),
    Column("at", Float, nullable=False),
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

# --- ledgers of boxes (0005): rows are only ever added ----------------------------------------------

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("epoch", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="number of the message that brought it"),
    Column("size", BigInteger, nullable=False),
    Column("root", String(64), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("consistency", JSON, nullable=False),
    Column("at", JSON, nullable=False, comment="wire.ledger.Stamp of the box"),
    Column("signature", String(88), nullable=False),
    Column("received_at", Float, nullable=False),
    Column("verdict", String(10), nullable=False, comment="dashboard.ingest.heads.Verdict"),
    Column("cosigned_at", Float),
    Column("cosignature", String(88)),
    Index("ix_ledger_head_size", "site", "epoch", "size"),
    Index("ix_ledger_head_verdict", "site", "epoch", "verdict", "size"),
)

ledger_seed = Table(
    "ledger_seed",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("epoch", String(64), primary_key=True),
    Column("stretch", BigInteger, primary_key=True, autoincrement=False),
    Column("begins", BigInteger, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("received_at", Float, nullable=False),
)

stamp = Table(
    "stamp",
    metadata,
    Column("day", String(10), primary_key=True, comment="UTC, YYYY-MM-DD"),
    Column("at", Float, nullable=False),
    Column("root", String(64), nullable=False, comment="Merkle root over the lines of `heads`"),
    Column("heads", Text, nullable=False, comment="what was stamped: one line a log"),
    Column("authority", String(300), nullable=False, comment="address of the time-stamping service"),
    Column("token", LargeBinary, nullable=False, comment="RFC 3161 time-stamp response, DER"),
)

bundle = Table(
    "bundle",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("bundle_id", String(64), primary_key=True),
    Column("state", String(10), nullable=False, comment="fetching, arrived, complete, failed"),
    Column("problem", String(300), nullable=False, comment="why it failed, in words"),
    Column("by", String(63), nullable=False, comment="account that asked for it"),
    Column("parts", Integer, nullable=False),
    Column("data_octets", BigInteger, nullable=False, comment="of the data part, as the box said"),
    Column("data_sha256", String(64), nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("built_at", Float, nullable=False),
    Column("expires", Float, nullable=False, comment="when the box deletes its own"),
    Column("asked_at", Float, comment="when parts were asked for last"),
    Column("asked_upto", Integer, comment="up to which part"),
    Column("progress_at", Float, nullable=False, comment="when a part came last"),
    Column("completed_at", Float),
    Column("octets", BigInteger, comment="of the finished zip"),
    Column("sha256", String(64)),
    Column("certified_by", String(63)),
    Column("certified_at", Float),
    Column("certified_text", Text),
)

bundle_part = Table(
    "bundle_part",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("bundle_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False, comment="sealed to ingest's key"),
)

bundle_file = Table(
    "bundle_file",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("bundle_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False, comment="a chunk of the finished zip"),
)
