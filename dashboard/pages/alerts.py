"""*Alerts and messages*: what waits for an answer, and where and when an account is told (R27, R38).

Opening a finding answers its alert, as the button here does. An address that was typed is never shown again: it holds
passwords. Messages themselves are sent by a process of its own (`python -m dashboard.alerts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, g, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, Role, needs
from dashboard.alerts import channels as addresses
from dashboard.alerts import texts
from dashboard.alerts.channels import KINDS, ChannelError
from dashboard.auth import SignedIn
from dashboard.commands import TOKEN
from dashboard.i18n import N_, _
from dashboard.pages import words
from dashboard.pages.contexts import ActForm
from dashboard.pages.contexts_team import AlertRow, AlertsPage, ChannelRow
from dashboard.pages.desk import Desk, desk, id_or_404, show, who
from dashboard.pages.fields import clock, field, minutes
from dashboard.pages.typed import INCOMPLETE, Errors, text_errors, tidy
from dashboard.store import alerting, channels, charge
from dashboard.store.alerting import MOST_CHANNELS
from dashboard.store.channels import Choices, Open, Way

MOST_NAME = 60
TOLD = frozenset({Role.OFFICER, Role.SUPERVISOR})
"""Roles that are told of alerts."""
_DONE = {
    "added": N_("The address is added. Send a test message to see that it arrives."),
    "removed": N_("The address is taken away."),
    "tested": N_("A test message is on its way."),
    "chosen": N_("Your choice is kept."),
    "answered": N_("You have said that you look at it. Nobody else is told of it any more."),
}
_STEPS = ("", N_("The next of the rota was told"), N_("Supervisors were told"))

pages = Blueprint("alerts", __name__)


@pages.get("/alerts")
@needs(May.BE_HERE)
def alerts() -> Response:
    """An account's alerts, addresses and choices."""
    return _show({}, ())


@pages.post("/alerts/<alert_id>/answer")
@needs(May.DECIDE)
def answer(alert_id: str) -> ResponseReturnValue:
    """Say that one looks at it."""
    at_desk, asking = desk(), who()
    sees = charge.sees(asking, at_desk.now(), at_desk.settings.tenant)
    with at_desk.engine.begin() as connection:
        found = channels.answer(connection, sees, id_or_404(alert_id), by=asking.account_id, now=at_desk.now())
    if not found:
        abort(404)
    return _done("answered")


@pages.post("/alerts/channels")
@needs(May.BE_HERE)
def add() -> ResponseReturnValue:
    """Add an address."""
    at_desk, form = desk(), request.form
    settings = at_desk.settings.alerts
    if settings is None or who().role not in TOLD:
        abort(404)
    name = tidy(form.get("name", ""))
    errors = text_errors("name", _("Name"), name, MOST_NAME)
    if not name:
        errors.append(("name", _("Enter what you call it, such as My phone")))
    elif not TOKEN.fullmatch(form.get("token", "")):
        errors.append(("name", _(INCOMPLETE)))
    checked = None
    try:
        checked = addresses.check(form.get("url", ""), settings)
    except ChannelError as error:
        errors.append(("url", _(str(error))))
    if errors or checked is None:
        return _show({"name": name}, tuple(errors))
    channel_id = form["token"]
    key = addresses.channel_key(settings.key_file or at_desk.settings.secret_key_file)
    sealed = addresses.seal(checked.url, key=key, channel_id=channel_id)
    with at_desk.engine.begin() as connection:
        done = channels.add_way(
            connection,
            channel_id=channel_id,
            account_id=who().account_id,
            kind=checked.kind,
            name=name,
            sealed=sealed,
            now=at_desk.now(),
        )
    if not done:
        return _show({"name": name}, (("name", _("You have the most addresses already. Take one away first")),))
    return _done("added")


