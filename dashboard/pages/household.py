"""*Household*: its findings, its devices, the health of its box, and what the box cannot see."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.commands import AlreadySent
from dashboard.pages import forms, orders, sentences, words
from dashboard.pages.asking import asked_rows, officer, send
from dashboard.pages.contexts_device import Choice
from dashboard.pages.contexts_household import Box, FindingCard, HouseholdPage, LookForm
from dashboard.pages.desk import Desk, desk, household_or_404, show, who
from dashboard.pages.rows import device_row, proposal_card
from dashboard.store import devices as stored_devices
from dashboard.store import queries
from dashboard.store.devices import StoredDevice
from dashboard.store.queries import Household, StoredFinding
from wire.box import TapHealth

pages = Blueprint("household", __name__)


@pages.get("/households/<site>")
def household(site: str) -> Response:
    """One household."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        opened = queries.findings_of(connection, site, state="open", limit=queries.MOST_OPEN_SHOWN)
        closed = queries.findings_of(connection, site, state="closed", limit=queries.MOST_CLOSED_SHOWN)
        waiting = queries.count_findings(connection, site)
        unread = queries.count_unread(connection, site)
        devices = stored_devices.devices_of(connection, site)
        number = stored_devices.count_devices(connection, site)
        proposals = stored_devices.open_proposals(connection, site)
        proposed = stored_devices.count_proposals(connection, site)
        named = {row.device_id for row in (*opened, *closed)}
        named |= {item for row in proposals for item in (row.device_id, row.other_id)}
        known = stored_devices.devices_named(connection, site, named)
        asked = queries.commands_about(connection, site)
        answers = queries.answers_to(connection, site, [row.proposal_id for row in proposals])
    page = HouseholdPage(
        household=words.plain(home.title, 120),
        site=home.site,
        summary=_summary(waiting, proposed),
        findings=tuple(finding_card(at_desk, site, row, known.get(row.device_id)) for row in opened),
        closed=tuple(finding_card(at_desk, site, row, known.get(row.device_id)) for row in closed),
        findings_left_out=max(0, waiting - len(opened)),
        devices=tuple(device_row(at_desk, site, row) for row in devices),
        devices_left_out=max(0, number - len(devices)),
        proposals=tuple(proposal_card(at_desk, site, row, known, answers.get(row.proposal_id)) for row in proposals),
        proposals_left_out=max(0, proposed - len(proposals)),
        asked=asked_rows(at_desk, asked),
        look=_look(site) if who().role.acts else None,
        box=_box(at_desk, home, unread),
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


def finding_card(at_desk: Desk, site: str, row: StoredFinding, device: StoredDevice | None) -> FindingCard:
    """A finding in words, with what is known of its device."""
    whole = sentences.payload(row.payload)
    opened = row.state == "open"
    name = sentences.device(
        device.label if device else None, sentences.looks(device.looks_like) if device else None, row.device_id
    )
    return FindingCard(
        anchor=f"finding-{row.finding_id}",
        kind=row.kind,
        severity=sentences.mark(row.severity),
        sentence=sentences.finding(row.kind, device.standing if device else None),
        device=name,
        state="Open" if opened else "Closed",
        open=opened,
        first_seen=at_desk.moment(row.first_seen),
        last_seen=at_desk.moment(row.last_seen),
        times=words.count(row.count, "time", "times"),
        why=sentences.why(row.kind, whole.rule.clause if whole else ""),
        sure=words.confidence(whole.confidence) if whole else "Not said",
        closed_because=words.plain(whole.closed_because) if whole and whole.closed_because else "",
        address=f"/households/{site}/findings/{row.finding_id}",
        stays=sentences.stays(row.kind) if opened else "",
        action=sentences.action(row.kind) if opened else sentences.LOOK,
    )


def _box(at_desk: Desk, home: Household, unread: int) -> Box:
    said = sentences.status(home.status)
    well, sentence = sentences.reporting(home.heard_at, said, at_desk.now())
    return Box(
        reporting=well,
        heard=at_desk.moment_or_none(home.heard_at),
        said_at=at_desk.moment_or_none(home.status_at),
        sentence=sentence,
        authority=words.plain(said.authority) if said and said.authority else "The box has not said.",
        recording=bool(said and said.recording),
        waiting=words.count(said.outbox, "record", "records") if said and said.outbox else "",
        unread=words.count(unread, "record", "records") if unread else "",
        parts=tuple((words.plain(part.name, 30), _running(part.connected)) for part in said.processes) if said else (),
        taps=tuple((words.plain(tap.name, 30), f"{tap.messages:,}", _missed(tap)) for tap in said.taps) if said else (),
        blind=tuple(
            (
                at_desk.moment(gap.started.timestamp()),
                at_desk.moment_or_none(gap.ended.timestamp() if gap.ended else None),
                sentences.blind(gap.cause),
            )
            for gap in (said.gaps if said and said.gaps else ())
        ),
    )


def _running(connected: bool) -> str:
    return "Running" if connected else "Not running"


def _missed(tap: TapHealth) -> str:
    parts = [
        words.count(number, one, many)
        for number, one, many in (
            (tap.lost, "lost", "lost"),
            (tap.unparsed, "not understood", "not understood"),
            (tap.overflow, "left out", "left out"),
        )
        if number
    ]
    return ", ".join(parts) or "Nothing"


def _look(site: str) -> LookForm:
    return LookForm(
        target=f"/households/{site}/look-round",
        token=commands.new_token(),
        choices=tuple(
            Choice(value=kind, text=orders.LOOKS[kind], hint="", checked=kind == forms.LOOKS[0]) for kind in forms.LOOKS
        ),
    )


def _summary(waiting: int, proposed: int) -> str:
    if not waiting and not proposed:
        return "Nothing needs a decision."
    text = "No finding is open."
    if waiting:
        text = f"{words.count(waiting, 'finding needs', 'findings need')} a decision."
    if proposed:
        text += f" {words.count(proposed, 'pair of devices', 'pairs of devices')} may be one."
    return text
