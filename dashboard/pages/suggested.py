"""Questions to ask at a visit, one for each kind of open finding (R44). Pure: kinds in, sentences out.

They are open questions about devices and habits. None says what the box would or would not see, none asks a person to
watch another one, and none claims anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboard.i18n import N_, _
from wire.findings import FindingKind

MOST = 8
_WHOSE = N_("Whose device is it, and since when is it here?")
_SETTINGS = N_(
    "Which apps or settings on the device protect its connection, and who set them up? Can we look together?"
)
_WIRING = N_("What is plugged into the box and into the provider's equipment, and what is it for?")
_POWER = N_("Was there a power cut, a fault of the internet, or work at home lately?")
_HABITS = N_("How has the device been used lately compared with before? Was it away, broken or replaced?")
_KEY = N_("Which devices use this Wi-Fi passphrase, and who was it given to?")
_NAME = N_("What was the device used for around that time, and by whom could it have been used?")
_QUESTIONS: Mapping[FindingKind, str] = {
    FindingKind.UNREGISTERED_DEVICE: _WHOSE,
    FindingKind.SAME_DEVICE: N_("Can we look at the device together? It may be one that is known already."),
    FindingKind.CLASS_CHANGED: N_("Was the device replaced, reset or given to somebody else?"),
    FindingKind.KEY_SHARED: _KEY,
    FindingKind.KEY_ENDED: _KEY,
    FindingKind.PASSPHRASE_GUESSED: N_(
        "Does any device have trouble joining the Wi-Fi since the passphrase was changed?"
    ),
    FindingKind.VISIT_OVER: N_("Is the guest still here, or does the device belong to the household now?"),
    FindingKind.LISTED_NAME: _NAME,
    FindingKind.ENCRYPTED_DNS: _SETTINGS,
    FindingKind.OTHER_RESOLVER: _SETTINGS,
    FindingKind.RELAY: _SETTINGS,
    FindingKind.TUNNEL: _SETTINGS,
    FindingKind.TOR: _SETTINGS,
    FindingKind.PROXY: _SETTINGS,
    FindingKind.DNS_TUNNEL: _SETTINGS,
    FindingKind.UNKNOWN_PROTOCOL: _SETTINGS,
    FindingKind.HIDDEN_NAMES: _SETTINGS,
    FindingKind.DEVICE_BEHIND: N_("Does anything else share this device's connection, such as a watch or a console?"),
    FindingKind.SECOND_ROUTER: _WIRING,
    FindingKind.OTHER_DHCP: _WIRING,
    FindingKind.UPSTREAM_DEVICE: _WIRING,
    FindingKind.SILENT_DEVICE: _HABITS,
    FindingKind.TREND: _HABITS,
    FindingKind.UNSEEN_USE: N_("Are all devices that are in use here on the list? Let us go through the rooms."),
    FindingKind.AGENT_DISAGREES: _HABITS,
    FindingKind.POWER_LOST: _POWER,
    FindingKind.WAN_LOST: _POWER,
    FindingKind.CABLE_MOVED: _WIRING,
    FindingKind.BOX_RESET: _POWER,
    FindingKind.BOX_SILENT: _POWER,
}
GENERAL = (
    N_("How are things going with the box at home? Is anything in its way?"),
    N_("Is there anything that you want to tell us about your devices before we go through the list?"),
)


def questions(kinds: Iterable[str]) -> tuple[str, ...]:
    """What to ask: for each kind, in this order, each question once; then what is always asked. At most `MOST`."""
    known = {str(kind): text for kind, text in _QUESTIONS.items()}
    chosen = dict.fromkeys(known[kind] for kind in kinds if kind in known)
    return tuple(_(text) for text in [*list(chosen)[: MOST - len(GENERAL)], *GENERAL])
