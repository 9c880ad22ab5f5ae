"""What a supervisor does with accounts: make, change, end, give households; a new supervisor takes two of them.

In: an open connection, who decides, the time. Out: rows; every change with its line in the audit, in the same
transaction. An account's keys can be taken away, and it gets in again with a one-time code. The first supervisor is made
on the command line. Bounded: a list has at most `MOST_ACCOUNTS`; at most `MOST_REQUESTS` roles wait for a second one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, insert, or_, select, update

from dashboard import auth
from dashboard.access import Role
from dashboard.accounts import authenticator, passkeys, sessions
from dashboard.store import charge, vouched
from dashboard.store.queries import write_audit
from dashboard.store.schema import account, api_token, assignment, passkey, role_request
from dashboard.store.schema import authenticator as authenticators

MOST_ACCOUNTS = 500
MOST_REQUESTS = 20
REQUEST_SECONDS = 7 * 86400.0
"""How long a role waits for a second supervisor."""
NEEDS_SECOND, AGREED, REFUSED = "needs-second", "agreed", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccount:
    """An account that is open."""

    account_id: str
    name: str
    role: str
    last_sign_in: float | None
    households: int
    passkeys: int
    authenticator: bool
    linked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """Somebody is to get a role that takes two supervisors."""

    request_id: str
    account_id: str
    name: str
    role: str
    by: str
    by_name: str
    at: float


def accounts(connection: Connection, now: float, *, account_id: str | None = None) -> tuple[StoredAccount, ...]:
    """Accounts that are open, by name, or one of them; one statement."""
    given = (
        select(func.count())
        .where(
            assignment.c.account_id == account.c.account_id,
            or_(assignment.c.until.is_(None), assignment.c.until > now),
        )
        .scalar_subquery()
    )
    keys = select(func.count()).where(passkey.c.account_id == account.c.account_id).scalar_subquery()
    app = select(authenticators.c.account_id).where(authenticators.c.account_id == account.c.account_id).exists()
    query = (
        select(
            account.c.account_id,
            account.c.name,
            account.c.role,
            account.c.last_sign_in,
            given.label("households"),
            keys.label("passkeys"),
            app.label("authenticator"),
            account.c.subject.is_not(None).label("linked"),
        )
        .where(account.c.role.in_([role.value for role in Role]))
        .order_by(account.c.name)
        .limit(MOST_ACCOUNTS)
    )
    if account_id is not None:
        query = query.where(account.c.account_id == account_id)
    return tuple(
        StoredAccount(**{**row, "authenticator": bool(row["authenticator"]), "linked": bool(row["linked"])})
        for row in connection.execute(query).mappings()
    )


def officers(connection: Connection) -> tuple[tuple[str, str], ...]:
    """(id, name) of officers, by name."""
    query = select(account.c.account_id, account.c.name).where(account.c.role == Role.OFFICER.value)
    return tuple((row[0], row[1]) for row in connection.execute(query.order_by(account.c.name).limit(MOST_ACCOUNTS)))


def is_linked(connection: Connection, account_id: str) -> bool:
    """Whether an account is linked to the operator's sign-in."""
    query = select(account.c.subject).where(account.c.account_id == account_id)
    return connection.execute(query).scalar_one_or_none() is not None


def make(engine: Engine, *, name: str, role: Role, by: str, now: float) -> str:
    """Make an account; a supervisor's begins as an auditor's, and waits for a second supervisor. Its id.

    Raises:
        ValueError: as `auth.add_account`; or too many roles wait already.
    """
    first = Role.AUDITOR if role is Role.SUPERVISOR else role
    account_id = auth.add_account(engine, name=name, role=first, now=now, by=by)
    if role is Role.SUPERVISOR:
        with engine.begin() as connection:
            ask_for_role(connection, account_id=account_id, role=role, by=by, now=now)
    return account_id


def set_role(connection: Connection, *, account_id: str, role: Role, by: str, now: float) -> bool:
    """Give an account another role; its sessions end. False where it waits for a second supervisor.

    Raises:
        ValueError: there is no such account, or it is the asker's own, or too many wait.
    """
    if account_id == by:
        raise ValueError("nobody changes their own role")
    before = _role(connection, account_id)
    if role is before:
        return True
    if role is Role.SUPERVISOR:
        ask_for_role(connection, account_id=account_id, role=role, by=by, now=now)
        return False
    _set(connection, account_id, role, by=by, now=now)
    return True


