"""An officer's decision becomes a row of `command` that ingest signs and sends, at once or when another has agreed.

In: a form that was checked (`dashboard.pages.forms`). Out: a command id. The page's form carries the id, so a form
sent twice is one command. This process holds no key; nothing here reaches a box by itself.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from dashboard.auth import SignedIn
from dashboard.second import NEEDS_SECOND, WAIT_SECONDS, needs_second, tell
from dashboard.settings import Reviews
from dashboard.store.answers import settle
from dashboard.store.engine import reading
from dashboard.store.queries import StoredCommand, command_of, write_audit
from dashboard.store.reviewing import Given
from dashboard.store.schema import command
from wire.acts import BREAKABLE
from wire.orders import Order

TOKEN = re.compile(r"[0-9a-f]{32}")
PENDING = ("waiting", "sent", NEEDS_SECOND)
"""States of a command that a second person or the box has yet to answer."""
_ACTS = {"set-standing": "register-device"}
"""The audit's word for an order, where it is not the order's own."""
_EMERGENCY = "One person has done alone, in an emergency, what else takes two. Somebody else must look at it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A form that holds."""

    token: str
    order: Callable[[float], Order]
    """The order as it is when asked for at that moment (Unix seconds), from which a visit's days count."""
    reason: str
    """Empty only where nothing is decided about a device."""
    device_id: str | None
    """Which device it is about; None for the whole household."""
    proposal_id: str | None = None
    """Which proposal it answers."""
    finding_id: str | None = None
    """From which finding's page it was asked."""
    break_glass: bool = False
    """One person does in an emergency what else takes two; where the act allows that."""


class AlreadySent(ValueError):  # noqa: N818 - reads as what happened
    """The same form was sent before with something else in it; or the box has yet to answer another like it."""

    def __init__(self, *, waiting: bool) -> None:
        super().__init__("waits for the box" if waiting else "sent before")
        self.waiting = waiting
        """It is another form's, which waits for the box's answer."""


def new_token() -> str:
    """Id of a command that is yet to be asked for; put into its form."""
    return secrets.token_hex(16)


def ask(
    engine: Engine,
    decision: Decision,
    *,
    tenant: str,
    site: str,
    by: SignedIn,
    now: float,
    lifetime: float,
    reviews: Reviews | None = None,
) -> str:
    """Store the command, its line in the audit, and what it decides about findings in one transaction; its id.

    Asking again with the same token and the same decision changes nothing and returns the same id.

    Raises:
        AlreadySent: the token was used for another decision; or the same was asked with another form, or the
            same proposal answered, and the box has not said yet what became of it.
    """
    body = _body(decision, now)
    broken = decision.break_glass and body["action"] in BREAKABLE
    about = decision.proposal_id or decision.finding_id or decision.device_id
    try:
        with engine.begin() as connection:
            if _waits(connection, decision, body, site=site, now=now):
                raise AlreadySent(waiting=True)
            waits = needs_second(connection, site, body) and not broken
            connection.execute(
                insert(command).values(
                    command_id=decision.token,
                    site=site,
                    device_id=decision.device_id,
                    proposal_id=decision.proposal_id,
                    finding_id=decision.finding_id,
                    body=body,
                    reason=decision.reason,
                    by=by.account_id,
                    created_at=now,
                    expires_at=now + (WAIT_SECONDS if waits else lifetime),
                    state=NEEDS_SECOND if waits else "waiting",
                    detail="",
                    break_glass=True if broken else None,
                )
            )
            write_audit(
                connection,
                at=now,
                account_id=by.account_id,
                action=_ACTS.get(body["action"], body["action"]),
                subject=site if about is None else f"{site}/{about}",
                outcome="emergency" if broken else "asked",
            )
            settle(
                connection,
                site,
                body,
                Given(by=by.account_id, now=now, token=decision.token),
                reason=decision.reason,
                finding_id=decision.finding_id,
                needs_second=((), ()) if reviews is None else (reviews.second_kinds, reviews.second_severities),
            )
            if broken:
                tell(connection, about=decision.token, site_id=site, by=by.account_id, text=_EMERGENCY, now=now)
    except IntegrityError:
        with reading(engine).connect() as connection:
            earlier = command_of(connection, tenant, decision.token)
        if earlier is None or not _same(earlier, decision, site=site, by=by):
            raise AlreadySent(waiting=False) from None
    return decision.token


def _waits(connection: Connection, decision: Decision, body: dict[str, Any], *, site: str, now: float) -> bool:
    about = command.c.device_id.is_(None) if decision.device_id is None else command.c.device_id == decision.device_id
    if decision.proposal_id is not None:
        about = command.c.proposal_id == decision.proposal_id
    unanswered = select(command.c.body).where(
        command.c.site == site,
        about,
        command.c.command_id != decision.token,
        command.c.state.in_(PENDING),
        command.c.expires_at > now,
    )
    bodies = connection.execute(unanswered).scalars().all()
    return bool(bodies) if decision.proposal_id is not None else body in bodies


def _same(earlier: StoredCommand, decision: Decision, *, site: str, by: SignedIn) -> bool:
    # A visit's end counts from the moment of asking and so differs between two sendings of one form.
    body = _body(decision, earlier.created_at)
    return (earlier.site, earlier.by, earlier.reason, earlier.body) == (site, by.account_id, decision.reason, body)


def _body(decision: Decision, at: float) -> dict[str, Any]:
    return decision.order(at).model_dump(mode="json", exclude_none=True)
