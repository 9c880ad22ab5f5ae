"""Accounts and one-time sign-in codes; sessions are in `dashboard.accounts.sessions`.

In: a name and a code typed by someone. Out: a session token for the cookie; the database keeps only
its SHA-256, so a copy of the database signs nobody in. A code is used once, and runs out. Bounded:
five wrong tries close a name for five minutes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache

from sqlalchemy import Connection, Engine, case, delete, insert, or_, select, update
from werkzeug.security import check_password_hash, generate_password_hash

from dashboard.access import Role
from dashboard.accounts import sessions
from dashboard.accounts.sessions import MOST_SESSIONS, SESSION_SECONDS, SignedIn, signed_in
from dashboard.store import charge
from dashboard.store.engine import reading
from dashboard.store.queries import write_audit
from dashboard.store.schema import (
    account,
    alert_choice,
    authenticator,
    channel,
    command,
    held_form,
    passkey,
    recovery_code,
    saved_search,
    session,
    shift,
)

__all__ = [
    "MOST_SESSIONS",
    "SESSION_SECONDS",
    "SignedIn",
    "add_account",
    "close_account",
    "count_failure",
    "decoy",
    "make_code",
    "prove_by_code",
    "sign_in",
    "sign_out",
    "signed_in",
]
MOST_FAILURES = 5
LOCKED_SECONDS = 300.0
CODE_LENGTH = 12
MOST_TYPED = 200
"""Characters of a typed name or code that are looked at."""
CLOSED = "closed"
"""What stands in the place of the role of an account that was closed; no `Role`, so that it signs nobody in."""
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No letter that is taken for a digit: a code is read out or copied by hand."""


def add_account(engine: Engine, *, name: str, role: Role, now: float, by: str | None = None) -> str:
    """Make an account without a code; returns its opaque id.

    Raises:
        ValueError: the name is empty, too long or taken.
    """
    name = name.strip()
    if not 0 < len(name) <= 120 or not name.isprintable():
        raise ValueError("a name has 1 to 120 characters that can be seen")
    account_id = f"acc-{secrets.token_hex(8)}"
    with engine.begin() as connection:
        if connection.execute(select(account.c.account_id).where(account.c.name == name)).first():
            raise ValueError(f"there is an account named {name} already")
        connection.execute(insert(account).values(account_id=account_id, name=name, role=role, failures=0))
        write_audit(connection, at=now, account_id=by, action="add-account", subject=account_id, outcome="done")
    return account_id


def make_code(engine: Engine, *, name: str, now: float, lifetime: float, by: str | None = None) -> str:
    """A fresh one-time code for an account, valid for `lifetime` seconds; the old one stops working.

    Raises:
        ValueError: there is no such account.
    """
    code = "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))
    code_hash = generate_password_hash(code)  # outside the transaction: it is slow by design
    with engine.begin() as connection:
        known = connection.execute(select(account.c.account_id).where(account.c.name == name.strip()))
        account_id = known.scalar_one_or_none()
        if account_id is None:
            raise ValueError(f"there is no account named {name.strip()}")
        if connection.execute(select(account.c.role).where(account.c.account_id == account_id)).scalar_one() == CLOSED:
            raise ValueError(f"the account of {name.strip()} is closed")
        connection.execute(
            update(account)
            .where(account.c.account_id == account_id)
            .values(code_hash=code_hash, code_expires_at=now + lifetime, failures=0, locked_until=None)
        )
        write_audit(connection, at=now, account_id=by, action="make-code", subject=account_id, outcome="done")
    return "-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def close_account(engine: Engine, *, name: str, now: float, by: str | None = None) -> None:
    """Close an account for good: its sign-ins, keys and addresses go, it is in charge of nothing and on no duty, and what it asked for and nobody has agreed to yet is taken back.

    Raises:
        ValueError: there is no such account, or it is closed already.
    """
    with engine.begin() as connection:
        known = select(account.c.account_id).where(account.c.name == name.strip(), account.c.role != CLOSED)
        account_id = connection.execute(known).scalar_one_or_none()
        if account_id is None:
            raise ValueError(f"there is no account named {name.strip()} that is open")
        connection.execute(
            update(account)
            .where(account.c.account_id == account_id)
            .values(role=CLOSED, code_hash=None, code_expires_at=None)
        )
        connection.execute(delete(session).where(session.c.account_id == account_id))
        for table in (passkey, authenticator, recovery_code, held_form, saved_search, channel, alert_choice, shift):
            connection.execute(delete(table).where(table.c.account_id == account_id))
        charge.end_all(connection, account_id=account_id, by=by, now=now)
        waits = (command.c.by == account_id) & (command.c.state == "needs-second")
        connection.execute(update(command).where(waits).values(state="taken-back", answered_at=now))
        write_audit(connection, at=now, account_id=by, action="close-account", subject=account_id, outcome="done")


