"""Boxes that wait to be fitted, and installations: their steps, who was told, which passphrases were made.

`install_adult` holds a signature and `install_step.answers` what an officer typed about an order: personal data of the
case, kept as long as the household's other records of the case. No passphrase is in any table.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from dashboard.store.schema.base import metadata

box_stock = Table(
    "box_stock",
    metadata,
    Column("site", String(63), primary_key=True, comment="the box's opaque id, the CN of its certificate"),
    Column("tenant", String(63), nullable=False),
    Column("verify_key", String(44), nullable=False),
    Column("seal_key", String(44), nullable=False),
    Column("fingerprint", String(16), nullable=False, comment="of verify_key, as on the box's label"),
    Column("code_sha256", String(64), nullable=False, comment="of the one-time claim code"),
    Column("tries", Integer, nullable=False, comment="wrong codes so far"),
    Column("entered_at", Float, nullable=False),
    Column("claimed_at", Float, comment="when its code was used"),
    Column("claimed_by", String(63)),
)

install = Table(
    "install",
    metadata,
    Column("install_id", String(32), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("kind", String(10), nullable=False, comment="install, removal"),
    Column("reference", String(80), nullable=False, comment="the operator's own number for the case; no name"),
    Column("site", ForeignKey("site.site"), comment="none until a box is claimed"),
    Column("by", ForeignKey("account.account_id"), nullable=False),
    Column("state", String(10), nullable=False, comment="open, pending, done, given-up"),
    Column("started_at", Float, nullable=False),
    Column("signed_at", Float, comment="when the visit was signed"),
    Column("closed_at", Float),
    Index("ix_install_state", "tenant", "state", "started_at"),
    Index("ix_install_site", "site"),
)

install_step = Table(
    "install_step",
    metadata,
    Column("install_id", ForeignKey("install.install_id"), primary_key=True),
    Column("step", String(20), primary_key=True),
    Column("answers", JSON, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("done_at", Float, comment="none while it is not complete"),
    Column("by", String(63), nullable=False, comment="who saved it last"),
)

install_adult = Table(
    "install_adult",
    metadata,
    Column("install_id", ForeignKey("install.install_id"), primary_key=True),
    Column("adult_id", String(64), primary_key=True, comment="opaque; no name"),
    Column("role", String(10), nullable=False, comment="subject, adult"),
    Column("kind", String(10), nullable=False, comment="consent, notice"),
    Column("language", String(8), nullable=False),
    Column("explained", Boolean, nullable=False),
    Column("signed", String(10), nullable=False, comment="typed, drawn, declined"),
    Column("signature", Text, nullable=False, comment="what was typed, or the path of what was drawn"),
    Column("notice_sha256", String(64), nullable=False, comment="of the words that were given"),
    Column("given_at", Float, nullable=False),
    Column("confirm_by", Float),
    Column("by", String(63), nullable=False),
)

install_key = Table(
    "install_key",
    metadata,
    Column("install_id", ForeignKey("install.install_id"), primary_key=True),
    Column("key_id", String(64), primary_key=True, comment="what the box knows the passphrase by; not the passphrase"),
    Column("purpose", String(10), nullable=False, comment="device, guest, household"),
    Column("label", String(80), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("by", String(63), nullable=False),
)
