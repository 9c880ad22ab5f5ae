"""Shares of one household with a reader of another agency, as they are stored (S2).

In: an open SQLAlchemy connection and plain values. Out: frozen rows. A share ends by itself, can be ended at once, and
is opened with a link and a code that counts once; codes and sessions are kept as hashes. Bounded: `MOST_SHARES` shares
of a household that have not ended, `MOST_NOTES` notes of one, `MOST_SESSIONS` sessions; five wrong codes lock it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, case, delete, func, insert, or_, select, update

from dashboard.store.schema import share, share_note, share_session, site

MOST_SHARES = 10
MOST_SHOWN = 50
MOST_NOTES = 100
MOST_SESSIONS = 5
MOST_FAILURES = 5
LOCKED_SECONDS = 900.0
CODE_SECONDS = 3 * 86400.0
SESSION_SECONDS = 2 * 3600.0
LONGEST_DAYS = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share."""

    share_id: str
    site: str
    agency: str
    reader: str
    purpose: str
    sections: list[str]
    by: str
    created_at: float
    until: float
    ended_at: float | None
    code_hash: str | None
    code_until: float | None
    locked_until: float | None
    opened_at: float | None

    def lasts(self, now: float) -> bool:
        """Whether it may be read."""
        return self.ended_at is None and self.until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareNote:
    """What a reader wrote."""

    agency: str
    reader: str
    text: str
    at: float


def shares_of(connection: Connection, site_id: str) -> tuple[Share, ...]:
    """Shares of a household, newest first; at most `MOST_SHOWN`."""
    query = _shares().where(share.c.site == site_id).order_by(share.c.created_at.desc(), share.c.share_id)
    return tuple(Share(**row) for row in connection.execute(query.limit(MOST_SHOWN)).mappings())


def share_of(connection: Connection, tenant: str, share_id: str) -> Share | None:
    """One share of the operator, whether it lasts or not."""
    query = _shares().join(site, site.c.site == share.c.site)
    row = connection.execute(query.where(share.c.share_id == share_id, site.c.tenant == tenant))
    found = row.mappings().one_or_none()
    return None if found is None else Share(**found)


def add_share(
    connection: Connection,
    *,
    share_id: str,
    site_id: str,
    agency: str,
    reader: str,
    purpose: str,
    sections: list[str],
    until: float,
    by: str,
    now: float,
) -> bool:
    """Make a share without a code; False where the household has too many, or there is one of this id."""
    lasting = select(func.count()).where(share.c.site == site_id, share.c.ended_at.is_(None), share.c.until > now)
    if connection.execute(lasting).scalar_one() >= MOST_SHARES:
        return False
    if connection.execute(select(share.c.share_id).where(share.c.share_id == share_id)).first() is not None:
        return False
    connection.execute(
        insert(share).values(
            share_id=share_id,
            site=site_id,
            agency=agency,
            reader=reader,
            purpose=purpose,
            sections=sections,
            by=by,
            created_at=now,
            until=until,
            failures=0,
        )
    )
    return True


def set_code(connection: Connection, *, site_id: str, share_id: str, code_hash: str, now: float) -> bool:
    """Give a share a fresh code; the old one stops working. False where the share has ended."""
    which = (share.c.share_id == share_id) & (share.c.site == site_id) & share.c.ended_at.is_(None)
    values = {"code_hash": code_hash, "code_until": now + CODE_SECONDS, "failures": 0, "locked_until": None}
    return bool(connection.execute(update(share).where(which, share.c.until > now).values(**values)).rowcount)


def end_share(connection: Connection, *, site_id: str, share_id: str, by: str, now: float) -> bool:
    """End a share and its sessions at once; False where it has ended."""
    which = (share.c.share_id == share_id) & (share.c.site == site_id) & share.c.ended_at.is_(None)
    values = {"ended_at": now, "ended_by": by, "code_hash": None, "code_until": None}
    if not connection.execute(update(share).where(which).values(**values)).rowcount:
        return False
    connection.execute(delete(share_session).where(share_session.c.share_id == share_id))
    return True


