"""Operators that households are handed over to or come from, and each handing over, as they are stored.

In: an open SQLAlchemy connection and plain values. Out: frozen rows. Two people say every one of these acts, and one
statement decides between two who answer at once. Bounded: `MOST_PARTNERS` operators, `MOST_WAITING` transfers that are
not done; a sealed file is kept `KEEP_SECONDS` and then erased, its digest stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, select, update

from dashboard.store import vouched
from dashboard.store.schema import history, partner, transfer

OUT, IN = "out", "in"
NEEDS_SECOND, AGREED, REFUSED, LAPSED = "needs-second", "agreed", "refused", "lapsed"
MADE, TAKEN, FAILED = "made", "taken", "failed"
WAIT_SECONDS = 3 * 86400.0
"""How long a second person may take."""
KEEP_SECONDS = 14 * 86400.0
MOST_PARTNERS = 100
MOST_WAITING = 20
MOST_SHOWN = 50
MOST_HISTORY_SHOWN = 500
OWN = "own"
"""Name of the entry that holds this service's own public keys; its id begins so and ends in the tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Another operator's service."""

    partner_id: str
    name: str
    verify_key: str
    seal_key: str
    by: str
    created_at: float
    second: str | None
    ended_at: float | None

    @property
    def confirmed(self) -> bool:
        """Whether two people compared the keys, and nobody ended it."""
        return self.second is not None and self.ended_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTransfer:
    """A household that goes or came; without the file."""

    transfer_id: str
    site: str | None
    way: str
    state: str
    partner_id: str | None
    reason: str
    title: str
    by: str
    created_at: float
    second: str | None
    seconded_at: float | None
    problem: str
    done_at: float | None
    octets: int | None
    sha256: str | None
    held: bool
    """Whether the file is still here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of history that came with a household."""

    part: str
    at: float
    text: str


def partners_of(connection: Connection, tenant: str) -> tuple[Partner, ...]:
    """Other operators, by name; those that were ended last."""
    query = (
        _partners()
        .where(partner.c.tenant == tenant, partner.c.partner_id != own_id(tenant))
        .order_by(partner.c.ended_at.is_not(None), partner.c.name, partner.c.partner_id)
        .limit(MOST_PARTNERS)
    )
    return tuple(Partner(**row) for row in connection.execute(query).mappings())


def partner_of(connection: Connection, tenant: str, partner_id: str) -> Partner | None:
    """One of them, or this service's own keys under `own_id`."""
    query = _partners().where(partner.c.tenant == tenant, partner.c.partner_id == partner_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Partner(**row)


def add_partner(
    connection: Connection,
    *,
    partner_id: str,
    tenant: str,
    name: str,
    verify_key: str,
    seal_key: str,
    by: str,
    now: float,
) -> bool:
    """Enter an operator and its keys, to be confirmed by another person; False for a repetition, or too many."""
    if partner_of(connection, tenant, partner_id) is not None:
        return False
    number = connection.execute(select(func.count()).where(partner.c.tenant == tenant)).scalar_one()
    if number >= MOST_PARTNERS:
        return False
    connection.execute(
        insert(partner).values(
            partner_id=partner_id,
            tenant=tenant,
            name=name,
            verify_key=verify_key,
            seal_key=seal_key,
            by=by,
            created_at=now,
        )
    )
    return True


def confirm_partner(connection: Connection, *, tenant: str, partner_id: str, by: str, now: float) -> bool:
    """Say that the keys are the operator's, as another person than who entered them."""
    which = and_(*_partner(tenant, partner_id), vouched.apart(partner.c.by, by, now), partner.c.second.is_(None))
    changed = connection.execute(update(partner).where(which).values(second=by, seconded_at=now))
    return bool(changed.rowcount)


def end_partner(connection: Connection, *, tenant: str, partner_id: str, now: float) -> bool:
    """Have no more to do with an operator's keys."""
    which = and_(*_partner(tenant, partner_id), partner.c.partner_id != own_id(tenant))
    return bool(connection.execute(update(partner).where(which).values(ended_at=now)).rowcount)


def keep_own(connection: Connection, *, tenant: str, verify_key: str, seal_key: str, now: float) -> None:
    """Write down this service's own public keys, so that a page can show them; does nothing where they stand there."""
    found = partner_of(connection, tenant, own_id(tenant))
    values = {"verify_key": verify_key, "seal_key": seal_key}
    if found is None:
        row = {"partner_id": own_id(tenant), "tenant": tenant, "name": OWN, "by": "", "created_at": now}
        connection.execute(insert(partner).values(**row, **values))
    elif (found.verify_key, found.seal_key) != (verify_key, seal_key):
        connection.execute(update(partner).where(partner.c.partner_id == own_id(tenant)).values(**values))


def own_id(tenant: str) -> str:
    """Under which id this service's own keys stand."""
    return f"{OWN}-{tenant}"[:64]


def ask(
    connection: Connection,
    *,
    transfer_id: str,
    tenant: str,
    way: str,
    site_id: str | None,
    partner_id: str | None,
    reason: str,
    title: str,
    by: str,
    now: float,
    data: bytes | None = None,
    sha256: str | None = None,
) -> bool:
    """Ask for a household to go or to be taken in, to be agreed to by another person; False for too many that wait."""
    if connection.execute(select(transfer.c.transfer_id).where(transfer.c.transfer_id == transfer_id)).first():
        return True
    waiting = select(func.count()).where(transfer.c.tenant == tenant, transfer.c.state.in_((NEEDS_SECOND, AGREED)))
    if connection.execute(waiting).scalar_one() >= MOST_WAITING:
        return False
    connection.execute(
        insert(transfer).values(
            transfer_id=transfer_id,
            tenant=tenant,
            site=site_id,
            way=way,
            state=NEEDS_SECOND,
            partner_id=partner_id,
            reason=reason,
            title=title,
            by=by,
            created_at=now,
            problem="",
            octets=None if data is None else len(data),
            sha256=sha256,
            data=data,
        )
    )
    return True


def answer(connection: Connection, *, tenant: str, transfer_id: str, by: str, agree: bool, now: float) -> bool:
    """Agree as another person, or refuse (who asked may take it back so); False where that cannot be done any more."""
    which = [*_mine(tenant, transfer_id), transfer.c.state == NEEDS_SECOND, transfer.c.created_at > now - WAIT_SECONDS]
    if agree:
        which.append(vouched.apart(transfer.c.by, by, now))
    values: dict[str, object] = {"state": AGREED if agree else REFUSED, "second": by, "seconded_at": now}
    if not agree:
        values["data"] = None
    return bool(connection.execute(update(transfer).where(*which).values(**values)).rowcount)


def transfer_of(connection: Connection, tenant: str, transfer_id: str) -> StoredTransfer | None:
    """One transfer."""
    row = connection.execute(_transfers().where(*_mine(tenant, transfer_id))).mappings().one_or_none()
    return None if row is None else StoredTransfer(**row)


def transfers_of(connection: Connection, tenant: str, *, way: str, site_id: str | None) -> tuple[StoredTransfer, ...]:
    """Transfers of a household, or all that came; newest first, at most `MOST_SHOWN`."""
    query = _transfers().where(transfer.c.tenant == tenant, transfer.c.way == way)
    if site_id is not None:
        query = query.where(transfer.c.site == site_id)
    rows = connection.execute(query.order_by(transfer.c.created_at.desc(), transfer.c.transfer_id).limit(MOST_SHOWN))
    return tuple(StoredTransfer(**row) for row in rows.mappings())


def next_agreed(connection: Connection, tenant: str) -> StoredTransfer | None:
    """What was agreed to first and is not done."""
    query = _transfers().where(transfer.c.tenant == tenant, transfer.c.state == AGREED)
    row = connection.execute(query.order_by(transfer.c.seconded_at).limit(1)).mappings().first()
    return None if row is None else StoredTransfer(**row)


def data_of(connection: Connection, transfer_id: str) -> bytes | None:
    """The sealed file."""
    query = select(transfer.c.data).where(transfer.c.transfer_id == transfer_id)
    return connection.execute(query).scalar_one_or_none()


def finish(connection: Connection, transfer_id: str, *, state: str, now: float, **values: object) -> None:
    """Write down what became of it."""
    which = transfer.c.transfer_id == transfer_id
    connection.execute(update(transfer).where(which).values(state=state, done_at=now, **values))


def expire(connection: Connection, tenant: str, now: float) -> int:
    """Let go what nobody agreed to in time, and files whose time is over; how many rows."""
    late = and_(transfer.c.state == NEEDS_SECOND, transfer.c.created_at <= now - WAIT_SECONDS)
    old = and_(transfer.c.data.is_not(None), transfer.c.done_at <= now - KEEP_SECONDS)
    lapsed = connection.execute(
        update(transfer).where(transfer.c.tenant == tenant, late).values(state=LAPSED, data=None, done_at=now)
    ).rowcount
    gone = connection.execute(update(transfer).where(transfer.c.tenant == tenant, old).values(data=None)).rowcount
    return lapsed + gone


def history_of(connection: Connection, site_id: str) -> tuple[Piece, ...]:
    """What came with a household, newest first; at most `MOST_HISTORY_SHOWN`."""
    query = (
        select(history.c.part, history.c.at, history.c.text)
        .where(history.c.site == site_id)
        .order_by(history.c.at.desc(), history.c.part, history.c.number)
        .limit(MOST_HISTORY_SHOWN)
    )
    return tuple(Piece(**row) for row in connection.execute(query).mappings())


def _partner(tenant: str, partner_id: str) -> tuple[ColumnElement[bool], ...]:
    return partner.c.tenant == tenant, partner.c.partner_id == partner_id, partner.c.ended_at.is_(None)


def _mine(tenant: str, transfer_id: str) -> tuple[ColumnElement[bool], ...]:
    return transfer.c.tenant == tenant, transfer.c.transfer_id == transfer_id


def _partners() -> Select[Any]:
    return select(
        partner.c.partner_id,
        partner.c.name,
        partner.c.verify_key,
        partner.c.seal_key,
        partner.c.by,
        partner.c.created_at,
        partner.c.second,
        partner.c.ended_at,
    )


def _transfers() -> Select[Any]:
    names = [item for item in StoredTransfer.__dataclass_fields__ if item != "held"]
    return select(*(transfer.c[name] for name in names), transfer.c.data.is_not(None).label("held"))
