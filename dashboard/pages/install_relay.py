"""*The home has no internet*: the officer's telephone carries what the box asks here, and what it is answered back (R5).

In: the box's request as text, uploaded or pasted. Out: a text file that only this box can read. The desk's process
answers (`dashboard.enrol.following`) with the same checks as over the network; this page holds no key. Works without
JavaScript. Bounded: `MAX_REQUEST` octets. An installation of such a box is at most "installed, delivery pending" (R3).
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard.access import May, needs
from dashboard.enrol.asking import Outcome, UnansweredError, read
from dashboard.i18n import N_, _
from dashboard.pages import desk as frame
from dashboard.pages.contexts_install import CheckRow, WatchPage
from dashboard.pages.desk import audit_view, desk, who
from dashboard.pages.install_frame import Visit, begin, blocked, changing, field, form
from dashboard.pages.typed import Errors
from dashboard.store import relays
from dashboard.store.relays import Relay
from wire.enrolment import MAX_REQUEST

pages = Blueprint("install_relay", __name__)
POLL = 1.0
FILE = "gatehouse-answer.txt"
_STEPS = (
    N_("Join the box's set-up Wi-Fi with your telephone. Its name and passphrase stand on the box's label."),
    N_("Open the box's own page there, and save or copy what the box asks."),
    N_("Leave that Wi-Fi, so that your telephone has internet, and hand it in here."),
    N_("Save the answer, join the set-up Wi-Fi again, and give the answer to the box on its own page."),
)
_SAYS = {
    Outcome.REFUSED: N_("The request was refused: %(why)s."),
    Outcome.WAITING: N_("The box's code was not claimed for this installation."),
    Outcome.BUSY: N_("This box was answered too often. Wait an hour."),
    Outcome.LATER: N_("It cannot be answered at the moment. Hand it in again in a minute."),
}


@pages.get("/install/<install_id>/relay")
@needs(May.INSTALL)
def show(install_id: str) -> Response:
    """How to carry it, and what became of what was handed in."""
    return _show(begin(install_id, "connect"), ())


@pages.post("/install/<install_id>/relay")
@needs(May.INSTALL)
def ask(install_id: str) -> ResponseReturnValue:
    """Hand in what the box asks."""
    found, at_desk = changing(install_id, "connect"), desk()
    sent = request.files.get("file")
    raw = b"" if sent is None else sent.stream.read(MAX_REQUEST + 1)
    raw = (raw or request.form.get("pasted", "").encode()).strip()
    errors: list[tuple[str, str]] = []
    if not raw:
        errors.append(("relay-file", _("Select the file that the box gave you, or paste its text")))
    else:
        try:
            _request, card = read(raw, tenant=at_desk.settings.tenant)
        except UnansweredError:
            errors.append(("relay-file", _("This is not what a box asks. Save it anew from the box's own page")))
        else:
            if found.box is None or card.site != found.box.site:
                errors.append(("relay-file", _("This is of another box than the one of this installation")))
    if errors:
        return _show(found, tuple(errors))
    with at_desk.engine.begin() as connection:
        relays.ask(connection, install_id, raw.decode(), by=who().account_id, now=at_desk.now())
    return redirect(f"{found.address}/relay", 303)


@pages.get("/install/<install_id>/relay/answer.txt")
@needs(May.INSTALL)
def answer(install_id: str) -> Response:
    """The answer, for the box alone."""
    found = begin(install_id, "connect")
    held = _held(found)
    if held is None or held.answer is None:
        abort(404)
    audit_view("carry-answer", install_id)
    given = Response(held.answer + "\n", mimetype="text/plain")
    given.headers["Content-Disposition"] = f"attachment; filename={FILE}"
    given.headers["Cache-Control"] = "no-store"
    return given


def _held(found: Visit) -> Relay | None:
    with desk().reads.connect() as connection:
        return relays.relay_of(connection, found.found.install_id)


def _state(held: Relay | None) -> tuple[str, str, str]:
    """State in words, its key, and what it means."""
    if held is None:
        return _("Not yet"), "wait", ""
    if held.state == relays.WAITING:
        return _("Working on it"), "wait", _("This takes a few seconds.")
    if held.state == Outcome.DONE:
        return _("Ready"), "good", _("Save the answer below. It is of no use to any other box.")
    text = _SAYS.get(Outcome(held.state), _SAYS[Outcome.REFUSED])
    return _("No answer"), "fail", _(text, why=held.says)


def _show(found: Visit, errors: Errors) -> Response:
    at_desk, held = desk(), _held(found)
    state, key, detail = _state(held)
    going = held is not None and held.state == relays.WAITING
    ready = held is not None and held.answer is not None
    waits = blocked(found, "connect")
    at = f"{found.address}/relay"
    fields = (
        field("relay", "file", "file", _("File from the box"), errors=errors),
        field("relay", "pasted", "area", _("Or paste its text here")),
    )
    heading = _("Hand in what the box asks")
    page = WatchPage(
        key="relay",
        heading=_("The home has no internet"),
        reference=found.reference,
        back=f"{found.address}/connect",
        intro=tuple(_(text) for text in _STEPS),
        drawing=False,
        well=ready,
        summary=_("The answer for the box is ready.") if ready else _("Nothing is ready for the box yet."),
        checks=(CheckRow(key="answer", title=_("Answer for the box"), state=state, state_key=key, detail=detail),),
        links=((_("Save the answer for the box"), f"{at}/answer.txt"),) if ready else (),
        forms=() if waits or found.closed else (form(heading, at, fields, _("Hand it in"), folded=ready or going),),
        errors=errors or waits,
    )
    return frame.show(
        "install-watch",
        page,
        title=_("Error: The home has no internet") if errors else _("The home has no internet"),
        action="view-install",
        subject=f"{found.found.install_id}/relay",
        section="install",
        live=True,
        done=not going,
        poll_seconds=min(POLL, at_desk.settings.poll_seconds),
        reload=going and request.method == "GET",
        status=422 if errors else 200,
    )
