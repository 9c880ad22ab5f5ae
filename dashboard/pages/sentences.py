"""Sentences about findings, devices and boxes. A finding speaks of a device, never of a person (R52).

Pure: stored rows in, plain words out.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dashboard.pages import words
from dashboard.pages.contexts import SeverityMark
from wire.base import Correction, Standing
from wire.box import BoxStatus, GapCause
from wire.findings import Finding, FindingKind
from wire.models import LooksLike, Presence, PresenceState

_Model = TypeVar("_Model", bound=BaseModel)

SILENT_SECONDS = 180.0
"""A box not heard of for longer is not reporting (R19)."""

CANNOT_SEE = (
    "Devices that use their own mobile data instead of this home's internet.",
    "Devices that use other Wi-Fi: a neighbour's, a café's, work's, or another phone's hotspot.",
    "What is stored on a device, or done on it without the internet.",
    "What a page, picture, message or call contains. At most the box sees the name of a service.",
    "Who is holding a device. The box knows devices, not people.",
    "Anything that passed while the box had no power or was not connected.",
)

LOOK = "Look at the details"
"""Words of the link to a finding that asks for nothing to be sent."""

_SEEN = {
    FindingKind.UNREGISTERED_DEVICE: (
        "A device that is not registered joined the home network",
        "{n} devices that are not registered joined the home network",
    ),
    FindingKind.LISTED_NAME: (
        "A device asked for a name that is on a list in force",
        "Names that are on a list in force were asked for, {n} findings",
    ),
    FindingKind.SAME_DEVICE: (
        "A device that is not registered is probably a known one with a new address",
        "{n} devices that are not registered are probably known ones with new addresses",
    ),
    FindingKind.CLASS_CHANGED: (
        "A known device began to behave like another kind of device",
        "{n} known devices began to behave like other kinds of device",
    ),
    FindingKind.KEY_SHARED: (
        "A device uses a Wi-Fi passphrase that was given to another device alone",
        "{n} devices use a Wi-Fi passphrase that was given to another device alone",
    ),
    FindingKind.KEY_ENDED: (
        "A device uses a visitor's Wi-Fi passphrase past its date",
        "{n} devices use a visitor's Wi-Fi passphrase past its date",
    ),
    FindingKind.VISIT_OVER: (
        "A visitor's device is still there after the visit was to end",
        "{n} visitors' devices are still there after the visits were to end",
    ),
}
"""What was seen: one, and several of the same cause."""

_REGISTERED = "Under {under}, devices in this home are to be registered. "
_WHY = {
    FindingKind.SAME_DEVICE: _REGISTERED
    + "The box joins nothing by itself on a likeness: an officer says whether the two are one device.",
    FindingKind.CLASS_CHANGED: "Under {under}, the box keeps what devices look like. Another device may be using this "
    "device's address, or the box was wrong about what it is.",
    FindingKind.KEY_SHARED: _REGISTERED
    + "A passphrase of its own is how the box knows a device again; in use by two, it no longer tells them apart. "
    "Say what the passphrase is for, or whose this device is.",
    FindingKind.KEY_ENDED: _REGISTERED
    + "This passphrase was for a visit that is over. Say what the passphrase is for now, or whose this device is.",
    FindingKind.VISIT_OVER: _REGISTERED
    + "The time that was set for this visit is over, so the device counts as not registered.",
}

_INNOCENT = {
    FindingKind.SAME_DEVICE: (
        "Many phones change their address by themselves to protect privacy; nobody has to do anything for that.",
    ),
    FindingKind.CLASS_CHANGED: (
        "An update, or a newly installed app, can change how a device behaves.",
        "The box may have been wrong about what the device was before.",
    ),
    FindingKind.KEY_SHARED: (
        "Someone typed the passphrase into a second device of their own, such as a replacement.",
        "The same device may have come back with a new address before the box noticed that it had left.",
    ),
    FindingKind.KEY_ENDED: (
        "A device joins by itself whenever it is near; its user need not have done anything.",
        "The visit may have been made longer.",
    ),
    FindingKind.VISIT_OVER: ("The visit may have been made longer.", "The device may have been left behind."),
}
_PRESENCE = {
    PresenceState.HERE: "Here since {at}",
    PresenceState.ASLEEP: "Quiet since {at}",
    PresenceState.FLAPPING: "Comes and goes, since {at}",
    PresenceState.LEFT: "Left {at}",
}
_PROPOSAL_STATES = {
    "open": "Waits for an answer",
    "confirmed": "An officer said that they are one device",
    "refused": "An officer said that they are two devices",
    "withdrawn": "The box does not think so any more",
}
_HOW = {
    "exact": "The whole name is on the list",
    "subtree": "The name, or the name it belongs to, is on the list",
    "subdomain": "The name it belongs to is on the list",
    "subdomains": "The name it belongs to is on the list",
}


def mark(severity: str) -> SeverityMark:
    """A severity as word and shape."""
    return SeverityMark(key=words.severity_key(severity), text=words.severity(severity))


def looks(value: dict[str, Any] | None) -> LooksLike | None:
    """What a device looks like, as stored; None if unknown or not readable."""
    return None if value is None else _read(LooksLike, value)


def payload(value: dict[str, Any]) -> Finding | None:
    """A finding's payload; None if it is of a form this version does not know."""
    return _read(Finding, value)


def status(value: dict[str, Any] | None) -> BoxStatus | None:
    """A box's status payload; None if there is none."""
    return None if value is None else _read(BoxStatus, value)


def device(label: str | None, looks_like: LooksLike | None, device_id: str) -> str:
    """A device in a few words: its label, else what it looks like, else its reference."""
    if label:
        return words.plain(label, 80)
    if looks_like is not None and looks_like.text.strip():
        return f"Looks like: {words.plain(looks_like.text, 120)}"
    return f"Nothing known yet of device {words.plain(device_id, 12)}"


