"""Findings of one cause and of no device; what the box could name; what officers arranged with a box."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    with op.batch_alter_table("finding") as batch:
        batch.alter_column(
            "device_id",
            existing_type=sa.String(length=64),
            existing_nullable=False,
            nullable=True,
            comment="none for one about the box or its network",
        )
        batch.add_column(
            sa.Column("cause", sa.String(length=64), nullable=True, comment="findings of one cause are shown as one")
        )
        batch.create_index("ix_finding_device", ["site", "device_id", "last_seen"], unique=False)
    with op.batch_alter_table("device") as batch:
        batch.add_column(sa.Column("visibility", sa.JSON(), nullable=True, comment="Visibility payload"))
    with op.batch_alter_table("command") as batch:
        batch.add_column(
            sa.Column("finding_id", sa.String(length=64), nullable=True, comment="from which finding it was asked")
        )
    op.create_table(
        "arrangements",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False, comment="the whole Arrangements payload"),
        sa.Column("stored_at", sa.Float(), nullable=False, comment="when this revision was committed here"),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_arrangements_site_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_arrangements")),
    )
