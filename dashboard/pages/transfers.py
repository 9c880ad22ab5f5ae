"""*Other operators*: whose keys are known here, and households that came from them. For supervisors.

Keys are entered by one person and compared by another, over a way other than the file itself; only then they count.
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs, step_up
from dashboard.commands import TOKEN
from dashboard.i18n import _
from dashboard.pages import typed, words
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_transfer import PartnerRow, TransfersPage
from dashboard.pages.desk import desk, id_or_404, show, who
from dashboard.pages.transfer import give_answer, transfer_row
from dashboard.pages.typed import Errors
from dashboard.store import transfers
from dashboard.store.arrangements import names_of
from dashboard.store.queries import write_audit
from dashboard.store.transfers import Partner
from dashboard.transfer.pack import MOST_FILE, PackError, read_header
from wire.keys import KeyFileError, key_id, seal_key, verify_key

pages = Blueprint("transfers", __name__)
UPLOAD = "transfers.bring"
"""Endpoint whose form carries a file."""
MOST_BODY = MOST_FILE + 16 * 1024
_FIELDS = ("name", "verify-key", "seal-key", "title", "reason")


@pages.get("/transfers")
@needs(May.MANAGE)
def came() -> Response:
    """Operators, and what came."""
    return _show(())


@pages.post("/transfers/partners")
@needs(May.MANAGE)
@step_up
def enter() -> ResponseReturnValue:
    """Enter an operator and its keys."""
    asking, at_desk = who(), desk()
    name, now = _line("name"), at_desk.now()
    errors = typed.text_errors("name", _("Name"), name, 80)
    if not name:
        errors.append(("name", _("Enter the operator's name")))
    for field, check in (("verify-key", verify_key), ("seal-key", seal_key)):
        try:
            check(_line(field))
        except KeyFileError:
            errors.append((field, _("Enter the key as it was given to you: 44 letters, digits and signs")))
    token = request.form.get("token", "")
    if not TOKEN.fullmatch(token):
        errors.append(("name", typed.INCOMPLETE))
    if errors:
        return _show(tuple(errors))
    with at_desk.engine.begin() as connection:
        if transfers.add_partner(
            connection,
            partner_id=token,
            tenant=at_desk.settings.tenant,
            name=name,
            verify_key=_line("verify-key"),
            seal_key=_line("seal-key"),
            by=asking.account_id,
            now=now,
        ):
            _audit(connection, "enter-partner", token, "asked")
    return redirect("/transfers", 303)


@pages.post("/transfers/partners/<partner>")
@needs(May.MANAGE)
@step_up
def confirm(partner: str) -> ResponseReturnValue:
    """Confirm an operator's keys as another person, or end them."""
    asking, at_desk = who(), desk()
    tenant, now = at_desk.settings.tenant, at_desk.now()
    id_or_404(partner)
    with at_desk.engine.begin() as connection:
        if request.form.get("answer") == "confirm":
            done = transfers.confirm_partner(
                connection, tenant=tenant, partner_id=partner, by=asking.account_id, now=now
            )
            _audit(connection, "confirm-partner", partner, "agreed" if done else "not taken")
        else:
            done = transfers.end_partner(connection, tenant=tenant, partner_id=partner, now=now)
            _audit(connection, "end-partner", partner, "done" if done else "not taken")
    return redirect("/transfers", 303)


@pages.post("/transfers/in")
@needs(May.MANAGE)
@step_up
def bring() -> ResponseReturnValue:
    """Bring the file of a household; it is taken in when another person has agreed."""
    asking, at_desk = who(), desk()
    title, reason = _line("title"), _line("reason")
    token, now = request.form.get("token", ""), at_desk.now()
    sent = request.files.get("file")
    data = sent.read(MOST_FILE + 1) if sent is not None else b""
    errors = typed.text_errors("title", _("Reference"), title, 120)
    errors += typed.reason_errors("reason", reason, 300)
    try:
        read_header(data)
    except PackError as error:
        errors.insert(
            0, ("file", _("Select the file of a household. This one cannot be used: %(why)s", why=str(error)))
        )
    if not TOKEN.fullmatch(token):
        errors.append(("reason", typed.INCOMPLETE))
    if not errors:
        with at_desk.engine.begin() as connection:
            done = transfers.ask(
                connection,
                transfer_id=token,
                tenant=at_desk.settings.tenant,
                way=transfers.IN,
                site_id=None,
                partner_id=None,
                reason=reason,
                title=title,
                by=asking.account_id,
                now=now,
                data=data,
                sha256=hashlib.sha256(data).hexdigest(),
            )
            if done:
                _audit(connection, "bring-transfer", token, "asked")
        if done:
            return redirect("/transfers", 303)
        errors.append(("file", _("Too many wait already. Answer those first")))
    return _show(tuple(errors))


@pages.post("/transfers/in/<reference>")
@needs(May.MANAGE)
@step_up
def answer(reference: str) -> ResponseReturnValue:
    """Agree as a second person that a household is taken in, or refuse."""
    with desk().reads.connect() as connection:
        row = transfers.transfer_of(connection, desk().settings.tenant, id_or_404(reference))
    if row is None or row.way != transfers.IN:
        abort(404)
    give_answer(row)
    return redirect("/transfers", 303)


def _show(errors: Errors) -> Response:
    at_desk = desk()
    tenant = at_desk.settings.tenant
    with at_desk.reads.connect() as connection:
        own = transfers.partner_of(connection, tenant, transfers.own_id(tenant))
        known = transfers.partners_of(connection, tenant)
        rows = transfers.transfers_of(connection, tenant, way=transfers.IN, site_id=None)
        people = names_of(connection, {name for row in rows for name in (row.by, row.second) if name})
    partners = {one.partner_id: one for one in known}
    page = TransfersPage(
        own=() if own is None else _own(own),
        partners=tuple(_partner(one) for one in known),
        rows=tuple(transfer_row(at_desk, row, people, partners, f"/transfers/in/{row.transfer_id}") for row in rows),
        token=commands.new_token(),
        typed=tuple((name, request.form.get(name, "")[:300]) for name in _FIELDS) if errors else (),
        errors=errors,
    )
    title = _("Other operators")
    return show(
        "transfers",
        page,
        title=f"{_('Error')}: {title}" if errors else title,
        action="view-transfers",
        section="team",
        status=422 if errors else 200,
    )


def _own(own: Partner) -> tuple[Fact, ...]:
    return (
        Fact(key=_("Signs"), value=f"{own.verify_key} ({key_id(own.verify_key)})"),
        Fact(key=_("Sealed to"), value=f"{own.seal_key} ({key_id(own.seal_key)})"),
    )


def _partner(one: Partner) -> PartnerRow:
    at = f"/transfers/partners/{one.partner_id}"
    ended = one.ended_at is not None
    state = (
        _("Ended")
        if ended
        else _("Confirmed")
        if one.confirmed
        else _("Waiting for a second person to compare the keys")
    )
    return PartnerRow(
        anchor=f"partner-{one.partner_id[:12]}",
        name=words.plain(one.name, 80),
        state=state,
        signs=key_id(one.verify_key),
        sealed=key_id(one.seal_key),
        confirm=at if not ended and one.second is None and one.by != who().account_id else "",
        end="" if ended else at,
    )


def _audit(connection: Connection, action: str, subject: str, outcome: str) -> None:
    write_audit(
        connection, at=desk().now(), account_id=who().account_id, action=action, subject=subject, outcome=outcome
    )


def _line(name: str) -> str:
    return " ".join(typed.tidy(request.form.get(name, "")).split())
