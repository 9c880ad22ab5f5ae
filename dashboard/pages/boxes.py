"""*Box health* of a household; and *Boxes*, the same for engineers by box alone, without anything about persons.

In: what boxes last said of themselves. Out: pages; and, from who keeps boxes, the order to take a release once more.
Bounded: `MOST_BOXES` boxes a page. The engineers' pages read `site` and what is known of its software, and show neither
the title nor what the box may keep: both may say whom it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from flask import Blueprint, Response, abort, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement

from dashboard.access import May, Role, needs, step_up
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import box_update, change_words, health, sentences, uplink_words, words
from dashboard.pages.asking import asked_rows
from dashboard.pages.bar import household_bar
from dashboard.pages.brief import BriefStatus
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_tabs import BoxDetailPage, BoxesPage, BoxLine, BoxPage
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.software_words import software_line
from dashboard.pages.typed import Errors, reason_errors, tidy
from dashboard.store import charge, ordering, queries
from dashboard.store.arrangements import StoredArrangements, arrangements_of
from dashboard.store.queries import BoxHeard
from wire.box import BoxStatus
from wire.ledger import ClockState

pages = Blueprint("boxes", __name__)

MOST_BOXES = 200
MOST_REASON = 300
_CLOCKS = {
    ClockState.AUTHENTICATED: N_("Right: this service has confirmed it since the box started"),
    ClockState.FREE: N_("Not confirmed since the box started"),
}


@pages.get("/households/<site>/box")
@needs(May.SEE)
def box(site: str) -> Response:
    """How the box of a household is."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        arranged = arrangements_of(connection, site)
        unread = queries.count_unread(connection, site)
        asked = queries.commands_about(connection, site)
        bar = household_bar(at_desk, connection, home, "box")
    page = BoxPage(
        bar=bar,
        box=health.box(at_desk, home, unread),
        facts=_facts(at_desk, sentences.status(home.status)),
        asked=asked_rows(at_desk, asked),
        arranged=_arranged(arranged),
        arrangements_address=f"/households/{site}/arrangements",
    )
    return show("box", page, title=_("Box health"), action="view-box", subject=site, section="households", live=True)


