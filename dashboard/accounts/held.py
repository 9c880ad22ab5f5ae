"""Forms that were sent with a session that had ended, or without a fresh proof: kept sealed until they are sent again.

In: where a form was going and what was typed. Out: an id; the same account, and no other, finds the form under it again.
Nothing is sent by itself. Never kept: tokens, codes, phrases, files. Bounded: `MOST_HELD` for each account (the oldest
goes), `MOST_OCTETS` each, `KEPT_SECONDS`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from dashboard.accounts.sealing import Sealer
from dashboard.store.schema import held_form

MOST_HELD = 5
MOST_OCTETS = 32 * 1024
KEPT_SECONDS = 3600.0
NEVER = frozenset({"csrf_token", "code", "phrase", "password", "passphrase", "credential"})
"""Fields that are not kept, sealed or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldForm:
    """A form that waits to be sent again."""

    held_id: str
    target: str
    """Path that it was going to."""
    fields: tuple[tuple[str, str], ...]
    """Names and what was typed, in order."""
    files: bool
    """Whether a file was with it, that has to be chosen again."""
    at: float


def keep(
    connection: Connection,
    sealer: Sealer,
    *,
    account_id: str,
    target: str,
    fields: Iterable[tuple[str, str]],
    files: bool,
    now: float,
) -> str | None:
    """Keep a form; its id, or None where it is too big."""
    kept = [[name, text] for name, text in fields if name not in NEVER]
    whole = json.dumps({"target": target, "fields": kept, "files": files})
    if len(whole) > MOST_OCTETS:
        return None
    connection.execute(delete(held_form).where(held_form.c.at <= now - KEPT_SECONDS))
    newest = (
        select(held_form.c.held_id)
        .where(held_form.c.account_id == account_id)
        .order_by(held_form.c.at.desc())
        .limit(MOST_HELD - 1)
    )
    stay = connection.execute(newest).scalars().all()
    mine = held_form.c.account_id == account_id
    connection.execute(delete(held_form).where(mine, held_form.c.held_id.not_in(stay)))
    held_id = secrets.token_hex(16)
    sealed = sealer.seal(whole, f"{account_id}/{held_id}")
    connection.execute(insert(held_form).values(held_id=held_id, account_id=account_id, sealed=sealed, at=now))
    return held_id


def held(connection: Connection, sealer: Sealer, *, account_id: str, held_id: str, now: float) -> HeldForm | None:
    """A form that is kept for this account."""
    which = (held_form.c.held_id == held_id) & (held_form.c.account_id == account_id)
    row = connection.execute(select(held_form).where(which, held_form.c.at > now - KEPT_SECONDS)).one_or_none()
    whole = None if row is None else sealer.open(row.sealed, f"{account_id}/{held_id}")
    if row is None or whole is None:
        return None
    read = json.loads(whole)
    fields = tuple((str(name), str(text)) for name, text in read["fields"])
    return HeldForm(held_id=held_id, target=read["target"], fields=fields, files=bool(read["files"]), at=row.at)


def drop(connection: Connection, *, account_id: str, held_id: str) -> bool:
    """Forget a form; False where there is none."""
    which = (held_form.c.held_id == held_id) & (held_form.c.account_id == account_id)
    return connection.execute(delete(held_form).where(which)).rowcount > 0