def open_with(connection: Connection, row: Share, now: float) -> str | None:
    """Use up a code that was found to be right, and open a session; None where another was faster, or it is locked."""
    free = or_(share.c.locked_until.is_(None), share.c.locked_until <= now)
    which = and_(share.c.share_id == row.share_id, share.c.code_hash == row.code_hash, share.c.ended_at.is_(None), free)
    values = {"code_hash": None, "code_until": None, "failures": 0, "locked_until": None, "opened_at": now}
    if not connection.execute(update(share).where(which, share.c.until > now).values(**values)).rowcount:
        return None
    token = secrets.token_urlsafe(32)
    table = share_session.c
    connection.execute(delete(share_session).where(table.expires_at <= now))
    newest = (
        select(table.token_hash)
        .where(table.share_id == row.share_id)
        .order_by(table.created_at.desc())
        .limit(MOST_SESSIONS - 1)
    )
    kept = list(connection.execute(newest).scalars())
    connection.execute(delete(share_session).where(table.share_id == row.share_id, table.token_hash.not_in(kept)))
    connection.execute(
        insert(share_session).values(
            token_hash=_hash(token),
            share_id=row.share_id,
            created_at=now,
            expires_at=min(now + SESSION_SECONDS, row.until),
        )
    )
    return token


def count_failure(connection: Connection, share_id: str, now: float) -> None:
    """Count a wrong code; the fifth locks the share for a while and takes the code away."""
    fresh = case((or_(share.c.locked_until.is_(None), share.c.locked_until > now), share.c.failures), else_=0)
    full = fresh + 1 >= MOST_FAILURES
    connection.execute(
        update(share)
        .where(share.c.share_id == share_id)
        .values(
            failures=fresh + 1,
            locked_until=case((full, now + LOCKED_SECONDS), else_=share.c.locked_until),
            code_hash=case((full, None), else_=share.c.code_hash),
        )
    )


def share_open(connection: Connection, *, share_id: str, token: str, now: float) -> Share | None:
    """The share that a session's token opens, while both last."""
    table = share_session.c
    query = (
        _shares()
        .join(share_session, table.share_id == share.c.share_id)
        .where(table.token_hash == _hash(token), table.expires_at > now, share.c.share_id == share_id)
    )
    row = connection.execute(query).mappings().one_or_none()
    found = None if row is None else Share(**row)
    return found if found is not None and found.lasts(now) else None


def close_session(connection: Connection, token: str) -> None:
    """End a session: a copy of its cookie opens nothing any more."""
    connection.execute(delete(share_session).where(share_session.c.token_hash == _hash(token)))


def add_note(connection: Connection, *, share_id: str, token: str, text: str, now: float) -> bool:
    """A note of a reader; False for a repetition, or too many."""
    mine = share_note.c.share_id == share_id
    tokens = set(connection.execute(select(share_note.c.token).where(mine).limit(MOST_NOTES)).scalars())
    if token in tokens or len(tokens) >= MOST_NOTES:
        return False
    connection.execute(insert(share_note).values(share_id=share_id, token=token, text=text, at=now))
    return True


def notes_of(connection: Connection, site_id: str, share_id: str | None = None) -> tuple[ShareNote, ...]:
    """What readers of a household wrote, or one of them; newest first, at most `MOST_NOTES`."""
    query = (
        select(share.c.agency, share.c.reader, share_note.c.text, share_note.c.at)
        .join(share, share.c.share_id == share_note.c.share_id)
        .where(share.c.site == site_id)
        .order_by(share_note.c.at.desc(), share_note.c.token)
        .limit(MOST_NOTES)
    )
    if share_id is not None:
        query = query.where(share.c.share_id == share_id)
    return tuple(ShareNote(**row) for row in connection.execute(query).mappings())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _shares() -> Select[Any]:
    return select(*(share.c[name] for name in Share.__dataclass_fields__))
