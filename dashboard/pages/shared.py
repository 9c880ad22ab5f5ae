"""What a reader of another agency sees: a link and a one-time code in, the shared parts of one household out (S2).

There is no account. The page is read-only but for the reader's own notes; every look, note and wrong code is in the
audit with the share as its subject. Of a finding it shows what was seen, never a name that was asked for; of devices
only the person's own, by kind. A share that has ended is not told apart from one that never was.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, abort, redirect, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.security import check_password_hash, generate_password_hash

from dashboard import commands
from dashboard.commands import TOKEN
from dashboard.i18n import _
from dashboard.pages import sentences, typed, words
from dashboard.pages.bar import KINDS
from dashboard.pages.contexts_share import SharedEnterPage, SharedPage, SharedPart
from dashboard.pages.desk import Desk, desk, id_or_404, show
from dashboard.pages.shares import SECTIONS, note_rows
from dashboard.store import queries, shares, visits
from dashboard.store.cases import order_of
from dashboard.store.devices import devices_of
from dashboard.store.queries import Household, write_audit
from dashboard.store.shares import Share
from wire.base import Standing

pages = Blueprint("shared", __name__)
ENDPOINTS = frozenset({"shared.enter", "shared.open_it", "shared.leave", "shared.note"})
MOST_CODE = 40
MOST_LINES = 50
MOST_NOTE = 1000
_KEY = "shared"
_DECOY = generate_password_hash("no code")


@pages.get("/shared/<share>")
def enter(share: str) -> Response:
    """What is shared; before that, where the code is entered."""
    opened = _opened(id_or_404(share))
    if opened is None:
        page = SharedEnterPage(target=f"/shared/{share}", error="")
        return show("shared-enter", page, title=_("Shared with you"))
    return _show(opened, "", "")


@pages.post("/shared/<share>")
def open_it(share: str) -> ResponseReturnValue:
    """Trade the code for a session."""
    at_desk = desk()
    now, tenant = at_desk.now(), at_desk.settings.tenant
    typed_code = "".join(request.form.get("code", "")[:MOST_CODE].upper().split()).replace("-", "")
    with at_desk.reads.connect() as connection:
        row = shares.share_of(connection, tenant, id_or_404(share))
    usable = row is not None and row.lasts(now) and row.code_hash is not None and (row.code_until or 0.0) > now
    usable = usable and (row is not None and (row.locked_until or 0.0) <= now)
    # Checked whatever there is, so that all failures take as long; outside any transaction, as it is slow by design.
    right = check_password_hash(row.code_hash if row is not None and usable and row.code_hash else _DECOY, typed_code)
    token = None
    if row is not None:
        with at_desk.engine.begin() as connection:
            if right and usable:
                token = shares.open_with(connection, row, now)
            else:
                shares.count_failure(connection, row.share_id, now)
            # One line for many tries of a stranger: they must not fill the audit.
            if token is not None or at_desk.views.is_new(("", "share-code", share), now):
                _audit(connection, row, "open-share", "opened" if token else "failed", now)
    if token is None:
        error = _("The code is not right, was used before, or has run out. Ask whoever gave it to you for a new one")
        page = SharedEnterPage(target=f"/shared/{share}", error=error)
        return show("shared-enter", page, title=f"{_('Error')}: {_('Shared with you')}", status=422)
    session[_KEY] = {"share": share, "token": token}
    return redirect(f"/shared/{share}", 303)


@pages.post("/shared/<share>/leave")
def leave(share: str) -> ResponseReturnValue:
    """Close it in this browser."""
    held = session.pop(_KEY, None)
    if isinstance(held, dict) and isinstance(held.get("token"), str):
        with desk().engine.begin() as connection:
            shares.close_session(connection, held["token"])
    return redirect(f"/shared/{id_or_404(share)}", 303)


@pages.post("/shared/<share>/notes")
def note(share: str) -> ResponseReturnValue:
    """Write a note for the officer in charge."""
    opened = _opened(id_or_404(share))
    if opened is None:
        return redirect(f"/shared/{share}", 303)
    at_desk = desk()
    text, token = " ".join(typed.tidy(request.form.get("text", "")).split()), request.form.get("token", "")
    wrong = typed.text_errors("text", _("Note"), text, MOST_NOTE)
    error = wrong[0][1] if wrong else "" if text else _("Enter a note")
    if not TOKEN.fullmatch(token):
        error = typed.INCOMPLETE
    if error:
        return _show(opened, text[:MOST_NOTE], error)
    now = at_desk.now()
    with at_desk.engine.begin() as connection:
        done = shares.add_note(connection, share_id=share, token=token, text=text, now=now)
        _audit(connection, opened, "share-note", "done" if done else "not taken", now)
    return redirect(f"/shared/{share}", 303)


def _opened(share_id: str) -> Share | None:
    held = session.get(_KEY)
    if not isinstance(held, dict) or held.get("share") != share_id or not isinstance(held.get("token"), str):
        return None
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        return shares.share_open(connection, share_id=share_id, token=held["token"], now=at_desk.now())


def _show(row: Share, text: str, error: str) -> Response:
    at_desk = desk()
    now = at_desk.now()
    if at_desk.views.is_new((row.share_id, "view-share", row.site), now):
        with at_desk.engine.begin() as connection:
            _audit(connection, row, "view-share", "shown", now)
    with at_desk.reads.connect() as connection:
        home = queries.household(connection, at_desk.settings.tenant, row.site)
        if home is None:
            abort(404)
        parts = _parts(at_desk, connection, home, row.sections)
        notes = shares.notes_of(connection, row.site, row.share_id)
    page = SharedPage(
        household=words.plain(home.title, 120),
        to=f"{words.plain(row.agency, 80)}, {words.plain(row.reader, 80)}",
        purpose=words.plain(row.purpose),
        until=at_desk.moment(row.until),
        parts=parts,
        cannot_see=sentences.cannot_see(),
        notes=note_rows(at_desk, notes),
        target=f"/shared/{row.share_id}/notes",
        leave=f"/shared/{row.share_id}/leave",
        token=commands.new_token(),
        text=text,
        error=error,
    )
    title = _("Shared with you")
    return show("shared", page, title=f"{_('Error')}: {title}" if error else title, status=422 if error else 200)


def _parts(at_desk: Desk, connection: Connection, home: Household, wanted: list[str]) -> tuple[SharedPart, ...]:
    titles = dict(SECTIONS)
    makers: dict[str, Callable[[], tuple[str, ...]]] = {
        "order": lambda: _order(at_desk, connection, home),
        "findings": lambda: _findings(at_desk, connection, home),
        "devices": lambda: _devices(at_desk, connection, home),
        "visits": lambda: _visits(at_desk, connection, home),
        "coverage": lambda: (sentences.reporting(home.heard_at, sentences.status(home.status), at_desk.now())[1],),
    }
    return tuple(
        SharedPart(key=key, title=_(titles[key]), lines=makers[key]() or (_("None."),))
        for key, _text in SECTIONS
        if key in wanted
    )


def _order(at_desk: Desk, connection: Connection, home: Household) -> tuple[str, ...]:
    found = order_of(connection, home.site, at_desk.now())
    if found is None:
        return (_("No order was put in force from here"),)
    starts, ends = (words.date(at, at_desk.zone) for at in (found.starts, found.ends))
    return (_(KINDS.get(found.kind, found.kind)), _("From %(start)s to %(end)s", start=starts, end=ends))


def _findings(at_desk: Desk, connection: Connection, home: Household) -> tuple[str, ...]:
    opened = queries.findings_of(connection, home.site, state="open", limit=MOST_LINES, informs=False)
    closed = queries.findings_of(connection, home.site, state="closed", limit=MOST_LINES)
    return tuple(
        _(
            "%(what)s. %(state)s, last seen %(day)s",
            what=sentences.finding(row.kind, None),
            state=_("Open") if row.state == "open" else _("Closed"),
            day=words.date(row.last_seen, at_desk.zone),
        )
        for row in (*opened, *closed)[:MOST_LINES]
    )


def _devices(at_desk: Desk, connection: Connection, home: Household) -> tuple[str, ...]:
    own = [row for row in devices_of(connection, home.site) if row.standing == Standing.REGISTERED]
    lines = []
    for row in own[:MOST_LINES]:
        like = sentences.looks(row.looks_like)
        lines.append(
            _(
                "%(what)s, last seen %(day)s",
                what=words.plain(like.text, 120) if like else _("A device"),
                day=words.date(row.last_seen, at_desk.zone),
            )
        )
    return tuple(lines)


def _visits(at_desk: Desk, connection: Connection, home: Household) -> tuple[str, ...]:
    return tuple(
        f"{words.date(row.started_at, at_desk.zone)}: {words.plain(row.outcome, 60)}"
        for row in visits.visits_of(connection, home.site)
        if row.state == visits.SIGNED
    )


def _audit(connection: Connection, row: Share, action: str, outcome: str, now: float) -> None:
    subject = f"{row.site}/{row.share_id}"
    write_audit(connection, at=now, account_id=None, action=action, subject=subject, outcome=outcome)
