"""Tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "account",
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column(
            "code_hash", sa.String(length=255), nullable=True, comment="hash of the unused one-time sign-in code"
        ),
        sa.Column("code_expires_at", sa.Float(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("account_id", sa.String(length=63), nullable=True),
        sa.Column(
            "action",
            sa.String(length=60),
            nullable=False,
            comment="e.g. view-household, register-device, sign-in-failed",
        ),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )
    op.create_table(
        "site",
        sa.Column("site", sa.String(length=63), nullable=False, comment="opaque id, CN of the box's certificate"),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column(
            "title", sa.String(length=120), nullable=False, comment="what officers call the household; a reference"
        ),
        sa.Column("verify_key", sa.String(length=44), nullable=False, comment="Ed25519 public key of the box"),
        sa.Column("seal_key", sa.String(length=44), nullable=False, comment="X25519 public key of the box"),
        sa.Column("status", sa.JSON(), nullable=True, comment="last BoxStatus payload"),
        sa.Column("status_at", sa.Float(), nullable=True, comment="when the box said it"),
        sa.Column(
            "status_id",
            sa.String(length=64),
            nullable=True,
            comment="CloudEvents id of that status: an older one does not replace it",
        ),
        sa.Column("heard_at", sa.Float(), nullable=True, comment="when ingest last heard anything of it"),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_site")),
    )
    op.create_table(
        "command",
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True, comment="given by ingest when it signs and sends"),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False, comment="SetStanding payload"),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column(
            "state",
            sa.String(length=20),
            nullable=False,
            comment="waiting, sent, unsent, unanswered; or the box's outcome",
        ),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_command_by_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_command_site_site")),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_command")),
    )
    with op.batch_alter_table("command", schema=None) as batch_op:
        batch_op.create_index("ix_command_state", ["state"], unique=False)

    op.create_table(
        "device",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=True),
        sa.Column("looks_like", sa.JSON(), nullable=True),
        sa.Column("quarantined", sa.Boolean(), nullable=False),
        sa.Column("first_seen", sa.Float(), nullable=False),
        sa.Column("last_seen", sa.Float(), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False, comment="list of Address payloads"),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_device_site_site")),
        sa.PrimaryKeyConstraint("site", "device_id", name=op.f("pk_device")),
    )
    op.create_table(
        "event",
        sa.Column("source", sa.String(length=160), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False, comment="CloudEvents id: epoch-seq"),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the payload"),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_event_site_site")),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_event")),
    )
    op.create_table(
        "finding",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("finding_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("first_seen", sa.Float(), nullable=False),
        sa.Column("last_seen", sa.Float(), nullable=False),
        sa.Column("raised_at", sa.Float(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False, comment="the whole Finding payload"),
        sa.Column("stored_at", sa.Float(), nullable=False, comment="when this revision was committed here"),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_finding_site_site")),
        sa.PrimaryKeyConstraint("site", "finding_id", name=op.f("pk_finding")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index("ix_finding_state_site", ["state", "site"], unique=False)

    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the cookie's token"),
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_session_account_id_account")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