@pages.post("/alerts/channels/<channel_id>/<act>")
@needs(May.BE_HERE)
def change(channel_id: str, act: str) -> ResponseReturnValue:
    """Test one of one's own addresses, or take it away."""
    at_desk, mine = desk(), who().account_id
    channel_id, now = id_or_404(channel_id), at_desk.now()
    with at_desk.engine.begin() as connection:
        if act == "remove":
            found = channels.remove_way(connection, channel_id=channel_id, account_id=mine, now=now)
        elif act == "test":
            tenant = at_desk.settings.tenant
            found = channels.test_way(
                connection, channel_id=channel_id, account_id=mine, tenant=tenant, text=texts.TEST, now=now
            )
        else:
            found = False
    if not found:
        abort(404)
    return _done("removed" if act == "remove" else "tested")


@pages.post("/alerts/choices")
@needs(May.BE_HERE)
def choose() -> ResponseReturnValue:
    """Settle quiet hours and what is told."""
    form, errors = request.form, list[tuple[str, str]]()
    begins, ends = form.get("quiet_from", "").strip(), form.get("quiet_to", "").strip()
    quiet_from, quiet_to = minutes(begins), minutes(ends)
    for name, text, other, found in (
        ("quiet_from", begins, ends, quiet_from),
        ("quiet_to", ends, begins, quiet_to),
    ):
        if (text or other) and found is None:
            errors.append((name, _("Enter a time, such as 22:00, or leave both empty")))
    for name in ("also_today", "digest"):
        if form.get(name) not in {"yes", "no"}:
            errors.append((name, _("Select yes or no")))
    if errors:
        return _show(form, tuple(errors))
    chosen = Choices(
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        also_today=form["also_today"] == "yes",
        digest=form["digest"] == "yes",
    )
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        channels.choose(connection, who().account_id, chosen, now=at_desk.now())
    return _done("chosen")


@pages.after_app_request
def opened(response: Response) -> Response:
    """Whoever opens a finding by hand has answered its alert."""
    asking: SignedIn | None = g.get("who")
    if (
        request.endpoint != "finding.finding"
        or request.method != "GET"
        or response.status_code != 200
        or "part" in request.args
        or asking is None
        or not asking.role.acts
    ):
        return response
    at_desk, place = desk(), request.view_args or {}
    site, finding_id = str(place.get("site", "")), str(place.get("finding", ""))
    with at_desk.reads.connect() as connection:
        key = alerting.waits_for_answer(connection, site, finding_id)
    if key is not None:
        with at_desk.engine.begin() as connection:
            alerting.acknowledge(connection, site, key, by=asking.account_id, now=at_desk.now())
    return response


def _done(what: str) -> ResponseReturnValue:
    return redirect("/alerts?" + urlencode({"done": what}), 303)


def _show(typed: Mapping[str, str], errors: Errors) -> Response:
    at_desk, asking = desk(), who()
    settings, told = at_desk.settings.alerts, asking.role in TOLD
    with at_desk.reads.connect() as connection:
        sees = charge.sees(asking, at_desk.now(), at_desk.settings.tenant)
        waiting = channels.open_alerts(connection, sees) if asking.role.may(May.SEE) else ()
        ways = channels.ways_of(connection, asking.account_id)
        choices = channels.choices_of(connection, asking.account_id)
    if not told:
        sentence = _("Accounts of your kind are not told of alerts.")
    elif settings is None:
        sentence = _("Your operator has not set messages up: nobody is told anything outside these pages.")
    elif not ways:
        sentence = _("You are not told anything: enter where messages reach you.")
    else:
        sentence = _("You are told at once of what cannot wait, at any hour. A message says only that something waits.")
    offered = () if settings is None else settings.kinds
    page = AlertsPage(
        alerts=tuple(_alert(at_desk, row, acts=asking.role.acts) for row in waiting),
        sentence=sentence,
        channels=tuple(_channel(at_desk, way) for way in ways),
        forms=_forms(offered, len(ways), choices, typed, errors) if told and settings is not None else (),
        errors=errors,
        done=_(_DONE[request.args["done"]]) if request.args.get("done") in _DONE else "",
    )
    return show(
        "alerts",
        page,
        title=_("Error: Alerts and messages") if errors else _("Alerts and messages"),
        action="view-alerts",
        section="alerts",
        status=422 if errors else 200,
    )


