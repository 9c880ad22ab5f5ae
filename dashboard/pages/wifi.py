"""*Wi-Fi* of a household: its name, and passphrases by their ids: for what, until when, which devices joined with them.

In: a form that makes cards, ends a passphrase or changes the home's Wi-Fi. Out: rows of what shall be; ingest has orders
made of them and says again what got lost (`store.wifi`). A passphrase is shown once, on the answer to the form that made
it, and is nowhere readable. Bounded as `wifi_forms` and `store.wifi` are; `MOST_DEVICES` devices a passphrase are named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard.access import May, needs
from dashboard.commands import TOKEN
from dashboard.i18n import N_, _
from dashboard.pages import change_words, sentences, typed, uplink_words, wifi_forms, words
from dashboard.pages import desk as frame
from dashboard.pages.asking import officer
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_install import CardRow, CardsPage, InForm
from dashboard.pages.contexts_tabs import KeyRow, WifiPage
from dashboard.pages.desk import desk, household_or_404, id_or_404, who
from dashboard.pages.rows import device_name
from dashboard.pages.typed import Errors
from dashboard.store import devices, installs
from dashboard.store import wifi as stored
from dashboard.store.devices import StoredDevice
from dashboard.store.installs import Box
from dashboard.store.queries import Household
from dashboard.store.wifi import Key, Wifi
from wire.box import Change
from wire.wifi import HOUSEHOLD_KEY

pages = Blueprint("wifi", __name__)
MOST_DEVICES = 8
MOST_OTHERS = 20
_PURPOSES = {"device": N_("One device's own"), "guest": N_("A visitor's"), "household": N_("Everybody's in the home")}
_FULL = N_("This home has too many passphrases. End some first")
_NO_KEY = N_("Nothing can be sealed for this box. Tell whoever looks after this service")


@pages.get("/households/<site>/wifi")
@needs(May.SEE)
def wifi(site: str) -> Response:
    """The Wi-Fi of a household."""
    return _show(site, "", ())


@pages.post("/households/<site>/wifi/home")
@needs(May.DECIDE)
def save_home(site: str) -> ResponseReturnValue:
    """Change the name, the passphrase of everybody, or how it is secured."""
    home, box, by = _changing(site)
    read, errors = wifi_forms.read_home(request.form)
    if errors:
        return _show(site, "home", errors)
    at_desk = desk()
    try:
        with at_desk.engine.begin() as connection:
            done = _last_change(home, stored.wifi_of(connection, site))
            card = wifi_forms.save_home(
                connection,
                site,
                read,
                box_key=box.seal_key,
                anew=done is not None and done.outcome in change_words.NOT_DONE,
                by=by,
                now=at_desk.now(),
            )
    except stored.Full:
        return _show(site, "home", (("home-name", _(_FULL)),))
    except ValueError:
        return _show(site, "home", (("main-content", _(_NO_KEY)),))
    return redirect(f"/households/{site}/wifi", 303) if card is None else _cards(home, (card,))


@pages.post("/households/<site>/wifi/cards")
@needs(May.DECIDE)
def make_cards(site: str) -> ResponseReturnValue:
    """Make cards, and show them this once."""
    home, box, by = _changing(site)
    read, wrong = wifi_forms.read_cards(request.form)
    token, errors, at_desk = request.form.get("token", ""), list(wrong), desk()
    with at_desk.reads.connect() as connection:
        held = stored.wifi_of(connection, site)
    if held is None:
        errors.append(("main-content", _("Enter the home's Wi-Fi first: a card holds its name")))
    if not TOKEN.fullmatch(token):
        errors.append(("wifi-devices", _(typed.INCOMPLETE)))
    if errors or held is None:
        return _show(site, "cards", tuple(errors))
    try:
        with at_desk.engine.begin() as connection:
            made = wifi_forms.make_cards(
                connection,
                site,
                read,
                name=held.ssid,
                token=token,
                box_key=box.seal_key,
                by=by,
                now=at_desk.now(),
            )
    except stored.Full:
        return _show(site, "cards", (("wifi-devices", _(_FULL)),))
    except ValueError:
        return _show(site, "cards", (("main-content", _(_NO_KEY)),))
    if not made:
        again = _("These cards were made already and cannot be shown again. Make new ones for those that are lost")
        return _show(site, "cards", (("wifi-devices", again),))
    return _cards(home, tuple(row for _key, row in made))


@pages.post("/households/<site>/wifi/<key_id>/end")
@needs(May.DECIDE)
def end(site: str, key_id: str) -> ResponseReturnValue:
    """Let a passphrase let nobody in any more."""
    _home, _box, by = _changing(site)
    at_desk = desk()
    if key_id == HOUSEHOLD_KEY:
        abort(409)  # everybody would be out: it is changed with the home's Wi-Fi
    with at_desk.engine.begin() as connection:
        if not stored.end_key(connection, site, id_or_404(key_id), by=by, now=at_desk.now()):
            abort(404)
    return redirect(f"/households/{site}/wifi", 303)


def _last_change(home: Household, held: Wifi | None) -> Change | None:
    """What became of the order by which the box was told how the Wi-Fi shall be."""
    order_id = None if held is None else held.order_id
    return change_words.change(sentences.status(home.status), "set-network", order_id)


def _changing(site: str) -> tuple[Household, Box, str]:
    """The household, its box and who asks, where something may be changed."""
    by, at_desk = officer().account_id, desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        box = installs.box_of(connection, at_desk.settings.tenant, site)
    if box is None or box.revoked_at is not None:
        abort(409)
    return home, box, by


def _cards(home: Household, made: tuple[CardRow, ...]) -> Response:
    page = CardsPage(reference=words.plain(home.title, 120), back=f"/households/{home.site}/wifi", cards=made)
    answer = frame.show(
        "install-cards", page, title=_("Wi-Fi cards"), action="make-cards", subject=home.site, section="households"
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _show(site: str, which: str, errors: Errors) -> Response:
    at_desk = desk()
    sent: Mapping[str, str] = request.form if errors else {}
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        held = stored.wifi_of(connection, site)
        keys = stored.keys_of(connection, site)
        ended = stored.keys_of(connection, site, ended=True)
        box = installs.box_of(connection, at_desk.settings.tenant, site)
        joined = _joined(devices.devices_of(connection, site))
        bar = household_bar(at_desk, connection, home, "devices")
    said = sentences.status(home.status)
    facts = [Fact(key=_("Wi-Fi name"), value=_("Not entered here") if held is None else words.plain(held.ssid, 40))]
    if said is not None:
        facts.append(Fact(key=_("As the box says"), value=uplink_words.wifi(said)))
    known = {key.key_id for key in (*keys, *ended)}
    at, acts = f"/households/{site}/wifi", who().role.acts and box is not None and box.revoked_at is None
    forms: tuple[InForm, ...] = ()
    if acts:
        home_form = wifi_forms.home_form(
            held,
            f"{at}/home",
            sent if which == "home" else {},
            errors,
            known=any(key.key_id == HOUSEHOLD_KEY for key in keys),
        )
        cards = wifi_forms.cards_form(f"{at}/cards", sent if which == "cards" else {}, errors, folded=False)
        forms = (cards, home_form) if held is not None else (home_form,)
    page = WifiPage(
        bar=bar,
        facts=tuple(facts),
        trouble=change_words.network(_last_change(home, held)),
        keys=tuple(_row(site, key, joined, acts=acts) for key in keys),
        ended=tuple(_row(site, key, joined, acts=False) for key in ended),
        others=tuple(sorted(set(joined) - known - {HOUSEHOLD_KEY}))[:MOST_OTHERS],
        forms=forms,
        errors=errors,
    )
    return frame.show(
        "wifi",
        page,
        title=_("Error: Wi-Fi") if errors else _("Wi-Fi"),
        action="view-wifi",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _joined(listed: tuple[StoredDevice, ...]) -> Mapping[str, list[StoredDevice]]:
    found: dict[str, list[StoredDevice]] = defaultdict(list)
    for row in listed:
        if row.key_id is not None:
            found[row.key_id].append(row)
    return found


def _row(site: str, key: Key, joined: Mapping[str, list[StoredDevice]], *, acts: bool) -> KeyRow:
    return KeyRow(
        key_id=key.key_id,
        label=words.plain(key.label, 80),
        purpose=_(_PURPOSES.get(key.purpose, key.purpose)),
        devices=tuple(
            (device_name(row, row.device_id), f"/households/{site}/devices/{row.device_id}")
            for row in joined.get(key.key_id, ())[:MOST_DEVICES]
        ),
        state=wifi_forms.state_of(key),
        end=f"/households/{site}/wifi/{key.key_id}/end" if acts and key.key_id != HOUSEHOLD_KEY else "",
    )
