"""Proposals and stays; what a person said of a device, its presence, and which device it counts as part of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "proposal",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("proposal_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False, comment="would stay"),
        sa.Column("other_id", sa.String(length=64), nullable=False, comment="would count as part of it"),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("raised_at", sa.Float(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("against", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_proposal_site_site")),
        sa.PrimaryKeyConstraint("site", "proposal_id", name=op.f("pk_proposal")),
    )
    op.create_index("ix_proposal_site_state", "proposal", ["site", "state"], unique=False)
    op.create_table(
        "stay",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("started", sa.Float(), nullable=False),
        sa.Column("ended", sa.Float(), nullable=True),
        sa.Column("asleep_seconds", sa.BigInteger(), nullable=False),
        sa.Column("ended_because", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_stay_site_site")),
        sa.PrimaryKeyConstraint("site", "session_id", name=op.f("pk_stay")),
    )
    op.create_index("ix_stay_device", "stay", ["site", "device_id", "started"], unique=False)
    with op.batch_alter_table("device") as batch:
        batch.add_column(
            sa.Column("correction", sa.JSON(), nullable=True, comment="Correction payload: what a person said it is")
        )
        batch.add_column(sa.Column("presence", sa.JSON(), nullable=True, comment="Presence payload"))
        batch.add_column(
            sa.Column("merged_into", sa.String(length=64), nullable=True, comment="counts as part of that device")
        )
        batch.add_column(
            sa.Column("key_id", sa.String(length=64), nullable=True, comment="the passphrase that is its own")
        )
        batch.create_index("ix_device_merged_into", ["site", "merged_into"], unique=False)
    with op.batch_alter_table("command") as batch:
        batch.add_column(
            sa.Column("proposal_id", sa.String(length=64), nullable=True, comment="which proposal it answers")
        )
        batch.alter_column(
            "device_id",
            existing_type=sa.String(length=64),
            existing_nullable=False,
            nullable=True,
            comment="which device it is about; none for one about the household",
        )
        batch.alter_column(
            "body",
            existing_type=sa.JSON(),
            existing_nullable=False,
            comment="payload of an order",
            existing_comment="SetStanding payload",
        )
        batch.create_index("ix_command_about", ["site", "device_id", "created_at"], unique=False)
