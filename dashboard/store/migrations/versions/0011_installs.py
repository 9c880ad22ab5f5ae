"""Installations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "box_stock",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("verify_key", sa.String(length=44), nullable=False),
        sa.Column("seal_key", sa.String(length=44), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("entered_at", sa.Float(), nullable=False),
        sa.Column("claimed_at", sa.Float(), nullable=True),
        sa.Column("claimed_by", sa.String(length=63), nullable=True),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_box_stock")),
    )
    op.create_table(
        "install",
        sa.Column("install_id", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=True),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("signed_at", sa.Float(), nullable=True),
        sa.Column("closed_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_install_by_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_install_site_site")),
        sa.PrimaryKeyConstraint("install_id", name=op.f("pk_install")),
    )
    op.create_index("ix_install_state", "install", ["tenant", "state", "started_at"], unique=False)
    op.create_index("ix_install_site", "install", ["site"], unique=False)
    _parts()


def _parts() -> None:
    op.create_table(
        "install_step",
        sa.Column("install_id", sa.String(length=32), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("done_at", sa.Float(), nullable=True),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.ForeignKeyConstraint(
            ["install_id"], ["install.install_id"], name=op.f("fk_install_step_install_id_install")
        ),
        sa.PrimaryKeyConstraint("install_id", "step", name=op.f("pk_install_step")),
    )
    op.create_table(
        "install_adult",
        sa.Column("install_id", sa.String(length=32), nullable=False),
        sa.Column("adult_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("explained", sa.Boolean(), nullable=False),
        sa.Column("signed", sa.String(length=10), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("notice_sha256", sa.String(length=64), nullable=False),
        sa.Column("given_at", sa.Float(), nullable=False),
        sa.Column("confirm_by", sa.Float(), nullable=True),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.ForeignKeyConstraint(
            ["install_id"], ["install.install_id"], name=op.f("fk_install_adult_install_id_install")
        ),
        sa.PrimaryKeyConstraint("install_id", "adult_id", name=op.f("pk_install_adult")),
    )
    op.create_table(
        "install_key",
        sa.Column("install_id", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.ForeignKeyConstraint(["install_id"], ["install.install_id"], name=op.f("fk_install_key_install_id_install")),
        sa.PrimaryKeyConstraint("install_id", "key_id", name=op.f("pk_install_key")),
    )


def downgrade() -> None:
    """Take this step back."""
    for name in ("install_key", "install_adult", "install_step", "install", "box_stock"):
        op.drop_table(name)
