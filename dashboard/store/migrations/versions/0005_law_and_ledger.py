"""Two people, authority documents, requests, what officers are told, replaced boxes, a chained audit; the ledger.

Each part has a function of its own below, so that what belongs together stands together.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from dashboard.store.chain import START, chained, guards, unguards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    _two_people()
    _authority()
    _requests()
    _replaced()
    _watchman()
    _ledger()
    _bundles()
    _audit()
    _revocation()
    op.create_index("ix_event_kept", "event", ["site", "received_at", "type"], unique=False)


def _revocation() -> None:
    with op.batch_alter_table("site") as batch:
        batch.add_column(sa.Column("revoked_at", sa.Float(), nullable=True))


def _two_people() -> None:
    with op.batch_alter_table("command") as batch:
        batch.add_column(sa.Column("second", sa.String(length=63), nullable=True))
        batch.add_column(sa.Column("seconded_at", sa.Float(), nullable=True))
        batch.add_column(sa.Column("second_reason", sa.String(length=500), nullable=True))
        batch.add_column(sa.Column("break_glass", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("reviewed_by", sa.String(length=63), nullable=True))
        batch.add_column(sa.Column("reviewed_at", sa.Float(), nullable=True))
        batch.add_column(sa.Column("review_note", sa.String(length=500), nullable=True))
    op.create_table(
        "told",
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("read_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_told_account_id_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_told_site_site")),
        sa.PrimaryKeyConstraint("account_id", "about", name=op.f("pk_told")),
    )


def _authority() -> None:
    op.create_table(
        "authority_document",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("second", sa.String(length=63), nullable=True),
        sa.Column("accepted_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_authority_document_site_site")),
        sa.PrimaryKeyConstraint("site", "sha256", name=op.f("pk_authority_document")),
    )


def _requests() -> None:
    op.create_table(
        "request",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("proved", sa.Boolean(), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("until", sa.Float(), nullable=True),
        sa.Column("notice", sa.String(length=64), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("stored_at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("answered_by", sa.String(length=63), nullable=True),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_request_site_site")),
        sa.PrimaryKeyConstraint("site", "request_id", name=op.f("pk_request")),
    )
    op.create_index("ix_request_state", "request", ["state", "site"], unique=False)
    op.create_table(
        "notice",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_notice_site_site")),
        sa.PrimaryKeyConstraint("site", "sha256", name=op.f("pk_notice")),
    )


def _replaced() -> None:
    with op.batch_alter_table("site") as batch:
        batch.add_column(sa.Column("sequence_floor", sa.BigInteger(), nullable=True))
    op.create_table(
        "replacement",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("old_epoch", sa.String(length=32), nullable=True),
        sa.Column("new_epoch", sa.String(length=32), nullable=True),
        sa.Column("asked_at", sa.Float(), nullable=True),
        sa.Column("done_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_replacement_site_site")),
        sa.PrimaryKeyConstraint("site", "at", name=op.f("pk_replacement")),
    )


def _watchman() -> None:
    op.create_table(
        "watchman",
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_watchman")),
    )


def _ledger() -> None:
    op.create_table(
        "ledger_head",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("consistency", sa.JSON(), nullable=False),
        sa.Column("at", sa.JSON(), nullable=False),
        sa.Column("signature", sa.String(length=88), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("cosigned_at", sa.Float(), nullable=True),
        sa.Column("cosignature", sa.String(length=88), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_ledger_head_site_site")),
        sa.PrimaryKeyConstraint("site", "epoch", "seq", name=op.f("pk_ledger_head")),
    )
    op.create_index("ix_ledger_head_size", "ledger_head", ["site", "epoch", "size"], unique=False)
    op.create_index("ix_ledger_head_verdict", "ledger_head", ["site", "epoch", "verdict", "size"], unique=False)
    op.create_table(
        "ledger_seed",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("stretch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("begins", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_ledger_seed_site_site")),
        sa.PrimaryKeyConstraint("site", "epoch", "stretch", name=op.f("pk_ledger_seed")),
    )
    op.create_table(
        "stamp",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.Column("authority", sa.String(length=300), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_stamp")),
    )


def _bundles() -> None:
    op.create_table(
        "bundle",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("bundle_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("data_octets", sa.BigInteger(), nullable=False),
        sa.Column("data_sha256", sa.String(length=64), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("built_at", sa.Float(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=True),
        sa.Column("asked_upto", sa.Integer(), nullable=True),
        sa.Column("progress_at", sa.Float(), nullable=False),
        sa.Column("completed_at", sa.Float(), nullable=True),
        sa.Column("octets", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("certified_by", sa.String(length=63), nullable=True),
        sa.Column("certified_at", sa.Float(), nullable=True),
        sa.Column("certified_text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_bundle_site_site")),
        sa.PrimaryKeyConstraint("site", "bundle_id", name=op.f("pk_bundle")),
    )
    op.create_table(
        "bundle_part",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("bundle_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_bundle_part_site_site")),
        sa.PrimaryKeyConstraint("site", "bundle_id", "number", name=op.f("pk_bundle_part")),
    )
    op.create_table(
        "bundle_file",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("bundle_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_bundle_file_site_site")),
        sa.PrimaryKeyConstraint("site", "bundle_id", "number", name=op.f("pk_bundle_file")),
    )


def _audit() -> None:
    with op.batch_alter_table("audit") as batch:
        batch.add_column(sa.Column("digest", sa.String(length=64), nullable=False, server_default=""))
    connection = op.get_bind()
    table = sa.table(
        "audit",
        *(sa.column(name) for name in ("audit_id", "at", "account_id", "action", "subject", "outcome", "digest")),
    )
    before, last = START, 0
    while rows := connection.execute(
        sa.select(table).where(table.c.audit_id > last).order_by(table.c.audit_id).limit(1000)
    ).all():
        for row in rows:
            before = chained(
                before,
                at=row.at,
                account_id=row.account_id,
                action=row.action,
                subject=row.subject,
                outcome=row.outcome,
            )
            connection.execute(sa.update(table).where(table.c.audit_id == row.audit_id).values(digest=before))
            last = row.audit_id
    for statement in (*unguards(connection.dialect.name), *guards(connection.dialect.name)):
        connection.exec_driver_sql(statement)
