"""Sections at the address: what must never lose its connection, connecting the box, Wi-Fi cards; and taking a box away.

A passphrase is made here, shown once on the answer to the form that asked for it, and kept nowhere: the box is told
only what the passphrase is for, by an id (`BindPassphrase`). It is entered at the access point by hand or by its file;
boxes of this version have no order by which a passphrase could be sent to them, and the page says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN, AlreadySent, Decision
from dashboard.i18n import N_, _
from dashboard.installing import cards
from dashboard.installing.checks import FRESH
from dashboard.pages import desk as frame
from dashboard.pages import sentences, typed, words
from dashboard.pages.contexts_install import CardRow, CardsPage, CheckRow, WatchPage
from dashboard.pages.desk import desk, who
from dashboard.pages.install_frame import Visit, begin, blocked, changing, field, form, save, step
from dashboard.pages.typed import Errors
from dashboard.store import installs as stored
from wire.ledger import ClockState
from wire.orders import BindPassphrase, Order

pages = Blueprint("install_home", __name__)
NEVER = (
    ("telephone", N_("A telephone that works over the internet line")),
    ("telecare", N_("A telecare or health device, such as a pendant or a fall sensor")),
    ("alarm", N_("A burglar, smoke or carbon monoxide alarm that calls somebody")),
    ("other", N_("Something else that somebody's safety depends on")),
)
MOST_CARDS = 12
MOST_LABEL = 60
POLL = 2.0
_CONNECT = (
    N_("Leave the home's router on. Turn off its Wi-Fi, so that devices come to the box."),
    N_("Plug the box's cable marked INTERNET into a free socket of the router."),
    N_("A telephone or telecare device stays plugged into the router itself, never into the box."),
    N_("Plug in the box's power supply and wait about two minutes."),
)


@pages.get("/install/<install_id>/never")
@needs(May.INSTALL)
def never(install_id: str) -> Response:
    """What must never be redirected or held."""
    found = begin(install_id, "never")
    return _never(found, found.answers("never"), ())


@pages.post("/install/<install_id>/never")
@needs(May.INSTALL)
def save_never(install_id: str) -> ResponseReturnValue:
    """Save what there is, and where it is plugged in."""
    found, sent = changing(install_id, "never"), request.form
    there = [key for key, _text in NEVER if key in sent.getlist("there")]
    none = "none" in sent.getlist("there")
    answers: dict[str, Any] = {"there": [*there, *(["none"] if none else [])]}
    errors: list[tuple[str, str]] = []
    for key, text in NEVER:
        answers[key] = " ".join(typed.tidy(sent.get(key, "")).split())
        errors += typed.text_errors(f"never-{key}", _("Where it is plugged in"), answers[key], 120)
        if key in there and not answers[key]:
            errors.append((f"never-{key}", _("Enter where this is plugged in: %(what)s", what=_(text))))
    if none == bool(there):
        errors.append(("never-there", _("Select what there is, or that there is none of these")))
    if errors:
        return _never(found, answers, tuple(errors))
    save(found, "never", answers, done=True)
    return redirect(f"{found.address}/never", 303)


def never_lines(found: Visit) -> tuple[str, ...]:
    """What was noted, for other pages."""
    held = found.answers("never")
    return tuple(
        f"{_(text)}: {words.plain(held.get(key, ''), 120)}" for key, text in NEVER if key in held.get("there", ())
    )


def _never(found: Visit, answers: Mapping[str, Any], errors: Errors) -> Response:
    there = [str(item) for item in answers.get("there", ())]
    done = found.is_done("never")
    facts = [(_("Never redirect or hold"), line) for line in never_lines(found)]
    if done and not facts:
        facts = [(_("Never redirect or hold"), _("None of these is at the address"))]
    choices = [*((key, _(text), "") for key, text in NEVER), ("none", _("None of these"), "")]
    return step(
        found,
        "never",
        intro=(
            _("Ask what in the home somebody's health or safety depends on. Look at the router's sockets."),
            _("Such a device stays plugged where it is, or counts as part of the home network: it is never held."),
        ),
        facts=facts,
        forms=(
            form(
                _("Change it") if done else _("What there is"),
                f"{found.address}/never",
                (
                    field(
                        "never",
                        "there",
                        "checks",
                        _("At the address there is"),
                        choices=choices,
                        ticked=there,
                        errors=errors,
                    ),
                    *(
                        field(
                            "never",
                            key,
                            "text",
                            _("Where plugged in: %(what)s", what=_(text)),
                            value=str(answers.get(key, "")),
                            errors=errors,
                        )
                        for key, text in NEVER
                    ),
                ),
                _("Save"),
                folded=done and not errors,
            ),
        ),
        errors=errors,
    )


@pages.get("/install/<install_id>/connect")
@needs(May.INSTALL)
def connect(install_id: str) -> Response:
    """How to connect the box, and what it says meanwhile."""
    return _connect(begin(install_id, "connect"), ())


@pages.post("/install/<install_id>/connect")
@needs(May.INSTALL)
def connected(install_id: str) -> ResponseReturnValue:
    """The box is connected and was heard."""
    found = changing(install_id, "connect")
    errors = []
    if not _heard(found):
        errors.append(("main-content", _("The box has not been heard yet. Wait, or check its cables")))
    if request.form.get("upstream") != "yes":
        errors.append(("connect-upstream", _("Turn the router's own Wi-Fi off, and say so")))
    if errors:
        return _connect(found, tuple(errors))
    save(found, "connect", {"upstream_off": True}, done=True)
    return redirect(found.address, 303)


def _heard(found: Visit) -> bool:
    box, now = found.box, desk().now()
    return box is not None and box.heard_at is not None and now - box.heard_at <= FRESH


def _connect(found: Visit, errors: Errors) -> Response:
    at_desk = desk()
    said = None if found.box is None else sentences.status(found.box.status)
    heard = _heard(found)
    last = None if found.box is None else found.box.heard_at
    sure = heard and said is not None and said.clock is ClockState.AUTHENTICATED
    words_ = {True: _("Yes"), False: _("Not yet")}
    rows = (
        CheckRow(
            key="heard",
            title=_("The box was heard over the home's internet"),
            state=words_[heard],
            state_key="good" if heard else "wait",
            detail="" if last is None else _("Last heard %(at)s.", at=words.date_time_seconds(last, at_desk.zone)),
        ),
        CheckRow(
            key="clock",
            title=_("Its clock is right"),
            state=words_[sure],
            state_key="good" if sure else "wait",
            detail="",
        ),
        CheckRow(
            key="upstream",
            title=_("The router's own Wi-Fi is off"),
            state=_("Look yourself"),
            state_key="wait",
            detail=_("The box cannot see that. Look for its name in the Wi-Fi list of a telephone: it must be gone."),
        ),
    )
    waits = blocked(found, "connect")
    page = WatchPage(
        key="connect",
        heading=_("Connect the box"),
        reference=found.reference,
        back=found.address,
        intro=tuple(_(text) for text in _CONNECT),
        drawing=True,
        summary=_("The box has been heard.") if heard else _("Waiting for the box to be heard."),
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
        done=heard and sure,
        poll_seconds=min(POLL, at_desk.settings.poll_seconds),
        reload=not (heard and sure) and request.method == "GET",
        status=422 if errors else 200,
    )


@pages.get("/install/<install_id>/wifi")
@needs(May.INSTALL)
def wifi(install_id: str) -> Response:
    """The Wi-Fi's name, and cards."""
    return _wifi(begin(install_id, "wifi"), ())


