"""Home visits, shares with other agencies, transfers.

Each part has a function of its own, so that what belongs together stands together.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    _visits()
    _shares()
    _transfers()


def _visits() -> None:
    op.create_table(
        "visit",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("present", sa.JSON(), nullable=False),
        sa.Column("question_set", sa.Integer(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.Float(), nullable=False),
        sa.Column("outcome", sa.String(length=60), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("own_words", sa.String(length=1000), nullable=False),
        sa.Column("explained", sa.JSON(), nullable=False),
        sa.Column("signed_at", sa.Float(), nullable=True),
        sa.Column("signed_name", sa.String(length=120), nullable=True),
        sa.Column("record", sa.JSON(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_visit_site_site")),
        sa.PrimaryKeyConstraint("site", "visit_id", name=op.f("pk_visit")),
    )
    op.create_index("ix_visit_signed", "visit", ["signed_at"], unique=False)
    op.create_index("ix_visit_started", "visit", ["site", "started_at"], unique=False)
    op.create_table(
        "visit_line",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("site", "visit_id", "device_id", name=op.f("pk_visit_line")),
    )
    op.create_table(
        "visit_addendum",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("site", "visit_id", "token", name=op.f("pk_visit_addendum")),
    )


def _shares() -> None:
    op.create_table(
        "share",
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("agency", sa.String(length=80), nullable=False),
        sa.Column("reader", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=300), nullable=False),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("ended_by", sa.String(length=63), nullable=True),
        sa.Column("code_hash", sa.String(length=255), nullable=True),
        sa.Column("code_until", sa.Float(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Float(), nullable=True),
        sa.Column("opened_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_share_site_site")),
        sa.PrimaryKeyConstraint("share_id", name=op.f("pk_share")),
    )
    op.create_index("ix_share_site", "share", ["site", "created_at"], unique=False)
    op.create_table(
        "share_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["share.share_id"], name=op.f("fk_share_session_share_id_share")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_share_session")),
    )
    op.create_table(
        "share_note",
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["share.share_id"], name=op.f("fk_share_note_share_id_share")),
        sa.PrimaryKeyConstraint("share_id", "token", name=op.f("pk_share_note")),
    )


def _transfers() -> None:
    op.create_table(
        "partner",
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("verify_key", sa.String(length=44), nullable=False),
        sa.Column("seal_key", sa.String(length=44), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("second", sa.String(length=63), nullable=True),
        sa.Column("seconded_at", sa.Float(), nullable=True),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_partner")),
    )
    op.create_table(
        "transfer",
        sa.Column("transfer_id", sa.String(length=64), nullable=False),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=True),
        sa.Column("way", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("partner_id", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("second", sa.String(length=63), nullable=True),
        sa.Column("seconded_at", sa.Float(), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("done_at", sa.Float(), nullable=True),
        sa.Column("octets", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_site", "transfer", ["site", "created_at"], unique=False)
    op.create_index("ix_transfer_state", "transfer", ["state"], unique=False)
    op.create_table(
        "transfer_taken",
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("pack_id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("sender", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("taken_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "pack_id", name=op.f("pk_transfer_taken")),
    )
    op.create_table(
        "history",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("pack_id", sa.String(length=64), nullable=False),
        sa.Column("part", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "pack_id", "part", "number", name=op.f("pk_history")),
    )


def downgrade() -> None:
    """Take this step back."""
    for name in (
        "history",
        "transfer_taken",
        "transfer",
        "partner",
        "share_note",
        "share_session",
        "share",
        "visit_addendum",
        "visit_line",
        "visit",
    ):
        op.drop_table(name)