def ask_for_role(connection: Connection, *, account_id: str, role: Role, by: str, now: float) -> str:
    """Note that somebody is to get a role that takes two; the id of what waits.

    Raises:
        ValueError: too many wait.
    """
    waiting = role_requests(connection, now)
    for one in waiting:
        if one.account_id == account_id and one.role == role.value:
            return one.request_id
    if len(waiting) >= MOST_REQUESTS:
        raise ValueError("too many roles wait for a second supervisor; answer those first")
    request_id = secrets.token_hex(16)
    connection.execute(
        insert(role_request).values(
            request_id=request_id, account_id=account_id, role=role.value, by=by, at=now, state=NEEDS_SECOND
        )
    )
    _audit(connection, by, "ask-for-role", f"{account_id}/{role.value}", now, "asked")
    return request_id


def answer_role(connection: Connection, *, request_id: str, agree: bool, by: str, now: float) -> bool:
    """Agree as the second supervisor, or refuse; False where that cannot be done (any more)."""
    which = [
        role_request.c.request_id == request_id,
        role_request.c.state == NEEDS_SECOND,
        role_request.c.at > now - REQUEST_SECONDS,
        role_request.c.account_id != by,
    ]
    if agree:
        which.append(vouched.apart(role_request.c.by, by, now))
    # One statement decides between two that answer at once.
    state = AGREED if agree else REFUSED
    done = connection.execute(
        update(role_request).where(*which).values(state=state, answered_by=by, answered_at=now)
    ).rowcount
    if not done:
        _audit(connection, by, "answer-role", request_id, now, "not taken")
        return False
    row = connection.execute(select(role_request).where(role_request.c.request_id == request_id)).one()
    _audit(connection, by, "answer-role", f"{row.account_id}/{row.role}", now, state)
    if agree:
        _set(connection, row.account_id, Role(row.role), by=by, now=now)
    return True


def role_requests(connection: Connection, now: float) -> tuple[StoredRequest, ...]:
    """Roles that wait for a second supervisor, the oldest first."""
    asker = account.alias("asker")
    query = (
        select(
            role_request.c.request_id,
            role_request.c.account_id,
            account.c.name,
            role_request.c.role,
            role_request.c.by,
            asker.c.name.label("by_name"),
            role_request.c.at,
        )
        .join(account, account.c.account_id == role_request.c.account_id)
        .join(asker, asker.c.account_id == role_request.c.by)
        .where(role_request.c.state == NEEDS_SECOND, role_request.c.at > now - REQUEST_SECONDS)
        .where(account.c.role != auth.CLOSED)
        .order_by(role_request.c.at, role_request.c.request_id)
        .limit(MOST_REQUESTS)
    )
    return tuple(StoredRequest(**row) for row in connection.execute(query).mappings())


def reset_keys(connection: Connection, *, account_id: str, by: str | None, now: float) -> None:
    """Take away all with which an account gets in, programs' tokens too, and end its sessions: it needs a new code."""
    passkeys.remove_all(connection, account_id=account_id)
    authenticator.remove(connection, account_id=account_id)
    gone = {"issuer": None, "subject": None, "code_hash": None, "code_expires_at": None}
    connection.execute(update(account).where(account.c.account_id == account_id).values(**gone))
    mine = (api_token.c.account_id == account_id) & api_token.c.ended_at.is_(None)
    connection.execute(update(api_token).where(mine).values(ended_at=now, ended_by=by))
    sessions.end(connection, account_id=account_id, now=now)
    _audit(connection, by, "reset-keys", account_id, now)


def _role(connection: Connection, account_id: str) -> Role:
    found = connection.execute(select(account.c.role).where(account.c.account_id == account_id)).scalar_one_or_none()
    if found not in tuple(Role):
        raise ValueError("there is no such account")
    return Role(found)


def _set(connection: Connection, account_id: str, role: Role, *, by: str, now: float) -> None:
    # A code that was made for the old role is nobody's way into the new one; and what was given to an installer is not
    # given to an officer by that.
    gone = {"role": role.value, "code_hash": None, "code_expires_at": None}
    connection.execute(update(account).where(account.c.account_id == account_id).values(**gone))
    charge.end_all(connection, account_id=account_id, by=by, now=now)
    sessions.end(connection, account_id=account_id, now=now)
    _audit(connection, by, "set-role", f"{account_id}/{role.value}", now)


def _audit(  # noqa: PLR0917 - the order of an audit line
    connection: Connection, by: str | None, action: str, subject: str, now: float, outcome: str = "done"
) -> None:
    write_audit(connection, at=now, account_id=by, action=action, subject=subject, outcome=outcome)
