"""What a box says of its own software, in words for engineers. Pure."""

from __future__ import annotations

from dashboard.i18n import N_, _
from dashboard.pages import words
from wire.release import SoftwareState

STAGES = {
    "idle": "",
    "fetching": N_("is fetching version %(wanted)s"),
    "checking": N_("is checking version %(wanted)s"),
    "writing": N_("is writing version %(wanted)s"),
    "waiting": N_("has written version %(wanted)s and waits until nobody minds a restart"),
    "restarting": N_("is starting anew for version %(wanted)s"),
    "proving": N_("is finding out whether version %(wanted)s is well"),
    "done": "",
    "failed": N_("could not take version %(wanted)s"),
    "rolled-back": N_("went back from version %(wanted)s"),
}
BECAME = {
    "failed": N_("Did not take it"),
    "rolled_back": N_("Went back to the version before"),
    "refused": N_("Refused it"),
    "silent": N_("Not heard of for an hour"),
    "under_way": N_("Under way"),
}


def software_line(said: SoftwareState | None) -> str:
    """One sentence: what runs, and how far an update is."""
    if said is None:
        return _("The box does not say.")
    text = _("Version %(version)s", version=said.version)
    if said.slot:
        text += " " + _("in system partition %(slot)s", slot=words.plain(said.slot, 8))
    stage = STAGES[said.stage]
    if stage and said.wanted is not None:
        text += "; " + _("the box") + " " + _(stage, wanted=said.wanted)
        if said.percent is not None:
            text += f" ({said.percent} %)"
    text += "."
    if said.detail and said.stage in {"failed", "rolled-back", "fetching", "waiting"}:
        text += " " + words.plain(said.detail)
    if said.outdated:
        text += " " + _(
            "Older than it may be: %(what)s.", what="; ".join(words.plain(one, 120) for one in said.outdated)
        )
    return text
