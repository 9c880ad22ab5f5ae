"""*Device*: what it looks like and why, its addresses, when it was there; and the forms that put it right.

A device that counts as part of another one has no page of its own: its address leads to the other's.
Taking addresses out has one step more, a page that says what it means.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.access import May, needs
from dashboard.commands import AlreadySent, Decision
from dashboard.pages import sentences, words
from dashboard.pages.asking import again, asked_rows, officer, send
from dashboard.pages.bar import household_bar
from dashboard.pages.cards import finding_line
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_device import DevicePage, SplitPage, StayRow
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.device_forms import correct_form, key_form, split_form
from dashboard.pages.forms import Bound, Corrected, Parted, Standed
from dashboard.pages.registering import register_form
from dashboard.pages.rows import addresses, device_name, device_row, proposal_card
from dashboard.pages.typed import Errors
from dashboard.store import devices, queries
from dashboard.store.devices import StoredDevice, StoredStay
from dashboard.store.queries import Household
from wire.models import LooksLike

pages = Blueprint("device", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A form of the page that came back with something wrong."""

    register: Standed | None = None
    correct: Corrected | None = None
    split: Parted | None = None
    key: Bound | None = None
    errors: Errors = ()


_NOTHING = _Sent()


@pages.get("/households/<site>/devices/<device>")
@needs(May.SEE)
def device(site: str, device: str) -> ResponseReturnValue:
    """One device."""
    with desk().reads.connect() as connection:
        home = household_or_404(connection, site)
        row = _root_or_404(connection, site, device)
        if row.device_id != device:
            return redirect(f"/households/{site}/devices/{row.device_id}", 303)
        return _show(connection, home, row, _NOTHING)


@pages.post("/households/<site>/devices/<device>/standing")
@needs(May.DECIDE)
def register(site: str, device: str) -> ResponseReturnValue:
    """Say whose the device is."""
    fields = Standed.read(request.form)
    _, row = _asked_about(site, device)
    decision, errors = fields.check(row.device_id)
    return _send(site, row, decision, _Sent(register=fields, errors=errors), "standing")


@pages.post("/households/<site>/devices/<device>/correction")
@needs(May.DECIDE)
def correct(site: str, device: str) -> ResponseReturnValue:
    """Say what the device is, whatever it shows of itself."""
    fields = Corrected.read(request.form)
    _, row = _asked_about(site, device)
    decision, errors = fields.check(row.device_id)
    return _send(site, row, decision, _Sent(correct=fields, errors=errors), "correct-category")


@pages.post("/households/<site>/devices/<device>/passphrase")
@needs(May.DECIDE)
def bind(site: str, device: str) -> ResponseReturnValue:
    """Say what a Wi-Fi passphrase is for."""
    fields = Bound.read(request.form)
    _, row = _asked_about(site, device)
    decision, errors = fields.check(row.device_id)
    return _send(site, row, decision, _Sent(key=fields, errors=errors), "key-id")


@pages.post("/households/<site>/devices/<device>/split")
@needs(May.DECIDE)
def split(site: str, device: str) -> ResponseReturnValue:
    """Take addresses out: the first time say what it means, the second time do it."""
    fields = Parted.read(request.form, request.form.getlist("macs"))
    home, row = _asked_about(site, device)
    decision, errors = fields.check(row.device_id, [item.mac for item in addresses(row)])
    if decision is not None and not fields.confirmed:
        return _confirm(home, row, fields)
    return _send(site, row, decision, _Sent(split=fields, errors=errors), "split-macs")


def _root_or_404(connection: Connection, site: str, device_id: str) -> StoredDevice:
    row = devices.devices_named(connection, site, [id_or_404(device_id)]).get(device_id)
    if row is None:
        abort(404)
    return row


def _asked_about(site: str, device_id: str) -> tuple[Household, StoredDevice]:
    officer()
    with desk().reads.connect() as connection:
        home = household_or_404(connection, site)
        return home, _root_or_404(connection, site, device_id)


def _send(site: str, row: StoredDevice, decision: Decision | None, sent: _Sent, field: str) -> ResponseReturnValue:
    if decision is not None:
        try:
            return send(decision, site)
        except AlreadySent as error:
            sent = _Sent(
                register=sent.register,
                correct=sent.correct,
                split=sent.split,
                key=sent.key,
                errors=((field, again(error)),),
            )
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), row, sent)


