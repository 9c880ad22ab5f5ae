"""What the pages read and write of authority documents, holds and the home's requests.

In: an open SQLAlchemy connection. Out: frozen rows. Bounded: every read has a most; a household keeps `MOST_DOCUMENTS`
documents (one more is refused) and `MOST_REQUESTS` requests that wait (the oldest answered ones go first, a home that
writes more than that is counted as one line in the audit by ingest).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from dashboard.store.queries import StoredCommand, in_scope
from dashboard.store.queries import stored_commands as _commands
from dashboard.store.schema import authority_document, command, notice, request, site

MOST_DOCUMENTS = 50
MOST_REQUESTS = 200
MOST_SHOWN = 50
MOST_ACTS = 50
MOST_HOLDS = 1000
"""Orders about holds that are read; each took two people, and a box keeps far fewer."""
MOST_READ = 20
"""Documents that are read to find the one in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A signed document that is held here."""

    sha256: str
    authority_id: str
    number: int
    document: str
    stored_at: float
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """What somebody at home asked for."""

    request_id: str
    kind: str
    device_id: str | None
    proved: bool
    text: str
    until: float | None
    at: float
    state: str
    note: str
    answered_by: str | None
    answered_at: float | None


def digest_of(document: str) -> str:
    """What a document is known by."""
    return hashlib.sha256(document.encode()).hexdigest()


def documents_of(connection: Connection, site_id: str) -> tuple[StoredDocument, ...]:
    """Documents of a household, the latest first."""
    table = authority_document.c
    query = (
        select(table.sha256, table.authority_id, table.number, table.document, table.stored_at, table.by)
        .where(table.site == site_id)
        .order_by(table.stored_at.desc(), table.number.desc())
        .limit(MOST_DOCUMENTS)
    )
    return tuple(StoredDocument(**row) for row in connection.execute(query).mappings())


def keep_document(
    connection: Connection, *, site_id: str, authority_id: str, number: int, document: str, by: str, now: float
) -> bool:
    """Hold a document whose signature was checked; False where the household has too many."""
    table = authority_document.c
    key = (table.site == site_id) & (table.sha256 == digest_of(document))
    if connection.execute(select(table.sha256).where(key)).first() is not None:
        return True
    held = connection.execute(select(func.count()).select_from(authority_document).where(table.site == site_id))
    if held.scalar_one() >= MOST_DOCUMENTS:
        return False
    connection.execute(
        insert(authority_document).values(
            site=site_id,
            sha256=digest_of(document),
            authority_id=authority_id,
            number=number,
            document=document,
            stored_at=now,
            by=by,
        )
    )
    return True


def next_number(connection: Connection, site_id: str, authority_id: str) -> int:
    """The number of the next document of this id: one more than the highest that is held here or that the box has."""
    table = authority_document.c
    query = select(func.max(table.number)).where(table.site == site_id, table.authority_id == authority_id)
    held = connection.execute(query).scalar_one() or 0
    status = connection.execute(select(site.c.status).where(site.c.site == site_id)).scalar_one_or_none() or {}
    said = status.get("authority_number") if status.get("authority_id") == authority_id else None
    return max(held, said if isinstance(said, int) else 0) + 1


def acts_of(connection: Connection, site_id: str, actions: tuple[str, ...]) -> tuple[StoredCommand, ...]:
    """Commands of these actions at a household, newest first; at most `MOST_ACTS`."""
    query = (
        _commands()
        .where(command.c.site == site_id, command.c.body["action"].as_string().in_(actions))
        .order_by(command.c.created_at.desc(), command.c.command_id)
        .limit(MOST_ACTS)
    )
    return tuple(StoredCommand(**row) for row in connection.execute(query).mappings())


def holds_in_force(connection: Connection, site_id: str, now: float) -> tuple[StoredCommand, ...]:
    """Orders to keep records for a case that the box confirmed, that nobody ended, and whose time is not over."""
    ends = (
        select(command.c.body, command.c.answered_at)
        .where(command.c.site == site_id, command.c.state == "applied", _is("end-hold"))
        .order_by(command.c.answered_at)
    )
    ended = {row.body.get("hold_id"): row.answered_at or 0.0 for row in connection.execute(ends)}
    query = (
        _commands()
        .where(command.c.site == site_id, command.c.state == "applied", _is("set-hold"))
        .order_by(command.c.answered_at.desc(), command.c.command_id)
        .limit(MOST_HOLDS)
    )
    latest: dict[Any, StoredCommand] = {}
    for row in connection.execute(query).mappings():
        held = StoredCommand(**row)
        latest.setdefault(held.body.get("hold_id"), held)  # a later order of the same name is the one that counts
    return tuple(
        held
        for hold_id, held in latest.items()
        # One that was ended may have been set again since.
        if (held.answered_at or 0.0) > ended.get(hold_id, -1.0) and at_of(held.body.get("review")) > now
    )


def documents_in_force(connection: Connection, site_id: str) -> tuple[StoredCommand, ...]:
    """Orders of two people that put a document in force and that the box followed, the latest first.

    What was only handed in does not count: one person can do that.
    """
    query = (
        _commands()
        .where(
            command.c.site == site_id, _is("set-authority"), command.c.state == "applied", command.c.second.is_not(None)
        )
        .order_by(command.c.created_at.desc())
        .limit(MOST_READ)
    )
    return tuple(StoredCommand(**row) for row in connection.execute(query).mappings())


def at_of(text: object) -> float:
    """A time of a payload as Unix seconds; 0 where it is none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0


