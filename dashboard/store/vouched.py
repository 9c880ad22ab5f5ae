"""Whether two accounts can be taken for two people: whoever had the other's sign-in code in hand cannot second it.

In: who asked, who answers, the time. Out: a condition for the statement that decides. A supervisor makes the one-time
code with which an account signs in first, or again after its keys were taken away; with it they could be that account
themselves. So for `KEPT_SECONDS` after that neither answers as the second person to what the other asked for. A code made
on the service's command line is nobody's account's, and no hindrance. Read from the audit, which only grows. Two accounts that a third gave codes
to are not told apart from two people: the audit shows who gave them.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, exists, literal, or_, select

from dashboard.store.schema import audit

KEPT_SECONDS = 30 * 86400.0
MADE = "make-code"
"""The audit's word, with who made it and, as the subject, for whom."""


def apart(asked_by: ColumnElement[str], answers: str, now: float) -> ColumnElement[bool]:
    """Condition: neither of the two accounts made a sign-in code for the other in the last `KEPT_SECONDS`."""
    gave = and_(audit.c.account_id == asked_by, audit.c.subject == answers)
    had = and_(audit.c.account_id == answers, audit.c.subject == asked_by)
    lately = audit.c.at > now - KEPT_SECONDS
    return and_(asked_by != answers, ~exists().where(audit.c.action == MADE, lately, or_(gave, had)))


def are_apart(connection: Connection, one: str, other: str, now: float) -> bool:
    """As `apart`, of two that are known."""
    return bool(connection.execute(select(apart(literal(one), other, now))).scalar_one())
