"""Where every change of the household goes: memory, table and outbox at once.

In: devices, findings and other payloads as they now are. Out: rows of the store and of its outbox.
Callers hold the store's transaction. Bounded: what waits to be told is at most one entry a device;
the outbox has its own bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device
from appliance.keeper.devices.registry import Registry
from appliance.keeper.household.noise import Noise
from appliance.keeper.ledger.kinds import filing, lasting
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.weigh import severity
from appliance.keeper.store.database import Store
from appliance.keeper.store.findings import StoredFinding
from appliance.keeper.store.kinship import StoredProposal
from appliance.keeper.store.outbox import Priority
from wire.base import Payload, Standing
from wire.codec import payload_json
from wire.findings import Finding, FindingKind, Severity
from wire.models import Device as DevicePayload
from wire.models import type_of

REPORT_SECONDS = 60.0
"""A device that is merely still there is reported at most this often; so are repeats of a finding."""

SOON_SECONDS = 2.0
"""News of a device that evidence brings are gathered for this long, then told once."""

URGENT = frozenset({Severity.ACT_NOW, Severity.TODAY})
"""A head is signed at once with a finding of these."""

FLUSH_SECONDS = 1.0
"""What waits is looked through at most this often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """Sources of opaque ids, each never given before."""

    device: Callable[[], str]
    finding: Callable[[], str]
    proposal: Callable[[], str]
    session: Callable[[], str]
    record: Callable[[], str]
    arrangement: Callable[[], str]
    """Of what the household sends, and of what officers arrange: quieted rules, away times, a household's own entries."""


