"""Findings about which device something is: a new address, another kind, a passphrase, a visit that is over.

In: a device, what was found, the clause. Out: findings. Pure; the same rules of speech as `findings`.
"""

from __future__ import annotations

from collections.abc import Iterable

from appliance.keeper.authority import when
from appliance.keeper.devices.fingerprint import ClassChange
from appliance.keeper.devices.model import Device
from appliance.keeper.findings import clip, raised
from appliance.keeper.now import Now
from wire.findings import Finding, FindingKind, Severity

MAX_SENTENCES = 16


def same_device(
    device: Device,
    known: Device,
    *,
    probability: float,
    reasons: tuple[str, ...],
    against: tuple[str, ...],
    clause: str,
    now: Now,
    finding_id: str,
) -> Finding:
    """A device that is not registered is probably one on the register with a new address."""
    return raised(
        FindingKind.SAME_DEVICE,
        device,
        clause=clause,
        now=now,
        finding_id=finding_id,
        severity=Severity.THIS_WEEK,
        confidence=probability,
        reasons=fit(same_device_words(known, probability), *reasons),
        alternatives=fit("Another device of the same kind, which nobody has registered yet.", *against),
    )


def same_device_words(known: Device, probability: float) -> str:
    """The headline of `same_device`."""
    name = f"{known.standing.value} device “{known.label}”" if known.label else f"{known.standing.value} device"
    return clip(f"Probably the {name} with a new address ({probability:.0%}).")


UNLIKELY = "Likely not "
"""How the sentence of `unlikely_words` begins."""


def unlikely_words(known: Device, probability: float) -> str:
    """An alternative to a new device that was weighed and found unlikely."""
    name = f"“{known.label}”" if known.label else f"the {known.standing.value} device"
    return clip(f"{UNLIKELY}{name}, which was last seen on {when(known.last_seen)} ({probability:.0%}).")


def class_changed(device: Device, change: ClassChange, *, clause: str, now: Now, finding_id: str) -> Finding:
    """A known address began to speak like another kind of device."""
    return raised(
        FindingKind.CLASS_CHANGED,
        device,
        clause=clause,
        now=now,
        finding_id=finding_id,
        severity=Severity.TODAY,
        confidence=change.confidence,
        reasons=fit(*change.reasons),
        alternatives=fit(*change.alternatives),
    )


def system_changed(device: Device, was: str, shows: str, *, clause: str, now: Now, finding_id: str) -> Finding:
    """A new address that the box counts as a known device's runs other software than that."""
    return raised(
        FindingKind.CLASS_CHANGED,
        device,
        clause=clause,
        now=now,
        finding_id=finding_id,
        severity=Severity.TODAY,
        confidence=0.6,  # each system is named from 0.6 on
        reasons=fit(
            f"The device was known to run {was}. What it shows under its new address points to {shows}.",
            "The new address was counted as this device's because of its Wi-Fi passphrase or a number it showed.",
        ),
        alternatives=fit(
            "Another device uses the passphrase of this one, or shows its number.",
            "The device was replaced by a new one that was given the same passphrase.",
            "Its software was replaced, or the first judgement was wrong.",
        ),
    )


def key_shared(
    device: Device, holder: Device, key_id: str, *, at_once: bool, clause: str, now: Now, finding_id: str
) -> Finding:
    """A passphrase that is one device's own is in use by another; `at_once`: both were there together."""
    whose = f"“{holder.label}”" if holder.label else "another device"
    return raised(
        FindingKind.KEY_SHARED,
        device,
        clause=clause,
        now=now,
        finding_id=finding_id,
        severity=Severity.TODAY,
        confidence=0.9,
        reasons=fit(
            f"This device joined with the Wi-Fi passphrase that was given to {whose} alone.",
            "Both were connected at the same time, so they are two devices."
            if at_once
            else "It was found before that the two are not one device.",
        ),
        alternatives=(
            "The passphrase was typed into a second device by mistake.",
            "The first device joined a second time before it was noticed that it had left.",
        ),
        key_id=key_id,
    )


def key_ended(device: Device, key_id: str, *, ended: float, clause: str, now: Now, finding_id: str) -> Finding:
    """A visitor's passphrase is in use past its date."""
    return raised(
        FindingKind.KEY_ENDED,
        device,
        clause=clause,
        now=now,
        finding_id=finding_id,
        severity=Severity.TODAY,
        confidence=0.95,
        reasons=(
            "This device joined with a visitor's Wi-Fi passphrase.",
            f"The passphrase was to be used until {when(ended)}.",
        ),
        alternatives=(
            "The visit was made longer and the box was not told.",
            "The device keeps the passphrase from the visit and joined by itself.",
        ),
        key_id=key_id,
    )


def visit_over(device: Device, *, ended: float, clause: str, now: Now, finding_id: str) -> Finding:
    """A visitor's device is still there after the visit was to end."""
    return raised(
        FindingKind.VISIT_OVER,
        device,
        clause=clause,
        now=now,
        finding_id=finding_id,
        severity=Severity.THIS_WEEK,
        confidence=0.95,
        reasons=(
            f"The visit was to end on {when(ended)}, and the device was seen after that.",
            "It counts as not registered until an officer decides.",
        ),
        alternatives=("The visit was made longer and the box was not told.",),
    )


def fit(*sentences: str) -> tuple[str, ...]:
    """Sentences as they fit a finding, each once."""
    return _unique(clip(sentence) for sentence in sentences)[:MAX_SENTENCES]


def _unique(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentences))
