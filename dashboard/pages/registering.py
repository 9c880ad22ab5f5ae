"""The form that says whose a device is; the finding's page and the device's page both have it."""

from __future__ import annotations

from dashboard import commands
from dashboard.pages import forms, words
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_device import Register
from dashboard.pages.desk import Desk
from dashboard.pages.forms import Standed
from dashboard.pages.typed import Errors
from dashboard.store.devices import StoredDevice
from wire.base import Standing

_HINTS = {
    Standing.REGISTERED: "Used by the {person}. The box keeps what the order allows for it.",
    Standing.HOUSEHOLD: "Belongs to someone else who lives here. Unless the order says more, the box keeps only that it is there.",
    Standing.GUEST: "Belongs to a visitor, for some days. Kept as little as a household member's device.",
    Standing.WORK: "Belongs to an employer. Kept as little as a household member's device.",
    Standing.INFRASTRUCTURE: "A printer, a Wi-Fi extender or the like, that nobody browses with.",
}
_NAMES = {Standing.REGISTERED: "Registered: the {person}'s own device"}


def standing_choices(at_desk: Desk, chosen: str = "") -> tuple[Choice, ...]:
    """What an officer may make of a device, and what each means for what is kept."""
    person = words.plain(at_desk.settings.words.person, 60)
    return tuple(
        Choice(
            value=standing,
            text=_NAMES.get(standing, words.standing(standing)).format(person=person),
            hint=_HINTS[standing].format(person=person),
            checked=standing == chosen,
        )
        for standing in forms.STANDINGS
    )


def register_form(
    at_desk: Desk,
    target: str,
    device: StoredDevice | None,
    *,
    asked_for: bool,
    typed: Standed | None = None,
    errors: Errors = (),
) -> Register:
    """The form; `asked_for` when an open finding waits for it."""
    unknown = device is None or device.standing in {Standing.UNKNOWN, Standing.REFUSED}
    wanted = unknown or asked_for
    chosen = typed.standing if typed else ""
    return Register(
        heading="Register this device" if wanted else "Change what this device is",
        folded=not wanted and not errors,
        target=target,
        token=commands.new_token(),
        choices=standing_choices(at_desk, chosen),
        label=typed.label if typed else (words.plain(device.label, 80) if device and device.label else ""),
        days=typed.days if typed else str(forms.GUEST_DAYS),
        reason=typed.reason if typed else "",
        errors=errors,
    )
