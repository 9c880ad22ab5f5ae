"""A home's Wi-Fi as it shall be: its name, passphrases that only its box can read, and the way to the internet.

In: an open SQLAlchemy connection and what was sealed already. Out: frozen rows, and orders for boxes that do not have
it yet. A box that enrols is given all of it at once (`dashboard.enrol.enrolling`); what is changed later, and what the
box has not confirmed, goes to it as orders: `send` makes them, a few a round, again where one was lost on its way.
Bounded: a home has at most `MOST_KEYS` passphrases that let in, twice as many with those that are over, and
`MOST_ENDED` that were ended; `AT_ONCE` orders a round; `MOST_TRIES` orders for the same thing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Column, Connection, Table, and_, delete, func, insert, or_, select, update

from dashboard.store.queries import write_audit
from dashboard.store.schema import command, wifi, wifi_key
from dashboard.store.schema import site as site_table
from wire.orders import EndPassphrase, Order, SetNetwork, SetPassphrase
from wire.wifi import MOST_PASSPHRASES

MOST_KEYS = MOST_PASSPHRASES
MOST_ENDED = 200
OVER_DAYS = 30
"""So long a visitor's passphrase that is over is still shown."""
AT_ONCE = 20
MOST_TRIES = 12
LIFETIME = 24 * 3600.0
"""Seconds for which such an order counts: a box may be away for a night."""
HEARD_WITHIN = 150.0
"""Only a box that was heard so short a time ago is asked again."""
_WHY = "Wi-Fi of the household"
_LOST = ("unsent", "unanswered", "expired", "out-of-sequence")
"""States of an order that the box may not have followed, and not because it would not."""
Purpose = Literal["device", "guest", "household"]


