"""Taking a box away: the recording is ended first, then the box is collected (R6). A removal is never half: both are noted.

Ending is an order to the box that narrows, so one person is enough; it holds until a new document is put in force. The
box's certificate is revoked by whoever looks after the service (`revoke-site`): this process cannot.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN, AlreadySent, Decision
from dashboard.i18n import N_, _
from dashboard.pages import typed
from dashboard.pages.asking import again
from dashboard.pages.desk import desk, who
from dashboard.pages.install_frame import Visit, begin, changing, field, form, latest, save, step
from dashboard.pages.outcomes import outcome_words
from dashboard.pages.typed import Errors
from dashboard.store import installs as stored
from dashboard.store.queries import StoredCommand
from wire.acts import WithdrawConsent

pages = Blueprint("install_removal", __name__)
COLLECT = (
    ("router", N_("The router's own Wi-Fi is on again, and a device was seen to use it")),
    ("told", N_("Everybody who is there was told that the box is gone, and that nothing is recorded any more")),
    ("cards", N_("The Wi-Fi cards were taken back or torn up")),
    ("box", N_("The box and its power supply were taken away")),
)


@pages.get("/install/<install_id>/end")
@needs(May.INSTALL)
def end(install_id: str) -> Response:
    """End the recording."""
    return _end(begin(install_id, "end"), ())


@pages.post("/install/<install_id>/end")
@needs(May.DECIDE)
def end_it(install_id: str) -> ResponseReturnValue:
    """Ask for it."""
    found, at_desk = changing(install_id, "end"), desk()
    reason = " ".join(typed.tidy(request.form.get("reason", "")).split())
    token = request.form.get("token", "")
    errors = typed.reason_errors("end-reason", reason, 300)
    if found.box is None or not TOKEN.fullmatch(token):
        errors.append(("end-reason", _(typed.INCOMPLETE)))
    if errors or found.box is None:
        return _end(found, tuple(errors))
    wanted = WithdrawConsent(reason=reason)
    try:
        command_id = commands.ask(
            at_desk.engine,
            Decision(token=token, order=lambda _at: wanted, reason=reason, device_id=None),
            tenant=at_desk.settings.tenant,
            site=found.box.site,
            by=who(),
            now=at_desk.now(),
            lifetime=at_desk.settings.command_seconds,
        )
    except AlreadySent as error:
        return _end(found, (("end-reason", again(error)),))
    save(found, "end", {"command": command_id}, done=True)
    return redirect(f"{found.address}/end", 303)


@pages.get("/install/<install_id>/collect")
@needs(May.INSTALL)
def collect(install_id: str) -> Response:
    """Take the box away."""
    return _collect(begin(install_id, "collect"), ())


@pages.post("/install/<install_id>/collect")
@needs(May.INSTALL)
def collected(install_id: str) -> ResponseReturnValue:
    """It was taken away."""
    found, at_desk, asking = changing(install_id, "collect"), desk(), who()
    if found.found.kind != "removal":
        abort(404)
    ticked = [key for key, _text in COLLECT if key in request.form.getlist("done")]
    if len(ticked) < len(COLLECT):
        return _collect(found, (("collect-done", _("Do all of it, and say so")),))
    with at_desk.engine.begin() as connection:
        now, by = at_desk.now(), asking.account_id
        if stored.change_state(connection, found.found, "done", by=by, now=now):
            stored.save_step(connection, install_id, "collect", {"done": ticked}, by=by, now=now, done=True)
    return redirect(found.address, 303)


def _end(found: Visit, errors: Errors) -> Response:
    sent = latest(found, "end")
    rows, failed = _how_it_ended(sent)
    links = [] if sent is None else [(_("What was sent to the box"), f"/commands/{sent.command_id}")]
    return step(
        found,
        "end",
        intro=(
            _(
                "The box stops recording within a minute of being told, and begins again only with a new signed document."
            ),
            _("Download first what a court or the person is to have: what the box holds goes with it."),
        ),
        rows=rows,
        links=links,
        forms=()
        if found.is_done("end") and not failed
        else (
            form(
                _("End the recording"),
                f"{found.address}/end",
                (
                    field(
                        "end",
                        "reason",
                        "area",
                        _("Reason"),
                        hint=_("It is kept with your decision. Do not use anyone's name."),
                        value=request.form.get("reason", ""),
                        errors=errors,
                    ),
                ),
                _("End the recording"),
            ),
        ),
        errors=errors,
    )


def _how_it_ended(sent: StoredCommand | None) -> tuple[tuple[str, ...], bool]:
    """What became of the order to stop, and whether the box has not followed it and will not."""
    if sent is None:
        return (), False
    heading, explanation, over = outcome_words(sent, desk().now())
    if not over or sent.state == "applied":
        return (f"{heading}. {explanation}",), False
    again = _("The box has not said that it stopped. Ask it again, or pull its plug when you take it away.")
    return (f"{heading}. {explanation}", again), True


def _collect(found: Visit, errors: Errors) -> Response:
    ticked = request.form.getlist("done") if errors else found.answers("collect").get("done", ())
    return step(
        found,
        "collect",
        intro=(_("Leave the home with working internet. Then ask whoever looks after the service to revoke the box."),),
        rows=() if found.closed else _how_it_ended(latest(found, "end"))[0],
        facts=[(_("Done"), _(text)) for key, text in COLLECT if key in ticked and found.is_done("collect")],
        forms=(
            form(
                _("Before you leave"),
                f"{found.address}/collect",
                (
                    field(
                        "collect",
                        "done",
                        "checks",
                        _("I have seen to it that"),
                        choices=[(key, _(text), "") for key, text in COLLECT],
                        ticked=[str(item) for item in ticked],
                        errors=errors,
                    ),
                ),
                _("The box was taken away"),
            ),
        ),
        errors=errors,
    )