class Record:
    """Devices and findings of one household, written down."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self.store = store
        self.ids = ids
        self.registry = Registry(store.devices.all(), new_id=ids.device)
        self.changed = 0
        """Rises with every new, removed, joined, split or newly classed device: see `collection`."""
        self.noise = Noise(store, self.registry)
        self.arranged = False
        """What officers arranged has changed: the book tells it whole (see `household.quieting`)."""
        self._soon: dict[str, None] = {}
        self._filed: dict[str, int] = {}
        """Of each device what the ledger last heard of it."""

    # --- devices ----------------------------------------------------------------------------

    def keep(self, device: Device) -> Device:
        """Write a device to table and memory; nobody is told."""
        self.store.devices.put(device)
        self.registry.put(device)
        return device

    def report(self, device: Device, at: float) -> Device:
        """Write a device's next revision to table, memory and outbox."""
        self._soon.pop(device.device_id, None)
        device = self.keep(replace(device, revision=device.revision + 1, reported_at=at))
        keys = self.store.kinship.passphrases().of_device(device.device_id)
        payload = device.payload(key_id=keys[0].key_id if keys else None)
        self.send(payload, subject=device.device_id, priority=Priority.STATE, at=at)
        return device

    def soon(self, device: Device) -> Device:
        """Write a device down, and tell of it soon."""
        self.keep(device)
        if device.revision:  # one that nobody was told of yet is told whole when it is
            self._soon[device.device_id] = None
        return device

    def flush(self, at: float) -> None:
        """Tell what waits and is due."""
        due = [
            device
            for device_id in self._soon
            if (device := self.registry.by_id(device_id)) is None or at - device.reported_at >= SOON_SECONDS
        ]
        for device in due:
            if device is not None:
                self.report(device, at)
        self._soon = {device_id: None for device_id in self._soon if self.registry.by_id(device_id) is not None}

    def remove(self, device: Device) -> None:
        """Forget a device that has no address any more."""
        self.store.kinship.forget(device.device_id)
        self.store.devices.remove(device.device_id)
        self.registry.remove(device)
        self._soon.pop(device.device_id, None)
        self._filed.pop(device.device_id, None)

    # --- findings ---------------------------------------------------------------------------

    def open_finding(self, device_id: str | None, kind: FindingKind, subject: str = "") -> StoredFinding | None:
        """The open finding of this kind about this device and subject."""
        return self.store.findings.open(device_id, kind.value, subject)

    def raise_finding(self, finding: Finding, *, subject: str = "", at: float) -> None:
        """A new finding; only counted where its rule is quieted, not taken where no room can be made."""
        admitted = self.noise.admit(finding, subject, at)
        if admitted is None or not self.store.findings.has_room():
            return
        finding = admitted
        self.store.findings.put(StoredFinding(finding=finding, subject=subject, reported_at=at, dirty=False))
        self.send(finding, subject=finding.finding_id, priority=Priority.FINDING, at=at)

    def report_finding(self, stored: StoredFinding, finding: Finding, at: float) -> None:
        """A finding's next revision."""
        self.store.findings.put(replace(stored, finding=finding, reported_at=at, dirty=False))
        self.send(finding, subject=finding.finding_id, priority=Priority.FINDING, at=at)

    def count_finding(self, stored: StoredFinding, ts: float, at: float, *, record: str | None = None) -> None:
        """Seen once more, by `record` where one is kept of it; told at most every `REPORT_SECONDS`."""
        counted = findings.again(stored.finding, ts, record=record)
        if at - stored.reported_at >= REPORT_SECONDS:
            self.report_finding(stored, findings.revised(counted), at)
        else:
            self.store.findings.put(replace(stored, finding=counted, dirty=True))

    def close_findings(self, device_id: str, kinds: frozenset[FindingKind], because: str, at: float) -> None:
        """Close the open findings of these kinds about a device."""
        for stored in self.store.findings.open_of(device_id):
            if stored.finding.kind in kinds:
                self.report_finding(stored, findings.closed(stored.finding, because), at)

    def report_repeats(self, at: float) -> None:
        """Tell of repeats that were counted and not yet told."""
        for stored in self.store.findings.unreported(at - REPORT_SECONDS):
            self.report_finding(stored, findings.revised(stored.finding), at)

    def raise_sign(self, sign: Sign, *, scope: Scope | None, clause: str, standing: Standing | None, at: float) -> None:
        """A new finding of a sign; `standing` is that of its device."""
        finding = findings.of_sign(
            sign,
            scope=scope,
            clause=clause,
            severity=severity(sign.kind, sign.grade, standing),
            at=at,
            finding_id=self.ids.finding(),
        )
        self.raise_finding(finding, subject=sign.subject, at=at)

    # --- proposals --------------------------------------------------------------------------

    def tell_proposal(self, stored: StoredProposal, at: float) -> None:
        """A proposal as it now stands."""
        self.store.kinship.put_proposal(replace(stored, reported_at=at))
        subject = stored.proposal.proposal_id
        self.send(stored.proposal, subject=subject, priority=Priority.STATE, at=at)

    # --- outbox -----------------------------------------------------------------------------

    def send(self, payload: Payload, *, subject: str, priority: Priority, at: float) -> None:
        """Put a payload in the outbox, and in the ledger what of it is a record."""
        body = payload_json(payload)
        self.store.outbox.add(
            type_=type_of(payload).ce_type, subject=subject, body=body.decode(), priority=priority, created=at
        )
        filed = filing(payload, self._macs_of)
        if filed is not None and not self._repeats(payload):
            about = (*filed.macs, *filed.device_ids)
            self.store.ledger.write(filed.kind, body, data_class=filed.data_class, macs=about)
            self.store.ledger.urgent |= isinstance(payload, Finding) and payload.severity in URGENT

    def _macs_of(self, device_id: str) -> tuple[str, ...]:
        device = self.registry.by_id(device_id)
        return () if device is None else device.macs

    def _repeats(self, payload: Payload) -> bool:
        """Whether it is a device that merely is still there: its presence is recorded by the hour."""
        if not isinstance(payload, DevicePayload):
            return False
        now = hash(payload_json(lasting(payload)))
        if self._filed.get(payload.device_id) == now:
            return True
        self._filed[payload.device_id] = now
        return False
