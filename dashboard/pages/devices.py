"""*Devices* of a household: all ever seen (R13), with filters; whose several of them are, in one go; what is in use.

In: filters of the query string, ticks of a form. Out: pages, and one command a device, each with its line of the audit.
Bounded: `MOST_SHOWN` devices a page, `MOST_AT_ONCE` in one form. What is in use now is shown only to who asks for it by
a button, and each look is audited (R51).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import May, needs, step_up
from dashboard.commands import TOKEN, AlreadySent
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import forms, orders, sentences, typed, words
from dashboard.pages.asking import again, asked_rows, officer, send
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_household import LookForm
from dashboard.pages.contexts_tabs import BulkForm, BulkPage, BulkRow, DevicesPage, InUsePage, UseRow
from dashboard.pages.csv_files import MOST_ROWS, csv_answer
from dashboard.pages.desk import desk, household_or_404, show, who
from dashboard.pages.forms import Standed
from dashboard.pages.registering import standing_choices
from dashboard.pages.rows import device_name, device_row, proposal_card
from dashboard.pages.typed import Errors
from dashboard.store import devices as stored
from dashboard.store import queries
from dashboard.store.devices import StoredDevice, Wanted
from dashboard.store.law import acts_of
from dashboard.store.queries import Household, write_audit
from wire.base import Standing

pages = Blueprint("devices", __name__)

MOST_SHOWN = 50
MOST_AT_ONCE = 50
MOST_TEXT = 80
MOST_PAGES = 1000
_TIMES: tuple[tuple[str, str, float | None], ...] = (
    ("", N_("Ever seen"), None),
    ("day", N_("Seen in the last day"), 86400.0),
    ("week", N_("Seen in the last 7 days"), 7 * 86400.0),
    ("month", N_("Seen in the last 30 days"), 30 * 86400.0),
)
_CANNOT_SEE = (
    N_("Devices that never joined the home's internet: those on mobile data, or on other Wi-Fi."),
    N_("Devices behind another one: a computer that shares its connection shows as that computer."),
    N_("Who was holding a device. The box knows devices, not people."),
    N_("Devices that were there while the box had no power."),
)


@pages.get("/households/<site>/devices")
@needs(May.SEE)
def devices(site: str) -> Response:
    """All devices ever seen."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), ())


