"""*Outcomes* of a household: what came of supervision, in words of the operator, as an officer entered it (R49, R50).

Nothing here comes from a box, and nothing is derived. An entry that was wrong is taken back, and stays to be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN
from dashboard.i18n import N_, _
from dashboard.pages import words
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import ActForm
from dashboard.pages.contexts_team import OutcomeRow, OutcomesPage
from dashboard.pages.desk import desk, household_or_404, id_or_404, show, who
from dashboard.pages.fields import field
from dashboard.pages.typed import INCOMPLETE, Errors, begin, day
from dashboard.store import monthly

_PURPOSES = {"prevention": N_("Prevention"), "detection": N_("Detection")}

pages = Blueprint("entered", __name__)


@pages.get("/households/<site>/outcomes")
@needs(May.SEE)
def entered(site: str) -> Response:
    """What was entered."""
    return _show(site, {}, ())


@pages.post("/households/<site>/outcomes")
@needs(May.DECIDE)
def enter(site: str) -> ResponseReturnValue:
    """Enter an outcome."""
    at_desk, form = desk(), request.form
    with at_desk.reads.connect() as connection:
        household_or_404(connection, site)
    errors: list[tuple[str, str]] = []
    on = day(form.get("day", ""))
    if on is None or begin(on, at_desk.zone).timestamp() > at_desk.now():
        errors.append(("day", _("Enter a day that is not in the future, such as 31/1/2026")))
    elif not TOKEN.fullmatch(form.get("token", "")):
        errors.append(("day", _(INCOMPLETE)))
    if form.get("word") not in at_desk.settings.outcomes:
        errors.append(("word", _("Select what came of it")))
    if form.get("purpose") not in _PURPOSES:
        errors.append(("purpose", _("Select what it served")))
    if errors or on is None:
        return _show(site, form, tuple(errors))
    with at_desk.engine.begin() as connection:
        monthly.enter(
            connection,
            outcome_id=form["token"],
            site_id=site,
            day=on.isoformat(),
            word=form["word"],
            purpose=form["purpose"],
            by=who().account_id,
            now=at_desk.now(),
        )
    return redirect(f"/households/{site}/outcomes", 303)


@pages.post("/households/<site>/outcomes/<outcome_id>/take-back")
@needs(May.DECIDE)
def take_back(site: str, outcome_id: str) -> ResponseReturnValue:
    """Take an entry back."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        household_or_404(connection, site)
    with at_desk.engine.begin() as connection:
        monthly.take_back(
            connection, site_id=site, outcome_id=id_or_404(outcome_id), by=who().account_id, now=at_desk.now()
        )
    return redirect(f"/households/{site}/outcomes", 303)


def _show(site: str, typed: Mapping[str, str], errors: Errors) -> Response:
    at_desk, acts = desk(), who().role.may(May.DECIDE)
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        bar = household_bar(at_desk, connection, home, "visits")
        rows = monthly.entries_of(connection, site)
    at = f"/households/{site}/outcomes"
    today = datetime.fromtimestamp(at_desk.now(), UTC).astimezone(at_desk.zone).date().isoformat()
    choices = (("", _("Select an outcome")), *((word, _(word)) for word in at_desk.settings.outcomes))
    purposes = tuple((key, _(text)) for key, text in _PURPOSES.items())
    form = ActForm(
        key="outcome",
        opened=True,
        target=at,
        token=commands.new_token(),
        heading=_("Enter an outcome"),
        says="",
        button=_("Enter it"),
        fields=(
            field("day", "day", _("Day"), typed=typed, errors=errors, at_first=today),
            field("device", "word", _("What came of it"), typed=typed, errors=errors, choices=choices),
            field("purpose", "purpose", _("What it served"), typed=typed, errors=errors, choices=purposes),
        ),
        emergency="",
    )
    page = OutcomesPage(
        bar=bar,
        rows=tuple(
            OutcomeRow(
                day=words.date(begin(date.fromisoformat(row.day), at_desk.zone).timestamp(), at_desk.zone),
                word=words.plain(_(row.word), 60),
                purpose=_(_PURPOSES[row.purpose]) if row.purpose in _PURPOSES else words.plain(row.purpose, 12),
                by=words.plain(row.by_name, 120),
                at=at_desk.moment(row.made_at),
                target=f"{at}/{row.outcome_id}/take-back" if acts and row.taken_back_at is None else "",
                gone=row.taken_back_at is not None,
            )
            for row in rows
        ),
        form=form if acts else None,
        errors=errors,
    )
    return show(
        "outcomes",
        page,
        title=_("Error: Outcomes") if errors else _("Outcomes"),
        action="view-outcomes",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )
