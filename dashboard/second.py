"""Two people: what one account asked for, another agrees to or refuses; and what one may do alone in an emergency.

In: the id of a command that waits for a second person, who answers, and why. Out: the command's new state and a line in
the audit, in one transaction; of two that answer at once one is taken. Nobody seconds what they asked for themselves,
nor what somebody asked for whose sign-in code they had in hand (`store.vouched`), nor what is about a household that they
may not see.
An emergency (`wire.acts.BREAKABLE`) goes at once; all supervisors, and at least `LEAST_TOLD` accounts, are told, and
somebody else must look at it within `REVIEW_SECONDS`. `told` is the one place from which anything else may tell them.
Bounded: at most `MOST_TOLD` accounts are told of one act; a list of what waits has at most `MOST_WAITING` rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, insert, or_, select, update

from dashboard.access import Role
from dashboard.auth import SignedIn
from dashboard.store import charge, vouched
from dashboard.store.queries import in_scope, write_audit
from dashboard.store.schema import account, command, device, site, told
from wire.acts import NEEDS_TWO, opens
from wire.base import Standing

NEEDS_SECOND = "needs-second"
DISAGREED, TAKEN_BACK, LAPSED = "disagreed", "taken-back", "lapsed"
"""Ends of a command that no second person agreed to."""
WAIT_SECONDS = 24 * 3600.0
"""How long a second person may take."""
REVIEW_SECONDS = 72 * 3600.0
LEAST_TOLD = 2
MOST_TOLD = 20
MOST_WAITING = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A command that waits for a second person, or an emergency that waits for a look."""

    command_id: str
    site: str
    title: str
    """Of the household."""
    body: dict[str, Any]
    reason: str
    by: str
    by_name: str
    created_at: float
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What an account was told."""

    about: str
    """Id of the command."""
    text: str
    at: float


def needs_second(connection: Connection, site_id: str, order: Mapping[str, Any]) -> bool:
    """Whether an order waits for a second person before it is sent.

    A document always does: whether it allows more than the one before is the box's to know.
    """
    if order["action"] == "set-standing":
        about = device.c.site == site_id, device.c.device_id == order["device_id"]
        before = connection.execute(select(device.c.standing).where(*about)).scalar_one_or_none()
        return before is not None and opens(Standing(before), Standing(order["standing"]))
    return order["action"] in NEEDS_TWO or order["action"] == "set-authority"


def agree(engine: Engine, command_id: str, *, tenant: str, by: SignedIn, why: str, now: float, lifetime: float) -> bool:
    """Second a command: it is sent, and valid for `lifetime` seconds. False where it cannot be seconded (any more)."""
    values = {"state": "waiting", "expires_at": now + lifetime}
    return _answer(
        engine, command_id, tenant=tenant, by=by, why=why, now=now, values=values, outcome="agreed", agrees=True
    )


def refuse(engine: Engine, command_id: str, *, tenant: str, by: SignedIn, why: str, now: float) -> bool:
    """Refuse to second a command; who asked may take it back so. False where that cannot be done (any more)."""
    with engine.begin() as connection:
        own = command.c.command_id == command_id, command.c.by == by.account_id
        mine = connection.execute(select(command.c.command_id).where(*own)).first() is not None
    values: dict[str, Any] = {"state": TAKEN_BACK if mine else DISAGREED, "answered_at": now}
    outcome = "taken-back" if mine else "refused"
    return _answer(engine, command_id, tenant=tenant, by=by, why=why, now=now, values=values, outcome=outcome, own=mine)


def review(engine: Engine, command_id: str, *, tenant: str, by: SignedIn, note: str, now: float) -> bool:
    """Note that somebody else has looked at an emergency; False where there is nothing to look at (any more)."""
    if not by.role.acts:
        return False
    with engine.begin() as connection:
        # One statement decides between two that look at once, as in `_answer`.
        changed = connection.execute(
            update(command)
            .where(
                command.c.command_id == command_id,
                command.c.site.in_(select(site.c.site).where(charge.sees(by, now, tenant))),
                command.c.break_glass,
                vouched.apart(command.c.by, by.account_id, now),
                command.c.reviewed_at.is_(None),
            )
            .values(reviewed_by=by.account_id, reviewed_at=now, review_note=note)
        ).rowcount
        if not changed:
            return False
        row = connection.execute(select(command.c.site).where(command.c.command_id == command_id)).one()
        write_audit(
            connection,
            at=now,
            account_id=by.account_id,
            action="review-emergency",
            subject=f"{row.site}/{command_id}",
            outcome="reviewed",
        )
    return True


def tell(connection: Connection, *, about: str, site_id: str, by: str, text: str, now: float) -> int:
    """Put a message before all supervisors, and before officers in charge as far as `LEAST_TOLD` asks for; how many are told."""
    others = connection.execute(
        select(account.c.account_id, account.c.role)
        .where(account.c.account_id != by, charge.seers(site_id, now))
        .order_by((account.c.role != Role.SUPERVISOR.value), account.c.account_id)
        .limit(MOST_TOLD)
    ).all()
    chosen = [
        row.account_id for place, row in enumerate(others) if row.role == Role.SUPERVISOR.value or place < LEAST_TOLD
    ]
    for name in chosen:
        connection.execute(insert(told).values(account_id=name, about=about, site=site_id, text=text[:300], at=now))
        write_audit(
            connection, at=now, account_id=by, action="tell", subject=f"{site_id}/{about[:32]}/{name}", outcome="told"
        )
    if len(chosen) < LEAST_TOLD:
        write_audit(
            connection,
            at=now,
            account_id=by,
            action="tell",
            subject=f"{site_id}/{about[:32]}",
            outcome=f"told {len(chosen)} only",
        )
    return len(chosen)


def messages_of(connection: Connection, account_id: str) -> tuple[Message, ...]:
    """What an account was told and has not said that it has read, oldest first."""
    query = (
        select(told.c.about, told.c.text, told.c.at)
        .where(told.c.account_id == account_id, told.c.read_at.is_(None))
        .order_by(told.c.at)
        .limit(MOST_TOLD)
    )
    return tuple(Message(**row) for row in connection.execute(query).mappings())


def mark_read(engine: Engine, *, about: str, by: SignedIn, now: float) -> bool:
    """Note that an account has read a message; False where it had none."""
    with engine.begin() as connection:
        mine = and_(told.c.account_id == by.account_id, told.c.about == about, told.c.read_at.is_(None))
        if not connection.execute(update(told).where(mine).values(read_at=now)).rowcount:
            return False
        write_audit(connection, at=now, account_id=by.account_id, action="read-message", subject=about, outcome="done")
    return True


def waiting_for_second(
    connection: Connection, tenant: str, *, now: float, within: ColumnElement[bool] | None = None
) -> tuple[Waiting, ...]:
    """What waits for a second person, oldest first, in households `within` (`charge.sees`)."""
    return _waiting(
        connection, tenant, in_scope(within), and_(command.c.state == NEEDS_SECOND, command.c.expires_at > now)
    )


def waiting_for_review(
    connection: Connection, tenant: str, *, within: ColumnElement[bool] | None = None
) -> tuple[Waiting, ...]:
    """Emergencies that nobody else has looked at, oldest first, in households `within`."""
    return _waiting(connection, tenant, in_scope(within), and_(command.c.break_glass, command.c.reviewed_at.is_(None)))


def _waiting(connection: Connection, tenant: str, *which: ColumnElement[bool]) -> tuple[Waiting, ...]:
    query = (
        select(
            command.c.command_id,
            command.c.site,
            site.c.title,
            command.c.body,
            command.c.reason,
            command.c.by,
            account.c.name.label("by_name"),
            command.c.created_at,
            command.c.expires_at,
        )
        .join(site, site.c.site == command.c.site)
        .join(account, account.c.account_id == command.c.by)
        .where(site.c.tenant == tenant, *which)
        .order_by(command.c.created_at, command.c.command_id)
        .limit(MOST_WAITING)
    )
    return tuple(Waiting(**row) for row in connection.execute(query).mappings())


def _answer(
    engine: Engine,
    command_id: str,
    *,
    tenant: str,
    by: SignedIn,
    why: str,
    now: float,
    values: dict[str, Any],
    outcome: str,
    own: bool = False,
    agrees: bool = False,
) -> bool:
    if not by.role.acts:
        return False
    with engine.begin() as connection:
        whose = command.c.by == by.account_id if own else command.c.by != by.account_id
        if agrees:
            whose = vouched.apart(command.c.by, by.account_id, now)
        # One statement decides between two that answer at once: the second finds no row in that state.
        changed = connection.execute(
            update(command)
            .where(
                command.c.command_id == command_id,
                command.c.state == NEEDS_SECOND,
                command.c.expires_at > now,
                whose,
                or_(command.c.second.is_(None), command.c.second != by.account_id),
                command.c.site.in_(select(site.c.site).where(charge.sees(by, now, tenant))),
            )
            .values(second=by.account_id, seconded_at=now, second_reason=why, **values)
        ).rowcount
        if not changed:
            return False
        row = connection.execute(select(command.c.site, command.c.body).where(command.c.command_id == command_id)).one()
        write_audit(
            connection,
            at=now,
            account_id=by.account_id,
            action=row.body["action"],
            subject=f"{row.site}/{command_id}",
            outcome=outcome,
        )
    return True
