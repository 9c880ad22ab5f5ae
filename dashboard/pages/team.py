"""*Team*: how much each officer has, how old it is, and whether anybody is told; no browsing, no device (R28, R37)."""

from __future__ import annotations

from typing import NoReturn

from flask import Blueprint, Response, abort, g

from dashboard.access import May, needs, step_up
from dashboard.i18n import _, ngettext
from dashboard.pages import words
from dashboard.pages.contexts_team import TeamPage, TeamRow
from dashboard.pages.csv_files import csv_answer
from dashboard.pages.desk import Desk, desk, show, who
from dashboard.pages.telling import problems
from dashboard.store import team as stored
from dashboard.store.team import AGES, DAY, Load

BUDGET = 1.0
"""Findings a household and day that the box's rules are made for (R28)."""

pages = Blueprint("team", __name__)


@pages.get("/team")
@needs(May.SEE_TEAM)
def team() -> Response:
    """All officers."""
    at_desk = desk()
    loads = _loads(at_desk)
    rows = tuple(_row(at_desk, load) for load in loads)
    waiting, late = sum(load.waiting for load in loads), sum(load.ages[-1] for load in loads)
    wrong = problems(at_desk)
    summary = (
        ngettext("%(num)s finding waits", "%(num)s findings wait", waiting)
        + ", "
        + ngettext("%(num)s of them for more than a week.", "%(num)s of them for more than a week.", late)
        if waiting
        else _("Nothing waits.")
    )
    page = TeamPage(
        summary=summary,
        calm=not late and not wrong and all(load.account_id for load in loads),
        ages=_ages(),
        rows=rows,
        problems=wrong,
        operators="/transfers" if who().role.may(May.MANAGE) else "",
        csv="/team.csv" if who().role.may(May.EXPORT) else "",
    )
    return show("team", page, title=_("Team"), action="view-team", section="team")


@pages.get("/team.csv")
@needs(May.EXPORT)
@step_up
def team_csv() -> Response:
    """The same as a file."""
    at_desk = desk()
    if not who().role.may(May.SEE_TEAM):
        refuse()
    now = at_desk.now()
    header = (
        _("Officer"),
        _("Households"),
        _("Boxes reporting"),
        _("Waiting"),
        _("Oldest, days"),
        *_ages(),
        _("Findings a household and day"),
        _("Alerts not answered"),
        _("Installations"),
    )
    rows = (
        (
            load.name or _("Nobody in charge"),
            load.households,
            load.reporting,
            load.waiting,
            None if load.oldest is None else round((now - load.oldest) / DAY, 1),
            *load.ages,
            None if load.a_day is None else round(load.a_day, 2),
            load.urgent_unanswered,
            load.installs,
        )
        for load in _loads(at_desk)
    )
    return csv_answer("team", header, rows, action="export-team")


def refuse() -> NoReturn:
    """For who may export, and may not see this."""
    g.denied = True
    abort(403)


def _loads(at_desk: Desk) -> tuple[Load, ...]:
    settings = at_desk.settings
    with at_desk.reads.connect() as connection:
        return stored.loads(connection, settings.tenant, now=at_desk.now(), silent_seconds=settings.silent_seconds)


def _ages() -> tuple[str, ...]:
    first, second, third = (int(age) for age in AGES)
    return (
        _("Under a day"),
        _("%(first)s to %(second)s days", first=first, second=second),
        _("%(first)s to %(second)s days", first=second, second=third),
        _("Over a week"),
    )


def _row(at_desk: Desk, load: Load) -> TeamRow:
    a_day = load.a_day
    cover = [_("Stands in for %(name)s", name=words.plain(name, 120)) for name in load.stands_in_for]
    cover += [_("%(name)s stands in", name=words.plain(name, 120)) for name in load.covered_by]
    installs = ""
    if load.installs:
        installs = ngettext("%(num)s installation", "%(num)s installations", load.installs)
        if load.install_seconds is not None:
            installs += ", " + _("%(time)s each", time=words.duration(load.install_seconds))
    return TeamRow(
        name=words.plain(load.name, 120),
        households=load.households,
        reporting=_("%(some)s of %(all)s", some=load.reporting, all=load.households) if load.households else "",
        waiting=load.waiting,
        oldest="" if load.oldest is None else words.duration(at_desk.now() - load.oldest),
        ages=load.ages,
        a_day="" if a_day is None else f"{a_day:.2f}",
        over=a_day is not None and a_day > BUDGET,
        unanswered=ngettext("%(num)s alert not answered", "%(num)s alerts not answered", load.urgent_unanswered)
        if load.urgent_unanswered
        else "",
        cover=tuple(cover),
        installs=installs,
    )
