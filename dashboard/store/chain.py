"""The audit's chain: each row's digest covers the row and the digest before it (R66).

In: a row's fields. Out: its digest; statements that make the database refuse to change or delete a row. Whoever can
switch those off can still not change a row in the middle without changing every digest after it. A cut end is seen only
by whoever wrote down the last digest elsewhere: `audit-verify` prints it, and takes one to look for.
Bounded: a check reads `AT_ONCE` rows at a time.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from dashboard.store.schema import audit

START = "0" * 64
AT_ONCE = 1000
LOCK = 0x6761746568
"""PostgreSQL's advisory lock for the end of the chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What reading the whole chain found."""

    rows: int
    last: str
    """Digest of the last row that holds."""
    broken_at: int | None
    """`audit_id` of the first row that does not follow from the one before it."""
    met: bool | None
    """Whether the digest that was looked for is in the chain; None where none was."""


def chained(before: str, *, at: float, account_id: str | None, action: str, subject: str, outcome: str) -> str:
    """SHA-256 (hex) over the digest before and the row's fields, as JSON."""
    fields = [before, repr(float(at)), account_id, action, subject, outcome]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def last_digest(connection: Connection) -> str:
    """The digest that the next row follows; nobody else adds one until this transaction is over."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    newest = select(audit.c.digest).order_by(audit.c.audit_id.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none() or START


def check(connection: Connection, *, wanted: str | None = None) -> Checked:
    """Read the whole chain; stops at the first row that does not hold."""
    before, last, rows = START, 0, 0
    met = None if wanted is None else wanted == START
    while found := connection.execute(
        select(audit).where(audit.c.audit_id > last).order_by(audit.c.audit_id).limit(AT_ONCE)
    ).all():
        for row in found:
            digest = chained(
                before,
                at=row.at,
                account_id=row.account_id,
                action=row.action,
                subject=row.subject,
                outcome=row.outcome,
            )
            if digest != row.digest:
                return Checked(rows=rows, last=before, broken_at=row.audit_id, met=met)
            before, last, rows = digest, row.audit_id, rows + 1
            if before == wanted:
                met = True
    return Checked(rows=rows, last=before, broken_at=None, met=met)


def guards(dialect: str) -> tuple[str, ...]:
    """Statements after which the database refuses to change or delete a row of the audit."""
    if dialect == "sqlite":
        again = "EXISTS (SELECT 1 FROM audit WHERE audit_id = NEW.audit_id)"
        refuses = "BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END"
        return (
            *(
                f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit {refuses}"
                for what in ("UPDATE", "DELETE")
            ),
            # INSERT OR REPLACE takes the old row away without firing the trigger for deletes.
            f"CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN {again} {refuses}",
        )
    return (
        """CREATE OR REPLACE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit is only added to'; END $$""",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuses()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()",
    )


def unguards(dialect: str) -> tuple[str, ...]:
    """Statements that take the refusal away again, for a migration that must alter the table."""
    if dialect == "sqlite":
        return tuple(f"DROP TRIGGER IF EXISTS audit_no_{what}" for what in ("update", "delete", "replace"))
    return ("DROP TRIGGER IF EXISTS audit_no_change ON audit", "DROP TRIGGER IF EXISTS audit_no_truncate ON audit")