@pages.post("/install/<install_id>/wifi")
@needs(May.INSTALL)
def make_cards(install_id: str) -> ResponseReturnValue:
    """Make cards, and show them this once."""
    found, at_desk, sent = changing(install_id, "wifi"), desk(), request.form
    name = typed.tidy(sent.get("name", ""))
    labels = [" ".join(line.split()) for line in typed.tidy(sent.get("devices", "")).split("\n") if line.strip()]
    token = sent.get("token", "")
    errors: list[tuple[str, str]] = []
    if not (0 < len(name.encode()) <= cards.MOST_NAME and name.isprintable()):
        errors.append(("wifi-name", _("A Wi-Fi name has 1 to 32 characters")))
    if not 0 < len(labels) <= MOST_CARDS:
        errors.append(("wifi-devices", _("Enter one device a line, 12 at most at a time")))
    if any(len(label) > MOST_LABEL or not label.isprintable() for label in labels):
        errors.append(("wifi-devices", _("A device has 60 characters or fewer that can be seen")))
    if not TOKEN.fullmatch(token):
        errors.append(("wifi-name", _(typed.INCOMPLETE)))
    if errors or found.box is None:
        return _wifi(found, tuple(errors))
    purpose: Literal["device", "guest"] = "guest" if sent.get("guest") == "yes" else "device"
    made = tuple(
        cards.card(
            key_id=f"card-{token[:8]}-{number}",
            label=label,
            purpose=purpose,
            name=name,
            title=_("Code for a camera: %(label)s", label=label),
        )
        for number, label in enumerate(labels, 1)
    )
    now = at_desk.now()
    keys = tuple(stored.Key(key_id=card.key_id, purpose=card.purpose, label=card.label, made_at=now) for card in made)
    try:
        with at_desk.engine.begin() as connection:
            if any(item.key_id == keys[0].key_id for item in stored.keys_of(connection, install_id)):
                again = _(
                    "These cards were made already and cannot be shown again. Make new ones for those that are lost"
                )
                return _wifi(found, (("wifi-devices", again),))
            stored.add_keys(connection, install_id, keys, by=who().account_id, now=now)
    except stored.Full:
        return _wifi(found, (("wifi-devices", _("This installation has too many cards")),))
    for number, card in enumerate(made):
        _bind(found, card, token=f"{token[:-2]}{number:02x}")
    save(found, "wifi", {"name": name}, done=True)
    page = CardsPage(
        reference=found.reference,
        back=f"{found.address}/wifi",
        cards=tuple(
            CardRow(
                label=words.plain(card.label, MOST_LABEL),
                name=card.name,
                passphrase=card.passphrase,
                svg=card.svg,
                line=cards.station_line(card),
            )
            for card in made
        ),
    )
    return frame.show(
        "install-cards", page, title=_("Wi-Fi cards"), action="make-cards", subject=install_id, section="install"
    )


