"""Whether people are told: *Messages out*, and the sentences of what is wrong with it on other pages (R38)."""

from __future__ import annotations

from flask import Blueprint, Response

from dashboard.access import May, needs
from dashboard.alerts import rota
from dashboard.alerts.channels import KINDS
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import words
from dashboard.pages.contexts_team import FailedRow, MessagesPage
from dashboard.pages.desk import Desk, desk, show, who
from dashboard.store import alerting, channels, charge, duty

AWAY_SECONDS = 120.0
"""The process looks every few seconds; one that has not for so long is not there."""
DAY = 86400.0
_PURPOSES = {
    "alert": N_("Alert"),
    "digest": N_("Daily summary"),
    "rota": N_("Hole in the rota"),
    "test": N_("Test"),
}
_STATES = {"failed": N_("Given up"), "waiting": N_("Is tried again")}

pages = Blueprint("telling", __name__)


@pages.get("/messages-out")
@needs(May.SEE_BOXES)
def messages_out() -> Response:
    """Whether messages arrive; without names for who manages nobody."""
    at_desk, names = desk(), who().role.may(May.SEE_TEAM)
    now, settings = at_desk.now(), at_desk.settings
    with at_desk.reads.connect() as connection:
        process = duty.process(connection, settings.tenant, settings.siem.name if settings.siem else "")
        failed = duty.failed(connection, since=now - 7 * DAY)
        sums = duty.sums(connection, since=now - DAY)
    well, sentence = _process(at_desk, process.at)
    feed = ""
    if settings.siem is not None:
        feed = (
            _("The collector takes nothing at the moment (%(why)s).", why=words.plain(process.feed_problem, 60))
            if process.feed_problem
            else _("The collector is fed.")
        )
        feed += " " + _(
            "%(sent)s lines sent, %(dropped)s left out.", sent=process.feed_sent, dropped=process.feed_dropped
        )
    page = MessagesPage(
        sentence=sentence,
        well=well,
        sums=tuple((_kind(row.kind), row.sent, row.waiting, row.failed) for row in sums),
        failed=tuple(
            FailedRow(
                who=words.plain(row.name, 120) if names else "",
                kind=_kind(row.kind),
                about=_(_PURPOSES.get(row.purpose, row.purpose)),
                state=_(_STATES.get(row.state, row.state)),
                problem=words.plain(row.problem, 100),
                at=at_desk.moment(row.made_at),
            )
            for row in failed
        ),
        dropped=process.dropped,
        feed=feed,
    )
    return show("messages-out", page, title=_("Messages out"), action="view-messages-out", section="team")


def problems(at_desk: Desk) -> tuple[str, ...]:
    """What is wrong with telling people, in sentences for a supervisor."""
    settings, now = at_desk.settings, at_desk.now()
    if settings.alerts is None:
        return (_("Messages out are not set up: nobody is told anything outside these pages."),)
    found = []
    with at_desk.reads.connect() as connection:
        process = duty.process(connection, settings.tenant, "")
        failed = duty.failed(connection, since=now - DAY)
        shifts = alerting.shifts(connection, settings.tenant)
        waiting = channels.open_alerts(connection, charge.sees(who(), now, settings.tenant))
    well, sentence = _process(at_desk, process.at)
    if not well:
        found.append(sentence)
    if any(row.alone for row in waiting):
        found.append(_("An alert has reached nobody: no one who could be told has entered an address."))
    given_up = sum(row.state == "failed" for row in failed)
    if given_up:
        found.append(
            ngettext(
                "%(num)s message of the last day did not arrive.",
                "%(num)s messages of the last day did not arrive.",
                given_up,
            )
        )
    if not shifts:
        found.append(_("There is no duty rota: only who is in charge of a household is told at once."))
    elif rota.hole_soon(shifts, at=now, zone=at_desk.zone):
        found.append(_("The duty rota has a time in the next day when nobody is on duty."))
    return tuple(found)


def _process(at_desk: Desk, at: float | None) -> tuple[bool, str]:
    if at_desk.settings.alerts is None:
        return False, _("Messages out are not set up: nobody is told anything outside these pages.")
    if at is None:
        return False, _("Nobody is told: the service that sends messages has never run.")
    if at_desk.now() - at > AWAY_SECONDS:
        since = words.date_time(at, at_desk.zone)
        return False, _("Nobody is told: the service that sends messages last ran on %(time)s.", time=since)
    return True, _("Messages are sent.")


def _kind(kind: str) -> str:
    return _(KINDS[kind]) if kind in KINDS else words.plain(kind, 20)