class Full(ValueError):  # noqa: N818 - reads as what happened
    """A bound is reached; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wifi:
    """A home's Wi-Fi and way out."""

    ssid: str
    security: str
    isolation: bool
    uplink: str
    """dhcp, pppoe, modem."""
    uplink_sealed: str | None
    changed_at: float
    order_id: str | None
    """Of the order by which the box was told; None: by its enrolment, or not yet."""
    state: str | None
    """Of that order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A passphrase: for whom, until when, and what became of telling the box."""

    key_id: str
    sealed: str | None
    purpose: str
    label: str
    device_id: str | None
    until: float | None
    made_at: float
    by: str
    order_id: str | None
    state: str | None
    detail: str | None
    """What the box said."""
    ended_at: float | None
    end_state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A passphrase that was just made, sealed to its box."""

    key_id: str
    sealed: str
    purpose: Purpose
    label: str
    device_id: str | None = None
    until: float | None = None


def wifi_of(connection: Connection, site_id: str) -> Wifi | None:
    """The Wi-Fi of a home, where somebody entered one."""
    names = ("ssid", "security", "isolation", "uplink", "uplink_sealed", "changed_at", "order_id")
    query = (
        select(*(wifi.c[name] for name in names), command.c.state)
        .join(command, command.c.command_id == wifi.c.order_id, isouter=True)
        .where(wifi.c.site == site_id)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Wifi(**row)


def keys_of(connection: Connection, site_id: str, *, ended: bool = False) -> tuple[Key, ...]:
    """Passphrases of a home that count, the oldest first; or those that were ended, the latest first."""
    end = command.alias("ending")
    names = ("key_id", "sealed", "purpose", "label", "device_id", "until", "made_at", "by", "order_id", "ended_at")
    query = (
        select(
            *(wifi_key.c[name] for name in names),
            command.c.state,
            command.c.detail,
            end.c.state.label("end_state"),
        )
        .join(command, command.c.command_id == wifi_key.c.order_id, isouter=True)
        .join(end, end.c.command_id == wifi_key.c.end_order_id, isouter=True)
        .where(wifi_key.c.site == site_id, wifi_key.c.ended_at.is_not(None) if ended else wifi_key.c.ended_at.is_(None))
    )
    order = (wifi_key.c.ended_at.desc(),) if ended else (wifi_key.c.made_at,)
    rows = connection.execute(query.order_by(*order, wifi_key.c.key_id).limit(MOST_ENDED if ended else 2 * MOST_KEYS))
    return tuple(Key(**row) for row in rows.mappings())


def save_wifi(
    connection: Connection,
    site_id: str,
    *,
    ssid: str,
    security: str = "wpa2",
    isolation: bool = False,
    uplink: str | None = None,
    uplink_sealed: str | None = None,
    anew: bool = False,
    by: str,
    now: float,
) -> None:
    """Say how a home's Wi-Fi shall be; `uplink` None leaves the way to the internet as it is.

    `anew`: the box is told also where nothing changed, because it did not follow the last time.
    """
    values: dict[str, Any] = {"ssid": ssid, "security": security, "isolation": isolation}
    mine = wifi.c.site == site_id
    before = connection.execute(select(wifi).where(mine)).mappings().one_or_none()
    if anew or before is None or any(before[name] != value for name, value in values.items()):
        values |= {"order_id": None, "tries": 0}
    if uplink is not None:
        values |= {"uplink": uplink, "uplink_sealed": uplink_sealed}
    values |= {"changed_at": now, "by": by}
    if before is None:
        connection.execute(insert(wifi).values(site=site_id, **({"uplink": "dhcp"} | values)))
    else:
        connection.execute(update(wifi).where(mine).values(**values))
    write_audit(connection, at=now, account_id=by, action="set-wifi", subject=site_id, outcome="saved")


def add_key(connection: Connection, site_id: str, made: Made, *, by: str, now: float) -> None:
    """Keep a sealed passphrase; one of the same id is replaced, whose passphrase lets nobody in any more.

    Raises:
        Full: `MOST_KEYS` count already.
    """
    mine = and_(wifi_key.c.site == site_id, wifi_key.c.key_id == made.key_id)
    over = and_(wifi_key.c.site == site_id, wifi_key.c.ended_at.is_(None), wifi_key.c.until <= now)
    connection.execute(delete(wifi_key).where(wifi_key.c.site == site_id, wifi_key.c.until < now - OVER_DAYS * 86400.0))
    # Beside as many that are over there is room for all that count where they are read (`keys_of`).
    kept = select(wifi_key.c.key_id).where(over).order_by(wifi_key.c.until.desc(), wifi_key.c.key_id).limit(MOST_KEYS)
    connection.execute(delete(wifi_key).where(over, wifi_key.c.key_id.not_in(connection.scalars(kept).all())))
    there = connection.execute(select(wifi_key.c.key_id).where(mine)).first() is not None
    living = or_(wifi_key.c.until.is_(None), wifi_key.c.until > now)
    number = select(func.count()).where(wifi_key.c.site == site_id, wifi_key.c.ended_at.is_(None), living)
    if not there and connection.execute(number).scalar_one() >= MOST_KEYS:
        raise Full(f"a home has {MOST_KEYS} passphrases at most")
    values = {
        "sealed": made.sealed,
        "purpose": made.purpose,
        "label": made.label,
        "device_id": made.device_id,
        "until": made.until,
        "made_at": now,
        "by": by,
        "order_id": None,
        "tries": 0,
        "ended_at": None,
        "ended_by": None,
        "end_order_id": None,
        "end_tries": 0,
    }
    if there:
        connection.execute(update(wifi_key).where(mine).values(**values))
    else:
        connection.execute(insert(wifi_key).values(site=site_id, key_id=made.key_id, **values))
    _audit(connection, "make-passphrase", site_id, made.key_id, "made", by=by, now=now)


def end_key(connection: Connection, site_id: str, key_id: str, *, by: str, now: float) -> bool:
    """Let a passphrase let nobody in any more; False where none of this id counts."""
    mine = and_(wifi_key.c.site == site_id, wifi_key.c.key_id == key_id, wifi_key.c.ended_at.is_(None))
    # What is ended is of no use to anybody: the sealed passphrase goes.
    changed = update(wifi_key).where(mine).values(ended_at=now, ended_by=by, sealed=None)
    if not connection.execute(changed).rowcount:
        return False
    old = (
        select(wifi_key.c.key_id)
        .where(wifi_key.c.site == site_id, wifi_key.c.ended_at.is_not(None))
        .order_by(wifi_key.c.ended_at.desc())
        .offset(MOST_ENDED)
    )
    for name in connection.execute(old.limit(AT_ONCE)).scalars().all():
        connection.execute(delete(wifi_key).where(wifi_key.c.site == site_id, wifi_key.c.key_id == name))
    _audit(connection, "end-passphrase", site_id, key_id, "ended", by=by, now=now)
    return True


def forget(connection: Connection, site_id: str) -> int:
    """Erase what there is of a home's Wi-Fi, when its box was taken away; how many passphrases that were."""
    connection.execute(delete(wifi).where(wifi.c.site == site_id))
    return int(connection.execute(delete(wifi_key).where(wifi_key.c.site == site_id)).rowcount)


