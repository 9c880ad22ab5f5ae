"""What became of an order that changes the box itself, in plain words and with what to do (R6, R57). Pure.

In: what the box last said, and which order is meant. Out: sentences. What it said of another order is not about this one:
it stays in its status until the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dashboard.i18n import N_, _
from dashboard.pages import words
from wire.box import BoxStatus, Change

NOT_DONE = frozenset({"refused", "failed"})
OUTCOMES = {
    "under-way": N_("Under way"),
    "done": N_("Done"),
    "refused": N_("The box refused it"),
    "failed": N_("It did not work"),
}
TITLES: dict[Literal["set-network", "wipe-box"], str] = {
    "set-network": N_("Last change of the Wi-Fi"),
    "wipe-box": N_("Emptying the box"),
}


def change(said: BoxStatus | None, action: Literal["set-network", "wipe-box"], about: str | None) -> Change | None:
    """What the box says became of one order; None where it says nothing of it."""
    changes: Sequence[Change] = () if said is None or said.changes is None else said.changes
    return next((one for one in changes if (one.action, one.about) == (action, about)), None)


def network(found: Change | None) -> str:
    """Of a change of the Wi-Fi: what is going on, or went wrong; empty where nothing is to be said."""
    if found is None or found.outcome == "done":
        return ""
    if found.outcome == "under-way":
        return _("The box is changing its Wi-Fi. Devices lose it for a moment, and come back by themselves.")
    says = words.plain(found.detail) if found.detail else _("It does not say why.")
    kept = _("What was before is in force, so devices stay joined as they were.")
    if found.outcome == "refused":
        first, then = (
            _("The box did not take the last change of the Wi-Fi."),
            _("Save it below as it was before, or without what the box cannot do."),
        )
    else:
        first, then = (
            _("The box could not make the last change of the Wi-Fi."),
            _("Save it below once more. If that fails too, tell whoever looks after this service."),
        )
    return f"{first} {_('The box says: %(what)s', what=says)} {kept} {then}"


def wipe(found: Change | None) -> str:
    """Of emptying the box: what went wrong and what to do; empty where nothing did."""
    if found is None or found.outcome not in NOT_DONE:
        return ""
    says = words.plain(found.detail) if found.detail else _("It does not say why.")
    then = (
        _("It does not try again. Say below that it cannot be emptied here, and have it emptied where boxes are kept.")
        if found.outcome == "refused"
        else _(
            "It tries again by itself: wait two minutes and load this page again. If it stays so, say below that it "
            "cannot be emptied here, and have it emptied where boxes are kept."
        )
    )
    return f"{_('The box has not destroyed what it keeps.')} {_('The box says: %(what)s', what=says)} {then}"


def lines(said: BoxStatus) -> tuple[tuple[str, str, float], ...]:
    """For who looks after boxes: title, outcome, and when (Unix seconds), without a word of the home's own settings."""
    return tuple((_(TITLES[one.action]), _(OUTCOMES[one.outcome]), one.at.timestamp()) for one in said.changes or ())
