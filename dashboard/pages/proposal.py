"""*One device or two?*: a proposal of the box, what speaks for and against it; and the form that answers (N8, R17)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import AlreadySent
from dashboard.pages.asking import again, asked_rows, officer, send
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_device import AnswerForm, ProposalPage
from dashboard.pages.desk import desk, household_or_404, id_or_404, show, who
from dashboard.pages.forms import Answered
from dashboard.pages.rows import device_row, proposal_card
from dashboard.pages.typed import Errors
from dashboard.store import devices, queries
from dashboard.store.devices import StoredProposal

pages = Blueprint("proposal", __name__)

_CHOICES = (
    ("confirm", "Yes, they are one device", "They count as one from then on. You can part them again."),
    ("refuse", "No, they are two devices", "The box does not ask again, unless it learns something new."),
)


@pages.get("/households/<site>/proposals/<proposal>")
@needs(May.SEE)
def proposal(site: str, proposal: str) -> Response:
    """One proposal."""
    with desk().reads.connect() as connection:
        return _show(connection, site, proposal, None, ())


@pages.post("/households/<site>/proposals/<proposal>")
@needs(May.DECIDE)
def answer(site: str, proposal: str) -> ResponseReturnValue:
    """Say whether the two are one device."""
    officer()
    fields = Answered.read(request.form)
    with desk().reads.connect() as connection:
        row = _proposal_or_404(connection, site, proposal)
        decision, errors = fields.check(row.proposal_id, row.device_id)
        if decision is None:
            return _show(connection, site, proposal, fields, errors)
    try:
        return send(decision, site)
    except AlreadySent as error:
        with desk().reads.connect() as connection:
            return _show(connection, site, proposal, fields, (("answer", again(error)),))


def _proposal_or_404(connection: Connection, site: str, proposal_id: str) -> StoredProposal:
    household_or_404(connection, site)
    row = devices.proposal_of(connection, site, id_or_404(proposal_id))
    if row is None:
        abort(404)
    return row


def _show(connection: Connection, site: str, proposal_id: str, typed: Answered | None, errors: Errors) -> Response:
    at_desk = desk()
    home = household_or_404(connection, site)
    row = _proposal_or_404(connection, site, proposal_id)
    known = {
        item: found
        for item in (row.device_id, row.other_id)
        if (found := devices.device_of(connection, site, item)) is not None
    }
    asked = queries.commands_about(connection, site, proposal_id=row.proposal_id)
    bar = household_bar(at_desk, connection, home, "devices")
    connection.close()
    form = AnswerForm(
        target=f"/households/{site}/proposals/{row.proposal_id}",
        token=commands.new_token(),
        choices=tuple(
            Choice(value=value, text=text, hint=hint, checked=bool(typed) and value == (typed.answer if typed else ""))
            for value, text, hint in _CHOICES
        ),
        reason=typed.reason if typed else "",
        errors=errors,
    )
    page = ProposalPage(
        bar=bar,
        card=proposal_card(at_desk, site, row, known),
        devices=tuple(device_row(at_desk, site, item) for item in known.values()),
        asked=asked_rows(at_desk, asked),
        answer=form if who().role.acts and row.state == "open" else None,
    )
    return show(
        "proposal",
        page,
        title="Error: One device or two?" if errors else "One device or two?",
        action="view-proposal",
        subject=f"{site}/{proposal_id}",
        section="households",
        live=True,
        status=422 if errors else 200,
    )
