"""One visit: the sheet (roll-call and questions), checking and signing it, and adding to what was signed (N14, S1).

A sheet may be sent twice, or late from a browser that was without a connection: the same content is saved once, and one
that does not know of a later saving is not taken, but comes back as it was typed. Nothing changes what was signed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.access import May, needs
from dashboard.i18n import _
from dashboard.pages import acting, roll_call, screening, typed, visiting, words
from dashboard.pages.asking import officer
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts_visit import SheetPage, VisitPage
from dashboard.pages.desk import desk, show, who
from dashboard.pages.papers import pdf_answer, qr_path
from dashboard.pages.typed import Errors
from dashboard.pages.visit_sign import LATER, sheet_lines, show_signed, visit_or_404
from dashboard.store import visits
from dashboard.store.arrangements import names_of
from dashboard.store.queries import Household, write_audit
from dashboard.store.visits import Line, StoredVisit

pages = Blueprint("visit", __name__)
MOST_NOTE = 200
MOST_TEXT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A sheet as it was typed."""

    lines: tuple[Line, ...]
    answers: dict[str, str]
    found: tuple[str, ...]
    codes: str
    errors: Errors


@pages.get("/households/<site>/visits/<visit>")
@needs(May.SEE)
def sheet(site: str, visit: str) -> Response:
    """The sheet; or, once it was signed, what was signed."""
    with desk().reads.connect() as connection:
        home, row = visit_or_404(connection, site, visit)
        if row.state == visits.SIGNED:
            return show_signed(connection, home, row, "", ())
        return _show(connection, home, row, None)


@pages.post("/households/<site>/visits/<visit>")
@needs(May.DECIDE)
def save(site: str, visit: str) -> ResponseReturnValue:
    """Save the sheet."""
    asking, at_desk = officer(), desk()
    with at_desk.reads.connect() as connection:
        home, row = visit_or_404(connection, site, visit)
        facts = visiting.facts_of(connection, at_desk, home, but=visit)
        lines = sheet_lines(connection, row, facts)
    at = f"/households/{site}/visits/{visit}"
    if row.state == visits.SIGNED:
        return redirect(at, 303)
    sent = _read(row, lines)
    if not sent.errors:
        now = at_desk.now()
        with at_desk.engine.begin() as connection:
            done = visits.save(
                connection,
                site_id=site,
                visit_id=visit,
                revision=typed.whole(request.form.get("revision", ""), 1_000_000) or 0,
                answers=sent.answers,
                found=sent.found,
                lines=sent.lines,
                now=now,
            )
            if done:
                write_audit(
                    connection,
                    at=now,
                    account_id=asking.account_id,
                    action="save-visit",
                    subject=f"{site}/{visit}",
                    outcome="done",
                )
        if done or _same(site, visit, sent):
            return redirect(f"{at}/sign" if request.form.get("next") == "sign" else f"{at}?saved=1", 303)
        sent = replace(sent, errors=(("roll-call", _(LATER)),))
    with at_desk.reads.connect() as connection:
        home, row = visit_or_404(connection, site, visit)
        if row.state == visits.SIGNED:
            return redirect(at, 303)
        later = str(row.revision) != request.form.get("revision")
        return _show(
            connection, home, row, _joined(sent, row, visits.lines_of(connection, site, visit)) if later else sent
        )


@pages.get("/households/<site>/visits/<visit>/paper")
@needs(May.SEE)
def paper(site: str, visit: str) -> Response:
    """The sheet for printing."""
    return show(
        "visit-sheet",
        _paper(site, visit, pdf=f"/households/{site}/visits/{visit}/paper.pdf"),
        title=_("Sheet for the visit"),
        action="print-visit-sheet",
        subject=f"{site}/{visit}",
        section="households",
    )


@pages.get("/households/<site>/visits/<visit>/paper.pdf")
@needs(May.SEE)
def paper_pdf(site: str, visit: str) -> Response:
    """The same as PDF."""
    return pdf_answer(
        "paper-sheet",
        _paper(site, visit, pdf=""),
        title=_("Sheet for the visit"),
        name="sheet-for-the-visit",
        action="print-visit-sheet",
        subject=f"{site}/{visit}",
    )


def _paper(site: str, visit: str, *, pdf: str) -> SheetPage:
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home, row = visit_or_404(connection, site, visit)
        facts = visiting.facts_of(connection, at_desk, home, but=visit)
        lines = sheet_lines(connection, row, facts)
        bar = household_bar(at_desk, connection, home, "visits")
    path, size = qr_path(f"{request.host_url}households/{site}/visits/{visit}")
    return SheetPage(
        bar=bar,
        at=at_desk.moment(row.started_at),
        reference=visit[:8],
        code=path,
        size=size,
        lines=visiting.roll_lines(at_desk, lines, facts.devices),
        questions=visiting.asks(row.question_set, {}),
        pdf=pdf,
    )


