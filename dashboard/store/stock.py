"""Boxes that wait to be fitted: entered from their cards, and claimed with the code on their labels.

In: an open SQLAlchemy connection, a card or a label. Out: what became of it. Called inside a transaction; the audit's
line is written too. Bounded: `MOST_STOCK` boxes wait at a time; one whose code was tried wrongly `MOST_TRIES` times has
to be entered anew.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from dashboard.store.installs import Full, alone
from dashboard.store.queries import write_audit
from dashboard.store.schema import box_access, box_stock, install
from dashboard.store.schema import site as site_table
from wire.claim import BoxCard, Label, code_digest
from wire.keys import key_id

MOST_STOCK = 2000
MOST_TRIES = 10
MOST_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """A box that waits to be fitted."""

    site: str
    fingerprint: str
    entered_at: float
    tries: int

    @property
    def locked(self) -> bool:
        """Too many wrong codes."""
        return self.tries >= MOST_TRIES


class Claimed(StrEnum):
    """What became of a claim."""

    DONE = "done"
    UNKNOWN = "unknown"
    """No such box in stock, or the fingerprint is another's."""
    WRONG = "wrong"
    """The code is not the box's."""
    LOCKED = "locked"
    """Too many wrong codes."""
    USED = "used"
    """The box was claimed before."""
    OTHER = "other"
    """The installation has another box."""


def stock_box(connection: Connection, card: BoxCard, *, by: str | None, now: float) -> None:
    """Enter a box from its card. A box that was not claimed may be entered anew, with another code.

    Raises:
        Full: `MOST_STOCK` boxes wait.
        ValueError: the box is in use, or was claimed.
    """
    if _in_use(connection, card.site):
        raise ValueError(f"the box {card.site} is in use")
    before = connection.execute(select(box_stock.c.claimed_at).where(box_stock.c.site == card.site)).one_or_none()
    if before is not None and before.claimed_at is not None:
        raise ValueError(f"the box {card.site} was claimed already")
    values = {
        "tenant": card.tenant,
        "verify_key": card.verify_key,
        "seal_key": card.seal_key,
        "fingerprint": key_id(card.verify_key),
        "code_sha256": card.code_sha256,
        "tries": 0,
        "entered_at": now,
    }
    if before is not None:
        connection.execute(update(box_stock).where(box_stock.c.site == card.site).values(**values))
    else:
        waiting = select(func.count()).select_from(box_stock).where(box_stock.c.claimed_at.is_(None))
        if connection.execute(waiting).scalar_one() >= MOST_STOCK:
            raise Full(f"{MOST_STOCK} boxes wait to be fitted already")
        connection.execute(insert(box_stock).values(site=card.site, **values))
    write_audit(connection, at=now, account_id=by, action="stock-box", subject=card.site, outcome="entered")


def reopen(connection: Connection, card: BoxCard, *, by: str | None, now: float) -> None:
    """Let a box that is in use, and lost what it was given, ask for it once more.

    Raises:
        ValueError: no household has a box of just these keys, or it was revoked.
    """
    keys = select(site_table.c.verify_key, site_table.c.seal_key, site_table.c.revoked_at)
    row = connection.execute(keys.where(site_table.c.site == card.site, site_table.c.tenant == card.tenant)).first()
    if row is None or (row.verify_key, row.seal_key) != (card.verify_key, card.seal_key):
        raise ValueError(f"no household has the box {card.site} with these keys")
    if row.revoked_at is not None:
        raise ValueError(f"the box {card.site} was revoked")
    mine = box_access.c.site == card.site
    if not connection.execute(update(box_access).where(mine).values(reopened_at=now)).rowcount:
        connection.execute(insert(box_access).values(site=card.site, answers=0, reopened_at=now))
    write_audit(connection, at=now, account_id=by, action="stock-box", subject=card.site, outcome="entered again")


