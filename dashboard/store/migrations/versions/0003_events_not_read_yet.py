"""Events that a newer box sent and this version cannot read: kept as they were signed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    with op.batch_alter_table("event") as batch:
        batch.add_column(
            sa.Column(
                "unread",
                sa.Text(),
                nullable=True,
                comment="payload as signed, while this version cannot read it; payload is empty then",
            )
        )
    op.create_index(
        "ix_event_unread",
        "event",
        ["source", "id"],
        unique=False,
        sqlite_where=sa.text("unread IS NOT NULL"),
        postgresql_where=sa.text("unread IS NOT NULL"),
    )
