"""The audit as it is read: who did what, when and about which household; and how far its chain was checked (R66).

In: an open connection and a filter. Out: frozen rows, newest first, a page at a time. A check goes on where the last one
that held ended, at most `MOST_CHECKED` rows at once, and is itself a row. Bounded: `A_PAGE` rows a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from dashboard.store import chain
from dashboard.store.queries import write_audit
from dashboard.store.schema import account, audit

A_PAGE = 50
MOST_CHECKED = 50_000
MOST_ACTIONS = 300
MOST_EXPORTED = 20_000
CHECK = "check-audit"
_UPTO = re.compile(r"(\d{1,18}) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rows; what is empty narrows nothing."""

    account_id: str = ""
    """`none` for what the service did by itself."""
    action: str = ""
    site: str = ""
    since: float | None = None
    until: float | None = None
    before: int | None = None
    """Only rows with a smaller number: the next page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the audit with the name of the account."""

    audit_id: int
    at: float
    account_id: str | None
    name: str | None
    action: str
    subject: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How a check ended."""

    at: float
    upto: int
    """Number of the last row that held."""
    holds: bool
    all: bool
    """Nothing was left to check."""


def page_of(connection: Connection, which: Filter) -> tuple[Line, ...]:
    """One page and one row more, newest first."""
    return tuple(_lines(connection, _rows(which).limit(A_PAGE + 1)))


def export_of(connection: Connection, which: Filter) -> tuple[Line, ...]:
    """All rows of a filter, newest first; at most `MOST_EXPORTED`."""
    return tuple(_lines(connection, _rows(which).limit(MOST_EXPORTED)))


def people(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Accounts to choose from, by name; at most a thousand."""
    query = select(account.c.account_id, account.c.name).order_by(account.c.name).limit(1000)
    return tuple((row[0], row[1]) for row in connection.execute(query))


def last_check(connection: Connection) -> tuple[float, str, str] | None:
    """When the chain was last checked, up to where, and how it ended."""
    query = (
        select(audit.c.at, audit.c.subject, audit.c.outcome)
        .where(audit.c.action == CHECK)
        .order_by(audit.c.audit_id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.at, row.subject, row.outcome)


def check_on(connection: Connection, *, by: str, now: float) -> Checked:
    """Check the chain on from where it last held; the result is a row. To be called inside a transaction."""
    last, before = 0, chain.START
    newest = select(audit.c.subject).where(audit.c.action == CHECK, audit.c.outcome.in_(["holds", "holds so far"]))
    found = _UPTO.fullmatch(
        connection.execute(newest.order_by(audit.c.audit_id.desc()).limit(1)).scalar_one_or_none() or ""
    )
    if found:
        last, before = int(found[1]), found[2]
        there = connection.execute(select(audit.c.digest).where(audit.c.audit_id == last)).scalar_one_or_none()
        if there != before:
            return _note(connection, by=by, now=now, upto=last, before=before, holds=False, whole=True)
    rows = 0
    while rows < MOST_CHECKED:
        batch = connection.execute(
            select(audit).where(audit.c.audit_id > last).order_by(audit.c.audit_id).limit(chain.AT_ONCE)
        ).all()
        for row in batch:
            digest = chain.chained(
                before,
                at=row.at,
                account_id=row.account_id,
                action=row.action,
                subject=row.subject,
                outcome=row.outcome,
            )
            if digest != row.digest:
                return _note(connection, by=by, now=now, upto=last, before=before, holds=False, whole=True)
            before, last, rows = digest, row.audit_id, rows + 1
        if len(batch) < chain.AT_ONCE:
            return _note(connection, by=by, now=now, upto=last, before=before, holds=True, whole=True)
    return _note(connection, by=by, now=now, upto=last, before=before, holds=True, whole=False)


def _note(connection: Connection, *, by: str, now: float, upto: int, before: str, holds: bool, whole: bool) -> Checked:
    outcome = ("holds" if whole else "holds so far") if holds else "broken"
    write_audit(connection, at=now, account_id=by, action=CHECK, subject=f"{upto} {before}", outcome=outcome)
    return Checked(at=now, upto=upto, holds=holds, all=whole)


def _rows(which: Filter) -> Select[tuple[int, float, str | None, str | None, str, str, str]]:
    return (
        select(
            audit.c.audit_id,
            audit.c.at,
            audit.c.account_id,
            account.c.name,
            audit.c.action,
            audit.c.subject,
            audit.c.outcome,
        )
        .join(account, account.c.account_id == audit.c.account_id, isouter=True)
        .where(*_conditions(which))
        .order_by(audit.c.audit_id.desc())
    )


def _lines(
    connection: Connection, query: Select[tuple[int, float, str | None, str | None, str, str, str]]
) -> Iterator[Line]:
    for row in connection.execute(query).mappings():
        yield Line(**row)


def _conditions(which: Filter) -> Iterator[ColumnElement[bool]]:
    if which.account_id:
        yield audit.c.account_id.is_(None) if which.account_id == "none" else audit.c.account_id == which.account_id
    if which.action:
        yield audit.c.action == which.action
    if which.site:
        # A range instead of a pattern: every database finds it by the index.
        under = and_(audit.c.subject > f"{which.site}/", audit.c.subject < f"{which.site}0")
        yield or_(audit.c.subject == which.site, under)
    if which.since is not None:
        yield audit.c.at >= which.since
    if which.until is not None:
        yield audit.c.at < which.until
    if which.before is not None:
        yield audit.c.audit_id < which.before
