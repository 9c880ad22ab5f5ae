"""*Connect the box*: how, and what the box says meanwhile: whether it asked for all it needs, its internet, its clock.

Where the home has no internet, whoever fits the box carries what it asks and what it is answered (`install_relay`).
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard.access import May, needs
from dashboard.enrol.asking import Outcome
from dashboard.i18n import N_, _
from dashboard.installing.checks import FRESH
from dashboard.pages import desk as frame
from dashboard.pages import sentences, uplink_words, words
from dashboard.pages.contexts_install import CheckRow, WatchPage
from dashboard.pages.desk import desk
from dashboard.pages.install_frame import Visit, begin, blocked, changing, field, form, save
from dashboard.pages.typed import Errors
from dashboard.store import relays
from wire.box import BoxStatus
from wire.ledger import ClockState

pages = Blueprint("install_connect", __name__)
POLL = 2.0
_CONNECT = (
    N_("Leave the home's router on. Turn off its Wi-Fi, so that devices come to the box."),
    N_("Plug the box's cable marked INTERNET into a free socket of the router."),
    N_("A telephone or telecare device stays plugged into the router itself, never into the box."),
    N_("Plug in the box's power supply and wait about two minutes."),
)


@pages.get("/install/<install_id>/connect")
@needs(May.INSTALL)
def connect(install_id: str) -> Response:
    """How to connect the box, and what it says meanwhile."""
    return _connect(begin(install_id, "connect"), ())


@pages.post("/install/<install_id>/connect")
@needs(May.INSTALL)
def connected(install_id: str) -> ResponseReturnValue:
    """The box is connected and was heard; or was given all it needs by a telephone."""
    found = changing(install_id, "connect")
    errors = []
    carried = was_carried(found)
    if not (heard(found) or carried):
        errors.append(("main-content", _("The box has not been heard yet. Wait, or check its cables")))
    if request.form.get("upstream") != "yes":
        errors.append(("connect-upstream", _("Turn the router's own Wi-Fi off, and say so")))
    if errors:
        return _connect(found, tuple(errors))
    save(found, "connect", {"upstream_off": True, "carried": carried and not heard(found)}, done=True)
    return redirect(found.address, 303)


def heard(found: Visit) -> bool:
    """Whether the box was heard just now."""
    box, now = found.box, desk().now()
    return box is not None and box.heard_at is not None and now - box.heard_at <= FRESH


def was_carried(found: Visit) -> bool:
    """Whether a telephone was given the answer for the box."""
    with desk().reads.connect() as connection:
        held = relays.relay_of(connection, found.found.install_id)
    return held is not None and held.state == Outcome.DONE


def _row(key: str, title: str, *, well: bool, detail: str = "", fails: bool = False) -> CheckRow:
    state = "good" if well else "fail" if fails else "wait"
    return CheckRow(key=key, title=title, state=_("Yes") if well else _("Not yet"), state_key=state, detail=detail)


def _rows(found: Visit, said: BoxStatus | None, *, sure: bool) -> tuple[CheckRow, ...]:
    at_desk, box = desk(), found.box
    given = None if box is None else box.given_at
    last = None if box is None else box.heard_at
    uplink = None if said is None else said.uplink
    trouble = uplink_words.uplink_trouble(uplink)
    wifi_trouble = uplink_words.wifi_trouble(None if said is None else said.wifi)
    state, key, detail = uplink_words.upstream_wifi(uplink)
    waits = _("The box asks by itself as soon as it has internet. Its own set-up page says what is wrong.")
    return (
        _row(
            "given",
            _("The box was given all it needs"),
            well=given is not None or last is not None,
            detail=waits
            if given is None and last is None
            else ""
            if given is None
            else _("On %(at)s.", at=words.date_time_seconds(given, at_desk.zone)),
        ),
        _row(
            "heard",
            _("The box was heard over the home's internet"),
            well=heard(found),
            detail=trouble
            or ("" if last is None else _("Last heard %(at)s.", at=words.date_time_seconds(last, at_desk.zone))),
            fails=bool(trouble),
        ),
        _row("clock", _("Its clock is right"), well=sure),
        *(
            ()
            if said is None or said.wifi is None
            else (
                _row(
                    "wifi", _("Its Wi-Fi is on"), well=not wifi_trouble, detail=wifi_trouble, fails=bool(wifi_trouble)
                ),
            )
        ),
        CheckRow(key="upstream", title=_("The router's own Wi-Fi is off"), state=state, state_key=key, detail=detail),
    )


def _connect(found: Visit, errors: Errors) -> Response:
    at_desk = desk()
    said = None if found.box is None else sentences.status(found.box.status)
    there = heard(found)
    sure = there and said is not None and said.clock is ClockState.AUTHENTICATED
    carried = was_carried(found)
    waits = blocked(found, "connect")
    if there:
        summary = _("The box has been heard.")
    elif carried:
        summary = _("Your telephone has what the box needs. Give it to the box on its own page.")
    else:
        summary = _("Waiting for the box to be heard.")
    rows = _rows(found, said, sure=sure)
    page = WatchPage(
        key="connect",
        heading=_("Connect the box"),
        reference=found.reference,
        back=found.address,
        intro=tuple(_(text) for text in _CONNECT),
        drawing=True,
        summary=summary,
        well=there and all(row.state_key != "fail" for row in rows),
        checks=rows,
        forms=()
        if waits or found.closed
        else (
            form(
                _("When it is connected"),
                f"{found.address}/connect",
                (
                    field(
                        "connect",
                        "upstream",
                        "checks",
                        _("The router's Wi-Fi"),
                        choices=[("yes", _("It is off, and its name is gone from the list of a telephone"), "")],
                        value=request.form.get("upstream", ""),
                        errors=errors,
                    ),
                ),
                _("Save and go on"),
            ),
        ),
        links=() if waits or found.closed or there else ((_("The home has no internet"), f"{found.address}/relay"),),
        errors=errors or waits,
    )
    return frame.show(
        "install-watch",
        page,
        title=_("Error: Connect the box") if errors else _("Connect the box"),
        action="view-install",
        subject=f"{found.found.install_id}/connect",
        section="install",
        live=True,
        done=there and sure,
        poll_seconds=min(POLL, at_desk.settings.poll_seconds),
        reload=not (there and sure) and request.method == "GET",
        status=422 if errors else 200,
    )
