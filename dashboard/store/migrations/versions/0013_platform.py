"""What many households need: how much a day brought is found without reading all findings."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_index("ix_finding_raised", "finding", ["raised_at", "severity", "site"])


def downgrade() -> None:
    """Take this step back."""
    op.drop_index("ix_finding_raised", "finding")
