"""Sentences about findings, devices and boxes. A finding speaks of a device, never of a person (R52).

Pure: stored rows in, plain words out.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dashboard.pages import words
from dashboard.pages.contexts import SeverityMark
from wire.base import Standing
from wire.models import BoxStatus, Finding, FindingKind, GapCause, LooksLike

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
    match kind:
        case FindingKind.UNREGISTERED_DEVICE if number == 1:
            return "A device that is not registered joined the home network"
        case FindingKind.UNREGISTERED_DEVICE:
            return f"{number:,} devices that are not registered joined the home network"
        case FindingKind.LISTED_NAME if number == 1:
            return f"{_whose(standing)} asked for a name that is on a list in force"
        case FindingKind.LISTED_NAME:
            return f"Names that are on a list in force were asked for, {number:,} findings"
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
    return f"Reported under {under}."


def action(kind: str) -> str:
    """Words of the link to an open finding."""
    return "Look and register" if kind == FindingKind.UNREGISTERED_DEVICE else LOOK


def stays(kind: str) -> str:
    """What to do about an open finding that no form here closes; empty for one that registering closes."""
    if kind == FindingKind.UNREGISTERED_DEVICE:
        return ""
    return (
        "Read it and keep your own note: that you opened it is recorded. It cannot be marked as reviewed here yet, "
        "so it stays on Today. “Last seen” shows whether there is anything new."
    )


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
