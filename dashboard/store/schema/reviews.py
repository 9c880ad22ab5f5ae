"""What people looked at and decided about findings, and the searches that they keep."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from dashboard.store.schema.base import metadata

review = Table(
    "review",
    metadata,
    Column("site", ForeignKey("site.site"), primary_key=True),
    Column("finding_id", String(64), primary_key=True),
    Column("version", Integer, nullable=False, comment="how many acts there are: whoever decides says which they saw"),
    Column("state", String(12), nullable=False, comment="settled, follow-up, referred, second or reopened"),
    Column("action", String(12), nullable=False, comment="register, ask, refer or none"),
    Column("outcome", String(40), comment="of dashboard.store.outcomes"),
    Column("reason", String(500), nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("follow_up_at", Float, comment="when it comes back to Today"),
    Column("referred_to", String(63), comment="account that was told"),
    Column("purpose", String(12), comment="prevention or detection"),
    Column("exculpatory", String(500), comment="what speaks for the person; none where nothing was said"),
    Column("heading", String(30), comment="heading of the risk review that it was tagged to"),
    Column("command_id", String(64), comment="what was asked of the box in the same act"),
    Column("list_id", String(64), comment="list whose entry was said to be wrong or not relevant here"),
    Column("severity", String(20), nullable=False, comment="as it was then"),
    Column("revision", BigInteger, nullable=False, comment="of the finding, as it was then"),
    Index("ix_review_state", "state", "follow_up_at"),
    Index("ix_review_by", "by", "at"),
    Index("ix_review_list", "list_id"),
)

# Only ever added to: what was said stays said, whatever is decided afterwards.
review_act = Table(
    "review_act",
    metadata,
    Column("act_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("site", ForeignKey("site.site"), nullable=False),
    Column("finding_id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("act", String(12), nullable=False, comment="decide, look, agree, disagree or reopen"),
    Column("action", String(12), nullable=False),
    Column("outcome", String(40)),
    Column("reason", String(500), nullable=False),
    Column("by", ForeignKey("account.account_id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("token", String(64), nullable=False, comment="of the form: sent twice it is one act"),
    UniqueConstraint("site", "finding_id", "version"),
    Index("ix_review_act_token", "token"),
    Index("ix_review_act_by", "by", "at"),
)

saved_search = Table(
    "saved_search",
    metadata,
    Column("account_id", ForeignKey("account.account_id"), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("query", String(500), nullable=False, comment="what stands in the address after the question mark"),
    Column("at", Float, nullable=False),
)
