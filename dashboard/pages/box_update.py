"""How the last release stands on one box, and the form that tells the box of it once more (R4). For who keeps boxes.

In: what `dashboard.store.ordering` read. Out: a sentence and a form. Nothing about persons.
"""

from __future__ import annotations

from collections.abc import Mapping

from dashboard import commands
from dashboard.i18n import N_, _
from dashboard.pages import words
from dashboard.pages.contexts import ActForm
from dashboard.pages.desk import Desk
from dashboard.pages.fields import field
from dashboard.pages.software_words import BECAME
from dashboard.pages.typed import Errors
from dashboard.store.ordering import MOST_TRIES, LastOrder

_BECAME = {**BECAME, "has": N_("Has it")}


def line(found: LastOrder | None, now: float) -> str:
    """What was ordered last and what became of it; why it cannot be ordered again where somebody might expect to."""
    if found is None:
        return _("No release was ordered for this box yet.")
    became = _("Ordered again, and not answered yet") if found.open and found.tries > 1 else _(_BECAME[found.became])
    text = _("Version %(version)s: %(became)s.", version=words.plain(found.release.version, 16), became=became)
    if found.became not in _BECAME or found.became in {"has", "under_way"} or found.open:
        return text
    if found.release.expires <= now:
        text += " " + _("Its statement has expired: enter a newer one on Software.")
    elif found.tries >= MOST_TRIES:
        text += " " + _(
            "It was ordered %(number)s times, which is all. The next release goes to this box as well.",
            number=found.tries,
        )
    return text


def form(at_desk: Desk, found: LastOrder | None, site: str, typed: Mapping[str, str], errors: Errors) -> ActForm | None:
    """The form; None where there is nothing to order again."""
    if found is None or not found.may_again(at_desk.now()):
        return None
    says = _(
        "The box looks at it anew: it may take it now, or say once more why not. Find out first what went wrong; the box's own words are above."
    )
    if found.release.state == "halted":
        says += " " + _("The release is halted: no other box is told of it.")
    return ActForm(
        key="again",
        opened=bool(errors),
        target=f"/boxes/{site}/software/{found.release.release_id}/again",
        token=commands.new_token(),
        heading=_("Order version %(version)s again", version=words.plain(found.release.version, 16)),
        says=says,
        button=_("Order it again"),
        fields=(field("area", "reason", _("Reason"), typed=typed, errors=errors),),
        emergency="",
    )
