"""*Monthly return*: numbers of a month, for print and as a file, the same whenever it is asked for (R49, R50)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard.access import May, needs, step_up
from dashboard.i18n import N_, _
from dashboard.pages import words
from dashboard.pages.contexts_team import ReturnPage, ReturnPart
from dashboard.pages.csv_files import csv_answer
from dashboard.pages.desk import Desk, desk, show, who
from dashboard.pages.team import refuse
from dashboard.pages.typed import begin
from dashboard.store import monthly
from dashboard.store.monthly import Counts, Kept

SMALL = 5
"""Below this a number may point to somebody, and is hidden in the version to share."""
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_PARTS: tuple[tuple[str, str, str], ...] = (
    ("homes", N_("Homes"), N_("Homes that an officer was in charge of on any day of the month.")),
    ("devices", N_("Devices"), N_("Devices are counted, not who uses them.")),
    ("findings", N_("Findings"), ""),
    ("alerts", N_("Alerts out"), N_("Causes about which somebody was to be told at once.")),
    ("reviews", N_("Reviews"), ""),
    ("purposes", N_("Reviews by purpose"), N_("As whoever decided tagged them.")),
    ("visits", N_("Home visits, by what they led to"), N_("Signed in the month; in the words of the officers.")),
    ("installs", N_("Boxes fitted and taken away"), ""),
    ("outcomes", N_("Outcomes"), N_("Entered by officers. The box never says what came of supervision.")),
    ("outcome-purposes", N_("Outcomes by purpose"), ""),
)
_ROWS = {
    "in-charge": N_("Homes"),
    "seen": N_("Seen in the month"),
    "new": N_("Seen for the first time"),
    "act_now": N_("Act now"),
    "today": N_("Today"),
    "this_week": N_("This week"),
    "information": N_("For information"),
    "told": N_("Alerts"),
    "answered": N_("Answered by somebody"),
    "decided": N_("Decided"),
    "second": N_("Looked at by a second person"),
    "prevention": N_("Prevention"),
    "detection": N_("Detection"),
    "install": N_("Fitted"),
    "removal": N_("Taken away"),
}

pages = Blueprint("monthly", __name__)


@pages.get("/team/return")
@needs(May.SEE_TEAM)
def monthly_return() -> Response:
    """The return of a month; the last whole one where none is asked for."""
    at_desk = desk()
    month = _asked(at_desk)
    this = _this(at_desk)
    counts, kept = _counts(at_desk, month)
    shared = request.args.get("share") == "1"
    value = _value(month)
    share = "&share=1" if shared else ""
    page = ReturnPage(
        month=_named(month),
        value=value,
        parts=tuple(_parts(counts, shared=shared)),
        kept=None if kept is None else at_desk.moment(kept.made_at),
        digest="" if kept is None else kept.digest,
        intact=kept is None or kept.intact,
        running=month >= this,
        small=_has_small(counts),
        shared=shared,
        other=f"/team/return?month={value}" + ("" if shared else "&share=1"),
        keeps=kept is None and month < this and who().role.may(May.MANAGE),
        earlier=f"/team/return?month={_value(_before(month))}{share}",
        later=f"/team/return?month={_value(_after(month))}{share}" if month < this else "",
        csv=f"/team/return.csv?month={value}{share}" if who().role.may(May.EXPORT) else "",
    )
    return show("monthly", page, title=_("Monthly return"), action="view-return", subject=value, section="team")


@pages.get("/team/return.csv")
@needs(May.EXPORT)
@step_up
def monthly_csv() -> Response:
    """The same as a file."""
    if not who().role.may(May.SEE_TEAM):
        refuse()
    at_desk = desk()
    month = _asked(at_desk)
    counts, kept = _counts(at_desk, month)
    parts = _parts(counts, shared=request.args.get("share") == "1")
    rows = [(part.title, text, number) for part in parts for text, number in part.rows]
    rows.append((_("Kept"), _("SHA-256 of the numbers"), "" if kept is None else kept.digest))
    name = f"return-{_value(month)}"
    return csv_answer(name, (_("Part"), _("What"), _("Number")), rows, action="export-return", subject=_value(month))


@pages.post("/team/return")
@needs(May.MANAGE)
def keep() -> ResponseReturnValue:
    """Keep a month that is over as it is counted now."""
    at_desk = desk()
    month = _asked(at_desk, request.form.get("month", ""))
    if month < _this(at_desk):
        since, until = bounds(at_desk, month)
        tenant, value = at_desk.settings.tenant, _value(month)
        with at_desk.engine.begin() as connection:
            counts = monthly.count(connection, tenant, month=value, since=since, until=until)
            monthly.keep(connection, tenant, value, counts, by=who().account_id, now=at_desk.now())
    return redirect(f"/team/return?month={_value(month)}", 303)


def bounds(at_desk: Desk, month: date) -> tuple[float, float]:
    """The moments (Unix seconds) at which a month begins and is over, in the operator's zone."""
    return begin(month, at_desk.zone).timestamp(), begin(_after(month), at_desk.zone).timestamp()


def _counts(at_desk: Desk, month: date) -> tuple[Counts, Kept | None]:
    tenant, value = at_desk.settings.tenant, _value(month)
    since, until = bounds(at_desk, month)
    with at_desk.reads.connect() as connection:
        kept = monthly.kept(connection, tenant, value)
        if kept is not None:
            return kept.counts, kept
        return monthly.count(connection, tenant, month=value, since=since, until=until), None


def _asked(at_desk: Desk, text: str | None = None) -> date:
    found = _MONTH.fullmatch(request.args.get("month", "") if text is None else text)
    this = _this(at_desk)
    if found is None:
        return _before(this)
    return min(date(int(found[1]), int(found[2]), 1), this)


def _this(at_desk: Desk) -> date:
    return datetime.fromtimestamp(at_desk.now(), UTC).astimezone(at_desk.zone).date().replace(day=1)


def _before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _value(month: date) -> str:
    return f"{month.year:04}-{month.month:02}"


def _named(month: date) -> str:
    noon = datetime(month.year, month.month, 1, 12, tzinfo=UTC)
    return words.date(noon.timestamp(), UTC).partition(" ")[2]


def _parts(counts: Counts, *, shared: bool) -> Iterator[ReturnPart]:
    for key, title, note in _PARTS:
        yield ReturnPart(
            title=_(title),
            rows=tuple(
                (_(_ROWS[name]) if name in _ROWS else words.plain(name, 60), _number(number, shared=shared))
                for name, number in sorted(counts.get(key, {}).items(), key=lambda item: _place(item[0]))
            ),
            note=_(note) if note else "",
        )


def _place(name: str) -> tuple[int, str]:
    order = tuple(_ROWS)
    return (order.index(name) if name in order else len(order), name)


def _number(number: int, *, shared: bool) -> str:
    if shared and 0 < number < SMALL:
        return _("fewer than %(number)s", number=SMALL)
    return str(number)


def _has_small(counts: Counts) -> bool:
    return any(0 < number < SMALL for part in counts.values() for number in part.values())
