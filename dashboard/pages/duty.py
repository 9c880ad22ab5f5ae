"""*Duty rota*: who is told of what cannot wait, when; hand-overs; and when nobody is on duty (R38, R39)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.alerts import rota
from dashboard.alerts.rota import Shift
from dashboard.commands import TOKEN
from dashboard.i18n import N_, _
from dashboard.pages import words
from dashboard.pages.contexts import ActForm
from dashboard.pages.contexts_team import DutyPage, Removable
from dashboard.pages.desk import Desk, desk, id_or_404, show, who
from dashboard.pages.fields import clock, field, minutes
from dashboard.pages.typed import INCOMPLETE, Errors, begin, day, end
from dashboard.store import alerting, duty
from dashboard.store import schema as tables
from dashboard.store.duty import ShiftRow

DAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
RANGES: dict[str, tuple[int, ...]] = {
    **{str(number): (number,) for number in range(7)},
    "week": (0, 1, 2, 3, 4),
    "all": (0, 1, 2, 3, 4, 5, 6),
}
_FULL = N_("There are too many already. Take some away first")

pages = Blueprint("duty", __name__)


@pages.get("/team/duty")
@needs(May.SEE_TEAM)
def show_rota() -> Response:
    """The rota."""
    return _show({}, ())


@pages.post("/team/duty/shifts")
@needs(May.MANAGE)
def add_shift() -> ResponseReturnValue:
    """Put somebody on duty."""
    at_desk, form = desk(), request.form
    errors: list[tuple[str, str]] = []
    with at_desk.reads.connect() as connection:
        known = {name for name, _text in duty.on_the_team(connection)}
    starts, ends = minutes(form.get("starts", "")), minutes(form.get("ends", ""))
    if form.get("person") not in known:
        errors.append(("person", _("Select who is on duty")))
    elif not TOKEN.fullmatch(form.get("token", "")):
        errors.append(("person", _(INCOMPLETE)))
    if form.get("days") not in RANGES:
        errors.append(("days", _("Select the days")))
    if starts is None:
        errors.append(("starts", _("Enter a time, such as 08:00")))
    if ends is None:
        errors.append(("ends", _("Enter a time, such as 20:00")))
    if errors or starts is None or ends is None:
        return _show(form, tuple(errors))
    with at_desk.engine.begin() as connection:
        done = duty.add_shifts(
            connection,
            token=form["token"],
            tenant=at_desk.settings.tenant,
            account_id=form["person"],
            weekdays=RANGES[form["days"]],
            starts=starts,
            ends=ends,
            by=who().account_id,
            now=at_desk.now(),
        )
    return redirect("/team/duty", 303) if done else _show(form, (("person", _(_FULL)),))


@pages.post("/team/duty/handovers")
@needs(May.MANAGE)
def add_handover() -> ResponseReturnValue:
    """Give somebody's duty to another for some days."""
    at_desk, form = desk(), request.form
    errors: list[tuple[str, str]] = []
    with at_desk.reads.connect() as connection:
        known = {name for name, _text in duty.on_the_team(connection)}
    first, last = day(form.get("since", "")), day(form.get("until", ""))
    if form.get("from") not in known:
        errors.append(("from", _("Select whose duty it is")))
    elif not TOKEN.fullmatch(form.get("token", "")):
        errors.append(("from", _(INCOMPLETE)))
    if form.get("to") not in known or form.get("to") == form.get("from"):
        errors.append(("to", _("Select somebody else who takes it over")))
    if first is None:
        errors.append(("since", _("Enter a day, such as 31/1/2026")))
    if last is None or (first is not None and last < first):
        errors.append(("until", _("Enter a day that is not before the first")))
    elif end(last, at_desk.zone).timestamp() <= at_desk.now():
        errors.append(("until", _("Enter a day that is not over")))
    if errors or first is None or last is None:
        return _show(form, tuple(errors))
    with at_desk.engine.begin() as connection:
        done = duty.add_handover(
            connection,
            token=form["token"],
            tenant=at_desk.settings.tenant,
            account_id=form["from"],
            to_account=form["to"],
            since=begin(first, at_desk.zone).timestamp(),
            until=end(last, at_desk.zone).timestamp(),
            by=who().account_id,
            now=at_desk.now(),
        )
    return redirect("/team/duty", 303) if done else _show(form, (("from", _(_FULL)),))


@pages.post("/team/duty/<kind>/<row_id>/remove")
@needs(May.MANAGE)
def remove(kind: str, row_id: str) -> ResponseReturnValue:
    """Take a shift or a hand-over away."""
    table = {"shifts": tables.shift, "handovers": tables.handover}.get(kind)
    if table is None:
        abort(404)
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        duty.remove(
            connection,
            table,
            id_or_404(row_id),
            tenant=at_desk.settings.tenant,
            by=who().account_id,
            now=at_desk.now(),
        )
    return redirect("/team/duty", 303)


