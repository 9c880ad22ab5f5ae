"""*Planned work*: power or line works announced at a home, in which silence of its box is expected.

What cannot wait is told all the same (R27). The box goes on recording; only messages about silence are held back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN
from dashboard.i18n import _
from dashboard.pages import words
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import ActForm
from dashboard.pages.contexts_team import PlannedPage, Removable
from dashboard.pages.desk import desk, household_or_404, id_or_404, show, who
from dashboard.pages.fields import field, minutes
from dashboard.pages.typed import INCOMPLETE, Errors, begin, day, text_errors, tidy
from dashboard.store import duty

MOST_REASON = 300
LONGEST = 7 * 86400.0

pages = Blueprint("planned", __name__)


@pages.get("/households/<site>/planned-work")
@needs(May.SEE)
def planned(site: str) -> Response:
    """What is planned at a home."""
    return _show(site, {}, ())


@pages.post("/households/<site>/planned-work")
@needs(May.DECIDE)
def plan(site: str) -> ResponseReturnValue:
    """Plan work."""
    at_desk, form = desk(), request.form
    with at_desk.reads.connect() as connection:
        household_or_404(connection, site)
    errors: list[tuple[str, str]] = []
    on, first, last = day(form.get("day", "")), minutes(form.get("starts", "")), minutes(form.get("ends", ""))
    reason = tidy(form.get("reason", ""))
    if on is None:
        errors.append(("day", _("Enter a day, such as 31/1/2026")))
    elif not TOKEN.fullmatch(form.get("token", "")):
        errors.append(("day", _(INCOMPLETE)))
    if first is None:
        errors.append(("starts", _("Enter a time, such as 08:00")))
    if last is None:
        errors.append(("ends", _("Enter a time, such as 17:00")))
    if not reason:
        errors.append(("reason", _("Enter what is planned and how you know")))
    errors += text_errors("reason", _("Reason"), reason, MOST_REASON)
    if errors or on is None or first is None or last is None:
        return _show(site, form, tuple(errors))
    since = (begin(on, at_desk.zone) + timedelta(minutes=first)).timestamp()
    until = (begin(on, at_desk.zone) + timedelta(minutes=last)).timestamp()
    if until <= since:
        until += 86400.0
    if until <= at_desk.now() or since > at_desk.now() + 366 * 86400.0:
        return _show(site, form, (("day", _("Enter a time that is not over, within a year")),))
    with at_desk.engine.begin() as connection:
        done = duty.add_work(
            connection,
            token=form["token"],
            site_id=site,
            since=since,
            until=until,
            reason=reason,
            by=who().account_id,
            now=at_desk.now(),
        )
    if not done:
        return _show(site, form, (("day", _("Too much is planned at this home already. Take some back first")),))
    return redirect(f"/households/{site}/planned-work", 303)


@pages.post("/households/<site>/planned-work/<work_id>/remove")
@needs(May.DECIDE)
def remove(site: str, work_id: str) -> ResponseReturnValue:
    """Take planned work back."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        household_or_404(connection, site)
    with at_desk.engine.begin() as connection:
        duty.remove_work(connection, site_id=site, work_id=id_or_404(work_id), by=who().account_id, now=at_desk.now())
    return redirect(f"/households/{site}/planned-work", 303)


def _show(site: str, typed: Mapping[str, str], errors: Errors) -> Response:
    at_desk, acts = desk(), who().role.may(May.DECIDE)
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        bar = household_bar(at_desk, connection, home, "box")
        rows = duty.work_at(connection, site, now=at_desk.now())
    at = f"/households/{site}/planned-work"
    form = ActForm(
        key="plan",
        opened=True,
        target=at,
        token=commands.new_token(),
        heading=_("Add planned work"),
        says="",
        button=_("Add it"),
        fields=(
            field("day", "day", _("Day"), typed=typed, errors=errors),
            field("text", "starts", _("From"), typed=typed, errors=errors, hint=_("For example, 08:00")),
            field("text", "ends", _("To"), typed=typed, errors=errors, hint=_("For example, 17:00")),
            field(
                "area",
                "reason",
                _("What is planned"),
                typed=typed,
                errors=errors,
                hint=_("How you know of it. Do not use a name."),
            ),
        ),
        emergency="",
    )
    page = PlannedPage(
        bar=bar,
        rows=tuple(
            Removable(
                text=words.plain(row.reason, MOST_REASON),
                detail=_(
                    "%(since)s to %(until)s, entered by %(name)s",
                    since=words.date_time(row.since, at_desk.zone),
                    until=words.date_time(row.until, at_desk.zone),
                    name=words.plain(row.by_name, 120),
                ),
                target=f"{at}/{row.work_id}/remove" if acts else "",
            )
            for row in rows
        ),
        form=form if acts else None,
        errors=errors,
    )
    return show(
        "planned",
        page,
        title=_("Error: Planned work") if errors else _("Planned work"),
        action="view-planned-work",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )
