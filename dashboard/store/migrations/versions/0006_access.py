"""Who is in charge of which household, and how accounts sign in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
_SESSION = (
    ("seen_at", sa.Float),
    ("proved_at", sa.Float),
    ("way", lambda: sa.String(length=20)),
    ("client", lambda: sa.String(length=120)),
    ("origin", lambda: sa.String(length=64)),
    ("ended_at", sa.Float),
)


def upgrade() -> None:
    """Apply this step."""
    with op.batch_alter_table("account") as batch:
        batch.add_column(sa.Column("last_sign_in", sa.Float(), nullable=True))
        batch.add_column(sa.Column("issuer", sa.String(length=300), nullable=True))
        batch.add_column(sa.Column("subject", sa.String(length=255), nullable=True))
    op.create_index("ix_account_subject", "account", ["issuer", "subject"], unique=True)
    with op.batch_alter_table("session") as batch:
        for name, kind in _SESSION:
            batch.add_column(sa.Column(name, kind(), nullable=True))
    op.create_index("ix_session_account", "session", ["account_id"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=True),
        sa.Column("by", sa.String(length=63), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_assignment_account_id_account")),
        sa.ForeignKeyConstraint(["site"], ["site.site"], name=op.f("fk_assignment_site_site")),
        sa.PrimaryKeyConstraint("site", "account_id", "since", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_account", "assignment", ["account_id", "site"], unique=False)
    op.create_table(
        "cover",
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("for_account", sa.String(length=63), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_cover_account_id_account")),
        sa.ForeignKeyConstraint(["for_account"], ["account.account_id"], name=op.f("fk_cover_for_account_account")),
        sa.PrimaryKeyConstraint("account_id", "for_account", "since", name=op.f("pk_cover")),
    )
    op.create_table(
        "passkey",
        sa.Column("credential_id", sa.String(length=344), nullable=False),
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_passkey_account_id_account")),
        sa.PrimaryKeyConstraint("credential_id", name=op.f("pk_passkey")),
    )
    op.create_index("ix_passkey_account", "passkey", ["account_id"], unique=False)
    op.create_table(
        "authenticator",
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("phrase_hash", sa.String(length=255), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_authenticator_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_authenticator")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_recovery_code_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "flow",
        sa.Column("flow_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.String(length=63), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("flow_hash", name=op.f("pk_flow")),
    )
    op.create_table(
        "held_form",
        sa.Column("held_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_held_form_account_id_account")),
        sa.PrimaryKeyConstraint("held_id", name=op.f("pk_held_form")),
    )
    op.create_index("ix_held_form_account", "held_form", ["account_id", "at"], unique=False)
    op.create_table(
        "role_request",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=63), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=63), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("answered_by", sa.String(length=63), nullable=True),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_role_request_account_id_account")
        ),
        sa.ForeignKeyConstraint(["by"], ["account.account_id"], name=op.f("fk_role_request_by_account")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_role_request")),
    )


def downgrade() -> None:
    """Take this step back."""
    for name in (
        "role_request",
        "held_form",
        "flow",
        "recovery_code",
        "authenticator",
        "passkey",
        "cover",
        "assignment",
    ):
        op.drop_table(name)
    op.drop_index("ix_session_account", table_name="session")
    with op.batch_alter_table("session") as batch:
        for name, _kind in _SESSION:
            batch.drop_column(name)
    op.drop_index("ix_account_subject", table_name="account")
    with op.batch_alter_table("account") as batch:
        for name in ("last_sign_in", "issuer", "subject"):
            batch.drop_column(name)
