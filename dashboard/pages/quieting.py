"""The form that says that a finding is not relevant here (R30)."""

from __future__ import annotations

from dashboard import commands
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_arranged import QuietForm
from dashboard.pages.forms_arranged import DEVICE, ENDS, HOME, SUBJECT, WHYS, Irrelevant
from dashboard.pages.typed import Errors
from wire.findings import FindingKind

_USUAL = "90"
_SCOPES = {
    SUBJECT: "Only what this finding is about",
    DEVICE: "Everything that this rule finds on this device",
    HOME: "Everything that this rule finds in this home",
}
_HINTS = {
    SUBJECT: "The same place, service or name again, from the same device. Anything else is still shown.",
    DEVICE: "Other rules, and other devices, still speak.",
    HOME: "The widest answer: on no device of this home is it shown.",
}
_OF_LISTS = {
    SUBJECT: "The same entry of the same list again, from the same device. Other entries are still shown.",
    DEVICE: "Every entry of every list, urgent ones too: nothing that this device asks for is shown as listed.",
    HOME: "The widest answer: no entry of any list, urgent ones too, is shown for any device of this home.",
}
_OF_BOX = {
    SUBJECT: "The same again. Anything else is still shown.",
    HOME: "The widest answer: it is not shown again, whatever it is about.",
}
"""What each answer means: of most findings, of a name on a list, of the box itself."""


def quiet_form(kind: str, target: str, *, of_device: bool, typed: Irrelevant | None, errors: Errors) -> QuietForm:
    """The form about a finding of a kind; `of_device` when it is about a device."""
    hints = _OF_BOX if not of_device else _OF_LISTS if kind == FindingKind.LISTED_NAME else _HINTS
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
            Choice(value=value, text=_SCOPES[value], hint=hint, checked=value == scope) for value, hint in hints.items()
        ),
        whys=tuple(Choice(value=value, text=text, hint="", checked=value == why) for value, text in WHYS.items()),
        ends=tuple(Choice(value=value, text=text, hint="", checked=value == ends) for value, text in ENDS.items()),
    )
