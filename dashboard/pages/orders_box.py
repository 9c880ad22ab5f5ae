"""Orders about the box itself, in words: its Wi-Fi, its software, its end. See `orders`.

Pure: an order in, (a few words, facts, what is so when it is applied) out.
"""

from __future__ import annotations

from dashboard.pages.orders_law import Words
from wire.orders import EndPassphrase, SetNetwork, SetPassphrase, TakeRelease, WipeBox

BoxOrder = SetPassphrase | EndPassphrase | SetNetwork | TakeRelease | WipeBox
PURPOSES = {
    "device": "This device's own",
    "guest": "A visitor's",
    "household": "Everybody's in the home",
}
_SECURITY = {"wpa2": "WPA2, a passphrase for each device", "wpa2-wpa3": "WPA2 and WPA3"}


def of_the_box(order: BoxOrder) -> Words:
    """An order about the box in words."""
    match order:
        case SetPassphrase(key_id=key_id, purpose=purpose):
            return (
                f"New Wi-Fi passphrase {key_id}: {PURPOSES[purpose].lower()}",
                (("Wi-Fi passphrase", key_id), ("It is", PURPOSES[purpose])),
                "The passphrase opens the box's Wi-Fi.",
            )
        case EndPassphrase(key_id=key_id):
            return (
                f"Wi-Fi passphrase {key_id} ends",
                (("Wi-Fi passphrase", key_id),),
                "The passphrase opens the Wi-Fi no more.",
            )
        case SetNetwork(ssid=ssid, security=security):
            return (
                "The Wi-Fi's name",
                (("Name", ssid), ("Secured by", _SECURITY[security])),
                "The box's Wi-Fi is as asked.",
            )
        case TakeRelease(signed=signed):
            return (
                f"Update to version {signed.release.version}",
                (("Version", signed.release.version),),
                "The box has begun with the update. How far it is stands on the page about the box.",
            )
        case WipeBox(removal_id=removal_id):
            return (
                "Wipe the box",
                (("Certificate", removal_id),),
                "All keys and records of the household on the box are destroyed.",
            )