def _confirm(home: Household, row: StoredDevice, fields: Parted) -> Response:
    at = f"/households/{home.site}/devices/{row.device_id}"
    with desk().reads.connect() as connection:
        bar = household_bar(desk(), connection, home, "devices")
    page = SplitPage(
        bar=bar,
        device=device_name(row, row.device_id),
        device_address=at,
        target=f"{at}/split",
        token=fields.token,
        macs=fields.macs,
        rest=tuple(item.mac for item in addresses(row) if item.mac not in fields.macs),
        reason=fields.reason,
    )
    return show(
        "split",
        page,
        title="Take addresses out",
        action="view-device",
        subject=f"{home.site}/{row.device_id}",
        section="households",
    )


def _show(connection: Connection, home: Household, row: StoredDevice, sent: _Sent) -> Response:
    at_desk, site = desk(), home.site
    ids = devices.parts(connection, site, row.device_id)
    proposals = devices.proposals_about(connection, site, ids)
    named = {item for one in proposals for item in (one.device_id, one.other_id)}
    # As they are stored, not what they count as part of: both halves of a confirmed pair have a name here.
    known = {item: found for item in named if (found := devices.device_of(connection, site, item)) is not None}
    findings = queries.findings_about(connection, site, ids)
    about = queries.count_about(connection, site, ids)
    stays = devices.stays_of(connection, site, ids)
    number = devices.count_stays(connection, site, ids)
    asked = queries.commands_about(connection, site, ids)
    answers = queries.answers_to(connection, site, [item.proposal_id for item in proposals])
    bar = household_bar(at_desk, connection, home, "devices")
    connection.close()
    acts = who().role.acts
    at = f"/households/{site}/devices/{row.device_id}"
    waits = any(item.state == "open" and sentences.registers(item.kind) for item in findings)
    page = DevicePage(
        bar=bar,
        heading=device_name(row, row.device_id),
        device=device_row(at_desk, site, row),
        parts=_parts(row),
        key_id=words.plain(row.key_id, 64) if row.key_id else "",
        proposals=tuple(proposal_card(at_desk, site, item, known, answers.get(item.proposal_id)) for item in proposals),
        opened=tuple(finding_line(at_desk, site, item, row) for item in findings if item.state == "open"),
        closed=tuple(finding_line(at_desk, site, item, row) for item in findings if item.state != "open"),
        findings_left_out=max(0, about - len(findings)),
        stays=tuple(_stay(at_desk, item) for item in stays),
        stays_left_out=max(0, number - len(stays)),
        asked=asked_rows(at_desk, asked),
        register=register_form(
            at_desk,
            f"{at}/standing",
            row,
            asked_for=waits,
            typed=sent.register,
            errors=sent.errors if sent.register else (),
        )
        if acts
        else None,
        correct=correct_form(f"{at}/correction", row, sent.correct, sent.errors if sent.correct else ())
        if acts
        else None,
        split=split_form(f"{at}/split", row, sent.split, sent.errors if sent.split else ()) if acts else None,
        key=key_form(f"{at}/passphrase", sent.key, sent.errors if sent.key else (), key_id=row.key_id)
        if acts
        else None,
        agent_address=f"{at}/agent" if acts else "",
        law_address=f"{at}/law" if acts else "",
    )
    return show(
        "device",
        page,
        title="Error: Device" if sent.errors else "Device",
        action="view-device",
        subject=f"{site}/{row.device_id}",
        section="households",
        live=True,
        status=422 if sent.errors else 200,
    )


def _parts(row: StoredDevice) -> tuple[Fact, ...]:
    like: LooksLike | None = sentences.looks(row.looks_like)
    said = sentences.correction(row.correction)
    facts = []
    for key, name in (("Kind", "category"), ("System", "os_family"), ("Maker", "vendor"), ("Model", "model")):
        locked = getattr(said, name)
        value = locked or (getattr(like, name) if like else None)
        if value:
            text = words.category(value) if name == "category" else words.plain(value, 80)
            if locked:
                text += " (an officer said so)"
            elif like is not None and name == "category":
                # What it looks like may be a wider kind, and so surer than this one.
                sure = like.category_confidence
                text += f". {words.confidence(sure)}" if sure is not None else ". The box does not say how sure"
            facts.append(Fact(key=key, value=text))
    return tuple(facts)


def _stay(at_desk: Desk, row: StoredStay) -> StayRow:
    return StayRow(
        started=at_desk.moment(row.started),
        ended=at_desk.moment_or_none(row.ended),
        lasted="" if row.ended is None else words.duration(row.ended - row.started),
        quiet=words.duration(row.asleep_seconds) if row.asleep_seconds else "",
        because=words.plain(row.ended_because) if row.ended_because else "",
        mac=words.plain(row.mac, 17),
    )
