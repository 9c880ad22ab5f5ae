"""Logs of boxes as they were confirmed, their stamps, and bundles. Rows are only ever added to the first two."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from dashboard.store.schema.base import metadata

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("epoch", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="number of the message that brought it"),
    Column("size", BigInteger, nullable=False),
    Column("root", String(64), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("consistency", JSON, nullable=False),
    Column("at", JSON, nullable=False, comment="wire.ledger.Stamp of the box"),
    Column("signature", String(88), nullable=False),
    Column("received_at", Float, nullable=False),
    Column("verdict", String(10), nullable=False, comment="dashboard.ingest.heads.Verdict"),
    Column("cosigned_at", Float),
    Column("cosignature", String(88)),
    Index("ix_ledger_head_size", "site", "epoch", "size"),
    Index("ix_ledger_head_verdict", "site", "epoch", "verdict", "size"),
)

ledger_seed = Table(
    "ledger_seed",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("epoch", String(64), primary_key=True),
    Column("stretch", BigInteger, primary_key=True, autoincrement=False),
    Column("begins", BigInteger, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("received_at", Float, nullable=False),
)

stamp = Table(
    "stamp",
    metadata,
    Column("day", String(10), primary_key=True, comment="UTC, YYYY-MM-DD"),
    Column("at", Float, nullable=False),
    Column("root", String(64), nullable=False, comment="Merkle root over the lines of `heads`"),
    Column("heads", Text, nullable=False, comment="what was stamped: one line a log"),
    Column("authority", String(300), nullable=False, comment="address of the time-stamping service"),
    Column("token", LargeBinary, nullable=False, comment="RFC 3161 time-stamp response, DER"),
)

bundle = Table(
    "bundle",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("bundle_id", String(64), primary_key=True),
    Column("state", String(10), nullable=False, comment="fetching, arrived, complete, failed"),
    Column("problem", String(300), nullable=False, comment="why it failed, in words"),
    Column("by", String(63), nullable=False, comment="account that asked for it"),
    Column("parts", Integer, nullable=False),
    Column("data_octets", BigInteger, nullable=False, comment="of the data part, as the box said"),
    Column("data_sha256", String(64), nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("built_at", Float, nullable=False),
    Column("expires", Float, nullable=False, comment="when the box deletes its own"),
    Column("asked_at", Float, comment="when parts were asked for last"),
    Column("asked_upto", Integer, comment="up to which part"),
    Column("progress_at", Float, nullable=False, comment="when a part came last"),
    Column("completed_at", Float),
    Column("octets", BigInteger, comment="of the finished zip"),
    Column("sha256", String(64)),
    Column("certified_by", String(63)),
    Column("certified_at", Float),
    Column("certified_text", Text),
)

bundle_part = Table(
    "bundle_part",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("bundle_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False, comment="sealed to ingest's key"),
)

bundle_file = Table(
    "bundle_file",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("bundle_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False, comment="a chunk of the finished zip"),
)
