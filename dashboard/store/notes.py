"""Notes about a household: only ever added, a correction points at what it puts right (S2, S3).

In: an open SQLAlchemy connection and plain values. Out: frozen rows. Bounded: a household has at most `MOST_NOTES`
notes, one more is refused; a page reads `MOST_SHOWN`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from dashboard.store.queries import write_audit
from dashboard.store.schema import account, note

MOST_NOTES = 5000
MOST_SHOWN = 100
MOST_TEXT = 2000
MOST_AGENCY = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note."""

    note_id: str
    at: float
    by: str
    """Account's name."""
    agency: str
    heading: str
    finding_id: str | None
    device_id: str | None
    corrects: str | None
    text: str


class FullError(ValueError):
    """The household has too many notes."""


def notes_of(
    connection: Connection, site_id: str, *, heading: str = "", offset: int = 0
) -> tuple[tuple[Note, ...], int]:
    """Notes of a household, newest first, at most `MOST_SHOWN` after so many; and how many there are."""
    which = [note.c.site == site_id]
    if heading:
        which.append(note.c.heading == heading)
    query = (
        select(
            note.c.note_id,
            note.c.at,
            account.c.name.label("by"),
            note.c.agency,
            note.c.heading,
            note.c.finding_id,
            note.c.device_id,
            note.c.corrects,
            note.c.text,
        )
        .join(account, account.c.account_id == note.c.by)
        .where(*which)
        .order_by(note.c.at.desc(), note.c.note_id)
        .limit(MOST_SHOWN)
        .offset(offset)
    )
    number = connection.execute(select(func.count()).select_from(note).where(*which)).scalar_one()
    return tuple(Note(**row) for row in connection.execute(query).mappings()), number


def corrected_of(connection: Connection, site_id: str, ids: Collection[str]) -> frozenset[str]:
    """Which of these notes a later one puts right, wherever that one is shown."""
    query = select(note.c.corrects).where(note.c.site == site_id, note.c.corrects.in_(sorted(ids)))
    return frozenset(connection.execute(query).scalars())


def has_note(connection: Connection, site_id: str, note_id: str) -> bool:
    """Whether a household has this note."""
    query = select(note.c.note_id).where(note.c.site == site_id, note.c.note_id == note_id)
    return connection.execute(query).first() is not None


def last_agency(connection: Connection, account_id: str) -> str:
    """The agency that an account wrote last for; empty if never."""
    query = select(note.c.agency).where(note.c.by == account_id).order_by(note.c.at.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none() or ""


def add_note(
    connection: Connection,
    *,
    note_id: str,
    site_id: str,
    by: str,
    agency: str,
    heading: str,
    finding_id: str | None,
    device_id: str | None,
    corrects: str | None,
    text: str,
    now: float,
) -> bool:
    """Add a note, and its line to the audit; False where the same form was sent before.

    Raises:
        FullError: the household has `MOST_NOTES`.
    """
    if connection.execute(select(note.c.note_id).where(note.c.note_id == note_id)).first() is not None:
        return False
    number = connection.execute(select(func.count()).select_from(note).where(note.c.site == site_id)).scalar_one()
    if number >= MOST_NOTES:
        raise FullError
    connection.execute(
        insert(note).values(
            note_id=note_id,
            site=site_id,
            at=now,
            by=by,
            agency=agency,
            heading=heading,
            finding_id=finding_id,
            device_id=device_id,
            corrects=corrects,
            text=text,
        )
    )
    action = "write-note" if corrects is None else "correct-note"
    write_audit(connection, at=now, account_id=by, action=action, subject=f"{site_id}/{note_id}", outcome="kept")
    return True
