"""An officer's decision about a device becomes a row of `command` that ingest signs and sends.

In: checked form fields. Out: a command id. The page's form carries the id, so a form sent twice is
one command. This process holds no key; nothing here reaches a box by itself.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError

from dashboard.auth import SignedIn
from dashboard.store.engine import reading
from dashboard.store.queries import StoredCommand, command_of, write_audit
from dashboard.store.schema import command
from wire.base import Standing
from wire.orders import SetStanding

STANDINGS = (Standing.REGISTERED, Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK, Standing.INFRASTRUCTURE)
"""What an officer may make of a device."""
MOST_LABEL = 80
MOST_REASON = 500
GUEST_DAYS = 14
MOST_GUEST_DAYS = 90
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The form as it was typed."""

    token: str
    standing: str
    label: str
    days: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A form that holds."""

    token: str
    standing: Standing
    label: str | None
    days: int | None
    """How long a guest may stay; None for others."""
    reason: str


class AlreadySent(ValueError):  # noqa: N818 - reads as what happened
    """The same form was sent before with something else in it."""


def new_token() -> str:
    """Id of a command that is yet to be asked for; put into its form."""
    return secrets.token_hex(16)


def typed(form: Mapping[str, str]) -> Typed:
    """Take the fields out of a form."""
    return Typed(
        token=form.get("token", ""),
        standing=form.get("standing", ""),
        label=_tidy(form.get("label", "")),
        days=form.get("days", "").strip(),
        reason=_tidy(form.get("reason", "")),
    )


def check(fields: Typed) -> tuple[Decision | None, tuple[tuple[str, str], ...]]:
    """The decision, or (field, what is wrong) for each field that does not hold."""
    days = _days(fields.days) if fields.standing == Standing.GUEST else None
    errors: list[tuple[str, str]] = []
    if fields.standing not in STANDINGS:
        errors.append(("standing", "Select whose device this is"))
    elif not _TOKEN.fullmatch(fields.token):
        errors.append(("standing", "This form was not complete. Check your answers and send it again"))
    if fields.standing == Standing.GUEST and days is None:
        errors.append(("days", f"Days must be a whole number from 1 to {MOST_GUEST_DAYS}"))
    errors += _text_errors("label", "Label", fields.label, MOST_LABEL)
    errors += _text_errors("reason", "Reason", fields.reason.replace("\n", " "), MOST_REASON)
    if not fields.reason:
        errors.append(("reason", "Enter the reason for your decision"))
    if errors:
        return None, tuple(errors)
    decision = Decision(
        token=fields.token,
        standing=Standing(fields.standing),
        label=fields.label or None,
        days=days,
        reason=fields.reason,
    )
    return decision, ()


def ask(
    engine: Engine,
    decision: Decision,
    *,
    tenant: str,
    site: str,
    device_id: str,
    by: SignedIn,
    now: float,
    lifetime: float,
) -> str:
    """Store the command and its line in the audit in one transaction; returns the command's id.

    Asking again with the same token and the same decision changes nothing and returns the same id.

    Raises:
        AlreadySent: the token was used for another decision.
    """
    try:
        with engine.begin() as connection:
            connection.execute(
                insert(command).values(
                    command_id=decision.token,
                    site=site,
                    device_id=device_id,
                    body=_body(decision, device_id=device_id, now=now),
                    reason=decision.reason,
                    by=by.account_id,
                    created_at=now,
                    expires_at=now + lifetime,
                    state="waiting",
                    detail="",
                )
            )
            write_audit(
                connection,
                at=now,
                account_id=by.account_id,
                action="register-device",
                subject=f"{site}/{device_id}",
                outcome="asked",
            )
    except IntegrityError:
        with reading(engine).connect() as connection:
            earlier = command_of(connection, tenant, decision.token)
        if earlier is None or not _same(earlier, decision, site=site, device_id=device_id, by=by):
            raise AlreadySent from None
    return decision.token


def _same(earlier: StoredCommand, decision: Decision, *, site: str, device_id: str, by: SignedIn) -> bool:
    # `guest_until` counts from the moment of asking and so differs between two sendings of one form.
    body = _body(decision, device_id=device_id, now=earlier.created_at)
    return (earlier.site, earlier.by, earlier.reason, earlier.body) == (site, by.account_id, decision.reason, body)


def _body(decision: Decision, *, device_id: str, now: float) -> dict[str, Any]:
    until = None if decision.days is None else datetime.fromtimestamp(now + decision.days * 86400, UTC)
    body = SetStanding(device_id=device_id, standing=decision.standing, label=decision.label, guest_until=until)
    return body.model_dump(mode="json", exclude_none=True)


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").strip())


def _text_errors(field: str, name: str, text: str, most: int) -> list[tuple[str, str]]:
    if len(text) > most:
        return [(field, f"{name} must be {most} characters or fewer")]
    if not text.isprintable():
        return [(field, f"{name} must only have characters that can be seen")]
    return []


def _days(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) <= 3):
        return None
    days = int(text)
    return days if 1 <= days <= MOST_GUEST_DAYS else None
