"""Releases of the box's software, what each box runs, and who was told to take what. Nothing here is about a person."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from dashboard.store.schema.base import metadata

release = Table(
    "release",
    metadata,
    Column("release_id", String(32), primary_key=True, comment="first half of the bundle's SHA-256"),
    Column("tenant", String(63), nullable=False),
    Column("board", String(32), nullable=False),
    Column("version", String(16), nullable=False),
    Column("number", BigInteger, nullable=False, comment="the version as a number that can be compared"),
    Column("statement", Text, nullable=False, comment="SignedRelease payload, as it was signed"),
    Column("security", Boolean, nullable=False),
    Column("expires", Float, nullable=False),
    Column("added_at", Float, nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False, comment="who entered it"),
    Column("state", String(10), nullable=False, comment="entered, going, halted"),
    Column("started_at", Float),
    Column("started_by", ForeignKey("account.account_id"), comment="in whose name boxes are told"),
    Column("changed_at", Float, comment="of the state"),
    Column("reason", String(300), nullable=False, comment="why it was halted, or went on"),
    Column("pardoned", Integer, nullable=False, comment="failures that were there when somebody let it go on"),
    Index("ix_release_version", "tenant", "board", "number", unique=True),
)

release_ring = Table(
    "release_ring",
    metadata,
    Column("release_id", ForeignKey("release.release_id"), primary_key=True),
    Column("ring", Integer, primary_key=True, comment="from 0"),
    Column("share", Integer, nullable=False, comment="of all boxes, in thousandths"),
    Column("opens_at", Float, nullable=False),
)

release_box = Table(
    "release_box",
    metadata,
    Column("release_id", ForeignKey("release.release_id"), primary_key=True),
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("ordered_at", Float, nullable=False, comment="when the box was first told"),
    Column("order_id", String(64), nullable=False, comment="the last order"),
    Column("tries", Integer, nullable=False),
    Index("ix_release_box_site", "site"),
)

box_software = Table(
    "box_software",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("place", Integer, nullable=False, comment="of this box among thousand: which ring it is in"),
    Column("read_at", Float, nullable=False, comment="status_at of the status that this was read of"),
    Column("board", String(32)),
    Column("version", String(16)),
    Column("number", BigInteger, comment="as in release"),
    Column("wanted", BigInteger, comment="number of the release it was last told to take"),
    Column("stage", String(12), nullable=False),
    Column("detail", String(300), nullable=False),
    Column("outdated", JSON, comment="programs that are older than they may be"),
    Index("ix_box_software_number", "board", "number"),
)

pilot_box = Table(
    "pilot_box",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("at", Float, nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False),
)
