"""*Install*: all installations, one's task list, where a scanned code leads, and giving one up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import SEES_ALL, May, needs
from dashboard.i18n import N_, _
from dashboard.installing import steps
from dashboard.installing.steps import Progress, State
from dashboard.pages import typed, words
from dashboard.pages.contexts_install import InForm, InstallListPage, InstallRow, TaskRow, TasksPage
from dashboard.pages.desk import desk, household_or_404, show, who
from dashboard.pages.install_box import claim_with
from dashboard.pages.install_frame import Visit, field, form, visit
from dashboard.pages.typed import Errors
from dashboard.store import charge, queries
from dashboard.store import installs as stored
from dashboard.store.installs import Install
from wire.claim import MAX_LABEL

pages = Blueprint("install", __name__)

_STATES = {
    "open": N_("Not finished"),
    "pending": N_("Installed, delivery pending"),
    "done": N_("Done"),
    "given-up": N_("Given up"),
}
_KINDS = {"install": N_("Installation"), "removal": N_("Taking a box away")}
_TASK = {
    State.DONE: N_("Done"),
    State.BEGUN: N_("Begun"),
    State.READY: N_("Not started"),
    State.BLOCKED: N_("Cannot start yet"),
}
_WHERE = {"station": N_("At the station"), "home": N_("At the address")}
_YES = (("yes", N_("This person has a box at another address already"), ""),)


@pages.get("/install")
@needs(May.INSTALL)
def listing() -> Response:
    """All installations."""
    return _list({}, ())


@pages.post("/install")
@needs(May.INSTALL)
def start() -> ResponseReturnValue:
    """Begin an installation, or taking a box away."""
    at_desk, asking = desk(), who()
    kind = "removal" if request.form.get("kind") == "removal" else "install"
    reference = " ".join(typed.tidy(request.form.get("reference", "")).split())
    token, site = request.form.get("token", ""), request.form.get("site", "")
    errors: list[tuple[str, str]] = []
    if kind == "install":
        errors += typed.text_errors("start-reference", _("The reference"), reference, 80)
        if not reference:
            errors.append(("start-reference", _("Enter the reference of the case")))
    else:
        with at_desk.reads.connect() as connection:
            site = household_or_404(connection, site).site if site else ""
            reference = queries.household(connection, at_desk.settings.tenant, site).title if site else ""  # type: ignore[union-attr] # it was just found
        if not site:
            errors.append(("remove-site", _("Select the household")))
    if not commands.TOKEN.fullmatch(token):
        errors.append(("start-reference", _(typed.INCOMPLETE)))
    if errors:
        return _list(request.form, tuple(errors))
    try:
        with at_desk.engine.begin() as connection:
            begun = stored.start(
                connection,
                token,
                tenant=at_desk.settings.tenant,
                kind=kind,
                reference=reference[:80],
                site=site if kind == "removal" else None,
                by=asking.account_id,
                now=at_desk.now(),
            )
            if begun:
                other = {"other": request.form.get("other") == "yes"}
                stored.save_step(connection, token, "start", other, by=asking.account_id, now=at_desk.now(), done=True)
    except stored.Full:
        full = _("Too many installations are not finished. Finish or give up some first")
        return _list(request.form, (("start-reference", full),))
    return redirect(f"/install/{token}", 303)


@pages.get("/install/claim")
@needs(May.INSTALL)
def claim() -> ResponseReturnValue:
    """Where a scanned code leads: choose the installation that it is for."""
    return _list({}, (), scanned=True)


@pages.post("/install/claim")
@needs(May.INSTALL)
def claim_for() -> ResponseReturnValue:
    """The same, with the code and the installation."""
    which = request.form.get("install", "")
    if not which:
        return _list(request.form, (("claim-install", _("Select the installation that the box is for")),), scanned=True)
    return claim_with(which, request.form.get("code", ""))


@pages.get("/install/<install_id>")
@needs(May.INSTALL)
def tasks(install_id: str) -> Response:
    """The task list."""
    with desk().reads.connect() as connection:
        found = visit(connection, install_id)
    return _tasks(found, ())


@pages.post("/install/<install_id>/give-up")
@needs(May.INSTALL)
def give_up(install_id: str) -> ResponseReturnValue:
    """Close it without finishing it."""
    at_desk, asking = desk(), who()
    with at_desk.reads.connect() as connection:
        found = visit(connection, install_id)
    reason = " ".join(typed.tidy(request.form.get("reason", "")).split())
    errors = tuple((f"give-up-{name}", text) for name, text in typed.reason_errors("reason", reason))
    if errors or found.closed:
        return _tasks(found, errors)
    with at_desk.engine.begin() as connection:
        values = {"reason": reason}
        now = at_desk.now()
        if stored.change_state(connection, found.found, "given-up", by=asking.account_id, now=now):
            stored.save_step(connection, install_id, "given-up", values, by=asking.account_id, now=now, done=True)
    return redirect("/install", 303)


def _list(sent: Mapping[str, str], errors: Errors, *, scanned: bool = False) -> Response:
    at_desk, asking = desk(), who()
    tenant, now = at_desk.settings.tenant, at_desk.now()
    within = None if asking.role in SEES_ALL else charge.sees(asking, now, tenant)
    with at_desk.reads.connect() as connection:
        found = stored.installs(connection, tenant, within=within, by=asking.account_id)
        homes = (
            queries.households(connection, tenant, within=charge.sees(asking, now, tenant)) if asking.role.acts else ()
        )
    going = tuple(item for item in found if item.closed_at is None)
    page = InstallListPage(
        going=tuple(_row(item) for item in going),
        closed=tuple(_row(item) for item in found if item.closed_at is not None),
        forms=_scanned(going, sent, errors) if scanned else _starts(homes, sent, errors),
        errors=errors,
    )
    return show(
        "install-list",
        page,
        title=_("Error: Install") if errors else _("Install"),
        action="view-installs",
        subject="",
        section="install",
        status=422 if errors else 200,
    )


def _starts(homes: Iterable[queries.Household], sent: Mapping[str, str], errors: Errors) -> tuple[InForm, ...]:
    begin_ = form(
        _("Begin an installation"),
        "/install",
        (
            field("start", "kind", "hidden", "", value="install"),
            field(
                "start",
                "reference",
                "text",
                _("Reference of the case"),
                hint=_("Your own number for it. Do not use anyone's name."),
                value=sent.get("reference", ""),
                errors=errors,
            ),
            field(
                "start",
                "other",
                "checks",
                _("Other addresses"),
                choices=[(value, _(text), hint) for value, text, hint in _YES],
                value=sent.get("other", ""),
            ),
        ),
        _("Begin"),
    )
    listed = [("", _("Select a household"), ""), *((item.site, words.plain(item.title, 80), "") for item in homes)]
    if len(listed) == 1:
        return (begin_,)
    remove = form(
        _("Take a box away"),
        "/install",
        (
            field("remove", "kind", "hidden", "", value="removal"),
            field(
                "remove",
                "site",
                "select",
                _("Household"),
                choices=listed,
                value=sent.get("site", ""),
                errors=errors,
            ),
        ),
        _("Begin taking it away"),
        folded=True,
    )
    return (begin_, remove)


def _scanned(going: tuple[Install, ...], sent: Mapping[str, str], errors: Errors) -> tuple[InForm, ...]:
    waiting = [item for item in going if item.kind == "install" and item.site is None]
    listed = [(item.install_id, words.plain(item.reference, 80), "") for item in waiting]
    if not listed:
        return _starts((), sent, errors)
    return (
        form(
            _("Which installation is this box for?"),
            "/install/claim",
            (
                field("claim", "code", "text", _("Code on the box"), value=sent.get("code", "")[:MAX_LABEL]),
                field(
                    "claim",
                    "install",
                    "radios",
                    _("Installation"),
                    choices=listed,
                    value=sent.get("install", listed[0][0] if len(listed) == 1 else ""),
                    errors=errors,
                ),
            ),
            _("Claim this box"),
        ),
    )


def _row(item: Install) -> InstallRow:
    return InstallRow(
        reference=words.plain(item.reference, 80),
        address=f"/install/{item.install_id}",
        kind=_(_KINDS.get(item.kind, item.kind)),
        state=_(_STATES.get(item.state, item.state)),
        by=words.plain(item.by_name, 120),
        at=desk().moment(item.started_at),
    )


def _tasks(found: Visit, errors: Errors) -> Response:
    listed = steps.progress(found.found.kind, found.saved)
    done = sum(1 for item in listed if item.state is State.DONE)
    supervising = who().role in SEES_ALL
    notes = []
    total = steps.total_minutes(found.found, found.saved)
    if total is not None and found.found.kind == "removal":
        notes.append(_("At the address: %(minutes)s minutes. The aim is 10.", minutes=round(total)))
    elif total is not None:
        notes.append(_("At the address from the first section to signing: %(minutes)s minutes.", minutes=round(total)))
    if found.found.state == "pending":
        notes.append(_("The box is in place, but nothing has come from it. Test again when its internet works."))
    links = []
    if found.is_done("sign"):
        links.append((_("Certificate"), f"{found.address}/certificate"))
    if found.found.kind == "removal" and found.found.state == "done":
        links.append((_("Certificate"), f"{found.address}/removal"))
    if found.box is not None and who().role.may(May.SEE):
        links.append((_("The household's page"), f"/households/{found.box.site}"))
    page = TasksPage(
        heading=_(_KINDS.get(found.found.kind, found.found.kind)),
        reference=found.reference,
        summary=_(
            "%(state)s. %(done)s of %(all)s sections are done.",
            state=_(_STATES[found.found.state]),
            done=done,
            all=len(listed),
        ),
        well=found.found.state == "done",
        groups=tuple(
            (_(where), tuple(_task(found, item, timed=supervising) for item in listed if item.section.where == key))
            for key, where in _WHERE.items()
        ),
        notes=tuple(notes),
        links=tuple(links),
        form=None
        if found.closed
        else form(
            _("Give it up"),
            f"{found.address}/give-up",
            (field("give-up", "reason", "area", _("Reason"), errors=errors, value=request.form.get("reason", "")),),
            _("Give it up"),
            says=_("What was saved is kept. A box that was claimed stays with the household."),
            folded=True,
        ),
        errors=errors,
    )
    return show(
        "install-tasks",
        page,
        title=_("Error: Installation") if errors else _("Installation"),
        action="view-install",
        subject=found.found.install_id,
        section="install",
        status=422 if errors else 200,
    )


def _task(found: Visit, item: Progress, *, timed: bool) -> TaskRow:
    mine = not item.section.decides or who().role.acts
    hint = ""
    if item.waits_for:
        hint = _("After: %(what)s", what=", ".join(_(title) for title in item.waits_for))
    elif not mine:
        hint = _("An officer does this.")
    elif timed and item.minutes is not None:
        hint = _("Took %(minutes)s minutes.", minutes=round(item.minutes))
    return TaskRow(
        key=item.section.key,
        title=_(item.section.title),
        hint=hint,
        address=f"{found.address}/{item.section.key}" if mine and item.state is not State.BLOCKED else "",
        state=_(_TASK[item.state]),
        state_key=str(item.state),
    )