def send(connection: Connection, *, tenant: str, now: float) -> int:
    """Have boxes told what they do not have yet, if they are there; how many orders were made."""
    made = 0
    living = or_(wifi_key.c.until.is_(None), wifi_key.c.until > now)
    for table, column, tries, wanted in (
        (wifi, wifi.c.order_id, wifi.c.tries, None),
        (wifi_key, wifi_key.c.order_id, wifi_key.c.tries, and_(wifi_key.c.ended_at.is_(None), living)),
        (wifi_key, wifi_key.c.end_order_id, wifi_key.c.end_tries, wifi_key.c.ended_at.is_not(None)),
    ):
        made += _send(connection, table, column, tries, wanted, tenant=tenant, now=now)
    return made


def _send(
    connection: Connection,
    table: Table,
    column: Column[Any],
    tries: Column[Any],
    wanted: Any,
    *,
    tenant: str,
    now: float,
) -> int:
    query = (
        select(table)
        .join(site_table, site_table.c.site == table.c.site)
        .join(command, command.c.command_id == column, isouter=True)
        .where(
            site_table.c.tenant == tenant,
            site_table.c.revoked_at.is_(None),
            site_table.c.heard_at > now - HEARD_WITHIN,
            tries < MOST_TRIES,
            or_(column.is_(None), command.c.state.in_(_LOST)),
        )
        .limit(AT_ONCE)
    )
    if wanted is not None:
        query = query.where(wanted)
    rows = connection.execute(query).mappings().all()
    for row in rows:
        order, by = _order(row, column)
        if order is None:
            values: dict[str, Any] = {tries.name: MOST_TRIES}
        else:
            values = {
                column.name: _queue(connection, row["site"], order, by=by, now=now),
                tries.name: row[tries.name] + 1,
            }
        same = [item == row[item.name] for item in table.primary_key]
        connection.execute(update(table).where(*same).values(**values))
    return len(rows)


def _order(row: Mapping[Any, Any], column: Column[Any]) -> tuple[Order | None, str]:
    if column is wifi.c.order_id:
        return SetNetwork(ssid=row["ssid"], security=row["security"], isolation=row["isolation"]), row["by"]
    if column is wifi_key.c.end_order_id:
        return EndPassphrase(key_id=row["key_id"]), row["ended_by"]
    if row["sealed"] is None:
        return None, row["by"]  # it was not made here
    return (
        SetPassphrase(
            key_id=row["key_id"],
            sealed=row["sealed"],
            purpose=row["purpose"],
            device_id=row["device_id"],
            until=None if row["until"] is None else datetime.fromtimestamp(row["until"], UTC),
        ),
        row["by"],
    )


def _queue(connection: Connection, site_id: str, order: Order, *, by: str, now: float) -> str:
    order_id = secrets.token_hex(16)
    body = order.model_dump(mode="json", exclude_none=True)
    connection.execute(
        insert(command).values(
            command_id=order_id,
            site=site_id,
            device_id=body.get("device_id"),
            body=body,
            reason=_WHY,
            by=by,
            created_at=now,
            expires_at=now + LIFETIME,
            state="waiting",
            detail="",
        )
    )
    write_audit(connection, at=now, account_id=by, action=body["action"], subject=site_id, outcome="asked")
    return order_id


def _audit(
    connection: Connection, action: str, site_id: str, key_id: str, outcome: str, *, by: str, now: float
) -> None:
    write_audit(connection, at=now, account_id=by, action=action, subject=f"{site_id}/{key_id}", outcome=outcome)
