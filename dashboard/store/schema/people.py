"""Who may look and decide, what they asked for, and what they did."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table

from dashboard.store.schema.base import metadata

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
    Column("last_sign_in", Float),
    Column("issuer", String(300), comment="OpenID provider that knows the account"),
    Column("subject", String(255), comment="its name there"),
    Index("ix_account_subject", "issuer", "subject", unique=True),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True, comment="SHA-256 of the cookie's token"),
    Column("account_id", ForeignKey("account.account_id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("seen_at", Float, comment="when something was last asked for by hand"),
    Column("proved_at", Float, comment="when who it is was last proved"),
    Column("way", String(20), comment="code, passkey, authenticator, recovery or operator"),
    Column("client", String(120), comment="browser and system, in words"),
    Column("origin", String(64), comment="network address"),
    Column("ended_at", Float, comment="signed out or revoked: kept for a while, never valid again"),
    Index("ix_session_account", "account_id"),
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
    Index("ix_audit_at", "at"),
    Index("ix_audit_account", "account_id", "audit_id"),
    Index("ix_audit_subject", "subject", "audit_id"),
)

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
