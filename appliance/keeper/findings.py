"""Observation, device and clause in; finding out. Pure.

A finding says what was seen of a device, by which rule and clause, how sure that is and what else
could explain it (R29). It never speaks of a person and never says that a rule was broken (R63).
One device has one finding of a kind and subject; repeats are counted, not repeated (R26, R28).
"""

from __future__ import annotations

from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device, moment
from appliance.keeper.now import Now
from appliance.keeper.signs.model import Sign
from appliance.messages import Via
from wire.findings import MAX_RECORDS, Finding, FindingKind, Grade, ListHit, Rule, Severity

RULES_VERSION = "1"
MAX_TEXT = 300
MAX_COUNT = 2**31 - 1
GRADES = (Grade.LOW, Grade.MEDIUM, Grade.HIGH)
NO_AUTHORITY = "none"
"""In the rule of a finding about the box itself that was made while no authority was in force."""

_SEEN = {
    Via.ARP: "It was first seen when it asked for another device's address.",
    Via.DHCP: "It was first seen when it asked to join the network.",
    Via.ND: "It was first seen when it made itself known to the network.",
    Via.MDNS: "It was first seen when it announced itself.",
    Via.SSDP: "It was first seen when it announced itself.",
    Via.NBNS: "It was first seen when it announced itself.",
    Via.LLMNR: "It was first seen when it looked for another device.",
    Via.DNS: "It was first seen when it used the internet.",
    Via.FLOW: "It was first seen when it used the internet.",
    None: "It was first seen when it connected.",
}


def unregistered(device: Device, *, clause: str, via: Via | None, now: Now, finding_id: str) -> Finding:
    """An unregistered device was seen; `now.ts` is the time of its first frame, `now.at` of the commit."""
    alternatives = ["A device of a visitor, or of the household, that nobody has registered yet."]
    if device.locally_administered:
        alternatives.append(
            "A device that is known already and has changed its address, as many phones do to protect privacy."
        )
    return raised(
        FindingKind.UNREGISTERED_DEVICE,
        device,
        clause=clause,
        now=now,
        finding_id=finding_id,
        severity=Severity.TODAY,
        # A made-up address may be a second face of a device on the register.
        confidence=0.7 if device.locally_administered else 0.95,
        reasons=(
            "Unregistered device seen: its address is not on the register.",
            _SEEN[via],
            f"Clause {clause} asks for devices to be registered.",
        ),
        alternatives=tuple(alternatives),
    )


def raised(
    kind: FindingKind,
    device: Device,
    *,
    clause: str,
    now: Now,
    finding_id: str,
    severity: Severity,
    confidence: float,
    reasons: tuple[str, ...],
    alternatives: tuple[str, ...],
    hit: ListHit | None = None,
    key_id: str | None = None,
) -> Finding:
    """A new finding about a device, made by the rule of its kind."""
    authority = now.scope.authority
    return Finding(
        finding_id=finding_id,
        revision=1,
        kind=kind,
        severity=severity,
        device_id=device.device_id,
        state="open",
        first_seen=moment(now.ts),
        last_seen=moment(now.ts),
        raised_at=moment(now.at),
        count=1,
        rule=Rule(
            id=kind.value,
            version=RULES_VERSION,
            authority_id=authority.id,
            authority_number=authority.number,
            clause=clause,
        ),
        confidence=confidence,
        reasons=reasons,
        alternatives=alternatives,
        hit=hit,
        key_id=key_id,
    )


def of_sign(sign: Sign, *, scope: Scope | None, clause: str, severity: Severity, at: float, finding_id: str) -> Finding:
    """A new finding of a sign. Without a scope it is about the box itself, which is recorded always (N4)."""
    authority = None if scope is None else scope.authority
    return Finding(
        finding_id=finding_id,
        revision=1,
        kind=sign.kind,
        severity=severity,
        device_id=sign.device_id,
        state="open",
        first_seen=moment(sign.since),
        last_seen=moment(sign.ts),
        raised_at=moment(at),
        count=min(sign.count, MAX_COUNT),
        rule=Rule(
            id=sign.kind.value,
            version=RULES_VERSION,
            authority_id=NO_AUTHORITY if authority is None else authority.id,
            authority_number=1 if authority is None else authority.number,
            clause=clause,
        ),
        confidence=sign.confidence,
        reasons=sign.reasons,
        alternatives=sign.alternatives,
        grade=sign.grade,
        cause=sign.cause,
        records=sign.records or None,
        signals=sign.signals,
    )


def said_again(finding: Finding, sign: Sign, *, count: int, severity: Severity) -> Finding:
    """An open finding after its sign came again: counted, its grade never lower than it was."""
    counted = finding.model_copy(
        update={
            "count": min(max(count, finding.count), MAX_COUNT),
            "last_seen": max(finding.last_seen, moment(sign.ts)),
            "records": sign.records or finding.records,
        }
    )
    if finding.grade is not None and GRADES.index(sign.grade) < GRADES.index(finding.grade):
        return counted
    return counted.model_copy(
        update={
            "grade": sign.grade,
            "severity": severity,
            "confidence": sign.confidence,
            "reasons": sign.reasons,
            "alternatives": sign.alternatives,
            "signals": sign.signals,
            "cause": sign.cause,
        }
    )


def again(finding: Finding, ts: float, *, record: str | None = None) -> Finding:
    """Seen once more: counted, last time moved, newest record first. The revision rises when it is reported."""
    updated: dict[str, object] = {"count": finding.count + 1, "last_seen": max(finding.last_seen, moment(ts))}
    if record is not None:
        updated["records"] = tuple(dict.fromkeys((record, *(finding.records or ()))))[:MAX_RECORDS]
    return finding.model_copy(update=updated)


def revised(finding: Finding) -> Finding:
    """The next revision, to be reported."""
    return finding.model_copy(update={"revision": finding.revision + 1})


def closed(finding: Finding, because: str) -> Finding:
    """Closed, with the reason in words."""
    return revised(finding).model_copy(update={"state": "closed", "closed_because": clip(because)})


def clip(text: str) -> str:
    """A text that fits the wire."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