@pages.get("/households/<site>/devices.csv")
@needs(May.EXPORT)
@step_up
def devices_file(site: str) -> Response:
    """The list, as it is narrowed down, as a file; hardware addresses, which tell devices apart elsewhere, stay here."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        found, _number = stored.devices_like(connection, site, _asked().wanted, offset=0, limit=MOST_ROWS)
    rows = [device_row(at_desk, home.site, row) for row in found]
    header = (_("Label"), _("Whose"), _("Looks like"), _("How sure"), _("First seen"), _("Last seen"))
    return csv_answer(
        f"devices-{home.site}",
        header,
        [
            (row.name, row.standing, row.looks_like, row.sure, row.first_seen.machine, row.last_seen.machine)
            for row in rows
        ],
        action="export-devices",
        subject=home.site,
    )


@pages.post("/households/<site>/devices")
@needs(May.DECIDE)
def bulk(site: str) -> ResponseReturnValue:
    """Say of several devices whose they are: first what it means, then send."""
    asking, at_desk = officer(), desk()
    ids = tuple(dict.fromkeys(request.form.getlist("device")))
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        errors = list(_bulk_errors(ids))
        known = stored.devices_named(connection, site, ids[:MOST_AT_ONCE])
        # Two that count as one device are one here.
        rows = tuple({known[item].device_id: known[item] for item in ids if item in known}.values())
        if not errors and not rows:
            errors.append(("bulk-devices", _("Select the devices")))
        if errors:
            return _show(connection, home, tuple(errors))
        if request.form.get("confirmed") != "1":
            return _confirm(connection, home, rows, ())
    # What was typed on the page that asks again: a label for each.
    wrong: list[tuple[str, str]] = []
    for row in rows:
        label = typed.tidy(request.form.get(f"label-{row.device_id}", ""))
        found = typed.text_errors(f"label-{row.device_id}", _("Label"), label, forms.MOST_LABEL)
        wrong += found
    token = request.form.get("token", "")
    if not TOKEN.fullmatch(token):
        wrong.append(("bulk-rows", typed.INCOMPLETE))
    for row in rows if not wrong else ():
        fields = Standed(
            # One form, one command a device: sent twice it gives the same ids.
            token=hashlib.sha256(f"{token}/{row.device_id}".encode()).hexdigest()[:32],
            standing=request.form.get("standing", ""),
            label=typed.tidy(request.form.get(f"label-{row.device_id}", "")),
            days=request.form.get("days", "").strip(),
            reason=typed.tidy(request.form.get("reason", "")),
        )
        decision, _none = fields.check(row.device_id)
        if decision is None:
            abort(400)
        try:
            commands.ask(
                at_desk.engine,
                decision,
                tenant=at_desk.settings.tenant,
                site=site,
                by=asking,
                now=at_desk.now(),
                lifetime=at_desk.settings.command_seconds,
            )
        except AlreadySent as error:
            wrong.append((f"label-{row.device_id}", again(error)))
    if wrong:
        with at_desk.reads.connect() as connection:
            return _confirm(connection, home, rows, tuple(wrong))
    return redirect(f"/households/{site}/devices{_asked().query()}#asked", 303)


@pages.post("/households/<site>/look-round")
@needs(May.DECIDE)
def look_round(site: str) -> ResponseReturnValue:
    """Let the box look round once."""
    officer()
    with desk().reads.connect() as connection:
        household_or_404(connection, site)
    decision = forms.look_round(request.form)
    if decision is None:
        abort(400)
    try:
        return send(decision, site)
    except AlreadySent:
        return redirect(f"/households/{site}/devices", 303)


@pages.post("/households/<site>/in-use")
@needs(May.DECIDE)
def in_use(site: str) -> Response:
    """Whether registered devices are in use at this moment: a look of its own, each one written down."""
    asking, at_desk = officer(), desk()
    now = at_desk.now()
    with at_desk.engine.begin() as connection:
        home = household_or_404(connection, site)
        # Not by `audit_view`, which writes one line for looks within ten minutes: here each counts.
        write_audit(
            connection, at=now, account_id=asking.account_id, action="look-in-use", subject=site, outcome="shown"
        )
        wanted = Wanted(standing=Standing.REGISTERED)
        rows, _number = stored.devices_like(connection, site, wanted, offset=0, limit=MOST_SHOWN)
        bar = household_bar(at_desk, connection, home, "devices")
    page = InUsePage(
        bar=bar,
        target=f"/households/{site}/in-use",
        rows=tuple(_use(site, row) for row in rows),
        trouble=bar.trouble,
        at=at_desk.moment(now),
    )
    return show("in-use", page, title=_("In use now"), section="households")


def _use(site: str, row: StoredDevice) -> UseRow:
    there, state = sentences.presence(row.presence, desk().now(), desk().zone)
    return UseRow(
        device=device_name(row, row.device_id),
        address=f"/households/{site}/devices/{row.device_id}",
        state=there or _("The box has not said"),
        key=state,
    )


def _bulk_errors(ids: tuple[str, ...]) -> Errors:
    form = request.form
    errors: list[tuple[str, str]] = []
    if not ids:
        errors.append(("bulk-devices", _("Select the devices")))
    elif len(ids) > MOST_AT_ONCE:
        errors.append(("bulk-devices", _("Select %(most)s devices or fewer", most=MOST_AT_ONCE)))
    # The fields are those of one device's form, and so are the sentences for what is wrong with them.
    fields = Standed(
        token=commands.new_token(),
        standing=form.get("standing", ""),
        label="",
        days=form.get("days", "").strip(),
        reason=typed.tidy(form.get("reason", "")),
    )
    _decision, wrong = fields.check("any")
    return (*errors, *((f"bulk-{name}", text) for name, text in wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Which devices the query string asks for."""

    wanted: Wanted
    when: str
    """Key of `_TIMES`."""
    page: int
    """From 0."""

    def query(self, page: int | None = None) -> str:
        """The same as a query string, for this page or another; empty for all devices."""
        turned = self.page if page is None else page
        parts = {
            "standing": self.wanted.standing,
            "seen": self.when,
            "text": self.wanted.text,
            "page": str(turned + 1) if turned else "",
        }
        query = urlencode({key: value for key, value in parts.items() if value})
        return f"?{query}" if query else ""


def _asked() -> _Asked:
    args = request.args
    standing = args.get("standing", "") if args.get("standing", "") in tuple(Standing) else ""
    when, _said, length = next((row for row in _TIMES if row[0] == args.get("seen", "")), _TIMES[0])
    since = None if length is None else desk().now() - length
    return _Asked(
        wanted=Wanted(standing=standing, text=typed.tidy(args.get("text", ""))[:MOST_TEXT], since=since),
        when=when,
        page=(typed.whole(args.get("page", "1"), MOST_PAGES) or 1) - 1,
    )


