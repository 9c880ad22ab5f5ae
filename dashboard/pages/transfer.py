"""Hand a household over to another operator (R46): ask, agree as a second person, take the sealed file; and its history.

Nothing here signs or opens: ingest does, where the keys are. The file can be read by the one operator it is sealed to.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs, step_up
from dashboard.commands import TOKEN
from dashboard.i18n import N_, _
from dashboard.pages import sentences, typed, words
from dashboard.pages.asking import officer
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Choice, Fact
from dashboard.pages.contexts_transfer import HistoryPage, PieceRow, TransferPage, TransferRow
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.typed import Errors
from dashboard.store import transfers
from dashboard.store.arrangements import names_of
from dashboard.store.queries import Household, write_audit
from dashboard.store.transfers import Partner, StoredTransfer

pages = Blueprint("transfer", __name__)
MOST_REASON = 300
MOST_FACTS = 12
STATES = {
    transfers.NEEDS_SECOND: N_("Waiting for a second person"),
    transfers.AGREED: N_("Agreed; it is being done"),
    transfers.REFUSED: N_("Refused or taken back"),
    transfers.LAPSED: N_("Nobody agreed in time"),
    transfers.MADE: N_("Ready"),
    transfers.TAKEN: N_("Taken in"),
    transfers.FAILED: N_("It could not be done"),
}
_PARTS = {
    "finding": N_("Finding"),
    "review": N_("Review"),
    "visit": N_("Visit"),
    "note": N_("Note"),
    "document": N_("Order document"),
}


@pages.get("/households/<site>/transfer")
@needs(May.SEE)
def going(site: str) -> Response:
    """What was handed over, and the form."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), ())


@pages.post("/households/<site>/transfer")
@needs(May.EXPORT)
@step_up
def ask(site: str) -> ResponseReturnValue:
    """Ask for a household to be handed over."""
    asking, at_desk = officer(), desk()
    token, chosen = request.form.get("token", ""), request.form.get("partner", "")
    reason = " ".join(typed.tidy(request.form.get("reason", "")).split())
    now = at_desk.now()
    errors = typed.reason_errors("reason", reason, MOST_REASON)
    with at_desk.engine.begin() as connection:
        home = household_or_404(connection, site)
        to = transfers.partner_of(connection, at_desk.settings.tenant, chosen) if chosen else None
        if to is None or not to.confirmed or to.name == transfers.OWN:
            errors.insert(0, ("partner", _("Select the operator that the household goes to")))
        if not TOKEN.fullmatch(token):
            errors.append(("reason", typed.INCOMPLETE))
        if not errors:
            done = transfers.ask(
                connection,
                transfer_id=token,
                tenant=at_desk.settings.tenant,
                way=transfers.OUT,
                site_id=site,
                partner_id=chosen,
                reason=reason,
                title="",
                by=asking.account_id,
                now=now,
            )
            if done:
                write_audit(
                    connection,
                    at=now,
                    account_id=asking.account_id,
                    action="ask-transfer",
                    subject=f"{site}/{token}",
                    outcome="asked",
                )
                return redirect(f"/households/{site}/transfer", 303)
            errors.append(("partner", _("Too many wait already. Answer those first")))
    with at_desk.reads.connect() as connection:
        return _show(connection, home, tuple(errors))


@pages.post("/households/<site>/transfer/<reference>")
@needs(May.EXPORT)
@step_up
def answer(site: str, reference: str) -> ResponseReturnValue:
    """Agree as a second person, or refuse; who asked may take it back."""
    officer()
    with desk().reads.connect() as connection:
        household_or_404(connection, site)
        row = transfers.transfer_of(connection, desk().settings.tenant, id_or_404(reference))
    if row is None or row.site != site or row.way != transfers.OUT:
        abort(404)
    give_answer(row)
    return redirect(f"/households/{site}/transfer", 303)