def waiting(connection: Connection, tenant: str, *, start: int = 0) -> tuple[Stocked, ...]:
    """Boxes that were not claimed yet, the latest first; at most `MOST_LISTED` from `start` on."""
    names = ("site", "fingerprint", "entered_at", "tries")
    query = (
        select(*(box_stock.c[name] for name in names))
        .where(box_stock.c.tenant == tenant, box_stock.c.claimed_at.is_(None))
        .order_by(box_stock.c.entered_at.desc(), box_stock.c.site)
        .limit(MOST_LISTED)
        .offset(start)
    )
    return tuple(Stocked(**row) for row in connection.execute(query).mappings())


def count_waiting(connection: Connection, tenant: str) -> int:
    """How many were not claimed yet."""
    query = select(func.count()).select_from(box_stock)
    mine = and_(box_stock.c.tenant == tenant, box_stock.c.claimed_at.is_(None))
    return int(connection.execute(query.where(mine)).scalar_one())


def remove(connection: Connection, tenant: str, site: str, *, by: str, now: float) -> bool:
    """Take a box out of stock that was not claimed; False where there is none."""
    mine = and_(box_stock.c.tenant == tenant, box_stock.c.site == site, box_stock.c.claimed_at.is_(None))
    if not connection.execute(delete(box_stock).where(mine)).rowcount:
        return False
    write_audit(connection, at=now, account_id=by, action="unstock-box", subject=site, outcome="removed")
    return True


def claim_box(
    connection: Connection, install_id: str, label: Label, *, tenant: str, title: str, by: str, now: float
) -> Claimed:
    """Use a label's code: the box becomes a household of its own, and this installation's.

    An installation takes one box: a second one that is claimed for it in the same moment stays in stock.
    """
    alone(connection, install_id)
    free = select(install.c.site).where(install.c.install_id == install_id, install.c.site.is_(None))
    row = (
        connection.execute(select(box_stock).where(box_stock.c.site == label.site, box_stock.c.tenant == tenant))
        .mappings()
        .one_or_none()
    )
    outcome = _judge(row, label)
    if outcome is Claimed.DONE and connection.execute(free).first() is None:
        outcome = Claimed.OTHER
    if outcome is Claimed.DONE and _in_use(connection, label.site):
        outcome = Claimed.USED
    if row is not None and outcome is Claimed.WRONG:
        tried = update(box_stock).where(box_stock.c.site == label.site).values(tries=box_stock.c.tries + 1)
        connection.execute(tried)
    if row is not None and outcome is Claimed.DONE:
        mine = and_(box_stock.c.site == label.site, box_stock.c.claimed_at.is_(None))
        taken = connection.execute(update(box_stock).where(mine).values(claimed_at=now, claimed_by=by)).rowcount
        outcome = Claimed.DONE if taken else Claimed.USED
    if row is not None and outcome is Claimed.DONE:
        connection.execute(
            insert(site_table).values(
                site=row["site"],
                tenant=tenant,
                title=title,
                verify_key=row["verify_key"],
                seal_key=row["seal_key"],
            )
        )
        connection.execute(update(install).where(install.c.install_id == install_id).values(site=label.site))
    write_audit(connection, at=now, account_id=by, action="claim-box", subject=label.site, outcome=str(outcome))
    return outcome


def _in_use(connection: Connection, site_id: str) -> bool:
    return connection.execute(select(site_table.c.site).where(site_table.c.site == site_id)).first() is not None


def _judge(row: Any, label: Label) -> Claimed:
    if row is None or not hmac.compare_digest(row["fingerprint"], label.fingerprint):
        return Claimed.UNKNOWN
    if row["claimed_at"] is not None:
        return Claimed.USED
    if row["tries"] >= MOST_TRIES:
        return Claimed.LOCKED
    same = hmac.compare_digest(row["code_sha256"], code_digest(label.site, label.code))
    return Claimed.DONE if same else Claimed.WRONG
