"""Plain sentences for the page about one's own device: findings, likeness, when things are erased. Pure.

A finding is said as what it is about, never how it was noticed: the page must not teach a way round the box. It
speaks of the device, never of a person (R63).
"""

from __future__ import annotations

from appliance.keeper import words
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device
from appliance.keeper.law.retention import shipped, terms
from appliance.keeper.signs.rules import KINDS
from appliance.notice import when
from wire.authority import DataClass
from wire.findings import Finding, FindingKind

MAX_FOUND = 64

_ABOUT = {
    FindingKind.UNREGISTERED_DEVICE: "Nobody has told the officers yet whose device this is.",
    FindingKind.SAME_DEVICE: "The box asks the officers whether this is a device that they know already.",
    FindingKind.VISIT_OVER: "The device is still here after its visit was to end.",
    FindingKind.CLASS_CHANGED: "The device looks like another kind of device than before.",
    FindingKind.KEY_SHARED: "The Wi-Fi passphrase it joined with is another device's own.",
    FindingKind.KEY_ENDED: "The visitor's passphrase it joined with is past its date.",
    FindingKind.PASSPHRASE_GUESSED: "The device tried Wi-Fi passphrases that do not fit.",
    FindingKind.LISTED_NAME: "A name that is on a list in force was asked for.",
    FindingKind.SILENT_DEVICE: "The device was used less than it usually is.",
    FindingKind.TREND: "The device is used differently than it usually is.",
    FindingKind.UNSEEN_USE: "The device's use does not fit what was said of it.",
    FindingKind.AGENT_DISAGREES: "What software on the device says and what the box saw do not agree.",
}
_SIGN = "Some of its traffic looks like a way round the box. Many ordinary things look a little like it."
_OTHER = "Something about this device waits for an officer."


def found(finding: Finding) -> str:
    """What a finding is about, since when, and that it is no more than that."""
    about = _ABOUT.get(finding.kind) or (_SIGN if finding.kind in KINDS else _OTHER)
    return f"{about} First noticed on {when(finding.first_seen.timestamp())}."


def looks(device: Device) -> tuple[str, ...]:
    """What it looks like and why, or what a person said it is."""
    said = []
    if device.looks_like is not None:
        said.append(f"It looks like this: {device.looks_like.text}")
        said += device.looks_like.reasons
    if device.correction is not None:
        put = (device.correction.category, device.correction.vendor, device.correction.model)
        said.append(f"An officer put this right: {', '.join(part for part in put if part) or 'yes'}.")
    return tuple(said)


def kept(device: Device, scope: Scope | None) -> tuple[str, ...]:
    """What is kept of such a device, under which clause, for how long."""
    if scope is None:
        return ("No authority is in force: nothing new is kept.",)
    classes = scope.classes(device.standing)
    if not classes:
        return ("Nothing is kept of devices like this one.",)
    days = terms(scope.authority, ended_at=None, at=0.0).days
    said = [
        f"The box keeps {words.KEPT[item]} (clause {classes[item]}), for {days[item]} days."
        for item in DataClass
        if item in classes
    ]
    return (*said, "What is written, said, seen or sent is never kept.")


def erased(scope: Scope | None) -> tuple[str, ...]:
    """When what is kept goes."""
    said = []
    if scope is not None:
        after = shipped().ended.days(scope.authority.purpose)
        said.append(f"The box stops keeping records on {when(scope.authority.not_after.timestamp())}.")
        said.append(
            "What it has about devices is erased by itself when its days are over, and all of it "
            f"{after} days after that date. Only what a court case needs is kept for longer."
        )
    said.append("If the box has your device wrong, what it should not have kept is erased when that is put right.")
    return tuple(said)