@pages.get("/boxes")
@needs(May.SEE_BOXES)
def boxes() -> Response:
    """Boxes by their references: for engineers all of the operator's, for others those in their charge."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        found = queries.boxes(connection, at_desk.settings.tenant, within=_within(at_desk))
    # Of all of them only whether they report; what is shown is made of those that are shown.
    now = at_desk.now()
    judged = sorted(((*_reports(row, now), row) for row in found), key=lambda one: (one[0], one[2].site))
    silent = sum(not well for well, _sentence, _row in judged)
    page = BoxesPage(
        summary=ngettext("%(num)s box does not report.", "%(num)s boxes do not report.", silent)
        if silent
        else _("All boxes report.")
        if judged
        else _("There are no boxes in your charge."),
        boxes=tuple(_line(at_desk, *one) for one in judged[:MOST_BOXES]),
        left_out=max(0, len(judged) - MOST_BOXES),
        stock="/boxes/stock" if who().role.may(May.KEEP_BOXES) else "",
    )
    return show("boxes", page, title=_("Boxes"), action="view-boxes", subject="", section="boxes")


@pages.get("/boxes/<site>")
@needs(May.SEE_BOXES)
def one(site: str) -> Response:
    """One box."""
    return _show_one(site, {}, ())


@pages.post("/boxes/<site>/software/<release_id>/again")
@needs(May.KEEP_BOXES)
@step_up
def order_again(site: str, release_id: str) -> ResponseReturnValue:
    """Tell a box once more of the release on which it failed."""
    at_desk, tenant = desk(), desk().settings.tenant
    with at_desk.reads.connect() as connection:
        if queries.household(connection, tenant, id_or_404(site), within=_within(at_desk)) is None:
            abort(404)
    reason = tidy(request.form.get("reason", ""))
    errors = reason_errors("reason", reason, MOST_REASON)
    if errors:
        return _show_one(site, request.form, tuple(errors))
    with at_desk.engine.begin() as connection:
        by, now = who().account_id, at_desk.now()
        done = ordering.again(connection, tenant, site, id_or_404(release_id), reason=reason, by=by, now=now)
    if not done:
        # Somebody else was quicker, or the box has it by now: the page says which.
        return _show_one(site, {}, (("update", _("There is nothing to order again any more")),))
    return redirect(f"/boxes/{site}", 303)


def _show_one(site: str, typed: Mapping[str, str], errors: Errors) -> Response:
    at_desk, tenant, keeps = desk(), desk().settings.tenant, who().role.may(May.KEEP_BOXES)
    now = at_desk.now()
    with at_desk.reads.connect() as connection:
        home = queries.household(connection, tenant, id_or_404(site), within=_within(at_desk))
        if home is None:
            g.denied = queries.household(connection, tenant, site) is not None
            abort(404)
        unread = queries.count_unread(connection, site)
        last = ordering.last(connection, tenant, site, now=now) if keeps else None
    page = BoxDetailPage(
        site=site,
        # Whom it is about may stand in the sentence on what it may keep, and the dates are of somebody's order:
        # engineers need none of it.
        box=replace(health.box(at_desk, home, unread), authority=""),
        facts=_facts(at_desk, sentences.status(home.status), of_order=False),
        revoke=f"/boxes/{site}/revoke" if keeps else "",
        update=box_update.line(last, now) if keeps else "",
        again=box_update.form(at_desk, last, site, typed, errors),
        errors=errors,
    )
    title = _("Error: Box") if errors else _("Box")
    return show(
        "box-detail",
        page,
        title=title,
        action="view-box",
        subject=site,
        section="boxes",
        status=422 if errors else 200,
    )


def _within(at_desk: Desk) -> ColumnElement[bool] | None:
    """Boxes that who is asking sees: an engineer all, without whose they are; an officer or installer those in charge."""
    asking, tenant = who(), at_desk.settings.tenant
    return None if asking.role is Role.ENGINEER else charge.sees(asking, at_desk.now(), tenant)


def _reports(row: BoxHeard, now: float) -> tuple[bool, str]:
    said = None if row.online is None else BriefStatus(online=row.online)
    return sentences.reporting(row.heard_at, said, now)


def _line(at_desk: Desk, well: bool, sentence: str, row: BoxHeard) -> BoxLine:
    return BoxLine(
        site=row.site,
        address=f"/boxes/{row.site}",
        sentence=sentence,
        reporting=well,
        heard=at_desk.moment_or_none(row.heard_at),
    )


def _facts(at_desk: Desk, said: BoxStatus | None, *, of_order: bool = True) -> tuple[Fact, ...]:
    if said is None:
        return ()
    facts = []
    if said.clock is not None:
        text = _(_CLOCKS[said.clock])
        if said.clock_error_ms is not None:
            text += ". " + _("At most %(length)s wrong", length=_length(said.clock_error_ms))
        facts.append(Fact(key=_("Clock"), value=text))
    if said.sealed:
        number = ngettext("%(num)s record waits", "%(num)s records wait", said.sealed)
        facts.append(Fact(key=_("Waiting for the time"), value=number))
    if of_order and said.authority_ends is not None:
        at = words.date_time(said.authority_ends.timestamp(), at_desk.zone)
        facts.append(Fact(key=_("Recording ends"), value=at))
    if of_order and said.review is not None:
        facts.append(Fact(key=_("Review by"), value=words.date(said.review.timestamp(), at_desk.zone)))
    if said.keeping is not None:
        purged = said.keeping.purged_at
        text = _("Never yet") if purged is None else words.date_time(purged.timestamp(), at_desk.zone)
        facts.append(Fact(key=_("Erased last what was due"), value=text))
        if said.keeping.lost_keys:
            number = ngettext("%(num)s key", "%(num)s keys", said.keeping.lost_keys)
            facts.append(Fact(key=_("Keys that open nothing any more"), value=number))
    facts += _machine(at_desk, said)
    return tuple(facts)


def _machine(at_desk: Desk, said: BoxStatus) -> tuple[Fact, ...]:
    """The machine, as it says; what it does not say is said to be unsaid."""
    unsaid = _(uplink_words.UNSAID)

    def at(moment: datetime | None) -> str:
        return unsaid if moment is None else words.date_time(moment.timestamp(), at_desk.zone)

    ends = at(said.certificate_ends)
    if said.certificate_ends is not None:
        over = said.certificate_ends.timestamp() <= at_desk.now()
        ends += ". " + (_("It is over") if over else _("A box renews it by itself"))
    facts = [
        Fact(key=_("Software"), value=software_line(said.software)),
        Fact(key=_("Storage"), value=uplink_words.storage(said)),
        Fact(key=_("Way to the internet"), value=uplink_words.uplink(said)),
        Fact(key=_("Wi-Fi"), value=uplink_words.wifi(said)),
        Fact(key=_("Devices at their limit"), value=uplink_words.at_limit(said)),
        Fact(key=_("Certificate ends"), value=ends),
        Fact(key=_("Started"), value=at(said.booted_at)),
        Fact(key=_("Starts since it was set up"), value=unsaid if said.boots is None else str(said.boots)),
    ]
    for title, became, moment in change_words.lines(said):
        text = _("%(outcome)s, %(time)s", outcome=became, time=words.date_time(moment, at_desk.zone))
        facts.append(Fact(key=title, value=text))
    if said.removed is not None:
        facts.append(Fact(key=_("Emptied"), value=at(said.removed.at)))
    return tuple(facts)


def _length(milliseconds: int) -> str:
    if milliseconds < 1000:
        return _("%(number)s thousandths of a second", number=milliseconds)
    if milliseconds < 60_000:
        return str(ngettext("%(num)s second", "%(num)s seconds", round(milliseconds / 1000)))
    return words.duration(milliseconds / 1000)


def _arranged(stored: StoredArrangements | None) -> str:
    if stored is None:
        return _("Nothing that the box has told of.")
    said = sentences.arrangements(stored.payload)
    if said is None:
        return _("More than can be shown: the box is newer than this service.")
    parts = [
        text
        for number, text in (
            (len(said.quieted), ngettext("%(num)s quiet rule", "%(num)s quiet rules", len(said.quieted))),
            (len(said.away), ngettext("%(num)s away time", "%(num)s away times", len(said.away))),
            (len(said.watch), ngettext("%(num)s entry of its own", "%(num)s entries of its own", len(said.watch))),
        )
        if number
    ]
    return (", ".join(parts) or _("Nothing is arranged")) + "."
