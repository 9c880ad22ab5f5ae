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
    FindingKind.TIME_UNAUTHENTICATED: Kind(
        one="The box cannot say for certain what time it is",
        many="The box cannot say for certain what time it is, {n} times",
        why=_BOX + "Until its time is confirmed, what it sees is locked away unread, and kept only if it proves "
        "to be within the authority.",
        innocent=("A fault of the provider, or of the server that confirms the time.",),
        answer=Answer.WAIT,
    ),
    FindingKind.AUTHORITY_ENDING: Kind(
        one="The authority of the box is about to end, or has ended",
        many="The authority of the box is about to end, or has ended, {n} findings",
        why=_BOX
        + "When the authority ends the box stops recording by itself. Decide in time whether it is to be varied or removed.",
        innocent=("Nothing went wrong: every authority has an end.",),
        answer=Answer.WAIT,
    ),
    FindingKind.AUTHORITY_CHANGED: Kind(
        one="What the box may record has changed",
        many="What the box may record has changed, {n} times",
        why=_BOX + "Recording follows the document in force, from the moment it counts.",
        innocent=("An officer put a new document in force, paused, or noted that a consent was withdrawn.",),
        answer=Answer.WAIT,
    ),
    FindingKind.REVIEW_DUE: Kind(
        one="A review is due: is as much still needed?",
        many="{n} reviews are due: is as much still needed?",
        why=_BOX + "Supervision that goes on is to be reviewed: whether it can be narrowed, paused or ended.",
        innocent=("Nothing went wrong: the date was set when the authority was issued.",),
        answer=Answer.WAIT,
    ),
    FindingKind.BREAK_GLASS: Kind(
        one="One person opened in an emergency what takes two",
        many="One person opened in an emergency what takes two, {n} times",
        why=_BOX + "It ends by itself after an hour at most, and is to be reviewed by someone else.",
        innocent=("There was an emergency, and no second officer could be reached.",),
        answer=Answer.WAIT,
    ),
    FindingKind.MANY_ADDRESSES: Kind(
        one="Far more new devices than a home has seemed to join at once",
        many="Far more new devices than a home has seemed to join at once, {n} times",
        why=_BOX
        + "Something in the home makes up addresses, or many devices joined together. A new device may have joined "
        "among them unnoticed; those that stayed are listed one by one.",
        innocent=("A faulty device, or a party.",),
    ),
    FindingKind.PASSPHRASE_GUESSED: Kind(
        one="The home's Wi-Fi is being tried with passphrases that do not fit",
        many="The home's Wi-Fi is being tried with passphrases that do not fit, {n} findings",
        why=_BOX + "None of these tries let anything in. It closes by itself when nobody has tried for half an hour.",
        innocent=(
            "Someone in the home or next door typed the passphrase wrongly, or chose the wrong Wi-Fi.",
            "A device of the household still tries a passphrase that was changed or has ended.",
        ),
    ),
    FindingKind.RECORDS_DROPPED: Kind(
        one="The box could not keep everything that it saw",
        many="The box could not keep everything that it saw, {n} times",
        why=_BOX + "The reasons say how much is missing and from when. Findings are never dropped.",
        innocent=("A long time without the internet, or very many devices or questions in a short time.",),
    ),
    FindingKind.STORAGE_FULL: Kind(
        one="The storage of the box is nearly full",
        many="The storage of the box is nearly full, {n} findings",
        why=_BOX + "Findings go on. Ask whoever installs boxes to look at it.",
        innocent=("A long time without the internet: what was not sent yet takes room.",),
        answer=Answer.WAIT,
    ),
    FindingKind.BOX_SILENT: Kind(
        one="Nothing has been heard from the box",
        many="Nothing has been heard from the box, {n} times",
        why="Boxes that record under {under} are to be heard of. While nothing is heard, nothing is known of the home. What the box recorded meanwhile comes later.",
        innocent=("A power cut, a fault of the provider, or a box that was switched off.",),
        answer=Answer.WAIT,
    ),
    FindingKind.LEDGER_CONFLICT: Kind(
        one="Two accounts of the same time came in the name of the box",
        many="Two accounts of the same time came in the name of the box, {n} times",
        why="Records under {under} must be one account. These were copied, set back or altered. Tell whoever installs boxes before anything rests "
        "on what it says.",
        innocent=("A repair in which an old copy of the memory card was put back.",),
        answer=Answer.WAIT,
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
