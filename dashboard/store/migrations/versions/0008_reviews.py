"""What was looked at, by whom, and what came of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from dashboard.store.names import name_key

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_KEY = sa.String(length=253).with_variant(sa.String(length=253, collation="C"), "postgresql")
_WAITING: dict[str, Any] = dict.fromkeys(
    ("sqlite_where", "postgresql_where"), sa.text("looked_at IS NULL AND severity <> 'information'")
)


def upgrade() -> None:
    """Apply this step."""
    op.add_column("finding", sa.Column("looked_at", sa.Float(), nullable=True))
    op.add_column("finding", sa.Column("name_key", _KEY, nullable=True))
    op.add_column("finding", sa.Column("asked_key", _KEY, nullable=True))
    _name_what_is_stored()
    op.create_index("ix_finding_waiting", "finding", ["site", "raised_at"], unique=False, **_WAITING)
    op.create_index("ix_finding_name_key", "finding", ["name_key"], unique=False)
    op.create_index("ix_finding_asked_key", "finding", ["asked_key"], unique=False)
    op.create_table(
        "review",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("finding_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("follow_up_at", sa.Float(), nullable=True),
        sa.Column("referred_to", sa.String(length=63), nullable=True),
        sa.Column("purpose", sa.String(length=12), nullable=True),
        sa.Column("exculpatory", sa.String(length=500), nullable=True),
        sa.Column("heading", sa.String(length=30), nullable=True),
        sa.Column("command_id", sa.String(length=64), nullable=True),
        sa.Column("list_id", sa.String(length=64), nullable=True),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_review_by_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_review_site_site")),
        sa.PrimaryKeyConstraint("site", "finding_id", name=op.f("pk_review")),
    )
    op.create_index("ix_review_state", "review", ["state", "follow_up_at"], unique=False)
    op.create_index("ix_review_by", "review", ["by", "at"], unique=False)
    op.create_index("ix_review_list", "review", ["list_id"], unique=False)
    op.create_table(
        "review_act",
        sa.Column("act_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("finding_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_review_act_by_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_review_act_site_site")),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_review_act")),
        sa.UniqueConstraint("site", "finding_id", "version", name=op.f("uq_review_act_site")),
    )
    op.create_index("ix_review_act_token", "review_act", ["token"], unique=False)
    op.create_index("ix_review_act_by", "review_act", ["by", "at"], unique=False)
    op.create_table(
        "saved_search",
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_saved_search_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_saved_search")),
    )


def _name_what_is_stored() -> None:
    connection = op.get_bind()
    table = sa.table(
        "finding",
        sa.column("site", sa.String),
        sa.column("finding_id", sa.String),
        sa.column("kind", sa.String),
        sa.column("payload", sa.JSON),
        sa.column("name_key", sa.String),
        sa.column("asked_key", sa.String),
    )
    key = sa.tuple_(table.c.site, table.c.finding_id)
    last = ("", "")
    while rows := connection.execute(
        sa.select(table.c.site, table.c.finding_id, table.c.payload)
        .where(table.c.kind == "listed-name", key > sa.tuple_(*last))
        .order_by(table.c.site, table.c.finding_id)
        .limit(_AT_ONCE)
    ).all():
        for row in rows:
            hit = row.payload.get("hit") or {}
            values = {"name_key": name_key(hit.get("name")), "asked_key": name_key(hit.get("asked"))}
            same = (table.c.site == row.site) & (table.c.finding_id == row.finding_id)
            connection.execute(sa.update(table).where(same).values(**values))
        last = (rows[-1].site, rows[-1].finding_id)


def downgrade() -> None:
    """Take this step back."""
    for name in ("saved_search", "review_act", "review"):
        op.drop_table(name)
    for name in ("ix_finding_asked_key", "ix_finding_name_key", "ix_finding_waiting"):
        op.drop_index(name, table_name="finding")
    with op.batch_alter_table("finding") as batch:
        for name in ("asked_key", "name_key", "looked_at"):
            batch.drop_column(name)