def _bind(found: Visit, card: cards.Card, *, token: str) -> None:
    """Tell the box what a passphrase is for."""
    at_desk, site = desk(), "" if found.box is None else found.box.site

    def order(at: float) -> Order:
        guest = card.purpose == "guest"
        return BindPassphrase(
            key_id=card.key_id,
            purpose="guest" if guest else "device",
            until=typed.after(at, 14) if guest else None,
        )

    try:
        commands.ask(
            at_desk.engine,
            Decision(token=token, order=order, reason="Passphrase card of an installation", device_id=None),
            tenant=at_desk.settings.tenant,
            site=site,
            by=who(),
            now=at_desk.now(),
            lifetime=at_desk.settings.command_seconds,
        )
    except AlreadySent:
        return  # the same card: the box has yet to answer


def _wifi(found: Visit, errors: Errors) -> Response:
    sent: Mapping[str, str] = request.form if errors else {}
    with desk().reads.connect() as connection:
        made = stored.keys_of(connection, found.found.install_id)
    held = str(found.answers("wifi").get("name", ""))
    facts = [(_("Wi-Fi name"), held)] if held else []
    facts += [(words.plain(item.label, MOST_LABEL), desk().moment(item.made_at).text) for item in made]
    return step(
        found,
        "wifi",
        intro=(
            _(
                "Each device gets a passphrase of its own: that is how the box knows it again when it changes its address."
            ),
            _("The cards are shown once. Print them, or let each device's camera read its card from this screen."),
            _(
                "A passphrase cannot be sent to the box from here yet. Whoever sets up its Wi-Fi enters the line below each "
                "card there; until then the card does not work. The box is told which card is for what."
            ),
        ),
        facts_title=_("Cards that were made"),
        facts=facts,
        forms=(
            form(
                _("Make cards"),
                f"{found.address}/wifi",
                (
                    field("wifi", "name", "text", _("Wi-Fi name"), value=sent.get("name", held), errors=errors),
                    field(
                        "wifi",
                        "devices",
                        "area",
                        _("Devices, one a line"),
                        hint=_("Such as: black phone. Do not use anyone's name."),
                        value=sent.get("devices", ""),
                        errors=errors,
                    ),
                    field(
                        "wifi",
                        "guest",
                        "checks",
                        _("For guests"),
                        choices=[("yes", _("These are for guests, and end after 14 days"), "")],
                        value=sent.get("guest", ""),
                    ),
                ),
                _("Make the cards"),
                folded=bool(made),
            ),
        ),
        errors=errors,
    )
