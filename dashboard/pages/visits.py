"""*Visits*: what was held, a new one, and the page to read before it (R44), on screen and as PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN
from dashboard.i18n import _, ngettext
from dashboard.pages import roll_call, screening, sentences, suggested, typed, visiting, words
from dashboard.pages.asking import officer
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts_visit import BeforePage, KindRow, Link, StartForm, VisitRow, VisitsPage
from dashboard.pages.desk import Desk, desk, household_or_404, show, who
from dashboard.pages.papers import pdf_answer
from dashboard.pages.typed import Errors
from dashboard.store import visits
from dashboard.store.arrangements import names_of
from dashboard.store.devices import devices_of
from dashboard.store.queries import Household, write_audit
from dashboard.store.visit_facts import KindCount

pages = Blueprint("visits", __name__)
MOST_BLIND = 6
MOST_DAYS_BACK = 14
"""A visit that was held without this service is entered within so many days."""


@pages.get("/households/<site>/visits")
@needs(May.SEE)
def held(site: str) -> Response:
    """Visits of a household."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), (), "", ())


@pages.post("/households/<site>/visits")
@needs(May.DECIDE)
def start(site: str) -> ResponseReturnValue:
    """Begin a visit."""
    asking, at_desk = officer(), desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        known = devices_of(connection, site)
    token, day = request.form.get("token", ""), request.form.get("day", "").strip()
    present = [value for value in request.form.getlist("present") if value in dict(visiting.PRESENT)]
    now, errors = at_desk.now(), []
    at = _at(at_desk, day, now)
    if at is None:
        errors.append(("day", _("Enter a day of the last %(days)s days, such as 31/1/2026", days=MOST_DAYS_BACK)))
    if not present:
        errors.append(("present", _("Select who is there")))
    if not TOKEN.fullmatch(token):
        errors.append(("present", typed.INCOMPLETE))
    if not errors and at is not None:
        with at_desk.engine.begin() as connection:
            done = visits.start(
                connection,
                site_id=site,
                visit_id=token,
                by=asking.account_id,
                present=present,
                devices=[row.device_id for row in known],
                question_set=screening.VERSION,
                at=at,
                now=now,
            )
            if done:
                write_audit(
                    connection,
                    at=now,
                    account_id=asking.account_id,
                    action="start-visit",
                    subject=f"{site}/{token}",
                    outcome="done",
                )
            again = done or visits.visit_of(connection, site, token) is not None
        if again:
            return redirect(f"/households/{site}/visits/{token}", 303)
        errors.append(("present", _("Sign the visits that are not signed yet, then start another one")))
    with at_desk.reads.connect() as connection:
        return _show(connection, home, present, day, tuple(errors))


@pages.get("/households/<site>/visits/before")
@needs(May.SEE)
def before(site: str) -> Response:
    """What to know before a visit."""
    page = _before(site, pdf=f"/households/{site}/visits/before.pdf")
    return show(
        "visit-before",
        page,
        title=_("Before the visit"),
        action="view-before-visit",
        subject=site,
        section="households",
    )


@pages.get("/households/<site>/visits/before.pdf")
@needs(May.SEE)
def before_pdf(site: str) -> Response:
    """The same as PDF."""
    return pdf_answer(
        "paper-before",
        _before(site, pdf=""),
        title=_("Before the visit"),
        name="before-the-visit",
        action="print-before-visit",
        subject=site,
    )


