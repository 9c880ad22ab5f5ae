"""*Look through*: say that a household as a whole was looked through (R40), with one reason for what the box closed.

Nothing is dismissed by itself: what the box closed before anybody looked is listed here, and each that is ticked is
decided about with the same reason and outcome. A form in; acts of `store.reviewing` out, once however often it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN
from dashboard.i18n import _, ngettext
from dashboard.pages import deciding, sentences, words
from dashboard.pages.asking import officer
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts_review import ActRow, LookedPage, UnseenFinding
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.rows import device_name
from dashboard.pages.typed import DAY, INCOMPLETE, Errors, reason_errors, tidy
from dashboard.store import devices, reviewing, reviews
from dashboard.store.cases import case_of
from dashboard.store.devices import StoredDevice
from dashboard.store.outcomes import Action, Outcome
from dashboard.store.reviewing import Decided, Given
from dashboard.store.reviews import MOST_TOGETHER, Unseen
from dashboard.store.schema import site as site_table

pages = Blueprint("looked", __name__)


@pages.get("/households/<site>/looked")
@needs(May.SEE)
def looked(site: str) -> Response:
    """What is to be looked through, and when that was last done."""
    return _show(site)


@pages.post("/households/<site>/looked")
@needs(May.DECIDE)
def look(site: str) -> ResponseReturnValue:
    """Say that it was looked through, and decide about what is ticked."""
    asking, at_desk = officer(), desk()
    token, reason = request.form.get("token", ""), tidy(request.form.get("reason", ""))
    chosen = request.form.get("outcome", "")
    ticked = tuple(dict.fromkeys(id_or_404(one) for one in request.form.getlist("finding")[:MOST_TOGETHER]))
    outcome = next((one for one in Outcome if one == chosen), None)
    errors = list(reason_errors("looked-reason", reason))
    if not TOKEN.fullmatch(token):
        errors.append(("looked-reason", INCOMPLETE))
    if ticked and outcome is None:
        errors.append(("looked-outcome", _("Select what they turned out to be")))
    with at_desk.reads.connect() as connection:
        household_or_404(connection, site)
    if errors:
        return _show(site, reason=reason, chosen=chosen, ticked=ticked, token=token, errors=tuple(errors))
    given = Given(by=asking.account_id, now=at_desk.now(), token=token)
    with at_desk.engine.begin() as connection:
        if ticked:
            decided = Decided(action=Action.NONE, outcome=outcome, reason=reason)
            rules = at_desk.settings.reviews
            needed = (rules.second_kinds, rules.second_severities)
            reviewing.decide_alike(connection, site, ticked, decided, given, needs_second=needed)
        reviewing.look_through(connection, site, given, reason=reason)
    return redirect(f"/households/{site}/looked", 303)


def _show(
    site: str,
    *,
    reason: str = "",
    chosen: str = "",
    ticked: Sequence[str] | None = None,
    token: str = "",
    errors: Errors = (),
) -> Response:
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        bar = household_bar(at_desk, connection, home, "findings")
        closed = reviews.unseen(connection, site)
        known = devices.devices_named(connection, site, {row.device_id for row in closed if row.device_id is not None})
        history = reviews.history_of(connection, site)
        waiting = reviews.unreviewed(connection, site_table.c.site == site).number - len(closed)
        last = _last(at_desk, connection, site)
    page = LookedPage(
        bar=bar,
        target=f"/households/{site}/looked",
        token=token if TOKEN.fullmatch(token) else commands.new_token(),
        last=last,
        findings=tuple(
            _row(at_desk, site, row, known.get(row.device_id or ""), ticked is None or row.finding_id in ticked)
            for row in closed
        ),
        waiting=""
        if waiting <= 0
        else ngettext(
            "%(num)d finding of this household waits for a decision of its own.",
            "%(num)d findings of this household wait for decisions of their own.",
            waiting,
        ),
        outcomes=deciding.outcome_choices(at_desk, chosen),
        reason=reason,
        decides=who().role.acts,
        history=tuple(
            ActRow(
                text=_("Looked through"),
                reason=words.plain(act.reason, 500),
                by=words.plain(act.by_name, 120),
                at=at_desk.moment(act.at),
            )
            for act in history
        ),
        errors=errors,
    )
    return show(
        "looked",
        page,
        title=_("Error: Look through") if errors else _("Look through"),
        action="view-looked",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _row(at_desk: Desk, site: str, row: Unseen, device: StoredDevice | None, checked: bool) -> UnseenFinding:
    whole = sentences.payload(row.payload)
    because = words.plain(whole.closed_because) if whole and whole.closed_because else ""
    about = sentences.the_box() if row.device_id is None else device_name(device, row.device_id)
    return UnseenFinding(
        finding_id=row.finding_id,
        sentence=sentences.finding(row.kind, device.standing if device else None),
        detail=f"{about}. {because}" if because else about,
        raised=at_desk.moment(row.raised_at),
        address=f"/households/{site}/findings/{row.finding_id}",
        checked=checked,
    )


def _last(at_desk: Desk, connection: Connection, site: str) -> str:
    days = case_of(connection, site).review_days(at_desk.settings.reviews)
    at = reviews.looked_through(connection, site_table.c.site == site).get(site)
    every = ngettext("every day", "every %(num)d days", days)
    if at is None:
        return _("Nobody has said yet that this household was looked through. That is wanted %(every)s.", every=every)
    on, again = words.date(at, at_desk.zone), words.date(at + days * DAY, at_desk.zone)
    return _("Last looked through on %(on)s; wanted %(every)s, so again by %(again)s.", on=on, every=every, again=again)
