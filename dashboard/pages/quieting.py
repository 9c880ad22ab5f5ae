"""The form that says that a finding is not relevant here (R30)."""

from __future__ import annotations

from dashboard import commands
from dashboard.pages.contexts_arranged import QuietForm
from dashboard.pages.contexts_device import Choice
from dashboard.pages.forms_arranged import DEVICE, ENDS, HOME, SUBJECT, WHYS, Irrelevant
from dashboard.pages.typed import Errors

_USUAL = "90"
_SCOPES = {
    SUBJECT: (
        "Only what this finding is about",
        "The same place, service or name again, from the same device. Anything else is still shown.",
    ),
    DEVICE: ("Everything that this rule finds on this device", "Other rules, and other devices, still speak."),
    HOME: ("Everything that this rule finds in this home", "The widest answer: on no device of this home is it shown."),
}


def quiet_form(target: str, *, of_device: bool, typed: Irrelevant | None, errors: Errors) -> QuietForm:
    """The form; `of_device` when the finding is about a device."""
    scope = typed.scope if typed else SUBJECT
    why = typed.why if typed else ""
    ends = typed.ends if typed else _USUAL
    return QuietForm(
        opened=bool(errors),
        target=target,
        token=commands.new_token(),
        reason=typed.reason if typed else "",
        errors=errors,
        scopes=tuple(
            Choice(value=value, text=text, hint=hint, checked=value == scope)
            for value, (text, hint) in _SCOPES.items()
            if of_device or value != DEVICE
        ),
        whys=tuple(Choice(value=value, text=text, hint="", checked=value == why) for value, text in WHYS.items()),
        ends=tuple(Choice(value=value, text=text, hint="", checked=value == ends) for value, text in ENDS.items()),
    )