def _before(site: str, *, pdf: str) -> BeforePage:
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        bar = household_bar(at_desk, connection, home, "visits")
        facts = visiting.facts_of(connection, at_desk, home)
    status = sentences.status(home.status)
    lines = roll_call.number_new((), (row.device_id for row in facts.devices), visits.MOST_LINES)
    return BeforePage(
        bar=bar,
        made=at_desk.moment(at_desk.now()),
        order=words.plain(status.authority) if status and status.authority else bar.order + ".",
        since=visiting.since_words(at_desk, facts),
        changes=visiting.changes(facts),
        findings=tuple(
            KindRow(
                severity=None,
                sentence=sentences.finding(row.kind, None, max(1, row.open or row.raised)),
                numbers=_("%(open)s open, %(raised)s raised, %(closed)s closed", **_numbers(row)),
            )
            for row in facts.kinds
        ),
        questions=suggested.questions(row.kind for row in facts.kinds if row.open),
        lines=visiting.roll_lines(at_desk, lines, facts.devices),
        left_out=max(0, facts.number - len(facts.devices)),
        health=facts.health,
        blind=_blind(at_desk, home, facts.since),
        cannot_see=sentences.cannot_see(),
        pdf=pdf,
    )


def _numbers(row: KindCount) -> Mapping[str, int]:
    return {"open": row.open, "raised": row.raised, "closed": row.closed}


def _blind(at_desk: Desk, home: Household, since: float) -> tuple[str, ...]:
    """When the box could not see since then, as its status lists it: the latest times alone."""
    status = sentences.status(home.status)
    found = []
    for gap in (status.gaps if status and status.gaps else ())[:MOST_BLIND]:
        began, ended = gap.started.timestamp(), gap.ended.timestamp() if gap.ended else None
        if (ended or at_desk.now()) < since:
            continue
        took = words.duration((ended or at_desk.now()) - began)
        text = f"{words.date_time(began, at_desk.zone)}, {took}: {sentences.blind(gap.cause)}"
        found.append(text if ended else text + ". " + _("It still cannot see."))
    return tuple(found)


def _at(at_desk: Desk, day: str, now: float) -> float | None:
    if not day:
        return now
    found = typed.day(day)
    if found is None:
        return None
    noon = typed.begin(found, at_desk.zone).timestamp() + 12 * 3600
    return min(noon, now) if now - MOST_DAYS_BACK * typed.DAY <= noon <= now + typed.DAY / 2 else None


def _show(connection: Connection, home: Household, present: Sequence[str], day: str, errors: Errors) -> Response:
    at_desk, site = desk(), home.site
    rows = visits.visits_of(connection, site)
    people = names_of(connection, {row.by for row in rows})
    bar = household_bar(at_desk, connection, home, "visits")
    connection.close()
    at = f"/households/{site}"
    signed = [row for row in rows if row.state == visits.SIGNED]
    page = VisitsPage(
        bar=bar,
        said=_said(at_desk, signed[0].started_at if signed else None),
        visits=tuple(
            VisitRow(
                address=f"{at}/visits/{row.visit_id}",
                at=at_desk.moment(row.started_at),
                by=words.plain(people.get(row.by, _("An account")), 120),
                state=_("Signed") if row.state == visits.SIGNED else _("Not signed yet"),
                outcome=words.plain(row.outcome, 60),
            )
            for row in rows
        ),
        papers=(
            Link(text=_("Before the visit, on one page"), address=f"{at}/visits/before"),
            Link(text=_("Summary for the person, to hand out"), address=f"{at}/summary"),
            Link(text=_("Explanation for others at home, to hand out"), address=f"{at}/summary/others"),
            Link(text=_("Shared with other agencies"), address=f"{at}/shares"),
            Link(text=_("Hand the household over to another operator"), address=f"{at}/transfer"),
        ),
        start=StartForm(
            target=f"{at}/visits",
            token=commands.new_token(),
            present=visiting.chosen(visiting.PRESENT, present),
            day=words.plain(day, 20),
        )
        if who().role.acts
        else None,
        errors=errors,
    )
    title = _("Visits")
    return show(
        "visits",
        page,
        title=f"{_('Error')}: {title}" if errors else title,
        action="view-visits",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _said(at_desk: Desk, last: float | None) -> str:
    if last is None:
        return _("No visit has been signed here yet.")
    days = int((at_desk.now() - last) // typed.DAY)
    ago = ngettext("%(num)s day ago", "%(num)s days ago", days) if days else _("today")
    return _("The last signed visit was %(ago)s.", ago=ago)
