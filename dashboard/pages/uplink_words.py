"""What a box says of its own machine, in plain words, with the fix where there is one (R5, R9, R10). Pure.

In: `BoxStatus`. Out: sentences and facts; what a box does not say is said to be unsaid, never guessed.
"""

from __future__ import annotations

from dashboard.i18n import N_, _, ngettext
from wire.box import BoxStatus, Storage, UplinkState, WifiState

MIB = 1024 * 1024
LEAST_FREE = 0.05
"""Of the storage: below it the box is nearly full."""
UNSAID = N_("The box does not say")
_KINDS = {
    "dhcp": N_("By cable to the router"),
    "pppoe": N_("With the provider's password"),
    "modem": N_("Mobile stick"),
}
_LOCKED = {
    "board-key": N_("locked with a key inside the box"),
    "file-key": N_("locked, but the key lies on the same card"),
    "none": N_("not locked"),
}


def uplink_trouble(said: UplinkState | None) -> str:
    """What is wrong with the way to the internet, and the fix; empty where nothing is known to be."""
    if said is None:
        return ""
    text = ""
    if said.cable is False and said.kind == "modem":
        text = _("The box does not find its mobile stick. Pull it out, plug it in again, and wait a minute.")
    elif said.cable is False:
        text = _("No cable is felt in the socket marked INTERNET. Plug it in at both ends until it clicks.")
    elif said.login is False and said.address is not True:
        text = _(
            "The provider does not take the line's user name and password. Check both against its letter, or ask the "
            "provider."
        )
    elif said.address is False and said.login:
        text = _("The provider takes the user name and password, but lets the box have no internet. Call the provider.")
    elif said.address is False and said.kind == "pppoe":
        text = _("The line does not let the box in. Check the user name and password that the provider gave.")
    elif said.address is False:
        text = _("The router answers, but lets the box have no internet. Turn the router off and on, and wait.")
    elif said.names is False:
        text = _("The router is there, but has no internet itself. Look at its lights, or call the provider.")
    return text


def upstream_wifi(said: UplinkState | None) -> tuple[str, str, str]:
    """Of the router's own Wi-Fi: state in words, its key (good, fail, wait), and what to do."""
    if said is None or said.upstream_wifi is None:
        detail = _("The box cannot see that. Look for its name in the Wi-Fi list of a telephone: it must be gone.")
        return _("Look yourself"), "wait", detail
    if said.upstream_wifi:
        detail = _("The box still hears it. Turn it off in the router, or devices go round the box.")
        return _("Still on"), "fail", detail
    return _("Yes"), "good", _("The box does not hear it any more. Look in the Wi-Fi list of a telephone too.")


def wifi_trouble(said: WifiState | None) -> str:
    """What is wrong with the box's own Wi-Fi; empty where nothing is known to be."""
    if said is None or said.up:
        return ""
    return _(
        "The box's Wi-Fi is off. Pull its plug, plug it in again, and wait two minutes. If it stays off, exchange it."
    )


def storage_trouble(said: Storage | None) -> str:
    """What is wrong with the box's storage; empty where nothing is known to be."""
    if said is None:
        return ""
    if said.errors:
        return _("The box's storage has faults. Exchange the box before it loses what it keeps.")
    if said.size and said.free < said.size * LEAST_FREE:
        return _("The box's storage is nearly full. Tell whoever looks after this service.")
    return ""


def uplink(said: BoxStatus) -> str:
    """The way to the internet in one line."""
    if said.uplink is None:
        return _(UNSAID)
    trouble = uplink_trouble(said.uplink)
    parts = [_(_KINDS[said.uplink.kind]), trouble]
    if said.uplink.upstream_wifi:
        parts.append(_("The router's own Wi-Fi is still on."))
    return ". ".join(part.rstrip(".") for part in parts if part) + "."


def wifi(said: BoxStatus) -> str:
    """The Wi-Fi in one line."""
    if said.wifi is None:
        return _(UNSAID)
    if not said.wifi.up:
        return _("Off")
    parts = [
        _("On"),
        ngettext("%(num)s device is joined", "%(num)s devices are joined", said.wifi.stations),
        ngettext("%(num)s passphrase", "%(num)s passphrases", said.wifi.passphrases),
    ]
    return ", ".join(parts)


def at_limit(said: BoxStatus) -> str:
    """How many devices were refused more connections, in one line: how many, not which."""
    if said.at_limit is None:
        return _(UNSAID)
    if not said.at_limit:
        return _("None in the last minutes")
    number = ngettext(
        "%(num)s device had as many connections at once as one may have",
        "%(num)s devices had as many connections at once as one may have",
        said.at_limit,
    )
    return number + ". " + _("More are refused, so that the other devices go on")


def storage(said: BoxStatus) -> str:
    """The storage in one line."""
    held = said.storage
    if held is None:
        return _(UNSAID)
    text = _(
        "%(free)s of %(size)s MB are free, %(locked)s",
        free=held.free // MIB,
        size=held.size // MIB,
        locked=_(_LOCKED[held.encrypted]),
    )
    trouble = storage_trouble(held)
    return f"{text}. {trouble}" if trouble else text