@pages.get("/households/<site>/transfer/<reference>/file")
@needs(May.EXPORT)
@step_up
def file(site: str, reference: str) -> Response:
    """The sealed file."""
    asking, at_desk = who(), desk()
    with at_desk.reads.connect() as connection:
        household_or_404(connection, site)
        row = transfers.transfer_of(connection, at_desk.settings.tenant, id_or_404(reference))
        data = None if row is None or row.site != site else transfers.data_of(connection, reference)
    if row is None or row.way != transfers.OUT or row.state != transfers.MADE or data is None:
        abort(404)
    with at_desk.engine.begin() as connection:
        write_audit(
            connection,
            at=at_desk.now(),
            account_id=asking.account_id,
            action="download-transfer",
            subject=f"{site}/{reference}",
            outcome="handed out",
        )
    response = Response(data, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="household-{reference[:8]}.transfer"'
    return response


@pages.get("/households/<site>/history")
@needs(May.SEE)
def history(site: str) -> Response:
    """What came with a household from the operator before."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        pieces = transfers.history_of(connection, site)
        bar = household_bar(at_desk, connection, home, "notes")
    page = HistoryPage(
        bar=bar,
        pieces=tuple(_piece(at_desk, piece.part, piece.at, piece.text) for piece in pieces),
        most=len(pieces) >= transfers.MOST_HISTORY_SHOWN,
    )
    return show(
        "history",
        page,
        title=_("History from before"),
        action="view-history",
        subject=site,
        section="households",
    )


def give_answer(row: StoredTransfer) -> bool:
    """Agree or refuse as the form says, and write it down; False where that cannot be done any more."""
    asking, at_desk = who(), desk()
    agree, now = request.form.get("answer") == "agree", at_desk.now()
    with at_desk.engine.begin() as connection:
        done = transfers.answer(
            connection,
            tenant=at_desk.settings.tenant,
            transfer_id=row.transfer_id,
            by=asking.account_id,
            agree=agree,
            now=now,
        )
        write_audit(
            connection,
            at=now,
            account_id=asking.account_id,
            action="answer-transfer",
            subject=f"{row.site or ''}/{row.transfer_id}",
            outcome=("agreed" if agree else "refused") if done else "not taken",
        )
    return done


def transfer_row(
    at_desk: Desk, row: StoredTransfer, people: dict[str, str], partners: dict[str, Partner], answer_at: str
) -> TransferRow:
    """A transfer in words; `answer_at` is where answers go, if who looks may answer at all."""
    whom = partners.get(row.partner_id or "")
    asked = words.plain(people.get(row.by, _("An account")), 120)
    facts = [(_("Asked for by"), f"{asked}: {words.plain(row.reason)}")]
    if whom is not None:
        facts.append((_("Goes to") if row.way == transfers.OUT else _("Came from"), words.plain(whom.name, 80)))
    if row.second is not None:
        facts.append((_("Answered by"), words.plain(people.get(row.second, _("An account")), 120)))
    if row.sha256:
        facts.append((_("Digest of the file (SHA-256)"), row.sha256))
    waits = row.state == transfers.NEEDS_SECOND and bool(answer_at)
    state = _(STATES.get(row.state, row.state))
    return TransferRow(
        anchor=f"transfer-{row.transfer_id[:12]}",
        at=at_desk.moment(row.created_at),
        state=f"{state}: {words.plain(row.problem)}" if row.problem else state,
        facts=tuple(Fact(key=key, value=value) for key, value in facts),
        file=f"/households/{row.site}/transfer/{row.transfer_id}/file"
        if row.way == transfers.OUT and row.state == transfers.MADE and row.held and who().role.may(May.EXPORT)
        else "",
        household=f"/households/{row.site}" if row.way == transfers.IN and row.site else "",
        answer=answer_at if waits else "",
        agrees=waits and row.by != who().account_id,
    )


def _show(connection: Connection, home: Household, errors: Errors) -> Response:
    at_desk, site = desk(), home.site
    tenant = at_desk.settings.tenant
    rows = transfers.transfers_of(connection, tenant, way=transfers.OUT, site_id=site)
    known = {one.partner_id: one for one in transfers.partners_of(connection, tenant)}
    people = names_of(connection, {name for row in rows for name in (row.by, row.second) if name})
    bar = household_bar(at_desk, connection, home, "visits")
    connection.close()
    role = who().role
    acts = role.acts and role.may(May.EXPORT)
    at = f"/households/{site}/transfer"
    page = TransferPage(
        bar=bar,
        rows=tuple(
            transfer_row(at_desk, row, people, known, f"{at}/{row.transfer_id}" if acts else "") for row in rows
        ),
        partners=tuple(
            Choice(
                value=one.partner_id,
                text=words.plain(one.name, 80),
                hint="",
                checked=request.form.get("partner") == one.partner_id,
            )
            for one in known.values()
            if one.confirmed
        ),
        target=at if acts else "",
        token=commands.new_token(),
        reason=request.form.get("reason", "")[:MOST_REASON],
        operators="/transfers" if role.may(May.MANAGE) else "",
        errors=errors,
    )
    title = _("Hand over to another operator")
    return show(
        "transfer",
        page,
        title=f"{_('Error')}: {title}" if errors else title,
        action="view-transfer",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _piece(at_desk: Desk, part: str, at: float, text: str) -> PieceRow:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = {}
    body = body if isinstance(body, dict) else {}
    inner = body.get("payload")
    payload = inner if isinstance(inner, dict) else {}
    said = words.plain(body.get("text") or body.get("reason") or body.get("state") or body.get("authority_id") or "")
    if part == "finding":
        said = sentences.finding(str(payload.get("kind", ""))[:40], None)
    elif part == "visit" and isinstance(body.get("record"), dict):
        said = words.plain(body["record"].get("line", ""))
    return PieceRow(
        at=at_desk.moment(at),
        part=_(_PARTS.get(part, part)),
        said=said,
        facts=tuple(
            Fact(key=words.plain(key, 40), value=_value(value))
            for key, value in sorted(body.items())[:MOST_FACTS]
            if key not in {"payload", "record", "document"}
        ),
    )


def _value(value: Any) -> str:
    # What a network said may be in here: never a link.
    return words.defang(value) if isinstance(value, str) else words.plain(value, 60)
