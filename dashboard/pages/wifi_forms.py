"""Forms about a home's Wi-Fi, for the installation and for the household's page: read, sealed, and made into cards.

In: what was sent. Out: what shall be, or what is wrong. A passphrase is sealed to its box here and now: what leaves this
module for the database cannot be read by anybody but the box, and what is shown is shown once. Bounded: `MOST_CARDS` at
a time, as many passphrases as `wire.wifi.MOST_PASSPHRASES` a home.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from dashboard.i18n import N_, _
from dashboard.installing import cards
from dashboard.pages import typed, words
from dashboard.pages.contexts_install import CardRow, InField, InForm
from dashboard.pages.desk import desk
from dashboard.pages.install_frame import field, form
from dashboard.pages.typed import DAY, Errors
from dashboard.store import wifi as stored
from dashboard.store.wifi import Key, Made, Wifi
from wire.keys import seal_key
from wire.wifi import HOUSEHOLD_KEY, seal_passphrase

MOST_CARDS = 12
MOST_LABEL = 60
GUEST_DAYS = 14
EVERYBODY = N_("Everybody in the home")
_PASSPHRASE = re.compile(r"[\x20-\x7e]{8,63}")
_STATES = {
    None: N_("Waits for the box"),
    "waiting": N_("Waits for the box"),
    "sent": N_("Sent to the box"),
    "applied": N_("In force"),
    "refused": N_("The box refused it"),
}
_AGAIN = N_("Is sent again when the box is there")


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeForm:
    """The Wi-Fi that a home has, as it was entered."""

    ssid: str
    passphrase: str
    """Empty: the one that is held stays; where none is, one is made."""
    wpa3: bool
    isolation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CardsForm:
    """Devices or guests that are to have a passphrase of their own."""

    labels: tuple[str, ...]
    guest: bool


def read_home(sent: Mapping[str, str]) -> tuple[HomeForm, Errors]:
    """The Wi-Fi of the home, and what is wrong with it."""
    ssid = typed.tidy(sent.get("name", ""))
    passphrase = sent.get("passphrase", "").strip("\r\n")
    errors = []
    if not (0 < len(ssid.encode()) <= cards.MOST_NAME and ssid.isprintable()):
        errors.append(("home-name", _("A Wi-Fi name has 1 to 32 characters")))
    if passphrase and not _PASSPHRASE.fullmatch(passphrase):
        errors.append(("home-passphrase", _("A passphrase has 8 to 63 letters, digits and signs, without accents")))
    read = HomeForm(
        ssid=ssid, passphrase=passphrase, wpa3=sent.get("wpa3") == "yes", isolation=sent.get("isolation") == "yes"
    )
    return read, tuple(errors)


def read_cards(sent: Mapping[str, str]) -> tuple[CardsForm, Errors]:
    """Whom cards are for, and what is wrong with that."""
    labels = tuple(" ".join(line.split()) for line in typed.tidy(sent.get("devices", "")).split("\n") if line.strip())
    errors = []
    if not 0 < len(labels) <= MOST_CARDS:
        errors.append(("wifi-devices", _("Enter one device a line, 12 at most at a time")))
    if any(len(label) > MOST_LABEL or not label.isprintable() for label in labels):
        errors.append(("wifi-devices", _("A device has 60 characters or fewer that can be seen")))
    return CardsForm(labels=labels, guest=sent.get("guest") == "yes"), tuple(errors)


def save_home(
    connection: Connection, site: str, read: HomeForm, *, box_key: str, anew: bool = False, by: str, now: float
) -> CardRow | None:
    """Say how the home's Wi-Fi shall be (`anew` as `stored.save_wifi`); the card of its passphrase where one was made here.

    Raises:
        stored.Full: the home has too many passphrases.
    """
    stored.save_wifi(
        connection,
        site,
        ssid=read.ssid,
        security="wpa2-wpa3" if read.wpa3 else "wpa2",
        isolation=read.isolation,
        anew=anew,
        by=by,
        now=now,
    )
    held = any(key.key_id == HOUSEHOLD_KEY for key in stored.keys_of(connection, site))
    if held and not read.passphrase:
        return None
    passphrase = read.passphrase or cards.make_passphrase()
    made = _made(site, box_key, HOUSEHOLD_KEY, passphrase, purpose="household", label=_(EVERYBODY), until=None)
    stored.add_key(connection, site, made, by=by, now=now)
    return None if read.passphrase else _row(made.label, read.ssid, passphrase)


def make_cards(
    connection: Connection, site: str, read: CardsForm, *, name: str, token: str, box_key: str, by: str, now: float
) -> tuple[tuple[Made, CardRow], ...]:
    """Make a passphrase for each, and keep it sealed; none where this form was sent before.

    Raises:
        stored.Full: the home has too many passphrases.
    """
    ids = [f"card-{token[:8]}-{number}" for number in range(1, len(read.labels) + 1)]
    known = {key.key_id for ended in (False, True) for key in stored.keys_of(connection, site, ended=ended)}
    if known & set(ids):
        return ()
    found = []
    for key_id, label in zip(ids, read.labels, strict=True):
        passphrase = cards.make_passphrase()
        made = _made(
            site,
            box_key,
            key_id,
            passphrase,
            purpose="guest" if read.guest else "device",
            label=label,
            until=now + GUEST_DAYS * DAY if read.guest else None,
        )
        stored.add_key(connection, site, made, by=by, now=now)
        found.append((made, _row(label, name, passphrase)))
    return tuple(found)


def _made(
    site: str, box_key: str, key_id: str, passphrase: str, *, purpose: stored.Purpose, label: str, until: float | None
) -> Made:
    sealed = seal_passphrase(passphrase, site=site, key_id=key_id, recipient=seal_key(box_key))
    return Made(key_id=key_id, sealed=sealed, purpose=purpose, label=label, until=until)


def _row(label: str, name: str, passphrase: str) -> CardRow:
    title = _("Code for a camera: %(label)s", label=label)
    return CardRow(
        label=words.plain(label, MOST_LABEL),
        name=name,
        passphrase=passphrase,
        svg=cards.qr_svg(cards.wifi_uri(name, passphrase), title=title),
        shared=label == _(EVERYBODY),
    )


def state_of(key: Key) -> str:
    """What became of telling the box, in words."""
    if key.ended_at is not None:
        if key.end_state in ("applied", "refused"):
            return _("Ended") if key.end_state == "applied" else _(_STATES["refused"])
        return _("Ended here; the box lets it in until it was told")
    if key.until is not None and key.until <= desk().now():
        return _("Over since %(at)s", at=words.date_time(key.until, desk().zone))
    text = _(_STATES[key.state]) if key.state in _STATES else _(_AGAIN)
    if key.state == "refused" and key.detail:
        text += ". " + words.plain(key.detail, 200)
    if key.until is not None:
        text += ". " + _("Until %(at)s", at=words.date_time(key.until, desk().zone))
    return text


def home_form(held: Wifi | None, target: str, sent: Mapping[str, str], errors: Errors, *, known: bool) -> InForm:
    """The form of the home's Wi-Fi; `known`: its passphrase is held already."""
    wpa3 = held is not None and held.security != "wpa2"
    isolation = held is not None and held.isolation
    fields = (
        field(
            "home",
            "name",
            "text",
            _("Wi-Fi name"),
            hint=_("As it is now, capital letters too: then nobody has to set up a device anew."),
            value=sent.get("name", "" if held is None else held.ssid),
            errors=errors,
        ),
        field(
            "home",
            "passphrase",
            "text",
            _("Wi-Fi passphrase"),
            hint=_("It stands. Leave this empty to keep it.")
            if known
            else _("As it stands on the router. Leave this empty to have a new one made, which is shown once."),
            errors=errors,
        ),
        field(
            "home",
            "wpa3",
            "checks",
            _("Newer devices"),
            # What it costs stands under what is ticked: above it, “then” was about nothing yet.
            choices=[
                (
                    "yes",
                    _("Let devices use the newest kind of Wi-Fi protection (WPA3)"),
                    _("The box then tells such a device by its address only, not by its passphrase."),
                )
            ],
            value=sent.get("wpa3", "yes" if wpa3 else ""),
        ),
        field(
            "home",
            "isolation",
            "checks",
            _("Among each other"),
            choices=[
                (
                    "yes",
                    _("Devices on the Wi-Fi do not reach each other"),
                    _("Printers and televisions cannot be used over Wi-Fi then."),
                )
            ],
            value=sent.get("isolation", "yes" if isolation else ""),
        ),
    )
    heading = _("The Wi-Fi that the home has") if held is None else _("Change the home's Wi-Fi")
    says = _("The box takes over this name and passphrase. The passphrase is sealed so that only the box can read it.")
    return form(heading, target, fields, _("Save the Wi-Fi"), says=says, folded=held is not None)


def cards_form(target: str, sent: Mapping[str, str], errors: Errors, *, folded: bool) -> InForm:
    """The form that makes cards."""
    fields: Iterable[InField] = (
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
    )
    return form(_("Make cards"), target, fields, _("Make the cards"), folded=folded)
