"""Tokens of programs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "api_token",
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False, comment="SHA-256 of 256 random bits"),
        sa.Column("name", sa.String(length=60), nullable=False, comment="what it is for, in the maker's words"),
        sa.Column("rights", sa.JSON(), nullable=False, comment="a part of what the account's role has"),
        sa.Column(
            "service", sa.Boolean(), nullable=False, comment="the account is a program's, with no person behind it"
        ),
        sa.Column("by", sa.String(length=63), nullable=False, comment="account that made it"),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=True, comment="kept to the minute"),
        sa.Column("ended_at", sa.Float(), nullable=True, comment="revoked: never valid again"),
        sa.Column("ended_by", sa.String(length=63), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_api_token_account_id_account")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index("ix_api_token_account", "api_token", ["account_id", "created_at"], unique=False)


def downgrade() -> None:
    """Take this step back."""
    op.drop_index("ix_api_token_account", table_name="api_token")
    op.drop_table("api_token")
