"""What enrolling boxes needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "box_access",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.Column("reopened_at", sa.Float(), nullable=True),
        sa.Column("cut_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_box_access_site_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_box_access")),
    )
    _wifi()
    op.create_table(
        "relay",
        sa.Column("install_id", sa.String(length=32), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("says", sa.String(length=300), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_relay_by_account")),
        sa.ForeignKeyConstraint(["install_id"], ["install.install_id"], name=op.f("fk_relay_install_id_install")),
        sa.PrimaryKeyConstraint("install_id", name=op.f("pk_relay")),
    )
    op.create_index("ix_relay_state", "relay", ["state", "asked_at"], unique=False)


def _wifi() -> None:
    op.create_table(
        "wifi",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("ssid", sa.String(length=32), nullable=False),
        sa.Column("security", sa.String(length=12), nullable=False),
        sa.Column("isolation", sa.Boolean(), nullable=False),
        sa.Column("uplink", sa.String(length=8), nullable=False),
        sa.Column("uplink_sealed", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_wifi_by_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_wifi_site_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_wifi")),
    )
    op.create_table(
        "wifi_key",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("until", sa.Float(), nullable=True),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("ended_by", sa.String(length=63), nullable=True),
        sa.Column("end_order_id", sa.String(length=32), nullable=True),
        sa.Column("end_tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_wifi_key_by_account")),
        sa.ForeignKeyConstraint(["ended_by"], ["account.account_id"], name=op.f("fk_wifi_key_ended_by_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_wifi_key_site_site")),
        sa.PrimaryKeyConstraint("site", "key_id", name=op.f("pk_wifi_key")),
    )
    op.create_index("ix_wifi_key_made", "wifi_key", ["site", "made_at"], unique=False)


def downgrade() -> None:
    """Take this step back."""
    for name in ("relay", "wifi_key", "wifi", "box_access"):
        op.drop_table(name)
