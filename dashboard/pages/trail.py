"""*Audit*: who did what, when, about which household; and whether its chain holds (R66)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard.access import May, needs, step_up
from dashboard.i18n import _
from dashboard.pages import words
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_team import AuditPage, AuditRow
from dashboard.pages.csv_files import csv_answer
from dashboard.pages.desk import Desk, desk, show, who
from dashboard.pages.team import refuse
from dashboard.pages.typed import Errors, begin, day, end
from dashboard.store import trail
from dashboard.store.trail import Filter, Line

_SITE = re.compile(r"[a-z0-9-]{1,64}")
_ACTION = re.compile(r"[a-z0-9-]{1,60}")
_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}")

pages = Blueprint("trail", __name__)


@pages.get("/audit")
@needs(May.SEE_AUDIT)
def audit() -> Response:
    """A page of the audit."""
    at_desk = desk()
    which, errors = _filter(at_desk)
    with at_desk.reads.connect() as connection:
        lines = () if errors else trail.page_of(connection, which)
        people = trail.people(connection)
        checked = trail.last_check(connection)
    shown = lines[: trail.A_PAGE]
    choices = [("", _("Everybody")), ("none", _("The service itself")), *people]
    text, holds = _checked(checked)
    may_export = who().role.may(May.EXPORT)
    page = AuditPage(
        rows=tuple(_row(at_desk, line) for line in shown),
        people=tuple(
            Choice(value=value, text=words.plain(name, 120), hint="", checked=value == which.account_id)
            for value, name in choices
        ),
        action=_asked("action", 60),
        site=_asked("household", 64),
        since=_asked("since", 10),
        until=_asked("until", 10),
        errors=errors,
        older=_address(before=shown[-1].audit_id) if len(lines) > trail.A_PAGE else "",
        newest=_address() if which.before is not None else "",
        checked=text,
        holds=holds,
        checked_at=at_desk.moment(checked[0]) if checked else None,
        may_check=who().role.may(May.SEE_AUDIT),
        csv="/audit.csv" + _address().removeprefix("/audit") if may_export else "",
    )
    return show(
        "audit",
        page,
        title=_("Error: Audit") if errors else _("Audit"),
        action="view-audit",
        subject=which.site,
        section="audit",
        status=422 if errors else 200,
    )


@pages.get("/audit.csv")
@needs(May.EXPORT)
@step_up
def audit_csv() -> ResponseReturnValue:
    """The filter's rows as a file."""
    if not who().role.may(May.SEE_AUDIT):
        refuse()
    at_desk = desk()
    which, errors = _filter(at_desk)
    if errors:
        return redirect(_address(), 303)
    with at_desk.reads.connect() as connection:
        lines = trail.export_of(connection, replace(which, before=None))
    header = (_("Number"), _("Time"), _("Account"), _("Name"), _("Action"), _("About"), _("Outcome"))
    rows = (
        (line.audit_id, words.machine(line.at), line.account_id, line.name, line.action, line.subject, line.outcome)
        for line in lines
    )
    return csv_answer("audit", header, rows, action="export-audit", subject=which.site)


@pages.post("/audit/check")
@needs(May.SEE_AUDIT)
def check() -> ResponseReturnValue:
    """Check the chain on from where it last held."""
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        trail.check_on(connection, by=who().account_id, now=at_desk.now())
    return redirect("/audit", 303)


def _filter(at_desk: Desk) -> tuple[Filter, Errors]:
    errors: list[tuple[str, str]] = []
    account, action, site = _asked("who", 63), _asked("action", 60), _asked("household", 64)
    if account and not _ACCOUNT.fullmatch(account):
        account = ""
    if action and not _ACTION.fullmatch(action):
        errors.append(("action", _("Enter an action as the list below writes it, such as view-household")))
    if site and not _SITE.fullmatch(site):
        errors.append(("household", _("Enter the household as the list below writes it")))
    since, until = _day("since", errors), _day("until", errors)
    before = _asked("before", 18)
    which = Filter(
        account_id=account,
        action=action,
        site=site,
        since=None if since is None else begin(since, at_desk.zone).timestamp(),
        until=None if until is None else end(until, at_desk.zone).timestamp(),
        before=int(before) if before.isascii() and before.isdecimal() else None,
    )
    return which, tuple(errors)


def _day(field: str, errors: list[tuple[str, str]]) -> date | None:
    text = _asked(field, 10)
    found = day(text) if text else None
    if text and found is None:
        errors.append((field, _("Enter a day, such as 31/1/2026")))
    return found


def _asked(name: str, most: int) -> str:
    return words.plain(request.args.get(name, "").strip(), most)


def _address(*, before: int | None = None) -> str:
    kept = {name: _asked(name, 64) for name in ("who", "action", "household", "since", "until")}
    query = {name: value for name, value in kept.items() if value}
    if before is not None:
        query["before"] = str(before)
    return "/audit" + (f"?{urlencode(query)}" if query else "")


def _row(at_desk: Desk, line: Line) -> AuditRow:
    site = line.subject.partition("/")[0]
    about = _SITE.fullmatch(site) and ("/" in line.subject or line.action == "view-household")
    return AuditRow(
        number=line.audit_id,
        at=at_desk.moment(line.at),
        who=words.plain(line.name or line.account_id or _("The service itself"), 120),
        action=words.plain(line.action, 60),
        subject=words.plain(line.subject, 160),
        outcome=words.plain(line.outcome, 20),
        household="/audit?" + urlencode({"household": site}) if about else "",
    )


def _checked(last: tuple[float, str, str] | None) -> tuple[str, bool]:
    if last is None:
        return _("The chain has not been checked from here yet."), True
    number = last[1].partition(" ")[0]
    if last[2] == "broken":
        return _(
            "The chain does not hold after line %(number)s: tell whoever looks after the service.", number=number
        ), False
    if last[2] == "holds so far":
        return _("The chain holds up to line %(number)s; check again to go on.", number=number), True
    return _("The chain holds up to line %(number)s.", number=number), True
