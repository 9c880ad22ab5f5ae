"""Tables of the dashboard, SQLAlchemy Core, one definition for SQLite and PostgreSQL.

Times are Unix seconds (UTC) as float, so that both databases order and compare them alike. JSON columns hold the wire
payload. Tables lie in the modules of this package by what they are about; all are reached from here.
"""

from __future__ import annotations

from dashboard.store.schema.base import metadata
from dashboard.store.schema.boxes import (
    arrangements,
    device,
    event,
    finding,
    proposal,
    replacement,
    site,
    stay,
    watchman,
)
from dashboard.store.schema.evidence import bundle, bundle_file, bundle_part, ledger_head, ledger_seed, stamp
from dashboard.store.schema.law import authority_document, notice, request
from dashboard.store.schema.people import account, audit, command, session, told

__all__ = [
    "account",
    "arrangements",
    "audit",
    "authority_document",
    "bundle",
    "bundle_file",
    "bundle_part",
    "command",
    "device",
    "event",
    "finding",
    "ledger_head",
    "ledger_seed",
    "metadata",
    "notice",
    "proposal",
    "replacement",
    "request",
    "session",
    "site",
    "stamp",
    "stay",
    "told",
    "watchman",
]