def sign_in(
    engine: Engine,
    *,
    name: str,
    code: str,
    now: float,
    is_news: Callable[[], bool] = lambda: True,
    client: str = "",
    origin: str = "",
) -> str | None:
    """Trade a name and its unused code for a session token; None if that fails, for whatever reason.

    Of names that nobody has, a try is written down if `is_news`: strangers must not fill the audit.

    All failures look the same, and the slow check is made for each; one that is written down takes a little longer.
    """
    typed = "".join(code[:MOST_TYPED].upper().split()).replace("-", "")
    name = name[:MOST_TYPED].strip()
    with reading(engine).connect() as connection:
        found = connection.execute(select(account).where(account.c.name == name)) if name.isprintable() else None
        row = None if found is None else found.mappings().one_or_none()
    usable = row is not None and row["code_hash"] is not None and (row["code_expires_at"] or 0.0) > now
    # Checked outside any transaction: it is slow by design, and must not hold up the writers.
    right = check_password_hash(row["code_hash"] if row is not None and usable else decoy(), typed) and usable
    if row is None:
        if is_news():
            with engine.begin() as connection:
                write_audit(
                    connection,
                    at=now,
                    account_id=None,
                    action="sign-in-failed",
                    subject="no such name",
                    outcome="failed",
                )
        return None
    account_id = row["account_id"]
    with engine.begin() as connection:
        if row["locked_until"] is not None and row["locked_until"] > now:
            return None
        if right and _consume(connection, account_id, row["code_hash"], now):
            token = _open_session(connection, account_id, now, client=client, origin=origin)
            write_audit(connection, at=now, account_id=account_id, action="sign-in", subject="", outcome="done")
            return token
        count_failure(connection, account_id, now)
    return None


def prove_by_code(engine: Engine, *, who: SignedIn, code: str, now: float) -> bool:
    """Whether a one-time code is that of who is signed in; it is taken. A wrong one counts as a wrong sign-in."""
    typed = "".join(code[:MOST_TYPED].upper().split()).replace("-", "")
    with reading(engine).connect() as connection:
        row = connection.execute(select(account).where(account.c.account_id == who.account_id)).mappings().one()
    usable = row["code_hash"] is not None and (row["code_expires_at"] or 0.0) > now
    right = check_password_hash(row["code_hash"] if usable else decoy(), typed) and usable
    with engine.begin() as connection:
        if right and _consume(connection, who.account_id, row["code_hash"], now):
            return True
        count_failure(connection, who.account_id, now)
    return False


def sign_out(engine: Engine, *, who: SignedIn, now: float) -> None:
    """End a session on the server: its cookie is worth nothing from now on."""
    with engine.begin() as connection:
        session_id = sessions.id_of(who.token_hash)
        sessions.end(connection, account_id=who.account_id, session_id=session_id, now=now)
        write_audit(connection, at=now, account_id=who.account_id, action="sign-out", subject="", outcome="done")


def _consume(connection: Connection, account_id: str, code_hash: str, now: float) -> bool:
    """Take the code away; False when another request was faster with it, or the name was closed meanwhile."""
    done = connection.execute(
        update(account)
        .where(
            account.c.account_id == account_id,
            account.c.code_hash == code_hash,
            or_(account.c.locked_until.is_(None), account.c.locked_until <= now),
        )
        .values(code_hash=None, code_expires_at=None, failures=0, locked_until=None)
    )
    return done.rowcount == 1


def count_failure(connection: Connection, account_id: str, now: float) -> None:
    """Count a wrong try of an account, and close its name for a while after too many."""
    # The count is raised in the database, so that tries made at the same time are all counted.
    # A lock that has run out starts the count anew.
    fresh = case((or_(account.c.locked_until.is_(None), account.c.locked_until > now), account.c.failures), else_=0)
    connection.execute(
        update(account)
        .where(account.c.account_id == account_id)
        .values(
            failures=fresh + 1,
            locked_until=case((fresh + 1 >= MOST_FAILURES, now + LOCKED_SECONDS), else_=None),
        )
    )
    locked = connection.execute(select(account.c.locked_until).where(account.c.account_id == account_id)).scalar_one()
    outcome = "locked" if locked is not None else "failed"
    write_audit(connection, at=now, account_id=account_id, action="sign-in-failed", subject="", outcome=outcome)


def _open_session(connection: Connection, account_id: str, now: float, *, client: str = "", origin: str = "") -> str:
    return sessions.open_session(connection, account_id, now, way="code", client=client, origin=origin)


@cache
def decoy() -> str:
    """A hash of nothing anyone knows, checked when there is no code, so that the check takes as long."""
    return generate_password_hash(secrets.token_hex(16))
