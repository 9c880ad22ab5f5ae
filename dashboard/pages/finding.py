"""*Finding*: what was seen, why it matters, how sure, what else could explain it; and the form that decides."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.commands import AlreadySent
from dashboard.pages import sentences, words
from dashboard.pages.asking import again, asked_rows, officer, send
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_household import FindingPage
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.device_forms import key_form
from dashboard.pages.forms import Errors, Standed
from dashboard.pages.household import finding_card
from dashboard.pages.registering import register_form
from dashboard.pages.rows import device_row, proposal_card
from dashboard.store import devices, queries
from dashboard.store.queries import StoredFinding
from wire.findings import Finding

pages = Blueprint("finding", __name__)


@pages.get("/households/<site>/findings/<finding>")
def finding(site: str, finding: str) -> Response:
    """One finding."""
    with desk().reads.connect() as connection:
        return _show(connection, site, finding, None, ())


@pages.post("/households/<site>/findings/<finding>")
def register(site: str, finding: str) -> ResponseReturnValue:
    """Say what the finding's device is."""
    officer()
    fields = Standed.read(request.form)
    with desk().reads.connect() as connection:
        household_or_404(connection, site)
        row = queries.finding_of(connection, site, id_or_404(finding))
        if row is None:
            abort(404)
        root = devices.devices_named(connection, site, [row.device_id]).get(row.device_id)
        decision, errors = fields.check(row.device_id if root is None else root.device_id)
        if decision is None:
            return _show(connection, site, finding, fields, errors)
    try:
        return send(decision, site)
    except AlreadySent as error:
        with desk().reads.connect() as connection:
            return _show(connection, site, finding, fields, (("standing", again(error)),))


def _show(connection: Connection, site: str, finding_id: str, typed: Standed | None, errors: Errors) -> Response:
    at_desk = desk()
    home = household_or_404(connection, site)
    row = queries.finding_of(connection, site, id_or_404(finding_id))
    if row is None:
        abort(404)
    proposals = [item for item in devices.proposals_about(connection, site, [row.device_id]) if item.state == "open"]
    if not sentences.registers(row.kind):
        proposals = []
    named = {row.device_id} | {item for one in proposals for item in (one.device_id, one.other_id)}
    known = devices.devices_named(connection, site, named)
    device = known.get(row.device_id)
    about = sorted({row.device_id} | ({device.device_id} if device else set()))
    asked = queries.commands_about(connection, site, about)
    answers = queries.answers_to(connection, site, [item.proposal_id for item in proposals])
    connection.close()
    whole = sentences.payload(row.payload)
    others = (*(whole.alternatives if whole else ()), *sentences.innocent(row.kind))
    target = f"/households/{site}/findings/{row.finding_id}"
    wanted = row.state == "open" and sentences.registers(row.kind)
    acts = who().role.acts
    key = None
    if acts and device is not None and row.state == "open" and sentences.speaks_of_passphrase(row.kind):
        # A form of the device's page: what comes back with something wrong is shown there.
        at = f"/households/{site}/devices/{device.device_id}/passphrase"
        key = key_form(at, None, (), key_id=whole.key_id if whole else None)
    page = FindingPage(
        household=words.plain(home.title, 120),
        household_address=f"/households/{site}",
        card=finding_card(at_desk, site, row, device),
        matched=_matched(whole),
        reasons=tuple(words.plain(reason) for reason in whole.reasons) if whole else (),
        alternatives=tuple(dict.fromkeys(words.plain(other) for other in others)),
        facts=_facts(at_desk, row, whole),
        device=None if device is None else device_row(at_desk, site, device),
        proposals=tuple(proposal_card(at_desk, site, item, known, answers.get(item.proposal_id)) for item in proposals),
        asked=asked_rows(at_desk, asked),
        register=register_form(at_desk, target, device, asked_for=wanted, typed=typed, errors=errors) if acts else None,
        key=key,
    )
    return show(
        "finding",
        page,
        title="Error: Finding" if errors else "Finding",
        action="view-finding",
        subject=f"{site}/{finding_id}",
        section="households",
        live=True,
        status=422 if errors else 200,
    )


def _matched(whole: Finding | None) -> tuple[Fact, ...]:
    if whole is None or whole.hit is None:
        return ()
    return (
        Fact(key="Name asked for", value=words.defang(whole.hit.name)),
        Fact(key="On the list", value=words.plain(whole.hit.list_id, 64)),
    )


def _facts(at_desk: Desk, row: StoredFinding, whole: Finding | None) -> tuple[Fact, ...]:
    facts: list[tuple[str, str]] = []
    if whole is not None and whole.hit is not None:
        hit = whole.hit
        facts += [
            ("How it matched", sentences.how(hit.how)),
            ("Entry of the list", words.defang(hit.entry)),
            ("Version of the list", words.plain(hit.list_version, 64)),
            ("Fingerprint of the list", hit.list_sha256),
        ]
    if whole is not None:
        rule = whole.rule
        facts += [
            ("Rule", words.plain(rule.id, 64)),
            ("Version of the rule", words.plain(rule.version, 64)),
            ("Authority", f"{words.plain(rule.authority_id, 64)}, issue {rule.authority_number}"),
            ("Clause", words.plain(rule.clause, 40)),
        ]
    facts += [
        ("Raised by the box", words.date_time_seconds(row.raised_at, at_desk.zone)),
        ("Received here", words.date_time_seconds(row.stored_at, at_desk.zone)),
        ("Reference of the finding", row.finding_id),
        ("Reference of the device", row.device_id),
    ]
    return tuple(Fact(key=key, value=value) for key, value in facts)
