"""Home visits, shares with other agencies, and households handed over between operators.

A visit that was signed is only added to (`visit_addendum`). Codes and sessions of shares are kept as hashes alone. The
content of a transfer is held sealed, and until it was fetched or its time is over.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from dashboard.store.schema.base import metadata

visit = Table(
    "visit",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("visit_id", String(64), primary_key=True),
    Column("state", String(10), nullable=False, comment="open, signed"),
    Column("revision", Integer, nullable=False, comment="raised by each saving"),
    Column("by", String(63), nullable=False, comment="account that holds the visit"),
    Column("started_at", Float, nullable=False),
    Column("present", JSON, nullable=False, comment="roles of those present, never names"),
    Column("question_set", Integer, nullable=False, comment="version of the questions"),
    Column("answers", JSON, nullable=False, comment="by the question's key"),
    Column("found", JSON, nullable=False, comment="devices shown that the box does not know, in a few words each"),
    Column("saved_at", Float, nullable=False),
    Column("outcome", String(60), nullable=False, comment="one of the operator's own set; entered by an officer"),
    Column("note", String(1000), nullable=False),
    Column("own_words", String(1000), nullable=False, comment="of the person visited"),
    Column("explained", JSON, nullable=False, comment="what the officer said was explained"),
    Column("signed_at", Float),
    Column("signed_name", String(120)),
    Column("record", JSON, comment="all of it as it was signed, with what the box saw then"),
    Column("digest", String(64), comment="SHA-256 of the record"),
    Index("ix_visit_started", "site", "started_at"),
    Index("ix_visit_signed", "signed_at"),
)

visit_line = Table(
    "visit_line",
    metadata,
    Column("site", String(63), primary_key=True),
    Column("visit_id", String(64), primary_key=True),
    Column("device_id", String(64), primary_key=True),
    Column("number", Integer, nullable=False, comment="on the paper sheet"),
    Column("state", String(10), nullable=False, comment="seen, not-shown, not-home; empty while not asked"),
    Column("note", String(200), nullable=False),
)

visit_addendum = Table(
    "visit_addendum",
    metadata,
    Column("site", String(63), primary_key=True),
    Column("visit_id", String(64), primary_key=True),
    Column("token", String(32), primary_key=True),
    Column("text", String(1000), nullable=False),
    Column("by", String(63), nullable=False),
    Column("at", Float, nullable=False),
)

share = Table(
    "share",
    metadata,
    Column("share_id", String(64), primary_key=True),
    Column("site", ForeignKey("site.site"), nullable=False),
    Column("agency", String(80), nullable=False),
    Column("reader", String(80), nullable=False, comment="a post, not a name"),
    Column("purpose", String(300), nullable=False),
    Column("sections", JSON, nullable=False, comment="keys of what may be read"),
    Column("by", String(63), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("ended_at", Float),
    Column("ended_by", String(63)),
    Column("code_hash", String(255), comment="hash of the unused one-time code"),
    Column("code_until", Float),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Float),
    Column("opened_at", Float, comment="when it was opened last"),
    Index("ix_share_site", "site", "created_at"),
)

share_session = Table(
    "share_session",
    metadata,
    Column("token_hash", String(64), primary_key=True, comment="SHA-256 of the cookie's token"),
    Column("share_id", ForeignKey("share.share_id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

share_note = Table(
    "share_note",
    metadata,
    Column("share_id", ForeignKey("share.share_id"), primary_key=True),
    Column("token", String(32), primary_key=True),
    Column("text", String(1000), nullable=False),
    Column("at", Float, nullable=False),
)

partner = Table(
    "partner",
    metadata,
    Column("partner_id", String(64), primary_key=True),
    Column("tenant", String(63), nullable=False, comment="whose list it is on"),
    Column("name", String(80), nullable=False),
    Column("verify_key", String(44), nullable=False, comment="Ed25519: signs what comes from there"),
    Column("seal_key", String(44), nullable=False, comment="X25519: what goes there is sealed to it"),
    Column("by", String(63), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("second", String(63), comment="who compared the fingerprints too; it is used only then"),
    Column("seconded_at", Float),
    Column("ended_at", Float),
)

transfer = Table(
    "transfer",
    metadata,
    Column("transfer_id", String(64), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("site", String(63), comment="of one that came: once it was taken in"),
    Column("way", String(3), nullable=False, comment="out, in"),
    Column("state", String(12), nullable=False, comment="needs-second, agreed, made, refused, lapsed; taken, failed"),
    Column("partner_id", String(64), comment="for one that came: once the sender is known"),
    Column("reason", String(300), nullable=False),
    Column("title", String(120), nullable=False, comment="of one that came: what the household is to be called"),
    Column("by", String(63), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("second", String(63)),
    Column("seconded_at", Float),
    Column("problem", String(300), nullable=False),
    Column("done_at", Float),
    Column("octets", BigInteger),
    Column("sha256", String(64), comment="of the sealed file"),
    Column("data", LargeBinary, comment="the sealed file, until its time is over"),
    Index("ix_transfer_state", "state"),
    Index("ix_transfer_site", "site", "created_at"),
)

transfer_taken = Table(
    "transfer_taken",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("pack_id", String(64), primary_key=True, comment="a pack is taken in once"),
    Column("site", String(63), nullable=False),
    Column("sender", String(80), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("taken_at", Float, nullable=False),
)

history = Table(
    "history",
    metadata,
    Column("site", String(63), primary_key=True),
    Column("pack_id", String(64), primary_key=True),
    Column("part", String(12), primary_key=True, comment="finding, review, visit, note, document"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("text", Text, nullable=False, comment="JSON, as the operator before kept it; only read"),
)
