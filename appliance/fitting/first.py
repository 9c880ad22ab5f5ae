"""First boot: from a card that is like all others to a box that is like no other. Done again whole after a cut.

In: the operator's card and the machine's ports. Out: keys, card, label, `household.toml`, the set-up Wi-Fi's
passphrase, and what the set-up page may show. Every step leaves a file whole or does nothing, and each looks first
whether it was done: running it at every start costs little, and mends what a cut left.
Nothing secret is said to whoever started it.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from appliance import passphrases
from appliance.fitting import answer, defaults, keys, line, operator, ports, taking, wipe
from appliance.fitting import card as cards
from appliance.fitting.places import Places, folder, keep
from firmware import layout
from firmware.household import Household, as_toml, load
from wire.files import FileError

STATES = ("warden", "sensor", "keeper", "courier", "porch", "resolver", "probe")


def boot(places: Places, *, now: float) -> tuple[str, ...]:
    """Do what is not done yet; returns sentences that may stand in a journal. `now` is Unix seconds.

    Raises:
        FileError: the operator's card, or a file of an earlier start, cannot be used; the text says which.
        KeyFileError: as FileError, of a key.
    """
    said = []
    if wipe.resume(places):
        said.append("A wipe that was cut off is finished.")
    prepare(places)
    if taking.resume(places):
        said.append("An enrolment that was cut off is finished.")
    line.tidy(places)
    if places.enrolled:
        _forget_left(places)
        return (*said, "This box is enrolled; nothing to do.")
    known = operator.load(places.at(layout.OPERATOR_FILE))
    held = keys.ensure(places)
    anew = cards.load_card(places) is None
    _, sticker = cards.ensure(places, held, tenant=known.tenant, now=now)
    if sticker is None:
        raise FileError(f"{places.at(layout.LABEL_FILE)}: is missing")
    house = _write_household(places, anew=anew)
    psk, setup = places.at(layout.PASSPHRASE_FILE), psk_line(cards.SETUP_KEY, sticker.wifi_passphrase).encode("ascii")
    if not psk.exists() or psk.read_bytes() != setup:  # a home's that was wiped works until the box is unplugged
        keep(psk, setup, owner="warden")
    said.append(f"This box is {sticker.site}; its socket for the internet is {house.wan.interface}.")
    return tuple(said)


def prepare(places: Places) -> None:
    """The folders of everybody."""
    folder(places.at(layout.CONFIG))
    folder(places.at(layout.STATE))
    for name in STATES:
        folder(places.at(layout.STATE) / name, owner=name, mode=0o700)


def household(places: Places, before: Household | None, *, taken: tuple[IPv4Network, ...] = ()) -> Household:
    """The household of a box that nobody enrolled yet, as the machine is now.

    Args:
        places: the box.
        before: what it is; None: choose everything anew.
        taken: networks towards the internet.

    Raises:
        FileError: the operator's card cannot be used.
    """
    return defaults.household(
        ports.found(places.at("/sys/class/net")),
        operator.load(places.at(layout.OPERATOR_FILE)),
        cards.load_sticker(places),
        before=before,
        taken=taken,
    )


def _write_household(places: Places, *, anew: bool) -> Household:
    """The household file, before `gatehouse apply --boot` reads it; `anew`: what is there is another home's."""
    path = places.at(layout.HOUSEHOLD_FILE)
    try:
        before = None if anew else load(path)
    except FileError:
        before = None
    if before is not None and places.at(layout.HOUSEHOLD_TRIAL_FILE).exists():
        return before  # not proved, and about to be taken back: written anew, it would pass for a good one
    house = household(places, before)
    if house != before:
        keep(path, as_toml(house).encode(), mode=0o644)
    return house


def _forget_left(places: Places) -> None:
    """Once the warden has written passphrases down, those that enrolment left may hold some that were ended since.

    A keeper that lost its database would bring them back, and take the home its new one; without them it asks the
    warden (`appliance.keeper.wifi`).
    """
    try:
        text = places.at(layout.PASSPHRASE_FILE).read_text(encoding="ascii", errors="replace")
    except OSError:
        return
    if passphrases.read(text).written:
        taking.erase(places, answer.PASSPHRASES_FILE)


def psk_line(key_id: str, passphrase: str) -> str:
    """A line of hostapd's `wpa_psk_file`: any address may come with this passphrase."""
    return f"keyid={key_id} 00:00:00:00:00:00 {passphrase}\n"
