"""Sending a decision from a page, and the list of what was sent."""

from __future__ import annotations

from collections.abc import Iterable

from flask import abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.auth import SignedIn
from dashboard.commands import AlreadySent, Decision
from dashboard.pages import words
from dashboard.pages.contexts import Asked
from dashboard.pages.desk import Desk, desk, who
from dashboard.pages.orders import told
from dashboard.pages.outcomes import outcome_words
from dashboard.store.queries import StoredCommand, write_audit

_WAITS = "This has been sent already, and the box has not answered yet. Wait for its answer"
_AGAIN = "You have sent this form already, with other answers. Check your answers and send again"


def again(error: AlreadySent) -> str:
    """What to say of a form that was not taken."""
    return _WAITS if error.waiting else _AGAIN


def officer() -> SignedIn:
    """Who is asking, if the account may decide; else the page says that it may not, and the audit that it was tried."""
    asking, at_desk = who(), desk()
    if not asking.role.acts:
        with at_desk.engine.begin() as connection:
            write_audit(
                connection,
                at=at_desk.now(),
                account_id=asking.account_id,
                action="denied",
                subject=f"{request.method} {request.path}"[:160],
                outcome="refused",
            )
        abort(403)
    return asking


def send(decision: Decision, site: str) -> ResponseReturnValue:
    """Ask for it, and go to the page that waits for the box's answer.

    Raises:
        AlreadySent: as `commands.ask`.
    """
    at_desk = desk()
    command_id = commands.ask(
        at_desk.engine,
        decision,
        tenant=at_desk.settings.tenant,
        site=site,
        by=officer(),
        now=at_desk.now(),
        lifetime=at_desk.settings.command_seconds,
        reviews=at_desk.settings.reviews,
    )
    # 303: the browser fetches the next page with GET, so that loading it again sends nothing twice (RFC 9110, 15.4.4).
    return redirect(f"/commands/{command_id}?wait=1", 303)


def asked_rows(at_desk: Desk, sent: Iterable[StoredCommand]) -> tuple[Asked, ...]:
    """Commands sent earlier and what became of them."""
    return tuple(
        Asked(
            text=f"{told(item.body, at_desk.zone).short}: {outcome_words(item, at_desk.now())[0]}",
            at=at_desk.moment(item.created_at),
            by=words.plain(item.by_name, 120),
            address=f"/commands/{item.command_id}",
        )
        for item in sent
    )
