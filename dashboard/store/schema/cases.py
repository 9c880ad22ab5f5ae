"""Persons, the homes they live in, what was changed about them, notes; and when a box could not see."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from dashboard.store.schema.base import metadata

person = Table(
    "person",
    metadata,
    Column("person_id", String(32), primary_key=True, comment="opaque: two of one name never become one (R47)"),
    Column("tenant", String(63), nullable=False),
    Column("reference", String(80), nullable=False, comment="the operator's own number for the case"),
    Column("name", String(120), comment="only where the operator shows names"),
    Column("risk", String(10), nullable=False, comment="low, medium, high, very-high; empty: not assessed"),
    Column("review_days", Integer, comment="how often to look at the findings; none: as the risk says (R40)"),
    Column("revision", Integer, nullable=False, comment="rises with each change: two people at one form are told"),
    Column("changed_at", Float, nullable=False),
    Column("by", String(63), nullable=False),
    UniqueConstraint("tenant", "reference"),
)

home = Table(
    "home",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("person_id", ForeignKey("person.person_id"), nullable=False),
    Column("since", Float, nullable=False),
    Column("by", String(63), nullable=False),
    Index("ix_home_person", "person_id"),
)

person_change = Table(
    "person_change",
    metadata,
    Column("change_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("person_id", ForeignKey("person.person_id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("by", String(63), nullable=False),
    Column("field", String(20), nullable=False),
    Column("before", String(120), nullable=False, comment="empty for a name: that it changed is enough"),
    Column("after", String(120), nullable=False),
    Index("ix_person_change_person", "person_id", "at"),
)

note = Table(
    "note",
    metadata,
    Column("note_id", String(32), primary_key=True, comment="the form's token: sent twice it is one note"),
    Column("site", ForeignKey("site.site"), nullable=False),
    Column("at", Float, nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False),
    Column("agency", String(80), nullable=False),
    Column("heading", String(40), nullable=False, comment="of the risk review (S3); empty: none"),
    Column("finding_id", String(64)),
    Column("device_id", String(64)),
    Column("corrects", String(32), comment="the note that it puts right; that one stays"),
    Column("text", String(2000), nullable=False),
    Index("ix_note_site", "site", "at"),
)

gap = Table(
    "gap",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("started", Float, primary_key=True),
    Column("cause", String(20), primary_key=True),
    Column("ended", Float, comment="none while it lasts"),
)
