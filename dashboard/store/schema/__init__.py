"""Tables of the dashboard, SQLAlchemy Core, one definition for SQLite and PostgreSQL.

Times are Unix seconds (UTC) as float, so that both databases order and compare them alike. JSON columns hold the wire
payload. Tables lie in the modules of this package by what they are about; all are reached from here.
"""

from __future__ import annotations

from dashboard.store.schema.access import (
    assignment,
    attempt,
    authenticator,
    cover,
    flow,
    held_form,
    passkey,
    recovery_code,
    role_request,
)
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
from dashboard.store.schema.cases import home, note, person, person_change
from dashboard.store.schema.evidence import bundle, bundle_file, bundle_part, ledger_head, ledger_seed, stamp
from dashboard.store.schema.law import authority_document, notice, request
from dashboard.store.schema.people import account, audit, command, session, told
from dashboard.store.schema.reviews import review, review_act, saved_search
from dashboard.store.schema.visits import (
    history,
    partner,
    share,
    share_note,
    share_session,
    transfer,
    transfer_taken,
    visit,
    visit_addendum,
    visit_line,
)

__all__ = [
    "account",
    "arrangements",
    "assignment",
    "attempt",
    "audit",
    "authenticator",
    "authority_document",
    "bundle",
    "bundle_file",
    "bundle_part",
    "command",
    "cover",
    "device",
    "event",
    "finding",
    "flow",
    "held_form",
    "history",
    "home",
    "ledger_head",
    "ledger_seed",
    "metadata",
    "note",
    "notice",
    "partner",
    "passkey",
    "person",
    "person_change",
    "proposal",
    "recovery_code",
    "replacement",
    "request",
    "review",
    "review_act",
    "saved_search",
    "role_request",
    "session",
    "share",
    "share_note",
    "share_session",
    "site",
    "stamp",
    "stay",
    "told",
    "transfer",
    "transfer_taken",
    "visit",
    "visit_addendum",
    "visit_line",
    "watchman",
]
