"""What the pages of an installation read and write: its steps, who was told, which passphrases were made.

In: an open SQLAlchemy connection and plain values. Out: frozen rows. Writers are called inside a transaction, and write
the audit's line. Bounded: an operator has at most `MOST_OPEN` installations that are not closed, an installation
`MOST_ADULTS` adults and `MOST_KEYS` passphrases. Boxes that wait to be fitted are in `stock`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from dashboard.store.queries import write_audit
from dashboard.store.schema import (
    account,
    box_access,
    install,
    install_adult,
    install_key,
    install_step,
)
from dashboard.store.schema import site as site_table

MOST_OPEN = 500
MOST_LISTED = 200
MOST_ADULTS = 20
MOST_KEYS = 40


class Full(ValueError):  # noqa: N818 - reads as what happened
    """A bound is reached; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """An installation, or a removal."""

    install_id: str
    kind: str
    reference: str
    site: str | None
    by: str
    by_name: str
    state: str
    """open, pending (installed, nothing delivered yet), done, given-up."""
    started_at: float
    signed_at: float | None
    closed_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One section of it, as it was saved."""

    step: str
    answers: dict[str, Any]
    opened_at: float
    done_at: float | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adult:
    """Somebody who was told, and what they signed."""

    adult_id: str
    role: str
    kind: str
    language: str
    explained: bool
    signed: str
    signature: str
    notice_sha256: str
    given_at: float
    confirm_by: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A passphrase that was made; the passphrase itself is nowhere."""

    key_id: str
    purpose: str
    label: str
    made_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What the box of an installation has said."""

    site: str
    title: str
    verify_key: str
    seal_key: str
    status: dict[str, Any] | None
    status_at: float | None
    heard_at: float | None
    revoked_at: float | None
    given_at: float | None
    """When the box was last given all that it needs."""


def alone(connection: Connection, install_id: str) -> None:
    """Two that write about one installation take turns, also where a database lets writers run at once."""
    connection.execute(select(install.c.install_id).where(install.c.install_id == install_id).with_for_update())


def start(
    connection: Connection,
    install_id: str,
    *,
    tenant: str,
    kind: str,
    reference: str,
    site: str | None,
    by: str,
    now: float,
) -> bool:
    """Begin an installation (or a removal); False where there is one of this id, which is left as it is.

    Raises:
        Full: `MOST_OPEN` are not closed.
    """
    if connection.execute(select(install.c.install_id).where(install.c.install_id == install_id)).first() is not None:
        return False
    going = select(func.count()).where(install.c.tenant == tenant, install.c.state.in_(("open", "pending")))
    if connection.execute(going).scalar_one() >= MOST_OPEN:
        raise Full(f"{MOST_OPEN} installations are not closed yet")
    connection.execute(
        insert(install).values(
            install_id=install_id,
            tenant=tenant,
            kind=kind,
            reference=reference,
            site=site,
            by=by,
            state="open",
            started_at=now,
        )
    )
    write_audit(connection, at=now, account_id=by, action=f"start-{kind}", subject=install_id, outcome="open")
    return True


def installs(
    connection: Connection, tenant: str, *, within: ColumnElement[bool] | None, by: str
) -> tuple[Install, ...]:
    """Installations, those that are not closed first, then the newest; at most `MOST_LISTED`.

    Args:
        connection: open.
        tenant: whose.
        within: condition on `site` (`charge.sees`); None: all of the tenant.
        by: who is asking: their own that have no box yet are theirs too.
    """
    query = _installs().where(install.c.tenant == tenant)
    if within is not None:
        seen = select(site_table.c.site).where(within)
        query = query.where(or_(install.c.site.in_(seen), and_(install.c.site.is_(None), install.c.by == by)))
    order = (install.c.closed_at.is_not(None), install.c.started_at.desc(), install.c.install_id)
    rows = connection.execute(query.order_by(*order).limit(MOST_LISTED)).mappings()
    return tuple(Install(**row) for row in rows)


def install_of(connection: Connection, tenant: str, install_id: str) -> Install | None:
    """One installation of the tenant."""
    query = _installs().where(install.c.tenant == tenant, install.c.install_id == install_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Install(**row)


def steps_of(connection: Connection, install_id: str) -> dict[str, Step]:
    """What was saved, by the step's name."""
    query = select(
        install_step.c.step,
        install_step.c.answers,
        install_step.c.opened_at,
        install_step.c.done_at,
        install_step.c.by,
    ).where(install_step.c.install_id == install_id)
    return {row["step"]: Step(**row) for row in connection.execute(query).mappings()}


def save_step(
    connection: Connection,
    install_id: str,
    step: str,
    answers: Mapping[str, Any] | None,
    *,
    by: str,
    now: float,
    done: bool,
) -> None:
    """Save a section; with `answers` None only that it was opened. When it was first opened and done stays as it was."""
    alone(connection, install_id)
    which = and_(install_step.c.install_id == install_id, install_step.c.step == step)
    before = connection.execute(select(install_step.c.done_at).where(which)).one_or_none()
    if before is None:
        connection.execute(
            insert(install_step).values(
                install_id=install_id,
                step=step,
                answers=dict(answers or {}),
                opened_at=now,
                done_at=now if done else None,
                by=by,
            )
        )
    elif answers is not None:
        at = (before.done_at or now) if done else None
        connection.execute(update(install_step).where(which).values(answers=dict(answers), done_at=at, by=by))
    if answers is not None:
        write_audit(
            connection,
            at=now,
            account_id=by,
            action="save-install-step",
            subject=f"{install_id}/{step}",
            outcome="done" if done else "saved",
        )


