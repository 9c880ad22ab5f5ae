"""Home visits as they are stored: started, saved as often as needed, signed once, added to afterwards.

In: an open SQLAlchemy connection and plain values. Out: frozen rows. Writers say whether they changed anything: a visit
that was signed is changed by none of them, and a saving that did not know of the latest one is refused. Bounded: a
household has at most `MOST_OPEN` visits that are not signed, a visit `MOST_LINES` lines and `MOST_ADDENDA` addenda.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from dashboard.store.schema import site, visit, visit_addendum, visit_line

OPEN, SIGNED = "open", "signed"
MOST_SHOWN = 50
MOST_OPEN = 3
MOST_LINES = 250
MOST_ADDENDA = 20
MOST_RETURNED = 100_000
"""Visits that are counted for a return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVisit:
    """A visit."""

    site: str
    visit_id: str
    state: str
    revision: int
    by: str
    started_at: float
    present: list[str]
    question_set: int
    answers: dict[str, str]
    found: list[str]
    saved_at: float
    outcome: str
    note: str
    own_words: str
    explained: list[str]
    signed_at: float | None
    signed_name: str | None
    record: dict[str, Any] | None
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was said of one device."""

    device_id: str
    number: int
    state: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Addendum:
    """What was added after signing."""

    text: str
    by: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitCounts:
    """Visits of some time, for a return."""

    started: int
    signed: int
    outcomes: Mapping[str, int]
    """By what officers entered; the set is the operator's own."""


def visits_of(connection: Connection, site_id: str) -> tuple[StoredVisit, ...]:
    """Visits of a household, newest first; at most `MOST_SHOWN`."""
    query = (
        select(visit)
        .where(visit.c.site == site_id)
        .order_by(visit.c.started_at.desc(), visit.c.visit_id)
        .limit(MOST_SHOWN)
    )
    return tuple(StoredVisit(**row) for row in connection.execute(query).mappings())


def visit_of(connection: Connection, site_id: str, visit_id: str) -> StoredVisit | None:
    """One visit of a household."""
    row = connection.execute(select(visit).where(*_key(site_id, visit_id))).mappings().one_or_none()
    return None if row is None else StoredVisit(**row)


