"""What a telephone carries between a box without internet and the enrolment desk: one request an installation.

In: an open SQLAlchemy connection, a request that was read already. Out: a frozen row. The desk's process answers what
waits (`dashboard.enrol.following`); the answer is sealed to the box. Bounded: one row an installation, `MAX_REQUEST`
octets of request and `MAX_ANSWER` of answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from dashboard.store.installs import alone
from dashboard.store.queries import write_audit
from dashboard.store.schema import relay

WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """What is carried for an installation."""

    state: str
    """waiting, or the desk's outcome (`dashboard.enrol.asking.Outcome`)."""
    says: str
    answer: str | None
    asked_at: float
    answered_at: float | None


def relay_of(connection: Connection, install_id: str) -> Relay | None:
    """What is carried for an installation; None where nothing is."""
    names = ("state", "says", "answer", "asked_at", "answered_at")
    query = select(*(relay.c[name] for name in names)).where(relay.c.install_id == install_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Relay(**row)


def ask(connection: Connection, install_id: str, request: str, *, by: str, now: float) -> None:
    """Leave a request for the desk; one that was left before is replaced."""
    alone(connection, install_id)
    values = {
        "request": request,
        "asked_at": now,
        "by": by,
        "state": WAITING,
        "says": "",
        "answer": None,
        "answered_at": None,
    }
    mine = relay.c.install_id == install_id
    if not connection.execute(update(relay).where(mine).values(**values)).rowcount:
        connection.execute(insert(relay).values(install_id=install_id, **values))
    write_audit(connection, at=now, account_id=by, action="carry-request", subject=install_id, outcome="asked")
