"""*Households*: all of them, narrowed down by what stands in the address, so that a link is a filter to share.

In: the query of an address. Out: one page of the list, or all of it as a file. Bounded as `store.caseload`; an account
keeps at most `MOST_SAVED` filters.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, select

from dashboard.access import SEES_ALL, May, Role, needs, step_up
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import brief, sentences, words
from dashboard.pages.bar import RISKS
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_caseload import Filters, HouseholdRow, HouseholdsPage
from dashboard.pages.csv_files import MOST_ROWS, csv_answer
from dashboard.pages.desk import Desk, desk, show, who
from dashboard.pages.sentences import SILENT_SECONDS
from dashboard.pages.typed import Errors, text_errors, tidy, whole
from dashboard.store import caseload, charge, saved
from dashboard.store.caseload import MOST_PAGE, NONE, PAGE, SORTS, Listed, Wanted
from dashboard.store.cases import Risk
from dashboard.store.queries import write_audit
from dashboard.store.saved import MOST_NAME, MOST_QUERY, MOST_SAVED
from dashboard.store.schema import account
from wire.base import Standing
from wire.findings import Severity

pages = Blueprint("households", __name__)

MOST_TEXT = 80
MOST_OFFICERS = 200
MOST_FIELDS = 20
_UNASSESSED = "none"
_SORTS = {
    "worst": N_("Most urgent, then oldest"),
    "oldest": N_("Longest waiting"),
    "name": N_("Household"),
    "heard": N_("Box not heard of the longest"),
    "due": N_("Review due first"),
}
_SEVERITIES = {
    Severity.ACT_NOW: N_("Act now"),
    Severity.TODAY: N_("Today or more urgent"),
    Severity.THIS_WEEK: N_("Anything that waits"),
}


@pages.get("/households")
@needs(May.SEE)
def households() -> Response:
    """One page of the list."""
    return _show(_wanted())


@pages.get("/households.csv")
@needs(May.EXPORT)
@step_up
def households_file() -> Response:
    """The list, as it is narrowed down, as a file."""
    at_desk = desk()
    now = at_desk.now()
    rules = at_desk.settings.reviews
    with at_desk.reads.connect() as connection:
        within = charge.sees(who(), now, at_desk.settings.tenant)
        found = caseload.every(
            connection, within, _wanted(), rules=rules, now=now, silent_after=SILENT_SECONDS, most=MOST_ROWS
        )
    rows = [_row(at_desk, item) for item in found]
    header = [_("Household"), _("Person"), _("Risk"), _("Urgency"), _("Waiting"), _("Oldest"), _("Box"), _("Review")]
    return csv_answer(
        "households",
        header,
        [
            (
                row.household,
                row.person,
                row.risk,
                row.worst.text if row.worst else "",
                row.decisions,
                row.oldest,
                row.box or _("Reporting"),
                row.review,
            )
            for row in rows
        ],
        action="export-households",
    )


@pages.post("/households/filters")
@needs(May.SEE)
def keep() -> ResponseReturnValue:
    """Keep a filter under a name, or keep it no longer."""
    at_desk, asking = desk(), who()
    query = _tidy_query(request.form.get("query", ""))
    name = " ".join(tidy(request.form.get("name", "")).split())
    gone = request.form.get("forget")
    if gone is not None:
        with at_desk.engine.begin() as connection:
            # A name that was kept has only characters that can be seen.
            if gone.isprintable() and saved.forget(connection, asking.account_id, gone):
                _audit(connection, "forget-filter")
        return redirect("/households", 303)
    errors = text_errors("filter-name", _("Name"), name, MOST_NAME) if name else [("filter-name", _("Enter a name"))]
    if not errors:
        try:
            with at_desk.engine.begin() as connection:
                saved.keep(connection, asking.account_id, name, query, at_desk.now())
                _audit(connection, "keep-filter")
        except saved.FullError:
            full = _("You keep %(most)d filters, which is the most. Take one away first", most=MOST_SAVED)
            errors = [("filter-name", full)]
    if errors:
        return _show(_read(dict(parse_qsl(query))), name=name, errors=tuple(errors))
    return redirect(f"/households?{query}", 303)


def _audit(connection: Connection, action: str) -> None:
    write_audit(connection, at=desk().now(), account_id=who().account_id, action=action, subject="", outcome="done")


def _wanted() -> Wanted:
    return _read(request.args.to_dict())


def _read(args: dict[str, str]) -> Wanted:
    """What an address asks for; what it does not say, or says wrongly, narrows nothing down."""
    severity, standing, risk = args.get("severity", ""), args.get("standing", ""), args.get("risk", "")
    known = {str(item): str(item) for item in Risk if item} | {_UNASSESSED: ""}
    sort = args.get("sort", "")
    return Wanted(
        text=words.plain(tidy(args.get("q", "")), MOST_TEXT),
        severity=severity if severity in tuple(_SEVERITIES) else "",
        standing=standing if standing in tuple(Standing) else "",
        risk=known.get(risk),
        officer=words.plain(args.get("officer", ""), 63),
        silent=args.get("silent") == "1",
        due=args.get("due") == "1",
        ending=args.get("ending") == "1",
        sort=sort if sort in SORTS else "worst",
        page=whole(args.get("page", "1"), MOST_PAGE) or 1,
    )


def _query(wanted: Wanted, page: int = 1) -> str:
    """The query of an address that asks for the same."""
    risk = _UNASSESSED if wanted.risk == "" else wanted.risk or ""
    fields = {
        "q": wanted.text,
        "severity": wanted.severity,
        "standing": wanted.standing,
        "risk": risk,
        "officer": wanted.officer,
        "silent": "1" if wanted.silent else "",
        "due": "1" if wanted.due else "",
        "ending": "1" if wanted.ending else "",
        "sort": "" if wanted.sort == "worst" else wanted.sort,
        "page": str(page) if page > 1 else "",
    }
    return urlencode({name: value for name, value in fields.items() if value})


def _tidy_query(text: str) -> str:
    # An address has a field for each filter; what comes after so many is none of ours.
    fields = "&".join(text[: 4 * MOST_QUERY].split("&")[:MOST_FIELDS])
    return _query(_read(dict(parse_qsl(fields))))[:MOST_QUERY]


def _show(wanted: Wanted, *, name: str = "", errors: Errors = ()) -> Response:
    at_desk, asking = desk(), who()
    now, rules = at_desk.now(), at_desk.settings.reviews
    with at_desk.reads.connect() as connection:
        within = charge.sees(asking, now, at_desk.settings.tenant)
        found, total = caseload.page_of(connection, within, wanted, rules=rules, now=now, silent_after=SILENT_SECONDS)
        last = max(1, -(-total // PAGE))
        if wanted.page > last:
            # The list has become shorter since the link was made.
            wanted = replace(wanted, page=last)
            found, total = caseload.page_of(
                connection, within, wanted, rules=rules, now=now, silent_after=SILENT_SECONDS
            )
        kept = saved.saved(connection, asking.account_id)
        officers = _officers(connection) if asking.role in SEES_ALL else ()
    query = _query(wanted)
    page = HouseholdsPage(
        households=tuple(_row(at_desk, item) for item in found),
        summary=ngettext("%(num)d household", "%(num)d households", total),
        filters=_filters(wanted, officers, query),
        saved=tuple((label, f"/households?{said}") for label, said in kept),
        save_token=query,
        pages=tuple(
            (str(number), f"/households?{_query(wanted, number)}", number == wanted.page)
            for number in sorted({1, last, *range(max(1, wanted.page - 2), min(last, wanted.page + 2) + 1)})
        )
        if last > 1
        else (),
        before=f"/households?{_query(wanted, wanted.page - 1)}" if wanted.page > 1 else "",
        after=f"/households?{_query(wanted, wanted.page + 1)}" if wanted.page < last else "",
        csv=f"/households.csv?{query}" if asking.role.may(May.EXPORT) else "",
        saved_name=name,
        errors=errors,
    )
    return show(
        "households",
        page,
        title=_("Error: Households") if errors else _("Households"),
        action="view-households",
        section="households",
        live=True,
        status=422 if errors else 200,
    )


def _row(at_desk: Desk, item: Listed) -> HouseholdRow:
    now, show_ = at_desk.now(), at_desk.settings.words.show
    problem = sentences.problem(item.heard_at, brief.status(item.status), now)
    waits = []
    if item.waiting:
        waits.append(ngettext("%(num)d finding", "%(num)d findings", item.waiting))
    if item.questions:
        waits.append(ngettext("%(num)d question", "%(num)d questions", item.questions))
    ranked = tuple(Severity)
    worst = ranked[item.worst] if item.worst < len(ranked) else Severity.INFORMATION
    shown = (item.name or item.reference) if show_ == "name" else item.reference
    late = item.review_due is not None and item.review_due <= now
    review = ""
    if item.review_due is not None:
        on = words.date(item.review_due, at_desk.zone)
        review = _("Due since %(date)s", date=on) if late else _("By %(date)s", date=on)
    return HouseholdRow(
        household=words.plain(item.title, 120),
        person=words.plain(shown or "", 120),
        risk=_(RISKS[Risk(item.risk)]) if item.risk and item.risk in RISKS else "",
        address=f"/households/{item.site}",
        worst=sentences.mark(worst) if waits else None,
        decisions=", ".join(waits),
        oldest=words.duration(now - item.oldest) if item.oldest is not None and item.worst < NONE else "",
        informs=_("%(num)s for information", num=f"{item.informs:,}") if item.informs else "",
        box=problem,
        heard=at_desk.moment_or_none(item.heard_at) if problem else None,
        review=review,
        review_late=late,
    )


def _filters(wanted: Wanted, officers: tuple[tuple[str, str], ...], query: str) -> Filters:
    risks = [("", _("Any")), *((str(risk), _(text)) for risk, text in RISKS.items()), (_UNASSESSED, _("Not assessed"))]
    risk = _UNASSESSED if wanted.risk == "" else wanted.risk or ""
    return Filters(
        text=wanted.text,
        severities=_choices(
            [("", _("Any")), *((str(key), _(text)) for key, text in _SEVERITIES.items())], wanted.severity
        ),
        standings=_choices([("", _("Any")), *((str(one), words.standing(one)) for one in Standing)], wanted.standing),
        risks=_choices(risks, risk),
        officers=_choices([("", _("Any")), *officers], wanted.officer) if officers else (),
        sorts=_choices([(key, _(text)) for key, text in _SORTS.items()], wanted.sort),
        silent=wanted.silent,
        due=wanted.due,
        ending=wanted.ending,
        narrowed=bool(query),
        query=query,
    )


def _choices(said: list[tuple[str, str]], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value=value, text=text, hint="", checked=value == chosen) for value, text in said)


def _officers(connection: Connection) -> tuple[tuple[str, str], ...]:
    query = (
        select(account.c.account_id, account.c.name)
        .where(account.c.role == Role.OFFICER.value)
        .order_by(account.c.name)
        .limit(MOST_OFFICERS)
    )
    return tuple((row[0], words.plain(row[1], 120)) for row in connection.execute(query))
