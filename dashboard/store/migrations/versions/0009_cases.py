"""Persons, their households, notes, and when a box could not see."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "person",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=True),
        sa.Column("risk", sa.String(length=10), nullable=False),
        sa.Column("review_days", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person")),
        sa.UniqueConstraint("tenant", "reference", name=op.f("uq_person_tenant")),
    )
    op.create_table(
        "home",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_home_person_id_person")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_home_site_site")),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_home")),
    )
    op.create_index("ix_home_person", "home", ["person_id"], unique=False)
    op.create_table(
        "person_change",
        sa.Column("change_id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("before", sa.String(length=120), nullable=False),
        sa.Column("after", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_person_change_person_id_person")),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_person_change")),
    )
    op.create_index("ix_person_change_person", "person_change", ["person_id", "at"], unique=False)
    op.create_table(
        "note",
        sa.Column("note_id", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("agency", sa.String(length=80), nullable=False),
        sa.Column("heading", sa.String(length=40), nullable=False),
        sa.Column("finding_id", sa.String(length=64), nullable=True),
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("corrects", sa.String(length=32), nullable=True),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_note_by_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_note_site_site")),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_note")),
    )
    op.create_index("ix_note_site", "note", ["site", "at"], unique=False)
    op.create_table(
        "gap",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("started", sa.Float(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("ended", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_gap_site_site")),
        sa.PrimaryKeyConstraint("site", "started", "cause", name=op.f("pk_gap")),
    )


def downgrade() -> None:
    """Take this step back."""
    for table in ("gap", "note", "person_change", "home", "person"):
        op.drop_table(table)