def _read(row: StoredVisit, lines: tuple[Line, ...]) -> _Sheet:
    form = request.form
    answers, wrong = screening.read(row.question_set, form)
    errors = list(wrong)
    codes = form.get("codes", "").strip()[:MOST_TEXT]
    by_paper, unknown = roll_call.from_paper(codes, {line.number: line.device_id for line in lines})
    if unknown:
        errors.append(("codes", _("These codes fit no line of the sheet: %(codes)s", codes=", ".join(unknown[:10]))))
    found = [" ".join(text.split()) for text in form.getlist("found")[: roll_call.MOST_FOUND]]
    for text in found:
        errors += typed.text_errors("found-1", _("Each device"), text, roll_call.MOST_FOUND_TEXT)
    states = {state for state, _letter, _text in roll_call.STATES} | {""}
    said = []
    for line in lines:
        state = form.get(f"state-{line.device_id}", "")
        note = " ".join(form.get(f"note-{line.device_id}", "").split())
        errors += typed.text_errors(f"note-{line.device_id}", _("Note"), note, MOST_NOTE)
        state = by_paper.get(line.device_id, state if state in states else "")
        said.append(replace(line, state=state, note=note))
    return _Sheet(
        lines=tuple(said),
        answers=answers,
        found=tuple(text for text in found if text),
        codes=codes if unknown else "",
        errors=tuple(errors),
    )


def _joined(sent: _Sheet, row: StoredVisit, stored: tuple[Line, ...]) -> _Sheet:
    """A sheet with what somebody else saved meanwhile where it says nothing, so that sending it again loses neither."""
    theirs = {line.device_id: line for line in stored}
    mine = {line.device_id for line in sent.lines}
    lines = tuple(
        replace(line, state=line.state or other.state, note=line.note or other.note)
        if (other := theirs.get(line.device_id)) is not None
        else line
        for line in sent.lines
    )
    return replace(
        sent,
        lines=(*lines, *(line for line in stored if line.device_id not in mine)),
        answers=row.answers | sent.answers,
        found=tuple(dict.fromkeys((*sent.found, *row.found)))[: roll_call.MOST_FOUND],
    )


def _same(site: str, visit_id: str, sent: _Sheet) -> bool:
    """Whether what was sent is what is stored: a sheet that came twice."""
    with desk().reads.connect() as connection:
        row = visits.visit_of(connection, site, visit_id)
        lines = visits.lines_of(connection, site, visit_id)
    return row is not None and (row.answers, tuple(row.found), lines) == (sent.answers, sent.found, sent.lines)


def _show(connection: Connection, home: Household, row: StoredVisit, sent: _Sheet | None) -> Response:
    at_desk, asking = desk(), who()
    facts = visiting.facts_of(connection, at_desk, home, but=row.visit_id)
    lines = sheet_lines(connection, row, facts) if sent is None else sent.lines
    answers = row.answers if sent is None else sent.answers
    found = tuple(row.found) if sent is None else sent.found
    errors = () if sent is None else sent.errors
    people = names_of(connection, {row.by})
    bar = household_bar(at_desk, connection, home, "visits")
    connection.close()
    called = roll_call.called(lines, facts.presence, found)
    rows = visiting.roll_lines(at_desk, lines, facts.devices, dict(errors))
    at = f"/households/{home.site}/visits/{row.visit_id}"
    page = VisitPage(
        bar=bar,
        at=at_desk.moment(row.started_at),
        by=words.plain(people.get(row.by, _("An account")), 120),
        present=visiting.in_words(visiting.PRESENT, row.present),
        saved=at_desk.moment(row.saved_at),
        done=request.args.get("saved") == "1" and sent is None,
        target=at if asking.role.acts else "",
        revision=row.revision,
        reference=row.visit_id,
        keep=visiting.keep_key(acting.secret(), row, asking.account_id) if asking.role.acts else "",
        lines=rows,
        called=called.words(),
        to_ask=tuple(line.name for line in rows if line.device_id in called.to_ask),
        found=(*(words.plain(text, 80) for text in found), *[""] * (roll_call.MOST_FOUND - len(found))),
        questions=visiting.asks(row.question_set, answers, dict(errors)),
        differences=screening.differences(answers, facts.saw),
        codes="" if sent is None else words.plain(sent.codes, MOST_TEXT),
        paper=f"{at}/paper",
        errors=errors,
    )
    title = _("Home visit")
    return show(
        "visit",
        page,
        title=f"{_('Error')}: {title}" if errors else title,
        action="view-visit",
        subject=f"{home.site}/{row.visit_id}",
        section="households",
        status=422 if errors else 200,
    )