def _alert(at_desk: Desk, row: Open, *, acts: bool) -> AlertRow:
    return AlertRow(
        text=_("Act now") if row.rank == 0 else _("Today"),
        household=words.plain(row.title, 120),
        address=f"/households/{row.site}",
        at=at_desk.moment(row.opened_at),
        urgent=row.rank == 0,
        step=_("Nobody could be told") if row.alone else _(_STEPS[row.step]) if row.step else "",
        target=f"/alerts/{row.alert_id}/answer" if acts else "",
    )


def _channel(at_desk: Desk, way: Way) -> ChannelRow:
    well = way.failed_at is None
    if not well:
        state = _("Messages do not arrive there")
    elif way.works_at is None:
        state = _("Nothing was sent there yet")
    else:
        state = _("Last arrived on %(time)s", time=words.date_time(way.works_at, at_desk.zone))
    return ChannelRow(
        name=words.plain(way.name, MOST_NAME),
        kind=_(KINDS[way.kind]) if way.kind in KINDS else words.plain(way.kind, 20),
        state=state,
        well=well,
        target=f"/alerts/channels/{way.channel_id}",
    )


def _forms(
    kinds: tuple[str, ...], number: int, choices: Choices, typed: Mapping[str, str], errors: Errors
) -> tuple[ActForm, ...]:
    wrong = {name for name, _text in errors}
    answers = (("yes", _("Yes")), ("no", _("No")))
    quiet = (choices.quiet_from, choices.quiet_to)
    begins, ends = ("" if at is None else clock(at) for at in quiet)
    listed = ", ".join(f"{_(KINDS[kind])} ({kind}://)" for kind in kinds)
    add_form = ActForm(
        key="channel",
        opened=bool(wrong & {"name", "url"}),
        target="/alerts/channels",
        token=commands.new_token(),
        heading=_("Add an address"),
        says=_(
            "Whoever looks after the service can tell you how yours is written. There are: %(kinds)s.", kinds=listed
        ),
        button=_("Add it"),
        fields=(
            field("text", "name", _("What you call it"), typed=typed, errors=errors, hint=_("For example, My phone")),
            field(
                "text",
                "url",
                _("Address"),
                typed={},
                errors=errors,
                hint=_("It is kept sealed, and not shown again."),
            ),
        ),
        emergency="",
    )
    choice_form = ActForm(
        key="choices",
        opened=bool(wrong & {"quiet_from", "quiet_to", "also_today", "digest"}),
        target="/alerts/choices",
        token=commands.new_token(),
        heading=_("When you are told"),
        says=_("Quiet hours never hold back what cannot wait.")
        + " "
        + _("They are in %(zone)s.", zone=words.zone_name(desk().settings.time_zone)),
        button=_("Keep my choice"),
        fields=(
            field("text", "quiet_from", _("Quiet from"), typed=typed, errors=errors, at_first=begins),
            field("text", "quiet_to", _("Quiet to"), typed=typed, errors=errors, at_first=ends),
            field(
                "purpose",
                "also_today",
                _("Tell me at once also of what should be looked at today"),
                typed=typed,
                errors=errors,
                choices=answers,
                at_first="yes" if choices.also_today else "no",
            ),
            field(
                "purpose",
                "digest",
                _("Send me a summary every morning"),
                typed=typed,
                errors=errors,
                choices=answers,
                at_first="yes" if choices.digest else "no",
            ),
        ),
        emergency="",
    )
    return (add_form, choice_form) if number < MOST_CHANNELS else (choice_form,)