def change_state(connection: Connection, found: Install, state: str, *, by: str, now: float) -> bool:
    """Move an installation on; False where it is not any more as it was found."""
    values: dict[str, Any] = {"state": state}
    if state in ("done", "pending") and found.signed_at is None:
        values["signed_at"] = now
    if state in ("done", "given-up"):
        values["closed_at"] = now
    same = and_(install.c.install_id == found.install_id, install.c.state == found.state)
    if not connection.execute(update(install).where(same).values(**values)).rowcount:
        return False
    write_audit(
        connection, at=now, account_id=by, action=f"close-{found.kind}", subject=found.install_id, outcome=state
    )
    return True


def forget_unclaimed(connection: Connection, tenant: str, *, before: float) -> int:
    """Erase installations that were given up before they had a box, and before a moment; how many.

    Those with a box go with the other records of their household (`retention_work`).
    """
    mine = and_(install.c.tenant == tenant, install.c.site.is_(None), install.c.closed_at < before)
    query = select(install.c.install_id).where(mine).order_by(install.c.closed_at).limit(MOST_LISTED)
    due = connection.execute(query).scalars().all()
    for table in (install_key, install_adult, install_step, install):
        connection.execute(delete(table).where(table.c.install_id.in_(due)))
    return len(due)


def adults_of(connection: Connection, install_id: str) -> tuple[Adult, ...]:
    """Who was told, in the order in which they were."""
    columns = [column for column in install_adult.c if column.name not in ("install_id", "by")]
    query = (
        select(*columns)
        .where(install_adult.c.install_id == install_id)
        .order_by(install_adult.c.given_at, install_adult.c.adult_id)
        .limit(MOST_ADULTS)
    )
    return tuple(Adult(**row) for row in connection.execute(query).mappings())


def add_adult(connection: Connection, install_id: str, told: Adult, *, by: str, now: float) -> None:
    """Note that somebody was told; again with the same id does nothing.

    Raises:
        Full: `MOST_ADULTS` were.
    """
    alone(connection, install_id)
    held = {item.adult_id for item in adults_of(connection, install_id)}
    if told.adult_id in held:
        return
    if len(held) >= MOST_ADULTS:
        raise Full(f"an installation has {MOST_ADULTS} adults at most")
    values = {name: getattr(told, name) for name in Adult.__slots__}
    connection.execute(insert(install_adult).values(install_id=install_id, by=by, **values))
    write_audit(
        connection,
        at=now,
        account_id=by,
        action="give-notice",
        subject=f"{install_id}/{told.adult_id[:32]}",
        outcome=told.signed,
    )


def keys_of(connection: Connection, install_id: str) -> tuple[Key, ...]:
    """Passphrases that were made, the oldest first."""
    table = install_key.c
    query = (
        select(table.key_id, table.purpose, table.label, table.made_at)
        .where(table.install_id == install_id)
        .order_by(table.made_at, table.key_id)
        .limit(MOST_KEYS)
    )
    return tuple(Key(**row) for row in connection.execute(query).mappings())


def add_keys(connection: Connection, install_id: str, made: tuple[Key, ...], *, by: str, now: float) -> None:
    """Note that passphrases were made.

    Raises:
        Full: there would be more than `MOST_KEYS`.
    """
    alone(connection, install_id)
    number = connection.execute(
        select(func.count()).select_from(install_key).where(install_key.c.install_id == install_id)
    ).scalar_one()
    if number + len(made) > MOST_KEYS:
        raise Full(f"an installation has {MOST_KEYS} passphrases at most")
    for item in made:
        values = {name: getattr(item, name) for name in Key.__slots__}
        connection.execute(insert(install_key).values(install_id=install_id, by=by, **values))
        write_audit(
            connection,
            at=now,
            account_id=by,
            action="make-passphrase",
            subject=f"{install_id}/{item.key_id}",
            outcome="made",
        )


def box_of(connection: Connection, tenant: str, site_id: str) -> Box | None:
    """The box of an installation that was claimed."""
    names = ("site", "title", "verify_key", "seal_key", "status", "status_at", "heard_at", "revoked_at")
    query = (
        select(*(site_table.c[name] for name in names), box_access.c.answered_at.label("given_at"))
        .join(box_access, box_access.c.site == site_table.c.site, isouter=True)
        .where(site_table.c.tenant == tenant, site_table.c.site == site_id)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Box(**row)


def _installs() -> Any:
    return select(
        install.c.install_id,
        install.c.kind,
        install.c.reference,
        install.c.site,
        install.c.by,
        account.c.name.label("by_name"),
        install.c.state,
        install.c.started_at,
        install.c.signed_at,
        install.c.closed_at,
    ).join(account, account.c.account_id == install.c.by)
