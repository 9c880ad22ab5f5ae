"""Tables of the dashboard, SQLAlchemy Core, one definition for SQLite and PostgreSQL.

Times are Unix seconds (UTC) as float, so that both databases order and compare them alike. JSON columns hold the wire
payload. Tables lie in the modules of this package by what they are about; all are reached from here.
"""

from __future__ import annotations

from dashboard.store.schema.access import (
    assignment,
    authenticator,
    cover,
    flow,
    held_form,
    passkey,
    recovery_code,
    role_request,
)
from dashboard.store.schema.alerts import (
    alert,
    alert_choice,
    alerting,
    channel,
    delivery,
    feed,
    handover,
    monthly_return,
    outcome,
    planned_work,
    shift,
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
from dashboard.store.schema.cases import gap, home, note, person, person_change
from dashboard.store.schema.enrolment import box_access, relay, wifi, wifi_key
from dashboard.store.schema.evidence import bundle, bundle_file, bundle_part, ledger_head, ledger_seed, stamp
from dashboard.store.schema.installs import box_stock, install, install_adult, install_key, install_step
from dashboard.store.schema.law import authority_document, notice, request
from dashboard.store.schema.people import account, audit, command, session, told
from dashboard.store.schema.reviews import review, review_act, saved_search
from dashboard.store.schema.software import box_software, pilot_box, release, release_box, release_ring
from dashboard.store.schema.tokens import api_token
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
    "alert",
    "alert_choice",
    "alerting",
    "api_token",
    "arrangements",
    "assignment",
    "audit",
    "authenticator",
    "authority_document",
    "box_access",
    "box_software",
    "box_stock",
    "bundle",
    "bundle_file",
    "bundle_part",
    "channel",
    "command",
    "cover",
    "delivery",
    "device",
    "event",
    "feed",
    "finding",
    "flow",
    "gap",
    "handover",
    "held_form",
    "history",
    "home",
    "install",
    "install_adult",
    "install_key",
    "install_step",
    "ledger_head",
    "ledger_seed",
    "metadata",
    "monthly_return",
    "note",
    "notice",
    "outcome",
    "partner",
    "passkey",
    "person",
    "person_change",
    "pilot_box",
    "planned_work",
    "proposal",
    "recovery_code",
    "relay",
    "release",
    "release_box",
    "release_ring",
    "replacement",
    "request",
    "review",
    "review_act",
    "role_request",
    "saved_search",
    "session",
    "share",
    "share_note",
    "share_session",
    "shift",
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
    "wifi",
    "wifi_key",
]
