"""*Finding*: what was seen, why it matters, how sure, what else could explain it; and the form that decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.access import May, needs
from dashboard.commands import AlreadySent, Decision
from dashboard.pages import evidence, sentences, words
from dashboard.pages.asking import again, asked_rows, officer, send
from dashboard.pages.cards import finding_card, finding_line
from dashboard.pages.contexts_arranged import QuietForm
from dashboard.pages.contexts_device import KeyForm, Register
from dashboard.pages.contexts_household import FindingPage
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.device_forms import key_form
from dashboard.pages.forms import Standed
from dashboard.pages.forms_arranged import Irrelevant
from dashboard.pages.quieting import quiet_form
from dashboard.pages.registering import register_form
from dashboard.pages.rows import device_row, proposal_card
from dashboard.pages.typed import Errors
from dashboard.store import devices, queries
from dashboard.store.devices import StoredDevice
from dashboard.store.queries import StoredFinding

pages = Blueprint("finding", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A form of the page that came back with something wrong."""

    register: Standed | None = None
    quiet: Irrelevant | None = None
    errors: Errors = ()


_NOTHING = _Sent()


@pages.get("/households/<site>/findings/<finding>")
@needs(May.SEE)
def finding(site: str, finding: str) -> Response:
    """One finding."""
    with desk().reads.connect() as connection:
        return _show(connection, site, _finding_or_404(connection, site, finding), _NOTHING)


@pages.post("/households/<site>/findings/<finding>")
@needs(May.DECIDE)
def register(site: str, finding: str) -> ResponseReturnValue:
    """Say what the finding's device is."""
    officer()
    fields = Standed.read(request.form)
    with desk().reads.connect() as connection:
        row = _finding_or_404(connection, site, finding)
        if row.device_id is None:
            abort(404)
        root = devices.devices_named(connection, site, [row.device_id]).get(row.device_id)
    decision, errors = fields.check(row.device_id if root is None else root.device_id)
    return _send(site, row, decision, _Sent(register=fields, errors=errors), "standing")


@pages.post("/households/<site>/findings/<finding>/quiet")
@needs(May.DECIDE)
def quiet(site: str, finding: str) -> ResponseReturnValue:
    """Say that the finding is not relevant here (R30)."""
    officer()
    fields = Irrelevant.read(request.form)
    with desk().reads.connect() as connection:
        row = _finding_or_404(connection, site, finding)
        own = [] if row.device_id is None else [row.device_id]
        root = devices.devices_named(connection, site, own).get(row.device_id or "")
    if not sentences.quiets(row.kind):
        abort(404)
    # A box calls a rule by the kind of its findings, and a device by what it counts as part of.
    whose = row.device_id if root is None else root.device_id
    decision, errors = fields.check(rule=row.kind, finding_id=row.finding_id, device_id=whose)
    return _send(site, row, decision, _Sent(quiet=fields, errors=errors), "quiet-scope")


def _finding_or_404(connection: Connection, site: str, finding_id: str) -> StoredFinding:
    household_or_404(connection, site)
    row = queries.finding_of(connection, site, id_or_404(finding_id))
    if row is None:
        abort(404)
    return row


def _send(site: str, row: StoredFinding, decision: Decision | None, sent: _Sent, field: str) -> ResponseReturnValue:
    if decision is not None:
        try:
            return send(decision, site)
        except AlreadySent as error:
            sent = replace(sent, errors=((field, again(error)),))
    with desk().reads.connect() as connection:
        return _show(connection, site, row, sent)


def _show(connection: Connection, site: str, row: StoredFinding, sent: _Sent) -> Response:
    at_desk = desk()
    home = household_or_404(connection, site)
    own = [] if row.device_id is None else [row.device_id]
    proposals = []
    if own and sentences.registers(row.kind):
        proposals = [item for item in devices.proposals_about(connection, site, own) if item.state == "open"]
    others = queries.same_cause(connection, site, row)
    named = {*own, *(item for one in proposals for item in (one.device_id, one.other_id))}
    named |= {item.device_id for item in others if item.device_id is not None}
    known = devices.devices_named(connection, site, named)
    device = known.get(row.device_id or "")
    about = sorted({*own, *([device.device_id] if device else [])})
    asked = queries.commands_about(connection, site, about, finding_id=row.finding_id)
    answers = queries.answers_to(connection, site, [item.proposal_id for item in proposals])
    connection.close()
    whole = sentences.payload(row.payload)
    innocent = (*(whole.alternatives if whole else ()), *sentences.innocent(row.kind))
    card = finding_card(at_desk, site, row, device)
    page = FindingPage(
        household=words.plain(home.title, 120),
        household_address=f"/households/{site}",
        card=card,
        matched=evidence.matched(whole),
        reasons=evidence.reasons(whole)[1 if card.headline else 0 :],
        alternatives=tuple(dict.fromkeys(words.plain(other) for other in innocent)),
        facts=evidence.facts(row, whole, at_desk.zone),
        device=None if device is None else device_row(at_desk, site, device),
        proposals=tuple(proposal_card(at_desk, site, item, known, answers.get(item.proposal_id)) for item in proposals),
        asked=asked_rows(at_desk, asked),
        others_title=sentences.others(row.cause),
        others=tuple(finding_line(at_desk, site, item, known.get(item.device_id or "")) for item in others),
        **_forms(at_desk, site, row, device, sent),
    )
    return show(
        "finding",
        page,
        title="Error: Finding" if sent.errors else "Finding",
        action="view-finding",
        subject=f"{site}/{row.finding_id}",
        section="households",
        live=True,
        status=422 if sent.errors else 200,
    )


class _Forms(TypedDict):
    register: Register | None
    key: KeyForm | None
    quiet: QuietForm | None


def _forms(at_desk: Desk, site: str, row: StoredFinding, device: StoredDevice | None, sent: _Sent) -> _Forms:
    made = _Forms(register=None, key=None, quiet=None)
    if not who().role.acts:
        return made
    whole = sentences.payload(row.payload)
    opened = row.state == "open"
    at = f"/households/{site}/findings/{row.finding_id}"
    if row.device_id is not None:
        errors = sent.errors if sent.register else ()
        wanted = opened and sentences.registers(row.kind)
        made["register"] = register_form(at_desk, at, device, asked_for=wanted, typed=sent.register, errors=errors)
    if device is not None and opened and sentences.speaks_of_passphrase(row.kind):
        # A form of the device's page: what comes back with something wrong is shown there.
        device_at = f"/households/{site}/devices/{device.device_id}/passphrase"
        made["key"] = key_form(device_at, None, (), key_id=whole.key_id if whole else None)
    if opened and sentences.quiets(row.kind):
        errors = sent.errors if sent.quiet else ()
        made["quiet"] = quiet_form(
            row.kind, f"{at}/quiet", of_device=row.device_id is not None, typed=sent.quiet, errors=errors
        )
    return made