def _show(connection: Connection, home: Household, errors: Errors) -> Response:
    at_desk, site, role = desk(), home.site, who().role
    asked_for = _asked()
    wanted, number = asked_for.wanted, asked_for.page
    standing, text = wanted.standing, wanted.text
    at = f"/households/{site}/devices"
    rows, total = stored.devices_like(connection, site, wanted, offset=number * MOST_SHOWN, limit=MOST_SHOWN)
    proposals = stored.open_proposals(connection, site)
    known = stored.devices_named(connection, site, {i for row in proposals for i in (row.device_id, row.other_id)})
    answers = queries.answers_to(connection, site, [row.proposal_id for row in proposals])
    asked = acts_of(connection, site, ("set-standing", "correct-device", "split-device", "run-probe"))
    bar = household_bar(at_desk, connection, home, "devices")
    connection.close()
    page = DevicesPage(
        bar=bar,
        total=ngettext("%(num)s device", "%(num)s devices", total),
        standings=(
            Choice(value="", text=_("Any"), hint="", checked=not standing),
            *(
                Choice(value=item, text=words.standing(item), hint="", checked=item == standing)
                for item in tuple(Standing)
            ),
        ),
        times=tuple(
            Choice(value=key, text=_(said), hint="", checked=key == asked_for.when) for key, said, _at in _TIMES
        ),
        text=words.plain(text, MOST_TEXT),
        filtered=bool(standing or asked_for.when or text),
        devices=tuple((row.device_id, device_row(at_desk, site, row)) for row in rows),
        before=at + asked_for.query(number - 1) if number else "",
        after=at + asked_for.query(number + 1) if total > (number + 1) * MOST_SHOWN else "",
        csv=f"{at}.csv{asked_for.query(0)}" if role.may(May.EXPORT) else "",
        proposals=tuple(proposal_card(at_desk, site, row, known, answers.get(row.proposal_id)) for row in proposals),
        asked=asked_rows(at_desk, asked[:10]),
        bulk=_bulk_form(at + asked_for.query(), errors) if role.acts and rows else None,
        look=_look(site) if role.acts else None,
        in_use=f"/households/{site}/in-use" if role.acts else "",
        cannot_see=tuple(_(item) for item in _CANNOT_SEE),
    )
    return show(
        "devices",
        page,
        title=_("Error: Devices") if errors else _("Devices"),
        action="view-devices",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _bulk_form(target: str, errors: Errors) -> BulkForm:
    form = request.form
    chosen = form.get("standing", "")
    return BulkForm(
        # With what was asked for: a form that comes back shows the devices that were ticked.
        target=target,
        choices=tuple(replace(item, checked=item.value == chosen) for item in standing_choices(desk())),
        days=form.get("days", str(forms.GUEST_DAYS))[:4],
        reason=form.get("reason", "")[: typed.MOST_REASON],
        ticked=tuple(form.getlist("device"))[:MOST_AT_ONCE],
        errors=errors,
    )


def _confirm(connection: Connection, home: Household, rows: tuple[StoredDevice, ...], errors: Errors) -> Response:
    form, at_desk = request.form, desk()
    bar = household_bar(at_desk, connection, home, "devices")
    chosen = next(item for item in standing_choices(at_desk) if item.value == form["standing"])
    wrong = dict(errors)
    token = form.get("token", "")
    page = BulkPage(
        bar=bar,
        target=f"/households/{home.site}/devices{_asked().query()}",
        # The same form again, with what was wrong put right, is the same commands for those that were taken.
        token=token if TOKEN.fullmatch(token) else commands.new_token(),
        standing=chosen.value,
        becomes=chosen.text,
        means=chosen.hint,
        days=form.get("days", "") if chosen.value == Standing.GUEST else "",
        reason=typed.tidy(form.get("reason", "")),
        rows=tuple(
            BulkRow(
                device_id=row.device_id,
                name=device_name(row, row.device_id),
                looks_like=device_row(at_desk, home.site, row).looks_like,
                now=words.standing(row.standing),
                label=form.get(f"label-{row.device_id}", row.label or "")[: 2 * forms.MOST_LABEL],
                error=wrong.get(f"label-{row.device_id}", ""),
            )
            for row in rows
        ),
        errors=errors,
    )
    return show(
        "devices-confirm",
        page,
        title=_("Error: Confirm whose these devices are") if errors else _("Confirm whose these devices are"),
        action="view-devices",
        subject=home.site,
        section="households",
        status=422 if errors else 200,
    )


def _look(site: str) -> LookForm:
    return LookForm(
        target=f"/households/{site}/look-round",
        token=commands.new_token(),
        choices=tuple(
            Choice(value=kind, text=orders.LOOKS[kind], hint="", checked=kind == forms.LOOKS[0]) for kind in forms.LOOKS
        ),
    )
