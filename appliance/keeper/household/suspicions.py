"""What an officer reads of a device that may be a known one: probably it, or likely not.

In: two devices and how likely they are one. Out: the finding that a device is probably one on the
register, in place of the one that it is not registered; and with that one, which it is likely not.
One finding a device; it changes as the probability does.
"""

from __future__ import annotations

from dataclasses import replace

from appliance.keeper import findings, identity_findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.identity import Likeness
from appliance.keeper.devices.model import Device
from appliance.keeper.household.record import Record
from appliance.keeper.now import Now
from wire.base import Standing
from wire.findings import FindingKind

MOVED = 0.02
"""A probability that changed by less is no news."""


class Suspicions:
    """Findings about devices that may be known."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def same_device(self, stays: Device, goes: Device, likeness: Likeness, *, scope: Scope, at: float) -> None:
        """`goes`, which is not registered, is probably `stays` with a new address."""
        clause = scope.register()
        if clause is None:
            return
        stored = self._record.open_finding(goes.device_id, FindingKind.SAME_DEVICE)
        headline = identity_findings.same_device_words(stays, likeness.probability)
        if stored is not None:
            if abs(stored.finding.confidence - likeness.probability) >= MOVED:
                reasons = identity_findings.fit(headline, *likeness.reasons)
                said = stored.finding.model_copy(update={"confidence": likeness.probability, "reasons": reasons})
                self._record.report_finding(stored, findings.revised(said), at)
            return
        finding = identity_findings.same_device(
            goes,
            stays,
            probability=likeness.probability,
            reasons=likeness.reasons,
            against=likeness.against,
            clause=clause,
            now=Now(scope=scope, ts=min(goes.first_seen, at), at=at),
            finding_id=self._record.ids.finding(),
        )
        self._record.raise_finding(finding, at=at)
        kinds = frozenset({FindingKind.UNREGISTERED_DEVICE})
        self._record.close_findings(goes.device_id, kinds, headline, at)

    def no_more(self, goes: Device, at: float, *, scope: Scope) -> None:
        """It is not that likely any more: the device is one that is not registered, as before."""
        stored = self._record.open_finding(goes.device_id, FindingKind.SAME_DEVICE)
        clause = scope.register()
        if stored is None:
            return
        because = "It is less likely now that this is the known device."
        self._record.report_finding(stored, findings.closed(stored.finding, because), at)
        if clause is not None and goes.standing is Standing.UNKNOWN:
            now = Now(scope=scope, ts=min(goes.last_seen, at), at=at)
            finding = findings.unregistered(
                goes, clause=clause, via=None, now=now, finding_id=self._record.ids.finding()
            )
            self._record.raise_finding(finding, at=at)

    def unlikely(self, device: Device, known: Device, likeness: Likeness) -> None:
        """Say with the finding that the device is new which known one it is likely not. Told with its repeats."""
        stored = self._record.open_finding(device.device_id, FindingKind.UNREGISTERED_DEVICE)
        if stored is None or not known.on_the_register or known.first_seen > device.first_seen:
            return
        sentence = identity_findings.unlikely_words(known, likeness.probability)
        others = [item for item in stored.finding.alternatives if not item.startswith(identity_findings.UNLIKELY)]
        if sentence not in stored.finding.alternatives:
            said = stored.finding.model_copy(
                update={"alternatives": (*others[: identity_findings.MAX_SENTENCES - 1], sentence)}
            )
            self._record.store.findings.put(replace(stored, finding=said, dirty=True))
