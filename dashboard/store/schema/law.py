"""Documents in force, requests of households, notices that were shown."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, String, Table, Text

from dashboard.store.schema.base import metadata

authority_document = Table(
    "authority_document",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("sha256", String(64), primary_key=True, comment="of `document`"),
    Column("authority_id", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("document", Text, nullable=False, comment="SignedAuthority JSON; its signature was checked"),
    Column("stored_at", Float, nullable=False),
    Column("by", String(63), nullable=False),
    Column("second", String(63), comment="who agreed that it is sent"),
    Column("accepted_at", Float, comment="when the box said that it is in force"),
)

request = Table(
    "request",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("device_id", String(64)),
    Column("proved", Boolean, nullable=False),
    Column("text", String(500), nullable=False),
    Column("until", Float),
    Column("notice", String(64)),
    Column("at", Float, nullable=False),
    Column("stored_at", Float, nullable=False),
    Column("state", String(10), nullable=False, comment="open, answered"),
    Column("note", String(500), nullable=False, comment="what the officer did about it"),
    Column("answered_by", String(63)),
    Column("answered_at", Float),
    Index("ix_request_state", "state", "site"),
)

notice = Table(
    "notice",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("language", String(8), nullable=False),
    Column("lines", JSON, nullable=False),
    Column("at", Float, nullable=False),
)
