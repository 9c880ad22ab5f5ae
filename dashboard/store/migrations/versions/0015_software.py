"""Releases of the box's software, and who is to have which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "release",
        sa.Column("release_id", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("board", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("security", sa.Boolean(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("added_at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("started_by", sa.String(length=63), nullable=True),
        sa.Column("changed_at", sa.Float(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("pardoned", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_release_by_account")),
        sa.ForeignKeyConstraint(["started_by"], ["account.account_id"], name=op.f("fk_release_started_by_account")),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_release")),
    )
    op.create_index("ix_release_version", "release", ["tenant", "board", "number"], unique=True)
    op.create_table(
        "release_ring",
        sa.Column("release_id", sa.String(length=32), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("opens_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["release.release_id"], name=op.f("fk_release_ring_release_id_release")
        ),
        sa.PrimaryKeyConstraint("release_id", "ring", name=op.f("pk_release_ring")),
    )
    _boxes()


def _boxes() -> None:
    op.create_table(
        "release_box",
        sa.Column("release_id", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("ordered_at", sa.Float(), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["release.release_id"], name=op.f("fk_release_box_release_id_release")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_release_box_site_site")),
        sa.PrimaryKeyConstraint("release_id", "site", name=op.f("pk_release_box")),
    )
    op.create_index("ix_release_box_site", "release_box", ["site"], unique=False)
    op.create_table(
        "box_software",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.Float(), nullable=False),
        sa.Column("board", sa.String(length=32), nullable=True),
        sa.Column("version", sa.String(length=16), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("wanted", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("outdated", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_box_software_site_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_box_software")),
    )
    op.create_index("ix_box_software_number", "box_software", ["board", "number"], unique=False)
    op.create_table(
        "pilot_box",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_pilot_box_by_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_pilot_box_site_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_pilot_box")),
    )


def downgrade() -> None:
    """Take this step back."""
    for name in ("pilot_box", "box_software", "release_box", "release_ring", "release"):
        op.drop_table(name)