def notices_of(connection: Connection, site_id: str) -> tuple[tuple[float, str], ...]:
    """Notices that a box showed: since when, and in which language; newest first, at most `MOST_SHOWN`."""
    query = (
        select(notice.c.at, notice.c.language)
        .where(notice.c.site == site_id)
        .order_by(notice.c.at.desc(), notice.c.sha256)
        .limit(MOST_SHOWN)
    )
    return tuple((row.at, row.language) for row in connection.execute(query))


def requests_of(connection: Connection, site_id: str, *, state: str) -> tuple[StoredRequest, ...]:
    """Requests of a household: those that wait oldest first, those answered newest first."""
    table = request.c
    order = table.at if state == "open" else table.answered_at.desc()
    query = _requests().where(table.site == site_id, table.state == state, table.kind != "notice-read")
    rows = connection.execute(query.order_by(order, table.request_id).limit(MOST_SHOWN)).mappings()
    return tuple(StoredRequest(**row) for row in rows)


def count_requests(connection: Connection, tenant: str, *, within: ColumnElement[bool] | None = None) -> dict[str, int]:
    """How many requests wait, by household, of those `within` (`charge.sees`)."""
    query = (
        select(request.c.site, func.count().label("number"))
        .join(site, site.c.site == request.c.site)
        .where(site.c.tenant == tenant, in_scope(within), request.c.state == "open", request.c.kind != "notice-read")
        .group_by(request.c.site)
    )
    return {row.site: row.number for row in connection.execute(query)}


def answer_request(connection: Connection, *, site_id: str, request_id: str, note: str, by: str, now: float) -> bool:
    """Close a request with what was done about it; False where none waits under this id."""
    which = (request.c.site == site_id) & (request.c.request_id == request_id) & (request.c.state == "open")
    changed = connection.execute(
        update(request).where(which).values(state="answered", note=note, answered_by=by, answered_at=now)
    )
    return bool(changed.rowcount)


def _is(action: str) -> ColumnElement[bool]:
    found: ColumnElement[str] = command.c.body["action"].as_string()
    return found == action


def _requests() -> Any:
    table = request.c
    return select(
        table.request_id,
        table.kind,
        table.device_id,
        table.proved,
        table.text,
        table.until,
        table.at,
        table.state,
        table.note,
        table.answered_by,
        table.answered_at,
    )
