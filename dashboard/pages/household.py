"""*Household*: its findings, its devices, the health of its box, and what the box cannot see."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import AlreadySent
from dashboard.pages import forms, health, orders, sentences, words
from dashboard.pages.asking import asked_rows, officer, send
from dashboard.pages.cards import finding_card, finding_groups
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_household import HouseholdPage, LookForm
from dashboard.pages.desk import desk, household_or_404, show, who
from dashboard.pages.rows import device_row, proposal_card
from dashboard.store import devices as stored_devices
from dashboard.store import queries
from dashboard.store.arrangements import StoredArrangements, arrangements_of

pages = Blueprint("household", __name__)


@pages.get("/households/<site>")
@needs(May.SEE)
def household(site: str) -> Response:
    """One household."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        opened = queries.findings_of(connection, site, state="open", limit=queries.MOST_OPEN_SHOWN, informs=False)
        informs = queries.findings_of(connection, site, state="open", limit=queries.MOST_INFORMS_SHOWN, informs=True)
        closed = queries.findings_of(connection, site, state="closed", limit=queries.MOST_CLOSED_SHOWN)
        waiting = queries.count_findings(connection, site)
        informing = queries.count_findings(connection, site, informs=True)
        arranged = arrangements_of(connection, site)
        unread = queries.count_unread(connection, site)
        devices = stored_devices.devices_of(connection, site)
        number = stored_devices.count_devices(connection, site)
        proposals = stored_devices.open_proposals(connection, site)
        proposed = stored_devices.count_proposals(connection, site)
        named = {row.device_id for row in (*opened, *informs, *closed) if row.device_id is not None}
        named |= {item for row in proposals for item in (row.device_id, row.other_id)}
        known = stored_devices.devices_named(connection, site, named)
        asked = queries.commands_about(connection, site)
        answers = queries.answers_to(connection, site, [row.proposal_id for row in proposals])
    page = HouseholdPage(
        household=words.plain(home.title, 120),
        site=home.site,
        summary=_summary(waiting, proposed),
        findings=finding_groups(at_desk, site, opened, known),
        informs=tuple(finding_card(at_desk, site, row, known.get(row.device_id or "")) for row in informs),
        informs_left_out=max(0, informing - len(informs)),
        closed=tuple(finding_card(at_desk, site, row, known.get(row.device_id or "")) for row in closed),
        findings_left_out=max(0, waiting - len(opened)),
        devices=tuple(device_row(at_desk, site, row) for row in devices),
        devices_left_out=max(0, number - len(devices)),
        proposals=tuple(proposal_card(at_desk, site, row, known, answers.get(row.proposal_id)) for row in proposals),
        proposals_left_out=max(0, proposed - len(proposals)),
        asked=asked_rows(at_desk, asked),
        arranged=_arranged(arranged),
        arrangements_address=f"/households/{site}/arrangements",
        law_address=f"/households/{site}/law",
        handed_address=f"/households/{site}/handed",
        requests_address=f"/households/{site}/requests",
        look=_look(site) if who().role.acts else None,
        box=health.box(at_desk, home, unread),
        cannot_see=sentences.CANNOT_SEE,
    )
    return show(
        "household",
        page,
        title="Household",
        action="view-household",
        subject=site,
        section="households",
        live=True,
    )


@pages.post("/households/<site>/look-round")
@needs(May.DECIDE)
def look_round(site: str) -> ResponseReturnValue:
    """Let the box look round once."""
    officer()
    with desk().reads.connect() as connection:
        household_or_404(connection, site)
    decision = forms.look_round(request.form)
    if decision is None:
        abort(400)
    try:
        return send(decision, site)
    except AlreadySent:
        return redirect(f"/households/{site}", 303)


def _look(site: str) -> LookForm:
    return LookForm(
        target=f"/households/{site}/look-round",
        token=commands.new_token(),
        choices=tuple(
            Choice(value=kind, text=orders.LOOKS[kind], hint="", checked=kind == forms.LOOKS[0]) for kind in forms.LOOKS
        ),
    )


def _arranged(stored: StoredArrangements | None) -> str:
    if stored is None:
        return "Nothing that the box has told of."
    said = sentences.arrangements(stored.payload)
    if said is None:
        return "More than can be shown: the box is newer than this service."
    parts = [
        words.count(len(items), one, many)
        for items, one, many in (
            (said.quieted, "quiet rule", "quiet rules"),
            (said.away, "away time", "away times"),
            (said.watch, "entry of its own", "entries of its own"),
        )
        if items
    ]
    return (", ".join(parts) or "Nothing is arranged") + "."


def _summary(waiting: int, proposed: int) -> str:
    if not waiting and not proposed:
        return "Nothing needs a decision."
    text = "No finding is open."
    if waiting:
        text = f"{words.count(waiting, 'finding needs', 'findings need')} a decision."
    if proposed:
        text += f" {words.count(proposed, 'pair of devices', 'pairs of devices')} may be one."
    return text
