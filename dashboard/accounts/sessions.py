"""Sessions on the server: what a cookie's token is worth, until when, and who ended it.

In: a token, the time. Out: who is asking. The database keeps only a token's SHA-256. A session ends by itself after
`SESSION_SECONDS`, and before that when nothing was asked for by hand for the settings' `idle_seconds`; a page that looks
again by itself does not count. Ended ones stay for `KEPT_SECONDS`, worth nothing, so that a form that was posted with one
can be kept for its account. Bounded: `MOST_SESSIONS` for each account; the oldest goes.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from dashboard.access import Role
from dashboard.store.schema import account, session

SESSION_SECONDS = 12 * 3600.0
IDLE_SECONDS = 3600.0
KEPT_SECONDS = 24 * 3600.0
TOUCH_SECONDS = 60.0
"""A session's last use is written down to the minute."""
FRESH_SECONDS = 600.0
"""How long a proof of who is asking is fresh."""
MOST_SESSIONS = 20
_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrom", "Chrome or Chromium"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is asking."""

    account_id: str
    name: str
    role: Role
    token_hash: str
    expires_at: float
    """When the session ends, whatever is done in it."""
    ends_at: float = 0.0
    """When it ends if nothing more is asked for."""
    seen_at: float = 0.0
    """When something was last asked for by hand, to the minute."""
    proved_at: float = 0.0
    """When who it is was last proved."""
    way: str = ""
    """How: code, passkey, authenticator, recovery or operator."""

    def is_fresh(self, now: float, seconds: float = FRESH_SECONDS) -> bool:
        """Whether the proof is of the last `seconds`."""
        return 0 <= now - self.proved_at < seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as its owner sees it."""

    session_id: str
    created_at: float
    seen_at: float
    expires_at: float
    way: str
    client: str
    origin: str


def hash_of(token: str) -> str:
    """What the database keeps of a token: it has 256 random bits, so a plain hash keeps it."""
    return hashlib.sha256(token.encode()).hexdigest()


def id_of(token_hash: str) -> str:
    """What a session is called on pages: a part of its hash, with which nobody signs in."""
    return token_hash[:24]


def client_words(agent: str) -> str:
    """A browser and its system in words; a user agent's text is a stranger's, so nothing of it is kept."""
    browser = next((word for key, word in _BROWSERS if key in agent[:400]), "A browser")
    system = next((word for key, word in _SYSTEMS if re.search(key, agent[:400])), "")
    return f"{browser} on {system}" if system else browser


def open_session(
    connection: Connection, account_id: str, now: float, *, way: str = "code", client: str = "", origin: str = ""
) -> str:
    """Begin a session; returns the token for the cookie."""
    token = secrets.token_urlsafe(32)
    connection.execute(delete(session).where(session.c.expires_at <= now - KEPT_SECONDS))
    newest = (
        select(session.c.token_hash)
        .where(session.c.account_id == account_id)
        .order_by(session.c.created_at.desc())
        .limit(MOST_SESSIONS - 1)
    )
    kept = connection.execute(newest).scalars().all()
    connection.execute(delete(session).where(session.c.account_id == account_id, session.c.token_hash.not_in(kept)))
    connection.execute(
        insert(session).values(
            token_hash=hash_of(token),
            account_id=account_id,
            created_at=now,
            expires_at=now + SESSION_SECONDS,
            seen_at=now,
            proved_at=now,
            way=way,
            client=client[:120],
            origin=origin[:64],
        )
    )
    connection.execute(update(account).where(account.c.account_id == account_id).values(last_sign_in=now))
    return token


def signed_in(connection: Connection, *, token: str, now: float, idle: float = IDLE_SECONDS) -> SignedIn | None:
    """Whose session a token is, while it lasts."""
    row = (
        connection.execute(
            select(
                account.c.account_id,
                account.c.name,
                account.c.role,
                session.c.token_hash,
                session.c.expires_at,
                _seen.label("seen_at"),
                func.coalesce(session.c.proved_at, session.c.created_at).label("proved_at"),
                func.coalesce(session.c.way, "").label("way"),
            )
            .join(session, session.c.account_id == account.c.account_id)
            .where(session.c.token_hash == hash_of(token), _lasts(now, idle))
        )
        .mappings()
        .one_or_none()
    )
    if row is None or row["role"] not in tuple(Role):
        return None
    ends_at = min(row["expires_at"], row["seen_at"] + idle)
    return SignedIn(**{**row, "role": Role(row["role"]), "ends_at": ends_at})


def was_of(connection: Connection, *, token: str, now: float) -> str | None:
    """The account of a session that ended by itself not long ago; None for one that was ended by somebody."""
    query = (
        select(session.c.account_id)
        .join(account, account.c.account_id == session.c.account_id)
        .where(
            session.c.token_hash == hash_of(token),
            session.c.ended_at.is_(None),
            session.c.expires_at > now - KEPT_SECONDS,
            account.c.role.in_([role.value for role in Role]),
        )
    )
    return connection.execute(query).scalar_one_or_none()


def touch(connection: Connection, who: SignedIn, now: float) -> None:
    """Note that something was asked for by hand."""
    connection.execute(update(session).where(session.c.token_hash == who.token_hash).values(seen_at=now))


def prove(connection: Connection, who: SignedIn, now: float) -> None:
    """Note that who is asking has proved it afresh."""
    connection.execute(update(session).where(session.c.token_hash == who.token_hash).values(proved_at=now, seen_at=now))


def sessions_of(
    connection: Connection, account_id: str, now: float, idle: float = IDLE_SECONDS
) -> tuple[StoredSession, ...]:
    """Sessions of an account that last, the latest used first; at most `MOST_SESSIONS`."""
    query = (
        select(
            session.c.token_hash,
            session.c.created_at,
            _seen.label("seen_at"),
            session.c.expires_at,
            session.c.way,
            session.c.client,
            session.c.origin,
        )
        .where(session.c.account_id == account_id, _lasts(now, idle))
        .order_by(_seen.desc(), session.c.token_hash)
        .limit(MOST_SESSIONS)
    )
    return tuple(
        StoredSession(
            session_id=id_of(row.token_hash),
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=row.expires_at,
            way=row.way or "",
            client=row.client or "",
            origin=row.origin or "",
        )
        for row in connection.execute(query)
    )


def end(connection: Connection, *, account_id: str, now: float, session_id: str | None = None, but: str = "") -> int:
    """End one session of an account, or all but the one of a token's hash; how many."""
    which = [session.c.account_id == account_id, session.c.ended_at.is_(None), session.c.token_hash != but]
    if session_id is not None:
        which.append(func.substr(session.c.token_hash, 1, 24) == session_id)
    return connection.execute(update(session).where(*which).values(ended_at=now)).rowcount


_seen: ColumnElement[float] = func.coalesce(session.c.seen_at, session.c.created_at)


def _lasts(now: float, idle: float) -> ColumnElement[bool]:
    return and_(session.c.expires_at > now, session.c.ended_at.is_(None), _seen > now - idle)
