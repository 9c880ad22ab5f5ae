"""What is said of each kind of finding: one `Kind` a kind, in plain words, of devices and never of persons (R52).

Pure tables. In the sentences `{who}` stands for the device at the start of a sentence, `{whom}` within
one, `{n}` for the number of findings; in `why`, `{under}` for the clause. Kinds that come of traffic and
silence are in `kinds_signs`, those about the box and its lists in `kinds_box`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wire.findings import FindingKind

LOOK = "Look at the details"
"""Words of the link to a finding that asks for nothing to be sent."""


class Answer(StrEnum):
    """What an officer can do about a finding where it is read."""

    REGISTER = "register"
    """Say whose device it is."""
    KEY = "key"
    """Say what the Wi-Fi passphrase is for, or whose device it is."""
    CORRECT = "correct"
    """Say what the device is."""
    QUIET = "quiet"
    """Say that it is not relevant here."""
    WAIT = "wait"
    """Nothing: the box closes it when what it says is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The words of one kind."""

    one: str
    """What was seen."""
    many: str
    """The same, of several findings."""
    why: str
    """Why it matters."""
    innocent: tuple[str, ...] = ()
    """What else often explains it, beside what the box says."""
    answer: Answer = Answer.QUIET
    """What can be done about it."""
    action: str = LOOK
    """Words of the link to an open one."""


_REGISTERED = "Under {under}, devices in this home are to be registered. "

DEVICES: Mapping[FindingKind, Kind] = {
    FindingKind.UNREGISTERED_DEVICE: Kind(
        one="A device that is not registered joined the home network",
        many="{n} devices that are not registered joined the home network",
        why="Under {under}, devices in this home are to be registered. Until an officer says what this "
        "device is, the box keeps only that it is there and what it looks like.",
        answer=Answer.REGISTER,
        action="Look and register",
    ),
    FindingKind.LISTED_NAME: Kind(
        one="{who} asked for a name that is on a list in force",
        many="Names that are on a list in force were asked for, {n} findings",
        why="Under {under}, the list is in force for this device. Asking for a name does not show that a "
        "page was opened or read, or who used the device.",
    ),
    FindingKind.SAME_DEVICE: Kind(
        one="A device that is not registered is probably a known one with a new address",
        many="{n} devices that are not registered are probably known ones with new addresses",
        why=_REGISTERED
        + "The box joins nothing by itself on a likeness: an officer says whether the two are one device.",
        innocent=(
            "Many phones change their address by themselves to protect privacy; nobody has to do anything for that.",
        ),
        answer=Answer.REGISTER,
        action="Look and compare",
    ),
    FindingKind.CLASS_CHANGED: Kind(
        one="A known device began to behave like another kind of device",
        many="{n} known devices began to behave like other kinds of device",
        why="Under {under}, the box keeps what devices look like. Another device may be using this "
        "device's address, or the box was wrong about what it is.",
        innocent=(
            "An update, or a newly installed app, can change how a device behaves.",
            "The box may have been wrong about what the device was before.",
        ),
        answer=Answer.CORRECT,
        action="Look and correct",
    ),
    FindingKind.KEY_SHARED: Kind(
        one="A device uses a Wi-Fi passphrase that was given to another device alone",
        many="{n} devices use a Wi-Fi passphrase that was given to another device alone",
        why=_REGISTERED
        + "A passphrase of its own is how the box knows a device again; in use by two, it no longer tells them apart. "
        "Say what the passphrase is for, or whose this device is.",
        innocent=(
            "Someone typed the passphrase into a second device of their own, such as a replacement.",
            "The same device may have come back with a new address before the box noticed that it had left.",
        ),
        answer=Answer.KEY,
        action="Look and decide",
    ),
    FindingKind.KEY_ENDED: Kind(
        one="A device uses a visitor's Wi-Fi passphrase past its date",
        many="{n} devices use a visitor's Wi-Fi passphrase past its date",
        why=_REGISTERED
        + "This passphrase was for a visit that is over. Say what the passphrase is for now, or whose this device is.",
        innocent=(
            "A device joins by itself whenever it is near; its user need not have done anything.",
            "The visit may have been made longer.",
        ),
        answer=Answer.KEY,
        action="Look and decide",
    ),
    FindingKind.VISIT_OVER: Kind(
        one="A visitor's device is still there after the visit was to end",
        many="{n} visitors' devices are still there after the visits were to end",
        why=_REGISTERED + "The time that was set for this visit is over, so the device counts as not registered.",
        innocent=("The visit may have been made longer.", "The device may have been left behind."),
        answer=Answer.REGISTER,
        action="Look and register",
    ),
}
"""Kinds about which device a device is, and about names it asked for."""
