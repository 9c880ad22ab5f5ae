"""*Wi-Fi, cards and the way to the internet*: what the home has, so that the box takes it over and nobody retypes (R2).

The home's passphrase and those on cards are sealed to the box here (`wifi_forms`): the box gets them when it enrols, or
by an order when it is at work already. What a provider gave for the line is sealed to the enrolment desk (R5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard.access import May, needs
from dashboard.commands import TOKEN
from dashboard.enrol.line import seal_uplink
from dashboard.i18n import N_, _
from dashboard.pages import desk as frame
from dashboard.pages import typed, wifi_forms, words
from dashboard.pages.contexts_install import CardRow, CardsPage, InForm
from dashboard.pages.desk import desk, who
from dashboard.pages.install_frame import Visit, begin, changing, field, form, save, step
from dashboard.pages.typed import Errors
from dashboard.store import installs as installed
from dashboard.store import wifi as stored
from dashboard.store.wifi import Key, Wifi
from wire.enrolment import LINE_USER
from wire.keys import seal_key
from wire.wifi import HOUSEHOLD_KEY

pages = Blueprint("install_wifi", __name__)
LINES = {
    "dhcp": N_("By cable to the home's router: nothing has to be entered"),
    "pppoe": N_("The provider gave a user name and a password for the line (PPPoE)"),
    "modem": N_("By a mobile stick in the box"),
}
_GIVEN = {"user": re.compile(LINE_USER), "password": re.compile(r"[\x21-\x7e]{1,128}")}
_FULL = N_("This home has too many passphrases. End some first, on the household's Wi-Fi page")


@pages.get("/install/<install_id>/wifi")
@needs(May.INSTALL)
def wifi(install_id: str) -> Response:
    """The Wi-Fi, and cards."""
    return _wifi(begin(install_id, "wifi"), "", ())


@pages.post("/install/<install_id>/wifi/home")
@needs(May.INSTALL)
def save_home(install_id: str) -> ResponseReturnValue:
    """Save the Wi-Fi that the home has."""
    found, at_desk = changing(install_id, "wifi"), desk()
    read, errors = wifi_forms.read_home(request.form)
    if errors or found.box is None:
        return _wifi(found, "home", errors)
    try:
        with at_desk.engine.begin() as connection:
            card = wifi_forms.save_home(
                connection,
                found.box.site,
                read,
                box_key=found.box.seal_key,
                by=who().account_id,
                now=at_desk.now(),
            )
    except stored.Full:
        return _wifi(found, "home", (("home-name", _(_FULL)),))
    save(found, "wifi", found.answers("wifi") | {"name": read.ssid}, done=True)
    if card is not None:
        return _cards(found, (card,))
    return redirect(f"{found.address}/wifi", 303)


@pages.post("/install/<install_id>/wifi")
@needs(May.INSTALL)
def make_cards(install_id: str) -> ResponseReturnValue:
    """Make cards, and show them this once."""
    found, at_desk, asking = changing(install_id, "wifi"), desk(), who()
    read, wrong = wifi_forms.read_cards(request.form)
    token, errors, held = request.form.get("token", ""), list(wrong), _held(found)[0]
    if held is None:
        errors.append(("main-content", _("Enter the home's Wi-Fi first: a card holds its name")))
    if not TOKEN.fullmatch(token):
        errors.append(("wifi-devices", _(typed.INCOMPLETE)))
    if errors or found.box is None or held is None:
        return _wifi(found, "cards", tuple(errors))
    now = at_desk.now()
    try:
        with at_desk.engine.begin() as connection:
            made = wifi_forms.make_cards(
                connection,
                found.box.site,
                read,
                name=held.ssid,
                token=token,
                box_key=found.box.seal_key,
                by=asking.account_id,
                now=now,
            )
            keys = tuple(
                installed.Key(key_id=key.key_id, purpose=key.purpose, label=key.label, made_at=now)
                for key, _row in made
            )
            installed.add_keys(connection, install_id, keys, by=asking.account_id, now=now)
    except (stored.Full, installed.Full):
        return _wifi(found, "cards", (("wifi-devices", _(_FULL)),))
    if not made:
        again = _("These cards were made already and cannot be shown again. Make new ones for those that are lost")
        return _wifi(found, "cards", (("wifi-devices", again),))
    save(found, "wifi", found.answers("wifi") | {"name": held.ssid}, done=True)
    return _cards(found, tuple(row for _key, row in made))


@pages.post("/install/<install_id>/wifi/line")
@needs(May.INSTALL)
def save_line(install_id: str) -> ResponseReturnValue:
    """Save how the home reaches the internet."""
    found, at_desk, sent = changing(install_id, "wifi"), desk(), request.form
    if _given(found):
        abort(409)  # a box at work has its way: no order changes it
    kind = sent.get("kind", "")
    wanted = {name: sent.get(name, "").strip() for name in _GIVEN} if kind == "pppoe" else {}
    errors: list[tuple[str, str]] = []
    held, sealer = _held(found)[0], _sealer()
    if kind not in LINES:
        errors.append(("line-kind", _("Select how the home reaches the internet")))
    if held is None:
        errors.append(("main-content", _("Enter the home's Wi-Fi first")))
    for name, value in wanted.items():
        if not _GIVEN[name].fullmatch(value):
            errors.append((f"line-{name}", _("Enter it as the provider gave it: 1 to 128 letters, digits and signs")))
    if wanted and sealer is None:
        errors.append(("line-kind", _("This service cannot keep it safely. Tell whoever looks after it")))
    if errors or found.box is None or held is None:
        return _wifi(found, "line", tuple(errors))
    sealed = None
    if wanted and sealer is not None:
        sealed = seal_uplink(wanted, site=found.box.site, recipient=seal_key(sealer))
    with at_desk.engine.begin() as connection:
        stored.save_wifi(
            connection,
            found.box.site,
            ssid=held.ssid,
            security=held.security,
            isolation=held.isolation,
            uplink=kind,
            uplink_sealed=sealed,
            by=who().account_id,
            now=at_desk.now(),
        )
    return redirect(f"{found.address}/wifi", 303)


def _given(found: Visit) -> bool:
    """Whether the box has what it needs, and was heard with it."""
    return found.box is not None and found.box.heard_at is not None


def _sealer() -> str | None:
    boxes = desk().settings.boxes
    return None if boxes is None else boxes.uplink_seal


def _held(found: Visit) -> tuple[Wifi | None, tuple[Key, ...]]:
    if found.box is None:
        return None, ()
    with desk().reads.connect() as connection:
        return stored.wifi_of(connection, found.box.site), stored.keys_of(connection, found.box.site)


def _cards(found: Visit, made: tuple[CardRow, ...]) -> Response:
    page = CardsPage(reference=found.reference, back=f"{found.address}/wifi", cards=made)
    subject = found.found.install_id
    answer = frame.show(
        "install-cards", page, title=_("Wi-Fi cards"), action="make-cards", subject=subject, section="install"
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _wifi(found: Visit, which: str, errors: Errors) -> Response:
    sent: Mapping[str, str] = request.form if errors else {}
    held, keys = _held(found)
    given = _given(found)
    facts = []
    if held is not None:
        facts.append((_("Wi-Fi name"), held.ssid))
        facts.append((_("Internet"), _(LINES[held.uplink])))
    facts += [(words.plain(key.label, 80), wifi_forms.state_of(key)) for key in keys]
    rows = []
    if held is not None and not given:
        rows.append(_("The box gets all of this when it is set up: nobody has to enter it there."))
    forms = [
        wifi_forms.home_form(
            held,
            f"{found.address}/wifi/home",
            sent if which == "home" else {},
            errors,
            known=any(key.key_id == HOUSEHOLD_KEY for key in keys),
        )
    ]
    if held is not None:
        forms.append(
            wifi_forms.cards_form(
                f"{found.address}/wifi", sent if which == "cards" else {}, errors, folded=len(keys) > 1
            )
        )
        if not given:
            forms.append(_line(found, held, sent if which == "line" else {}, errors))
    return step(
        found,
        "wifi",
        intro=(
            _("Enter the Wi-Fi that the home has now. The box takes it over, so that no device has to be set up anew."),
            _(
                "Each device of the person gets a passphrase of its own: that is how the box knows it again when it "
                "changes its address."
            ),
            _("The cards are shown once. Print them, or let each device's camera read its card from this screen."),
        ),
        facts_title=_("The home's Wi-Fi"),
        facts=facts,
        rows=rows,
        forms=forms,
        errors=errors,
    )


def _line(found: Visit, held: Wifi, sent: Mapping[str, str], errors: Errors) -> InForm:
    fields = [
        field(
            "line",
            "kind",
            "radios",
            _("How the box reaches the internet"),
            choices=[(key, _(text), "") for key, text in LINES.items()],
            value=sent.get("kind", held.uplink),
            errors=errors,
        )
    ]
    if _sealer() is not None:
        fields += [
            field(
                "line",
                "user",
                "text",
                _("User name of the line"),
                value=sent.get("user", ""),
                errors=errors,
            ),
            field("line", "password", "text", _("Password of the line"), errors=errors),
        ]
    says = _("Only where the home has no router of its own. It is sealed, and goes to the box when it is set up.")
    target = f"{found.address}/wifi/line"
    heading = _("The home's way to the internet")
    return form(heading, target, fields, _("Save the way to the internet"), says=says, folded=True)
