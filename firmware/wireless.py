"""The household's Wi-Fi as hostapd reads it: one file for each radio.

A `Household` in, texts by path out; pure. The passphrases are not in there: hostapd reads them from the file that the
warden writes, each with the name of the device it was given to. The one exception is WPA3, which takes none from a
file; its text holds a secret then, and `firmware.modes` says that root alone reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware import layout
from firmware.household import Household, Radio
from firmware.templating import fill
from wire.wifi import HOUSEHOLD_KEY

FOLDER = "/etc/hostapd"
UNIT = "/etc/systemd/system/hostapd@.service.d/20-gatehouse-bridge.conf"

_CENTRES = {36: 42, 40: 42, 44: 42, 48: 42, 149: 155, 153: 155, 157: 155, 161: 155}
"""Channels of 5 GHz that are part of one 80 MHz wide, and the middle of it (IEEE 802.11, annex E)."""
_UPWARD = frozenset({36, 44, 149, 157})
"""Those whose second half of 40 MHz lies above."""
_LINE_SIGNS = ("|mac=", "|vlanid=", "|pk=", "|id=")
"""What hostapd would take for the end of a passphrase in `sae_password`."""


class WirelessError(ValueError):
    """A Wi-Fi that cannot be made; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a configuration needs and `household.toml` does not hold."""

    passphrase: str | None = None
    """The one that everybody in the home has; needed for WPA3 only."""


def path(radio: str) -> str:
    """Where the configuration of a radio is installed; the instance of `hostapd@` is the radio."""
    return f"{FOLDER}/{radio}.conf"


def render(household: Household, secrets: Secrets) -> dict[str, str]:
    """Text of each radio's file, by path; none where the household has cables only.

    Raises:
        WirelessError: WPA3 is wanted and there is no passphrase for it.
    """
    wifi = household.wifi
    if wifi is None:
        return {}
    sae = None
    if wifi.security == "wpa2-wpa3":
        sae = secrets.passphrase
        if sae is None:
            raise WirelessError("wifi.security wpa2-wpa3 needs the home's passphrase, and none is set yet")
        if any(sign in sae for sign in _LINE_SIGNS):
            raise WirelessError("the home's passphrase has a part that WPA3 cannot take; choose another, or wpa2")
    pmf = {"off": 0, "optional": 1, "required": 2}[wifi.pmf]
    keys = ["WPA-PSK"] + (["WPA-PSK-SHA256"] if pmf == 2 else []) + (["SAE"] if sae else [])
    return {
        path(radio.interface): fill(
            "hostapd.conf",
            radio=radio,
            wifi=wifi,
            ssid=wifi.ssid.encode().hex(),
            bridge=household.lan.bridge,
            warden=layout.UIDS["warden"],
            pmf=pmf,
            keys=" ".join(keys),
            sae=sae,
            wide=_wide(radio),
        )
        for radio in wifi.radios
    } | {UNIT: fill("hostapd-unit.conf", device=_escaped(household.lan.bridge))}


def household_passphrase(psk_file: str) -> str | None:
    """The passphrase under the name `household` in a file of hostapd's passphrases; None where there is none."""
    for line in psk_file.splitlines()[:1000]:
        parts = line.split(" ")
        while parts and "=" in parts[0]:  # options come before the address (wpa_psk_file of hostapd)
            if parts[0] == f"keyid={HOUSEHOLD_KEY}":
                found = line.partition("00:00:00:00:00:00 ")[2]
                return found if 8 <= len(found) <= 63 and found.isascii() and found.isprintable() else None
            parts = parts[1:]
    return None


def _wide(radio: Radio) -> tuple[str, int] | None:
    """Side of the second 20 MHz, and the middle of 80 MHz; None where a channel is used alone.

    On 2.4 GHz there is no room for more in a street of houses.
    """
    if radio.band != "5" or radio.channel not in _CENTRES:
        return None
    return ("+" if radio.channel in _UPWARD else "-"), _CENTRES[radio.channel]


def _escaped(interface: str) -> str:
    """An interface as it stands in the name of a unit (systemd-escape(1))."""
    return interface.replace("-", "\\x2d")