def _show(typed: Mapping[str, str], errors: Errors) -> Response:
    at_desk, tenant = desk(), desk().settings.tenant
    now, manages = at_desk.now(), who().role.may(May.MANAGE)
    with at_desk.reads.connect() as connection:
        rows = duty.shifts_of(connection, tenant)
        given = duty.handovers_of(connection, tenant, now=now)
        people = duty.on_the_team(connection)
        handed = alerting.handovers(connection, tenant, now=now)
    shifts = tuple(
        Shift(account_id=row.account_id, weekday=row.weekday, starts=row.starts, ends=row.ends) for row in rows
    )
    names = dict(people)
    present = rota.on_duty(shifts, handed, at=now, zone=at_desk.zone)
    page = DutyPage(
        on_duty=tuple(words.plain(names.get(name, name), 120) for name in present),
        shifts=tuple(
            (_(text), tuple(_shift(row, manages=manages) for row in rows if row.weekday == number))
            for number, text in enumerate(DAYS)
        ),
        holes=tuple(_hole(*hole) for hole in rota.holes(shifts)),
        handovers=tuple(
            Removable(
                text=_(
                    "%(other)s has the duty of %(name)s",
                    name=words.plain(row.name, 120),
                    other=words.plain(row.to_name, 120),
                ),
                detail=_(
                    "%(since)s to %(until)s",
                    since=words.date(row.since, at_desk.zone),
                    until=words.date(row.until - 1, at_desk.zone),
                ),
                target=f"/team/duty/handovers/{row.handover_id}/remove" if manages else "",
            )
            for row in given
        ),
        forms=_forms(at_desk, people, typed, errors) if manages else (),
        errors=errors,
    )
    return show(
        "duty",
        page,
        title=_("Error: Duty rota") if errors else _("Duty rota"),
        action="view-duty",
        section="team",
        status=422 if errors else 200,
    )


def _shift(row: ShiftRow, *, manages: bool) -> Removable:
    over = row.ends <= row.starts
    text = _("%(starts)s to %(ends)s", starts=clock(row.starts), ends=clock(row.ends))
    return Removable(
        text=words.plain(row.name, 120),
        detail=_("%(time)s of the next day", time=text) if over else text,
        target=f"/team/duty/shifts/{row.shift_id}/remove" if manages else "",
    )


def _hole(first: int, after: int) -> str:
    last = after % rota.WEEK
    return _(
        "%(day)s %(time)s to %(last_day)s %(last_time)s",
        day=_(DAYS[first // rota.DAY]),
        time=clock(first % rota.DAY),
        last_day=_(DAYS[last // rota.DAY]),
        last_time=clock(last % rota.DAY),
    )


def _forms(
    at_desk: Desk, people: tuple[tuple[str, str], ...], typed: Mapping[str, str], errors: Errors
) -> tuple[ActForm, ...]:
    team = (("", _("Select somebody")), *((name, words.plain(text, 120)) for name, text in people))
    ranges = (
        ("week", _("Monday to Friday")),
        ("all", _("Every day")),
        *((str(number), _(text)) for number, text in enumerate(DAYS)),
    )
    wrong = {name for name, _text in errors}
    today = words.machine(at_desk.now())[:10]
    shift = (
        field("device", "person", _("Who is on duty"), typed=typed, errors=errors, choices=team),
        field("device", "days", _("Days"), typed=typed, errors=errors, choices=ranges, at_first="week"),
        field("text", "starts", _("From"), typed=typed, errors=errors, hint=_("For example, 08:00"), at_first="08:00"),
        field(
            "text",
            "ends",
            _("To"),
            typed=typed,
            errors=errors,
            hint=_("Where it is not later than the first, it is a time of the next day"),
            at_first="20:00",
        ),
    )
    handover = (
        field("device", "from", _("Whose duty"), typed=typed, errors=errors, choices=team),
        field("device", "to", _("Who takes it over"), typed=typed, errors=errors, choices=team),
        field("day", "since", _("First day"), typed=typed, errors=errors, at_first=today),
        field("day", "until", _("Last day"), typed=typed, errors=errors, at_first=today),
    )
    return (
        ActForm(
            key="shift",
            opened=bool(wrong & {"person", "days", "starts", "ends"}),
            target="/team/duty/shifts",
            token=commands.new_token(),
            heading=_("Put somebody on duty"),
            says="",
            button=_("Add to the rota"),
            fields=shift,
            emergency="",
        ),
        ActForm(
            key="handover",
            opened=bool(wrong & {"from", "to", "since", "until"}),
            target="/team/duty/handovers",
            token=commands.new_token(),
            heading=_("Hand a duty over"),
            says="",
            button=_("Hand it over"),
            fields=handover,
            emergency="",
        ),
    )
