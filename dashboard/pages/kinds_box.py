"""Words of the findings about the box itself and about its lists. See `kinds`.

What happened to a box is said as it is and no more: a power cut, a cleaner's vacuum and a hand look the
same from inside it (R19).
"""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.pages.kinds import Answer, Kind
from wire.findings import FindingKind

_BOX = "The box says this of itself, under {under}, so that nobody takes a gap for quiet. "
_LISTS = "Lists are in force under {under}. "

BOX: Mapping[FindingKind, Kind] = {
    FindingKind.POWER_LOST: Kind(
        one="The box was without power",
        many="The box was without power, {n} times",
        why=_BOX + "While it had no power it saw nothing.",
        innocent=("A power cut, a fuse, or a plug that was needed for something else.",),
    ),
    FindingKind.WAN_LOST: Kind(
        one="The home's internet connection was gone",
        many="The home's internet connection was gone, {n} times",
        why=_BOX + "It went on listening, but nothing could pass and nothing could be reported.",
        innocent=("A fault of the provider, or work on the line.",),
    ),
    FindingKind.CABLE_MOVED: Kind(
        one="A network cable of the box was unplugged or moved",
        many="Network cables of the box were unplugged or moved, {n} times",
        why=_BOX + "What is connected elsewhere does not go through the box.",
        innocent=("Cleaning, moving furniture, or a worn plug.",),
    ),
    FindingKind.BOX_RESET: Kind(
        one="The box was restarted",
        many="The box was restarted, {n} times",
        why=_BOX + "While it started it saw nothing.",
        innocent=("An update, a power cut, or someone who hoped that it would mend the internet.",),
    ),
    FindingKind.SETTINGS_CHANGED: Kind(
        one="Settings of the box are not what they were",
        many="Settings of the box are not what they were, {n} findings",
        why=_BOX + "Ask whoever installs boxes whether they changed them.",
        innocent=("An update, or a visit of the installer.",),
    ),
    FindingKind.CLOCK_CHANGED: Kind(
        one="The clock of the box jumped",
        many="The clock of the box jumped, {n} times",
        why=_BOX + "Times around the jump may be wrong by as much as the reasons say.",
        innocent=("A box that was without power for long sets its clock when it is back on the internet.",),
    ),
    FindingKind.STORAGE_CHANGED: Kind(
        one="The box's memory is not the one it had",
        many="The box's memory is not the one it had, {n} findings",
        why=_BOX + "Ask whoever installs boxes whether they changed it.",
        innocent=("A repair: memory cards wear out.",),
    ),
    FindingKind.LIST_STALE: Kind(
        one="A list has not been renewed for longer than it should",
        many="{n} lists have not been renewed for longer than they should",
        why=_LISTS + "An old list misses what was added since. Nothing in the home caused this.",
        innocent=("Whoever publishes the list may have had nothing to add, or their service may be down.",),
        answer=Answer.WAIT,
    ),
    FindingKind.LIST_REFUSED: Kind(
        one="A new version of a list was not taken",
        many="New versions of {n} lists were not taken",
        why=_LISTS + "The version before stays in force. Tell whoever looks after the lists.",
        innocent=("A fault where the list is made, or a transfer that was cut off.",),
        answer=Answer.WAIT,
    ),
    FindingKind.TEST_MISSED: Kind(
        one="The monthly test of the box was not passed",
        many="The monthly test of the box was not passed, {n} times",
        why=_LISTS + "Until it is passed, no findings from lists does not show that nothing was asked for.",
        innocent=("The box may have been off, or the home without internet, when the test was due.",),
        answer=Answer.WAIT,
    ),
}
"""Kinds about the box and its lists."""
