"""Tokens with which programs ask in an account's name."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, String, Table

from dashboard.store.schema.base import metadata

api_token = Table(
    "api_token",
    metadata,
    Column("token_id", String(32), primary_key=True),
    Column("account_id", ForeignKey("account.account_id"), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True, comment="SHA-256 of 256 random bits"),
    Column("name", String(60), nullable=False, comment="what it is for, in the maker's words"),
    Column("rights", JSON, nullable=False, comment="a part of what the account's role has"),
    Column("service", Boolean, nullable=False, comment="the account is a program's, with no person behind it"),
    Column("by", String(63), nullable=False, comment="account that made it"),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("used_at", Float, comment="kept to the minute"),
    Column("ended_at", Float, comment="revoked: never valid again"),
    Column("ended_by", String(63)),
    Index("ix_api_token_account", "account_id", "created_at"),
)
