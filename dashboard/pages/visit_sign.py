"""Checking and signing a visit, what was signed, and adding to it.

What was signed is changed by nothing here: a correction is an addition, with its own author and time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN
from dashboard.i18n import N_, _
from dashboard.pages import roll_call, screening, typed, visiting, words
from dashboard.pages.asking import officer
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_visit import SignForm, SignPage
from dashboard.pages.desk import desk, household_or_404, id_or_404, show, who
from dashboard.pages.typed import Errors
from dashboard.pages.visit_record import Signing, record_of, signed_page
from dashboard.pages.visiting import Facts
from dashboard.store import visits
from dashboard.store.arrangements import names_of
from dashboard.store.cases import case_of
from dashboard.store.queries import Household, write_audit
from dashboard.store.visits import Line, StoredVisit

pages = Blueprint("visit_sign", __name__)
MOST_TEXT = 1000
LATER = N_("Somebody else has saved this sheet since you opened it. Check it and save again")


@pages.get("/households/<site>/visits/<visit>/sign")
@needs(May.DECIDE)
def check(site: str, visit: str) -> ResponseReturnValue:
    """Check and sign."""
    with desk().reads.connect() as connection:
        home, row = visit_or_404(connection, site, visit)
        if row.state == visits.SIGNED:
            return redirect(f"/households/{site}/visits/{visit}", 303)
        return _show_sign(connection, home, row, ())


@pages.post("/households/<site>/visits/<visit>/sign")
@needs(May.DECIDE)
def sign(site: str, visit: str) -> ResponseReturnValue:
    """Sign a visit."""
    asking, at_desk = officer(), desk()
    now, form = at_desk.now(), request.form
    explained = tuple(item for item in form.getlist("explained") if item in dict(visiting.EXPLAINED))
    errors: list[tuple[str, str]] = []
    outcome = _line("outcome")
    if outcome not in at_desk.settings.visits.outcomes:
        errors.append(("outcome", _("Select what the visit led to")))
    for field, text in (("note", _("Note")), ("own-words", _("The person's own words"))):
        errors += typed.text_errors(field, text, _line(field), MOST_TEXT)
    if " ".join(form.get("name", "").split()).casefold() != " ".join(asking.name.split()).casefold():
        errors.append(("name", _("Type your name as it stands at the top of the page")))
    with at_desk.reads.connect() as connection:
        home, row = visit_or_404(connection, site, visit)
        at = f"/households/{site}/visits/{visit}"
        if row.state == visits.SIGNED:
            return redirect(at, 303)
        if not errors:
            signing = Signing(
                outcome=outcome,
                note=_line("note"),
                own_words=_line("own-words"),
                explained=explained,
                name=asking.name,
            )
            facts = visiting.facts_of(connection, at_desk, home, but=visit)
            show_name = at_desk.settings.visits.names_in_line
            person = case_of(connection, site, now).shown(at_desk.settings.words.show, "") if show_name else ""
            record = record_of(
                at_desk,
                home,
                row,
                lines=sheet_lines(connection, row, facts),
                facts=facts,
                signing=signing,
                person=person,
            )
            connection.close()
            if _sign(site, row, signing, record):
                return redirect(at, 303)
            errors.append(("outcome", _(LATER)))
        return _show_sign(connection, home, row, tuple(errors))


@pages.post("/households/<site>/visits/<visit>/add")
@needs(May.DECIDE)
def add(site: str, visit: str) -> ResponseReturnValue:
    """Add to what was signed."""
    asking, at_desk = officer(), desk()
    text, token, now = _line("text"), request.form.get("token", ""), at_desk.now()
    errors = typed.text_errors("text", _("Addition"), text, MOST_TEXT)
    if not text:
        errors.append(("text", _("Enter what is to be added")))
    if not TOKEN.fullmatch(token):
        errors.append(("text", typed.INCOMPLETE))
    with at_desk.reads.connect() as connection:
        home, row = visit_or_404(connection, site, visit)
        if row.state != visits.SIGNED:
            abort(404)
        if errors:
            return show_signed(connection, home, row, text, tuple(errors))
    with at_desk.engine.begin() as connection:
        if visits.add(connection, site_id=site, visit_id=visit, token=token, text=text, by=asking.account_id, now=now):
            write_audit(
                connection,
                at=now,
                account_id=asking.account_id,
                action="add-to-visit",
                subject=f"{site}/{visit}",
                outcome="done",
            )
    return redirect(f"/households/{site}/visits/{visit}", 303)


def visit_or_404(connection: Connection, site: str, visit_id: str) -> tuple[Household, StoredVisit]:
    """A visit of an address, and its household; else the page does not exist."""
    home = household_or_404(connection, site)
    row = visits.visit_of(connection, site, id_or_404(visit_id))
    if row is None:
        abort(404)
    return home, row


def sheet_lines(connection: Connection, row: StoredVisit, facts: Facts) -> tuple[Line, ...]:
    """The sheet's lines, with one for each device that came since."""
    stored = visits.lines_of(connection, row.site, row.visit_id)
    return roll_call.number_new(stored, (one.device_id for one in facts.devices), visits.MOST_LINES)