def finding(kind: str, standing: str | None, number: int = 1) -> str:
    """What was seen, one sentence; `number` findings of the same cause."""
    if kind == FindingKind.LISTED_NAME and number == 1:
        return f"{_whose(standing)} asked for a name that is on a list in force"
    if kind in _SEEN:
        return _SEEN[FindingKind(kind)][number > 1].format(n=f"{number:,}")
    return f"The box reported: {words.plain(kind, 40)}" + (f", {number:,} findings" if number > 1 else "")


def why(kind: str, clause: str) -> str:
    """Why it matters, under which clause."""
    under = f"clause {words.plain(clause, 40)}" if clause else "the authority"
    match kind:
        case FindingKind.UNREGISTERED_DEVICE:
            return (
                f"Under {under}, devices in this home are to be registered. Until an officer says what this "
                "device is, the box keeps only that it is there and what it looks like."
            )
        case FindingKind.LISTED_NAME:
            return (
                f"Under {under}, the list is in force for this device. Asking for a name does not show that a "
                "page was opened or read, or who used the device."
            )
    return _WHY[FindingKind(kind)].format(under=under) if kind in _WHY else f"Reported under {under}."


def action(kind: str) -> str:
    """Words of the link to an open finding."""
    match kind:
        case FindingKind.UNREGISTERED_DEVICE | FindingKind.VISIT_OVER:
            return "Look and register"
        case FindingKind.SAME_DEVICE:
            return "Look and compare"
        case FindingKind.CLASS_CHANGED:
            return "Look and correct"
        case FindingKind.KEY_SHARED | FindingKind.KEY_ENDED:
            return "Look and decide"
    return LOOK


def stays(kind: str) -> str:
    """What to do about an open finding that no form here closes; empty for one that a decision closes."""
    if registers(kind) or kind == FindingKind.CLASS_CHANGED:
        return ""
    return (
        "Read it and keep your own note: that you opened it is recorded. "
        "It cannot be marked as reviewed here yet, so it stays on Today. "
        "“Last seen” shows whether there is anything new."
    )


def registers(kind: str) -> bool:
    """Whether saying whose device it is answers the finding."""
    return speaks_of_passphrase(kind) or kind in {
        FindingKind.UNREGISTERED_DEVICE,
        FindingKind.SAME_DEVICE,
        FindingKind.VISIT_OVER,
    }


def speaks_of_passphrase(kind: str) -> bool:
    """Whether saying what the Wi-Fi passphrase is for answers the finding."""
    return kind in {FindingKind.KEY_SHARED, FindingKind.KEY_ENDED}


def innocent(kind: str) -> tuple[str, ...]:
    """What else often explains a finding of this kind, beside what the box itself says."""
    return _INNOCENT.get(FindingKind(kind), ()) if kind in tuple(FindingKind) else ()


def presence(value: dict[str, Any] | None, now: float, zone: tzinfo) -> tuple[str, str]:
    """Whether a device is there, in words, and the state's name; both empty if the box has not said."""
    said = None if value is None else _read(Presence, value)
    if said is None:
        return "", ""
    at = words.time_or_date(said.since.timestamp(), now, zone)
    return _PRESENCE[said.state].format(at=at), said.state.value


def correction(value: dict[str, Any] | None) -> Correction:
    """What a person said a device is; empty if nothing, or not readable."""
    return (None if value is None else _read(Correction, value)) or Correction()


def proposal(probability: float) -> str:
    """The question of a proposal, with its probability in full."""
    return f"The box thinks these two may be one device ({probability:.0%})"


def question(probability: float, number: int) -> str:
    """The question of one proposal, or of several in a household."""
    if number > 1:
        return f"{number:,} pairs of devices may each be one device"
    return f"Two devices may be one. {words.confidence(probability)}"


def proposal_state(state: str) -> str:
    """What became of a proposal."""
    return _PROPOSAL_STATES.get(state) or words.plain(state, 20)


def how(value: str) -> str:
    """How a name matched a list."""
    return _HOW.get(value, words.plain(value, 16))


def reporting(heard_at: float | None, said: BoxStatus | None, now: float) -> tuple[bool, str]:
    """Whether a box reports, and that in a sentence."""
    if heard_at is None:
        return False, "The box has never reported"
    if said is not None and not said.online:
        return False, "The box lost its connection"
    if now - heard_at > SILENT_SECONDS:
        return False, "The box has stopped reporting"
    return True, "The box is reporting"


def blind(cause: GapCause) -> str:
    """Why a box could not see, one sentence."""
    match cause:
        case GapCause.SENSOR_AWAY:
            return "The part of the box that listens had stopped"
        case GapCause.KEEPER_AWAY:
            return "The box was switched off, or the part that records had stopped"
        case GapCause.TAPS_ANEW:
            return "The box began to listen anew; how long it did not is not known"


def problem(heard_at: float | None, said: BoxStatus | None, now: float) -> str:
    """What is wrong with a box, one sentence; empty if nothing is."""
    well, sentence = reporting(heard_at, said, now)
    if not well:
        return sentence
    if said is not None and not said.recording:
        reason = f": {words.plain(said.authority)}" if said.authority else ""
        return f"The box reports, but records nothing about devices{reason}"
    return ""


def _whose(standing: str | None) -> str:
    match standing:
        case Standing.REGISTERED:
            return "A registered device"
        case Standing.UNKNOWN | Standing.REFUSED:
            return "A device that is not registered"
    return "A device"


def _read(model: type[_Model], value: dict[str, Any]) -> _Model | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None
