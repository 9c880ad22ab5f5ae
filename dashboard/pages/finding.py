"""*Finding*: what was seen, why it matters, how sure, what else could explain it; and the form that decides."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.commands import AlreadySent, Typed
from dashboard.pages import sentences, words
from dashboard.pages.command import outcome_words
from dashboard.pages.contexts import Asked, Choice, Fact, FindingPage, Register
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.household import device_row, finding_card
from dashboard.store import queries
from dashboard.store.queries import StoredDevice, StoredFinding
from wire.base import Standing
from wire.models import Finding, FindingKind

pages = Blueprint("finding", __name__)

_HINTS = {
    Standing.REGISTERED: "Used by the {person}. The box keeps what the order allows for it.",
    Standing.HOUSEHOLD: "Belongs to someone else who lives here. Unless the order says more, the box keeps only that it is there.",
    Standing.GUEST: "Belongs to a visitor, for some days. Kept as little as a household member's device.",
    Standing.WORK: "Belongs to an employer. Kept as little as a household member's device.",
    Standing.INFRASTRUCTURE: "A printer, a Wi-Fi extender or the like, that nobody browses with.",
}
_NAMES = {Standing.REGISTERED: "Registered: the {person}'s own device"}


@pages.get("/households/<site>/findings/<finding>")
def finding(site: str, finding: str) -> Response:
    """One finding."""
    with desk().reads.connect() as connection:
        return _show(connection, site, finding, None, ())


@pages.post("/households/<site>/findings/<finding>")
def register(site: str, finding: str) -> ResponseReturnValue:
    """Say what the finding's device is."""
    at_desk, asking = desk(), who()
    if not asking.role.acts:
        abort(403)
    fields = commands.typed(request.form)
    decision, errors = commands.check(fields)
    with at_desk.reads.connect() as connection:
        household_or_404(connection, site)
        row = queries.finding_of(connection, site, id_or_404(finding))
        if row is None:
            abort(404)
        if decision is None:
            return _show(connection, site, finding, fields, errors)
    try:
        command_id = commands.ask(
            at_desk.engine,
            decision,
            tenant=at_desk.settings.tenant,
            site=site,
            device_id=row.device_id,
            by=asking,
            now=at_desk.now(),
            lifetime=at_desk.settings.command_seconds,
        )
    except AlreadySent:
        again = ("standing", "You have sent this form already, with other answers. Check your answers and send again")
        with at_desk.reads.connect() as connection:
            return _show(connection, site, finding, fields, (again,))
    # 303: the browser fetches the next page with GET, so that loading it again sends nothing twice (RFC 9110, 15.4.4).
    return redirect(f"/commands/{command_id}?wait=1", 303)


def _show(
    connection: Connection, site: str, finding_id: str, typed: Typed | None, errors: tuple[tuple[str, str], ...]
) -> Response:
    at_desk = desk()
    home = household_or_404(connection, site)
    row = queries.finding_of(connection, site, id_or_404(finding_id))
    if row is None:
        abort(404)
    device = queries.device_of(connection, site, row.device_id)
    asked = queries.commands_about(connection, site, row.device_id)
    connection.close()
    whole = sentences.payload(row.payload)
    page = FindingPage(
        household=words.plain(home.title, 120),
        household_address=f"/households/{site}",
        card=finding_card(at_desk, site, row, device),
        matched=_matched(whole),
        reasons=tuple(words.plain(reason) for reason in whole.reasons) if whole else (),
        alternatives=tuple(words.plain(other) for other in whole.alternatives) if whole else (),
        facts=_facts(at_desk, row, whole),
        device=None if device is None else device_row(at_desk, device),
        asked=tuple(
            Asked(
                text=f"{words.standing(str(sent.body.get('standing')))}: {outcome_words(sent, at_desk.now())[0]}",
                at=at_desk.moment(sent.created_at),
                by=words.plain(sent.by_name, 120),
                address=f"/commands/{sent.command_id}",
            )
            for sent in asked
        ),
        register=_form(at_desk, site, row, device, typed=typed, errors=errors) if who().role.acts else None,
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


def _form(
    at_desk: Desk,
    site: str,
    row: StoredFinding,
    device: StoredDevice | None,
    *,
    typed: Typed | None,
    errors: tuple[tuple[str, str], ...],
) -> Register:
    unknown = device is None or device.standing in {Standing.UNKNOWN, Standing.REFUSED}
    wanted = unknown or (row.state == "open" and row.kind == FindingKind.UNREGISTERED_DEVICE)
    chosen = typed.standing if typed else ""
    person = words.plain(at_desk.settings.words.person, 60)
    return Register(
        heading="Register this device" if wanted else "Change what this device is",
        folded=not wanted and not errors,
        target=f"/households/{site}/findings/{row.finding_id}",
        token=commands.new_token(),
        choices=tuple(
            Choice(
                value=standing,
                text=_NAMES.get(standing, words.standing(standing)).format(person=person),
                hint=_HINTS[standing].format(person=person),
                checked=standing == chosen,
            )
            for standing in commands.STANDINGS
        ),
        label=typed.label if typed else (device.label or "" if device else ""),
        days=typed.days if typed else str(commands.GUEST_DAYS),
        reason=typed.reason if typed else "",
        errors=errors,
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
