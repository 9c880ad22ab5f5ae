"""Who is in charge of which household, how accounts sign in, and what is kept of a form whose session had ended."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, String, Table, Text

from dashboard.store.schema.base import metadata

assignment = Table(
    "assignment",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("account_id", ForeignKey("account.account_id"), primary_key=True),
    Column("since", Float, primary_key=True),
    Column("until", Float, comment="none while it lasts"),
    Column("by", String(63), comment="account that said so; none for the operator's command line"),
    Index("ix_assignment_account", "account_id", "site"),
)

cover = Table(
    "cover",
    metadata,
    Column("account_id", ForeignKey("account.account_id"), primary_key=True, comment="who stands in"),
    Column("for_account", ForeignKey("account.account_id"), primary_key=True, comment="for whom"),
    Column("since", Float, primary_key=True),
    Column("until", Float, nullable=False),
    Column("by", String(63), comment="account that said so; none for the operator's command line"),
)

passkey = Table(
    "passkey",
    metadata,
    Column("credential_id", String(344), primary_key=True, comment="base64url"),
    Column("account_id", ForeignKey("account.account_id"), nullable=False),
    Column("public_key", Text, nullable=False, comment="COSE key, base64url"),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", String(60), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("used_at", Float),
    Index("ix_passkey_account", "account_id"),
)

authenticator = Table(
    "authenticator",
    metadata,
    Column("account_id", ForeignKey("account.account_id"), primary_key=True),
    Column("secret", Text, nullable=False, comment="sealed with a key of the secret file"),
    Column("phrase_hash", String(255), nullable=False),
    Column("made_at", Float, nullable=False),
    Column(
        "last_step", BigInteger, nullable=False, comment="30-second step of the last code taken: none is taken twice"
    ),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("account_id", ForeignKey("account.account_id"), primary_key=True),
    Column("code_hash", String(64), primary_key=True, comment="SHA-256 of 80 random bits"),
)

flow = Table(
    "flow",
    metadata,
    Column("flow_hash", String(64), primary_key=True, comment="SHA-256 of what the browser's cookie holds"),
    Column("kind", String(20), nullable=False),
    Column("account_id", String(63), comment="none while nobody is known"),
    Column("data", JSON, nullable=False, comment="challenge, or state, nonce and verifier"),
    Column("expires_at", Float, nullable=False),
)

held_form = Table(
    "held_form",
    metadata,
    Column("held_id", String(32), primary_key=True),
    Column("account_id", ForeignKey("account.account_id"), nullable=False),
    Column("sealed", Text, nullable=False, comment="address and fields, sealed with a key of the secret file"),
    Column("at", Float, nullable=False),
    Index("ix_held_form_account", "account_id", "at"),
)

role_request = Table(
    "role_request",
    metadata,
    Column("request_id", String(32), primary_key=True),
    Column("account_id", ForeignKey("account.account_id"), nullable=False, comment="who is to get the role"),
    Column("role", String(20), nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("state", String(20), nullable=False, comment="needs-second, agreed, refused"),
    Column("answered_by", String(63)),
    Column("answered_at", Float),
)
