"""Who is told of what and when, the duty rota, what was fed to a collector, and outcomes for the monthly return."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from dashboard.store.schema.base import metadata

channel = Table(
    "channel",
    metadata,
    Column("channel_id", String(32), primary_key=True),
    Column("account_id", ForeignKey("account.account_id"), nullable=False),
    Column("kind", String(20), nullable=False, comment="scheme of the address: mailtos, ntfys, jsons"),
    Column("name", String(60), nullable=False, comment="what its owner calls it"),
    Column("sealed", Text, nullable=False, comment="Apprise URL, sealed: dashboard.alerts.channels"),
    Column("made_at", Float, nullable=False),
    Column("works_at", Float, comment="when a message was last taken there"),
    Column("failed_at", Float, comment="when it last failed for good; none once it works again"),
    Index("ix_channel_account", "account_id"),
)

alert_choice = Table(
    "alert_choice",
    metadata,
    Column("account_id", ForeignKey("account.account_id"), primary_key=True),
    Column("quiet_from", Integer, comment="minute of the local day; none: no quiet hours"),
    Column("quiet_to", Integer),
    Column("also_today", Boolean, nullable=False, comment="told at once of what can wait until the day is over"),
    Column("digest", Boolean, nullable=False),
)

shift = Table(
    "shift",
    metadata,
    Column("shift_id", String(32), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("account_id", ForeignKey("account.account_id"), nullable=False),
    Column("weekday", Integer, nullable=False, comment="0 is Monday"),
    Column("starts", Integer, nullable=False, comment="minute of the local day"),
    Column("ends", Integer, nullable=False, comment="not after `starts`: of the next day"),
    Column("by", String(63), nullable=False),
    Column("made_at", Float, nullable=False),
)

handover = Table(
    "handover",
    metadata,
    Column("handover_id", String(32), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("account_id", ForeignKey("account.account_id"), nullable=False, comment="whose duty is handed over"),
    Column("to_account", ForeignKey("account.account_id"), nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("by", String(63), nullable=False),
    Index("ix_handover_until", "tenant", "until"),
)

planned_work = Table(
    "planned_work",
    metadata,
    Column("work_id", String(32), primary_key=True),
    Column("site", ForeignKey("site.site"), nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("reason", String(300), nullable=False),
    Column("by", String(63), nullable=False),
    Column("made_at", Float, nullable=False),
    Index("ix_planned_work_until", "until", "site"),
)

alert = Table(
    "alert",
    metadata,
    Column("alert_id", String(64), primary_key=True),
    Column("site", ForeignKey("site.site"), nullable=False),
    Column("key", String(64), nullable=False, comment="cause, or kind, of the findings that it is about"),
    Column("rank", Integer, nullable=False, comment="place of the severity, 0 the worst"),
    Column("upto", Float, nullable=False, comment="raised_at of the newest finding that it counts"),
    Column("opened_at", Float, nullable=False),
    Column("step", Integer, nullable=False, comment="how far it was escalated"),
    Column("stepped_at", Float, nullable=False),
    Column("alone", Boolean, nullable=False, comment="nobody with a channel could be found"),
    Column("acknowledged_at", Float),
    Column("acknowledged_by", String(63)),
    Column("closed_at", Float),
    Index("ix_alert_open", "closed_at", "opened_at"),
    Index("ix_alert_site_key", "site", "key", "opened_at"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", String(64), primary_key=True, comment="hash of alert, account and channel: one row each"),
    Column("about", String(64), nullable=False, comment="an alert, a digest's day, or a test"),
    Column("purpose", String(10), nullable=False, comment="alert, digest, rota, test"),
    Column("account_id", ForeignKey("account.account_id"), nullable=False),
    Column("channel_id", String(32), nullable=False),
    Column("kind", String(20), nullable=False, comment="of the channel"),
    Column("urgent", Boolean, nullable=False),
    Column("text", String(300), nullable=False, comment="counts alone; nothing about persons or devices"),
    Column("made_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("taken_until", Float, comment="a sender has it until then"),
    Column("state", String(10), nullable=False, comment="waiting, sent, failed"),
    Column("problem", String(100), nullable=False, comment="why the last try failed; never an address"),
    Column("done_at", Float),
    Index("ix_delivery_due", "state", "due_at"),
    Index("ix_delivery_about", "about"),
)

alerting = Table(
    "alerting",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("at", Float, nullable=False, comment="when the process last looked"),
    Column("digest_day", String(10), nullable=False, comment="local day of the last digest, YYYY-MM-DD"),
    Column("dropped", BigInteger, nullable=False, comment="deliveries left out because too many waited"),
)

feed = Table(
    "feed",
    metadata,
    Column("name", String(63), primary_key=True, comment="which collector"),
    Column("audit_id", BigInteger, nullable=False, comment="last row of the audit that was sent"),
    Column("stored_at", Float, nullable=False, comment="up to where states of findings were sent"),
    Column("site", String(63), nullable=False),
    Column("finding_id", String(64), nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False, comment="rows left out because too many waited"),
    Column("at", Float, nullable=False, comment="when something was last sent"),
    Column("problem", String(100), nullable=False, comment="why nothing is sent just now"),
)

outcome = Table(
    "outcome",
    metadata,
    Column("outcome_id", String(32), primary_key=True),
    Column("site", ForeignKey("site.site"), nullable=False),
    Column("day", String(10), nullable=False, comment="local day it belongs to, YYYY-MM-DD"),
    Column("word", String(60), nullable=False, comment="one of the operator's own words, as an officer chose it"),
    Column("purpose", String(12), nullable=False, comment="prevention or detection"),
    Column("by", String(63), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("taken_back_at", Float),
    Index("ix_outcome_day", "day", "site"),
)

monthly_return = Table(
    "monthly_return",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("month", String(7), primary_key=True, comment="YYYY-MM"),
    Column("counts", JSON, nullable=False, comment="numbers alone, as they were counted then"),
    Column("made_at", Float, nullable=False),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the counts"),
)