def last_signed(connection: Connection, site_id: str) -> StoredVisit | None:
    """The visit that was signed last."""
    query = (
        select(visit)
        .where(visit.c.site == site_id, visit.c.state == SIGNED)
        .order_by(visit.c.started_at.desc(), visit.c.visit_id)
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else StoredVisit(**row)


def lines_of(connection: Connection, site_id: str, visit_id: str) -> tuple[Line, ...]:
    """What was said of each device, by the number on the sheet."""
    query = (
        select(visit_line.c.device_id, visit_line.c.number, visit_line.c.state, visit_line.c.note)
        .where(visit_line.c.site == site_id, visit_line.c.visit_id == visit_id)
        .order_by(visit_line.c.number)
        .limit(MOST_LINES)
    )
    return tuple(Line(**row) for row in connection.execute(query).mappings())


def addenda_of(connection: Connection, site_id: str, visit_id: str) -> tuple[Addendum, ...]:
    """What was added after signing, oldest first."""
    table = visit_addendum.c
    query = (
        select(table.text, table.by, table.at)
        .where(table.site == site_id, table.visit_id == visit_id)
        .order_by(table.at, table.token)
        .limit(MOST_ADDENDA)
    )
    return tuple(Addendum(**row) for row in connection.execute(query).mappings())


def start(
    connection: Connection,
    *,
    site_id: str,
    visit_id: str,
    by: str,
    present: Sequence[str],
    devices: Sequence[str],
    question_set: int,
    at: float,
    now: float,
) -> bool:
    """Begin a visit with a line for each device; False where there is one of this id, or too many that are not signed."""
    if visit_of(connection, site_id, visit_id) is not None:
        return False
    waiting = select(func.count()).where(visit.c.site == site_id, visit.c.state == OPEN)
    if connection.execute(waiting).scalar_one() >= MOST_OPEN:
        return False
    connection.execute(
        insert(visit).values(
            site=site_id,
            visit_id=visit_id,
            state=OPEN,
            revision=1,
            by=by,
            started_at=at,
            present=list(present),
            question_set=question_set,
            answers={},
            found=[],
            saved_at=now,
            outcome="",
            note="",
            own_words="",
            explained=[],
        )
    )
    lines = [Line(device_id=name, number=number, state="", note="") for number, name in enumerate(devices, 1)]
    _put(connection, site_id, visit_id, lines[:MOST_LINES])
    return True


def save(
    connection: Connection,
    *,
    site_id: str,
    visit_id: str,
    revision: int,
    answers: Mapping[str, str],
    found: Sequence[str],
    lines: Sequence[Line],
    now: float,
) -> bool:
    """Save the sheet; False where it was signed, or saved by somebody else since `revision`."""
    changed = connection.execute(
        update(visit)
        .where(*_key(site_id, visit_id), visit.c.state == OPEN, visit.c.revision == revision)
        .values(revision=revision + 1, answers=dict(answers), found=list(found), saved_at=now)
    ).rowcount
    if not changed:
        return False
    mine = (visit_line.c.site == site_id) & (visit_line.c.visit_id == visit_id)
    connection.execute(delete(visit_line).where(mine))
    _put(connection, site_id, visit_id, lines[:MOST_LINES])
    return True


def sign(
    connection: Connection,
    *,
    site_id: str,
    visit_id: str,
    revision: int,
    name: str,
    outcome: str,
    note: str,
    own_words: str,
    explained: Sequence[str],
    record: Mapping[str, Any],
    now: float,
) -> bool:
    """Sign a visit, once; False where it was signed already or saved since `revision`."""
    return bool(
        connection.execute(
            update(visit)
            .where(*_key(site_id, visit_id), visit.c.state == OPEN, visit.c.revision == revision)
            .values(
                state=SIGNED,
                outcome=outcome,
                note=note,
                own_words=own_words,
                explained=list(explained),
                signed_at=now,
                signed_name=name,
                record=dict(record),
                digest=digest_of(record),
            )
        ).rowcount
    )


def add(connection: Connection, *, site_id: str, visit_id: str, token: str, text: str, by: str, now: float) -> bool:
    """Add to a signed visit; False where it was not signed, has enough, or this was added already."""
    table = visit_addendum.c
    mine = (table.site == site_id) & (table.visit_id == visit_id)
    found = visit_of(connection, site_id, visit_id)
    tokens = set(connection.execute(select(table.token).where(mine)).scalars())
    if found is None or found.state != SIGNED or token in tokens or len(tokens) >= MOST_ADDENDA:
        return False
    connection.execute(
        insert(visit_addendum).values(site=site_id, visit_id=visit_id, token=token, text=text, by=by, at=now)
    )
    return True


def counts(
    connection: Connection, tenant: str, *, since: float, until: float, sees: ColumnElement[bool] | None = None
) -> VisitCounts:
    """Visits of a tenant that began from `since` until `until` (Unix seconds), for the monthly return (R49).

    `sees` narrows the households down, as `store.charge.sees` makes it.
    """
    where = [site.c.tenant == tenant, visit.c.started_at >= since, visit.c.started_at < until]
    if sees is not None:
        where.append(sees)
    query = (
        select(visit.c.state, visit.c.outcome, func.count().label("number"))
        .join(site, site.c.site == visit.c.site)
        .where(*where)
        .group_by(visit.c.state, visit.c.outcome)
        .limit(MOST_RETURNED)
    )
    rows = connection.execute(query).all()
    outcomes: dict[str, int] = {}
    for row in rows:
        if row.state == SIGNED:
            outcomes[row.outcome] = outcomes.get(row.outcome, 0) + row.number
    return VisitCounts(started=sum(row.number for row in rows), signed=sum(outcomes.values()), outcomes=outcomes)


def digest_of(record: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a signed visit's record, as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _put(connection: Connection, site_id: str, visit_id: str, lines: Sequence[Line]) -> None:
    if lines:
        connection.execute(
            insert(visit_line),
            [
                {
                    "site": site_id,
                    "visit_id": visit_id,
                    "device_id": line.device_id,
                    "number": line.number,
                    "state": line.state,
                    "note": line.note,
                }
                for line in lines
            ],
        )


def _key(site_id: str, visit_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return visit.c.site == site_id, visit.c.visit_id == visit_id
