"""How much an officer is asked to read: quieted rules, cool-down, one item a cause, a day's budget (R27, R28, R30).

In: findings about to be raised or raised in grade. Out: the same as they may be told, or None where the
rule is quieted here and this is only counted. Nothing is lost: what goes over the budget is told under
one cause, so that it is one item to read, and what came and went lately comes back for information.

What an officer put on a list as urgent, and every sign of a high grade, is never held down.
Bounded: causes counted a day `BUDGET`; what was counted as quiet today `MAX_COUNTED`.
"""

from __future__ import annotations

import json

from appliance.keeper.devices.model import moment
from appliance.keeper.devices.registry import Registry
from appliance.keeper.law.kinds import LAW_KINDS
from appliance.keeper.store.database import Store
from wire.base import Standing
from wire.box import Quieted
from wire.findings import FURTHER_SIGNS, Finding, FindingKind, Grade, Severity

COOL_SECONDS = 7 * 86400.0
"""A finding that comes again so soon after it was closed is no new item to review, unless it is graded higher."""

BUDGET = 3
"""Items to review that signs and lower list hits may make a household a day; further ones are one item together."""
OF_OTHERS = BUDGET - 1
"""So many of them may be about devices that are not on the register: those are made up at no cost."""

MAX_COUNTED = 4096

_SEVERITIES = tuple(Severity)
"""The most urgent first."""
_RANK = {Grade.LOW: 0, Grade.MEDIUM: 1, Grade.HIGH: 2}
_DAY = 86400.0
_BUDGET = "review_budget"


class Noise:
    """Decides what becomes an item to review."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._quieted = store.quiets.all()
        self._counted: dict[tuple[str, str | None, str], None] = {}
        """What was counted as quiet on `_counted_day`."""
        self._counted_day = -1
        self.folded = 0
        """Findings told under the one cause of what goes over the budget, since start."""
        self.overflow = 0
        """Quiet repeats of a day that found no room to be counted, since start."""

    @property
    def quieted(self) -> tuple[Quieted, ...]:
        """The rules that are quieted."""
        return tuple(self._quieted)

    def set_quieted(self, quieted: list[Quieted]) -> None:
        """The rules that are quieted from now on."""
        self._quieted = quieted

    def admit(self, finding: Finding, subject: str, at: float) -> Finding | None:
        """A new finding as it may be told; None when its rule is quieted. What is about the law is told always."""
        if finding.kind in LAW_KINDS:
            return finding
        quiet = self.quiet_for(finding.kind, finding.device_id, subject, at)
        if quiet is not None:
            self._count(quiet, finding.device_id, subject, at)
            return None
        return self.held_down(self._cooled(finding, subject, at), at)

    def held_down(self, finding: Finding, at: float) -> Finding:
        """The finding, told with others as one item where the day has had its share of items."""
        if not _may_hold_down(finding):
            return finding
        day, causes = self._today(at)
        cause = finding.cause or finding.finding_id
        if cause in causes:
            return finding
        if len(causes) < (BUDGET if self._registered(finding.device_id) else OF_OTHERS):
            self._store.set(_BUDGET, json.dumps([day, [*causes, cause]]))
            return finding
        self.folded += 1
        return finding.model_copy(update={"cause": f"{FURTHER_SIGNS}{moment(at):%Y-%m-%d}"})

    def repeated(self, before: Finding, said: Finding, at: float) -> Finding:
        """A finding that came again, no higher than before: held down as it was, until the cool-down is over.

        What still goes on then is an item to review: nothing is done in peace for having been told once.
        """
        cooled = at - before.raised_at.timestamp() >= COOL_SECONDS
        if cooled and before.severity is Severity.INFORMATION and said.severity is not Severity.INFORMATION:
            return self.held_down(said, at)
        # An officer may have given the device a standing since, of which the same is expected.
        lower = max(before.severity, said.severity, key=_SEVERITIES.index)
        return said.model_copy(update={"severity": lower, "cause": before.cause or said.cause})

    def quiet_for(self, kind: FindingKind, device_id: str | None, subject: str, at: float) -> Quieted | None:
        """The instruction by which findings of this kind about this device and subject are kept quiet."""
        for quieted in self._quieted:
            if quieted.rule != kind.value or (quieted.until is not None and quieted.until.timestamp() <= at):
                continue
            # What was said of a device that counts as part of another now does not silence the whole of it.
            if quieted.device_id not in {None, device_id}:
                continue
            if quieted.subject is None or quieted.subject == subject:
                return quieted
        return None

    # --- inside -----------------------------------------------------------------------------

    def _registered(self, device_id: str | None) -> bool:
        device = None if device_id is None else self._registry.by_id(device_id)
        return device is not None and device.standing is Standing.REGISTERED

    def _count(self, quiet: Quieted, device_id: str | None, subject: str, at: float) -> None:
        """Once a day for what it is about: the same connection a thousand times is one finding kept quiet."""
        if self._counted_day != (day := int(at // _DAY)):
            self._counted_day, self._counted = day, {}
        key = (quiet.quiet_id, device_id, subject)
        if key in self._counted:
            return
        if len(self._counted) >= MAX_COUNTED:
            self.overflow += 1
            return
        self._counted[key] = None
        counted = quiet.model_copy(update={"count": quiet.count + 1})
        self._quieted = [counted if item.quiet_id == quiet.quiet_id else item for item in self._quieted]
        self._store.quiets.put(counted)

    def _cooled(self, finding: Finding, subject: str, at: float) -> Finding:
        """For information where the same was closed lately and this says no more."""
        if not _may_hold_down(finding):
            return finding
        before = self._store.findings.last_closed(finding.device_id, finding.kind.value, subject)
        if before is None or at - before.reported_at > COOL_SECONDS or _rank(finding) > _rank(before.finding):
            return finding
        return finding.model_copy(update={"severity": Severity.INFORMATION})

    def _today(self, at: float) -> tuple[int, list[str]]:
        day = int(at // _DAY)
        then, causes = json.loads(self._store.get(_BUDGET) or "[-1, []]")
        return day, (causes if then == day else [])


def _rank(finding: Finding) -> int:
    return 0 if finding.grade is None else _RANK[finding.grade]


def _may_hold_down(finding: Finding) -> bool:
    """A sign below the high grade, or a list hit that is not urgent, if it would be an item to review."""
    if finding.severity in {Severity.INFORMATION, Severity.ACT_NOW}:
        return False
    if finding.kind is FindingKind.LISTED_NAME:
        return finding.severity is Severity.THIS_WEEK
    return finding.grade in {Grade.LOW, Grade.MEDIUM}
