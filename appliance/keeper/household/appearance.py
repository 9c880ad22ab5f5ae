"""What a device looks like: its traits in, evidence and a verdict with reasons out (R12).

Rules are asked at once, of the value as it was heard; what they found is kept (rule and model, never a
name), and then the value is cut down to what may be kept of this device. After a restart the verdict
comes from the rules met. What a person said stands whatever the evidence says (R13).
Bounded: see `store.evidence`; `MAX_REMEMBERED` values are remembered as asked about, then all anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from appliance.keeper import identity_findings
from appliance.keeper.devices.fingerprint import Hit, Rules, change
from appliance.keeper.devices.fingerprint.categories import UNDERNEATH
from appliance.keeper.devices.fingerprint.judge import HEARSAY
from appliance.keeper.devices.identity import distinctive
from appliance.keeper.devices.model import Device
from appliance.keeper.household.record import Record
from appliance.keeper.household.stays import Stays
from appliance.keeper.now import Now
from appliance.keeper.store.evidence import Piece
from appliance.messages import TraitSeen
from appliance.traits import Sort, sort
from wire.authority import DataClass
from wire.base import Correction
from wire.findings import FindingKind
from wire.models import JoinedBy

ESTABLISHED_SECONDS = 3600.0
"""What was shown so long ago, or before the present stay, is what the device is known for."""

MAX_REMEMBERED = 16_384


_APPLE = frozenset({"iOS", "iPadOS", "macOS", "tvOS", "watchOS"})
"""They share how they speak on the network, so that one is easily taken for another."""


class Appearance:
    """Evidence and verdicts."""

    def __init__(self, record: Record, stays: Stays, rules: Rules) -> None:
        self._record = record
        self._stays = stays
        self._rules = rules
        self._asked: set[tuple[str, str, str]] = set()
        for device in record.registry:
            stays.looks_like(device)

    def first_seen(self, device: Device, now: Now) -> Device:
        """A new address: what the address itself says of its maker."""
        hits = self._rules.of_address(device.addresses[-1].mac)
        return self._met(device, device.addresses[-1].mac, hits, now)

    def piece(self, heard: TraitSeen, *, readable: bool) -> Piece:
        """A trait as it may be kept; the token of equal values is equal whoever shows them."""
        empty_or_habit = not heard.value or sort(heard.trait) is Sort.HABIT
        return Piece(
            trait=heard.trait,
            token=heard.value if empty_or_habit else self._record.store.blind(heard.value),
            value=heard.value if empty_or_habit or readable else None,
            distinctive=distinctive(heard.trait, heard.value),
        )

    def heard(self, device: Device, heard: TraitSeen, piece: Piece, now: Now) -> tuple[Device, bool]:
        """A trait as it was heard, and what may be kept of it. The device, and whether this is new evidence."""
        new = self._record.store.evidence.add(heard.mac, piece, now.ts)
        asked = (heard.mac, heard.trait.value, piece.token)
        if asked in self._asked:
            return device, new
        if len(self._asked) >= MAX_REMEMBERED:
            self._asked.clear()
        self._asked.add(asked)
        return self._met(device, heard.mac, self._rules.hits(heard.trait, heard.value), now), new

    def _met(self, device: Device, mac: str, hits: tuple[Hit, ...], now: Now) -> Device:
        # All are counted before any is judged; `any` would stop at the first new one.
        fresh = [hit for hit in hits if self._record.store.evidence.hit(mac, hit.text, now.ts)]
        if not fresh:
            return device
        self.doubt(device, mac, now, fresh)
        return self.judge(device)

    def judge(self, device: Device) -> Device:
        """Look at a device anew: its evidence or its addresses are others, or a person has said what it is."""
        met = self._record.store.evidence.hits(device.macs)
        verdict = self._rules.judge(Hit.from_text(item.rule) for item in met).correct(device.correction)
        looks = verdict.looks_like()
        if looks == device.looks_like:
            return device
        device = self._record.soon(replace(device, looks_like=looks))
        self._stays.looks_like(device)
        return device

    def correct(self, device: Device, correction: Correction, at: float) -> Device:
        """A person says what it is: locked from now on; fields left out are free again."""
        said = correction if any(value is not None for value in correction.model_dump().values()) else None
        because = "An officer said what the device is."
        self._record.close_findings(device.device_id, frozenset({FindingKind.CLASS_CHANGED}), because, at)
        return self._record.report(self.judge(replace(device, correction=said)), at)

    def doubt(self, device: Device, mac: str, now: Now, fresh: Iterable[Hit] = ()) -> None:
        """Whether what this address shows of late is not what the device is known for: then it is a finding.

        `fresh`: rules that it met just now, which may have found no room.
        """
        clause = now.scope.classes(device.standing).get(DataClass.FINGERPRINT)
        if clause is None:
            return
        began = self._stays.began(mac)
        since = max(now.at - ESTABLISHED_SECONDS, now.at if began is None else began)
        met = self._record.store.evidence.hits(device.macs)
        old = [Hit.from_text(item.rule) for item in met if item.first_seen < since]
        new = [*(Hit.from_text(item.rule) for item in met if item.first_seen >= since), *fresh]
        changed = change(self._rules, old, new) if old and new else None
        if changed is None:
            self._other_system(device, mac, now, clause)
            return
        if self._known(device, now):
            return
        finding = identity_findings.class_changed(
            device, changed, clause=clause, now=now, finding_id=self._record.ids.finding()
        )
        self._record.raise_finding(finding, at=now.at)

    def _known(self, device: Device, now: Now) -> bool:
        """Whether a finding says so already; then it is counted."""
        stored = self._record.open_finding(device.device_id, FindingKind.CLASS_CHANGED)
        if stored is not None:
            self._record.count_finding(stored, now.ts, now.at)
        return stored is not None

    def _other_system(self, device: Device, mac: str, now: Now, clause: str) -> None:
        """Two phones may be alike in all but their system: asked of an address that nobody confirmed."""
        address = device.address(mac)
        if address is None or address.joined_by not in {JoinedBy.KEY, JoinedBy.IDENTIFIER}:
            return
        others = [item for item in device.macs if item != mac]
        was, shows = self._system(others), self._system([mac])
        if was is None or shows is None or not at_odds(was, shows) or self._known(device, now):
            return
        finding = identity_findings.system_changed(
            device, was, shows, clause=clause, now=now, finding_id=self._record.ids.finding()
        )
        self._record.raise_finding(finding, at=now.at)

    def _system(self, macs: Iterable[str]) -> str | None:
        """The system that the addresses show, whatever their programmes say."""
        hits = (Hit.from_text(item.rule) for item in self._record.store.evidence.hits(macs))
        rules = self._rules.rules
        return self._rules.judge(
            hit for hit in hits if hit.rule in rules and rules[hit.rule].kind not in HEARSAY
        ).os_family


def at_odds(one: str, other: str) -> bool:
    """Whether two systems are of different families; not where one is built on the other, nor of one maker."""
    return not (_family(one) & _family(other))


def _family(system: str) -> frozenset[str]:
    found = {system}
    while (system := UNDERNEATH.get(system, "")) and system not in found:
        found.add(system)
    return frozenset(found | (_APPLE if found & _APPLE else set()))