def _sign(site: str, row: StoredVisit, signing: Signing, record: Mapping[str, Any]) -> bool:
    revision = typed.whole(request.form.get("revision", ""), 1_000_000) or 0
    visit_id, now = row.visit_id, desk().now()
    with desk().engine.begin() as connection:
        done = visits.sign(
            connection,
            site_id=site,
            visit_id=visit_id,
            revision=revision,
            name=signing.name,
            outcome=signing.outcome,
            note=signing.note,
            own_words=signing.own_words,
            explained=signing.explained,
            record=record,
            now=now,
        )
        if done:
            write_audit(
                connection,
                at=now,
                account_id=who().account_id,
                action="sign-visit",
                subject=f"{site}/{visit_id}",
                outcome="signed",
            )
    return done


def _show_sign(connection: Connection, home: Household, row: StoredVisit, errors: Errors) -> Response:
    at_desk, form = desk(), request.form
    # Asked anew: the connection may have been given back while signing was tried.
    with at_desk.reads.connect() as fresh:
        facts = visiting.facts_of(fresh, at_desk, home, but=row.visit_id)
        lines = sheet_lines(fresh, row, facts)
        bar = household_bar(at_desk, fresh, home, "visits")
    connection.close()
    called = roll_call.called(lines, facts.presence, row.found)
    at = f"/households/{home.site}/visits/{row.visit_id}"
    page = SignPage(
        bar=bar,
        at=at_desk.moment(row.started_at),
        back=at,
        called=called.words(),
        to_ask=tuple(
            line.name for line in visiting.roll_lines(at_desk, lines, facts.devices) if line.device_id in called.to_ask
        ),
        found=tuple(words.plain(text, 80) for text in row.found),
        answers=screening.shown(row.question_set, row.answers),
        differences=screening.differences(row.answers, facts.saw),
        sign=SignForm(
            target=f"{at}/sign",
            outcomes=tuple(
                Choice(value=text, text=words.plain(text, 60), hint="", checked=form.get("outcome") == text)
                for text in at_desk.settings.visits.outcomes
            ),
            explained=visiting.chosen(visiting.EXPLAINED, form.getlist("explained")),
            note=form.get("note", "")[:MOST_TEXT],
            own_words=form.get("own-words", "")[:MOST_TEXT],
            name=form.get("name", "")[:120],
            account=words.plain(who().name, 120),
            revision=row.revision,
        ),
        errors=errors,
    )
    title = _("Check and sign")
    return show(
        "visit-sign",
        page,
        title=f"{_('Error')}: {title}" if errors else title,
        action="view-visit",
        subject=f"{home.site}/{row.visit_id}",
        section="households",
        status=422 if errors else 200,
    )


def show_signed(connection: Connection, home: Household, row: StoredVisit, text: str, errors: Errors) -> Response:
    """What was signed, and the form that adds to it, with what was typed there."""
    at_desk = desk()
    addenda = visits.addenda_of(connection, home.site, row.visit_id)
    people = names_of(connection, {row.by, *(item.by for item in addenda)})
    bar = household_bar(at_desk, connection, home, "visits")
    connection.close()
    room = who().role.acts and len(addenda) < visits.MOST_ADDENDA
    page = signed_page(
        at_desk, bar, row, addenda, people, text=text, token=commands.new_token() if room else "", errors=errors
    )
    title = _("Home visit")
    return show(
        "visit-signed",
        page,
        title=f"{_('Error')}: {title}" if errors else title,
        action="view-visit",
        subject=f"{home.site}/{row.visit_id}",
        section="households",
        status=422 if errors else 200,
    )


def _line(name: str) -> str:
    """A typed text in one line."""
    return " ".join(typed.tidy(request.form.get(name, "")).split())
