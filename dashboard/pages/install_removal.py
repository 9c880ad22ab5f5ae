"""Taking a box away: the recording is ended, the box destroys what it keeps, the home's own internet is handed back (R6).

Ending and emptying are orders to the box that narrow, so one person is enough. What the box says last is the proof that
it was emptied; where it could not be reached, somebody says so, and so does the certificate. When it is taken away it is
revoked: its certificate counts no more, and the enrolment desk ends its session within seconds.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN, AlreadySent, Decision
from dashboard.enrol.desk import revoke_box
from dashboard.i18n import N_, _
from dashboard.pages import change_words, sentences, typed
from dashboard.pages.asking import again
from dashboard.pages.contexts_install import InForm
from dashboard.pages.desk import desk, who
from dashboard.pages.install_frame import Visit, begin, changing, field, form, latest, save, step
from dashboard.pages.outcomes import outcome_words
from dashboard.pages.typed import Errors
from dashboard.store import installs as stored
from dashboard.store import wifi
from dashboard.store.queries import StoredCommand
from wire.acts import WithdrawConsent
from wire.box import Removed
from wire.orders import Order, WipeBox

pages = Blueprint("install_removal", __name__)
_SAID = frozenset({"at", "keys", "files"})
"""What the box's last words give."""
COLLECT = (
    ("router", N_("The router's own Wi-Fi is on again, under its old name, and a device was seen to use it")),
    ("cable", N_("What was plugged into the box is plugged into the router again, and telephones and alarms work")),
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
    found = changing(install_id, "end")
    reason = " ".join(typed.tidy(request.form.get("reason", "")).split())
    token = request.form.get("token", "")
    errors = typed.reason_errors("end-reason", reason, 300)
    if found.box is None or not TOKEN.fullmatch(token):
        errors.append(("end-reason", _(typed.INCOMPLETE)))
    if errors or found.box is None:
        return _end(found, tuple(errors))
    try:
        command_id = _ask(found.box.site, WithdrawConsent(reason=reason), token, reason)
    except AlreadySent as error:
        return _end(found, (("end-reason", again(error)),))
    save(found, "end", {"command": command_id}, done=True)
    return redirect(f"{found.address}/end", 303)


def _ask(site: str, order: Order, token: str, reason: str) -> str:
    """Ask the box; the command's id. Raises `AlreadySent` as `commands.ask`."""
    at_desk = desk()
    return commands.ask(
        at_desk.engine,
        Decision(token=token, order=lambda _at: order, reason=reason, device_id=None),
        tenant=at_desk.settings.tenant,
        site=site,
        by=who(),
        now=at_desk.now(),
        lifetime=at_desk.settings.command_seconds,
    )


@pages.get("/install/<install_id>/wipe")
@needs(May.INSTALL)
def wipe(install_id: str) -> Response:
    """Empty the box."""
    found = begin(install_id, "wipe")
    return _wipe(begin(install_id, "wipe") if _settle(found) else found, ())


def _settle(found: Visit) -> bool:
    """Write down what the box says of being emptied; whether something changed.

    Its last words come before it begins. Where it then says that it could not, they count no more.
    """
    if found.closed:
        return False
    held, gone, bad = found.answers("wipe"), _removed(found), _not_emptied(found)
    if gone is not None and not bad and not found.is_done("wipe"):
        kept = {"at": gone.at.timestamp(), "keys": gone.keys_destroyed, "files": gone.files_removed}
        save(found, "wipe", held | kept, done=True)
        return True
    if bad and "at" in held:
        save(found, "wipe", {key: value for key, value in held.items() if key not in _SAID}, done=False)
        return True
    return False


@pages.post("/install/<install_id>/wipe")
@needs(May.DECIDE)
def wipe_it(install_id: str) -> ResponseReturnValue:
    """Ask the box to destroy what it keeps."""
    found, token = changing(install_id, "wipe"), request.form.get("token", "")
    if found.box is None or not TOKEN.fullmatch(token):
        return _wipe(found, (("main-content", _(typed.INCOMPLETE)),))
    if request.form.get("sure") != "yes":
        return _wipe(found, (("wipe-sure", _("Say that everything that is needed was downloaded")),))
    try:
        command_id = _ask(found.box.site, WipeBox(removal_id=install_id), token, "The box is taken away")
    except AlreadySent as error:
        return _wipe(found, (("main-content", again(error)),))
    save(found, "wipe", {"command": command_id}, done=False)
    return redirect(f"{found.address}/wipe", 303)


@pages.post("/install/<install_id>/wipe/unreachable")
@needs(May.DECIDE)
def unreachable(install_id: str) -> ResponseReturnValue:
    """The box could not be told: it is emptied where boxes are kept."""
    found = changing(install_id, "wipe")
    reason = " ".join(typed.tidy(request.form.get("reason", "")).split())
    errors = typed.reason_errors("unreachable-reason", reason, 300)
    if errors:
        return _wipe(found, tuple(errors))
    kept = {key: value for key, value in found.answers("wipe").items() if key not in _SAID}
    why = {"unreachable": True, "reason": reason, "failed": bool(_not_emptied(found))}
    save(found, "wipe", kept | why, done=True)
    return redirect(f"{found.address}/wipe", 303)


def _not_emptied(found: Visit) -> str:
    """Why the box could not destroy what it keeps, and what to do; empty where it has not said so."""
    said = None if found.box is None else sentences.status(found.box.status)
    return change_words.wipe(change_words.change(said, "wipe-box", found.found.install_id))


def _removed(found: Visit) -> Removed | None:
    """The box's last word on this removal."""
    said = None if found.box is None else sentences.status(found.box.status)
    gone = None if said is None else said.removed
    return gone if gone is not None and gone.removal_id == found.found.install_id else None


@pages.get("/install/<install_id>/collect")
@needs(May.INSTALL)
def collect(install_id: str) -> ResponseReturnValue:
    """Take the box away."""
    found = begin(install_id, "collect")
    return redirect(f"{found.address}/wipe", 303) if _settle(found) else _collect(found, ())


@pages.post("/install/<install_id>/collect")
@needs(May.INSTALL)
def collected(install_id: str) -> ResponseReturnValue:
    """It was taken away: it counts no more."""
    if _settle(begin(install_id, "collect")):
        return redirect(f"/install/{install_id}/wipe", 303)
    found, at_desk, asking = changing(install_id, "collect"), desk(), who()
    if found.found.kind != "removal" or found.box is None:
        abort(404)
    ticked = [key for key, _text in COLLECT if key in request.form.getlist("done")]
    if len(ticked) < len(COLLECT):
        return _collect(found, (("collect-done", _("Do all of it, and say so")),))
    with at_desk.engine.begin() as connection:
        now, by = at_desk.now(), asking.account_id
        if stored.change_state(connection, found.found, "done", by=by, now=now):
            stored.save_step(connection, install_id, "collect", {"done": ticked}, by=by, now=now, done=True)
            wifi.forget(connection, found.box.site)
            revoke_box(connection, site=found.box.site, by=by, now=now)
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


def _about_the_end(sent: StoredCommand | None) -> tuple[str, ...]:
    """As `_how_it_ended`, where something else is asked for: it says what it is about."""
    rows, _failed = _how_it_ended(sent)
    return (f"{_('End the recording')}: {rows[0]}", *rows[1:]) if rows else ()


def _wipe(found: Visit, errors: Errors) -> Response:
    held, sent = found.answers("wipe"), latest(found, "wipe")
    facts: list[tuple[str, str]] = []
    rows: list[str] = []
    if "at" in held:
        facts = [
            (_("The box destroyed what it kept"), desk().moment(float(held["at"])).text),
            (_("Keys destroyed"), str(held.get("keys", ""))),
            (_("Files removed"), str(held.get("files", ""))),
        ]
    elif held.get("unreachable"):
        rows.append(
            _("The box could not destroy what it keeps. It must be emptied before it is used again.")
            if held.get("failed")
            else _("The box could not be reached. It must be emptied before it is used again.")
        )
        facts = [(_("Reason"), str(held.get("reason", "")))]
    elif trouble := _not_emptied(found):
        rows.append(trouble)
    elif sent is not None:
        heading, explanation, _over = outcome_words(sent, desk().now())
        rows.append(f"{heading}. {explanation}")
        rows.append(_("Wait until the box says that it is done, and load this page again: about a minute."))
    forms: tuple[InForm, ...] = ()
    if not found.is_done("wipe"):
        over = sent is None or outcome_words(sent, desk().now())[2]
        sure = field(
            "wipe",
            "sure",
            "checks",
            _("Before that"),
            choices=[("yes", _("What a court or the person is to have was downloaded"), "")],
            errors=errors,
        )
        reason = field(
            "unreachable",
            "reason",
            "area",
            _("Why it cannot be emptied"),
            value=request.form.get("reason", ""),
            errors=errors,
        )
        at = f"{found.address}/wipe"
        asked = () if sent is not None and not over else (form(_("Empty the box"), at, (sure,), _("Empty the box")),)
        forms = (
            *asked,
            form(
                _("The box cannot be emptied here"),
                f"{at}/unreachable",
                (reason,),
                _("Go on without it"),
                says=_("The certificate will say so. The box can send nothing any more once it is taken away."),
                folded=not _not_emptied(found),
            ),
        )
    return step(
        found,
        "wipe",
        intro=(
            _("The box destroys its keys and all that it keeps of this home, and says when it is done."),
            _("The home's internet goes on through it until it is unplugged."),
        ),
        facts_title=_("What the box said"),
        facts=facts,
        rows=rows,
        forms=forms,
        errors=errors,
    )


def _collect(found: Visit, errors: Errors) -> Response:
    ticked = request.form.getlist("done") if errors else found.answers("collect").get("done", ())
    return step(
        found,
        "collect",
        intro=(
            _("Turn the router's own Wi-Fi on again first. Its old name and passphrase are those that devices know."),
            _(
                "Then unplug the box. When you say that it is taken away it is revoked: nothing it says counts any more."
            ),
        ),
        rows=() if found.closed else _about_the_end(latest(found, "end")),
        links=[(_("Certificate"), f"{found.address}/removal")] if found.found.state == "done" else [],
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
