"""How right the box was: what it counts as devices, against which device each address truly was.

What the server knows of the household and the truth in, a `Score` out. Bounded by the household.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from wire.findings import Finding, FindingKind
from wire.models import Device, Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A proposal and whether the two are one."""

    right: bool
    probability: float
    """As it was at last."""
    first: float
    """As it was first made."""
    state: str
    members: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts of one run."""

    true_devices: int
    counted: int
    """Devices that the box counts: such as are not part of another."""
    false_merges: tuple[tuple[str, ...], ...]
    """Devices of the box that hold addresses of several true ones."""
    false_splits: dict[str, int]
    """True devices that the box counts more than once: how many too many."""
    alarms: dict[str, int]
    """Findings "unregistered device" after the first, by true device; only such as had any."""
    findings: dict[str, int]
    """All findings by kind."""
    proposals: tuple[Judged, ...]
    strays: tuple[str, ...]
    """Addresses that the box speaks of and that nobody in the story had."""

    def lines(self) -> list[str]:
        """The score in words."""
        right = [judged for judged in self.proposals if judged.right]
        wrong = [judged for judged in self.proposals if not judged.right]
        splits = ", ".join(f"{name} {count}" for name, count in sorted(self.false_splits.items())) or "none"
        alarms = ", ".join(f"{name} {count}" for name, count in sorted(self.alarms.items())) or "none"
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.findings.items())) or "none"
        return [
            f"devices there truly            {self.true_devices}",
            f"devices the box counts         {self.counted}",
            f"false merges (goal 0)          {len(self.false_merges)}",
            f"false splits                   {sum(self.false_splits.values())}: {splits}",
            f'"unregistered" after the first {sum(self.alarms.values())}: {alarms}',
            f"proposals right                {len(right)}: {_chances(right)}",
            f"proposals wrong                {len(wrong)}: {_chances(wrong)}",
            f"findings                       {kinds}",
        ]


def score(
    *,
    devices: Mapping[str, Device],
    known_by: Mapping[str, tuple[str, ...]],
    findings: Mapping[str, Finding],
    proposals: Mapping[str, Proposal],
    first: Mapping[str, Proposal],
    truth: Mapping[str, str],
) -> Score:
    """Compare. `truth` says which device each address was; `first` are proposals as they were first made.

    `known_by`: the addresses that each device was first reported with.
    """
    members: dict[str, Counter[str]] = defaultdict(Counter)
    own = {device_id: truth[mac] for device_id, macs in known_by.items() for mac in macs[:1] if mac in truth}
    strays: set[str] = set()
    for device in devices.values():
        for address in device.addresses:
            who = truth.get(address.mac)
            if who is None:
                strays.add(address.mac)
                continue
            members[_root(devices, device.device_id)][who] += 1
    times = Counter(who for names in members.values() for who in names)
    return Score(
        true_devices=len(set(truth.values())),
        counted=len(members),
        false_merges=tuple(tuple(sorted(names)) for names in members.values() if len(names) > 1),
        false_splits={who: count - 1 for who, count in times.items() if count > 1},
        alarms=_alarms(findings, own),
        findings=dict(Counter(finding.kind.value for finding in findings.values())),
        proposals=tuple(
            Judged(
                right=own.get(proposal.device_id) == own.get(proposal.other_id),
                probability=proposal.probability,
                first=first[proposal.proposal_id].probability,
                state=proposal.state,
                members=(own.get(proposal.device_id, "?"), own.get(proposal.other_id, "?")),
            )
            for proposal in proposals.values()
        ),
        strays=tuple(sorted(strays)),
    )


def _alarms(findings: Mapping[str, Finding], own: Mapping[str, str]) -> dict[str, int]:
    raised = Counter(
        own[finding.device_id]
        for finding in findings.values()
        if finding.kind is FindingKind.UNREGISTERED_DEVICE
        and finding.device_id is not None
        and finding.device_id in own
    )
    return {who: count - 1 for who, count in raised.items() if count > 1}


def _root(devices: Mapping[str, Device], device_id: str) -> str:
    """The device that counts, following `merged_into`; at most as many steps as there are devices."""
    for _ in range(len(devices)):
        into = devices[device_id].merged_into
        if into is None or into not in devices:
            break
        device_id = into
    return device_id


def _chances(proposals: list[Judged]) -> str:
    shown = [f"{' = '.join(judged.members)} {judged.probability:.0%} {judged.state}" for judged in proposals]
    return "; ".join(shown) or "none"
