"""Which passphrase a device joined with, and what that says of which device it is (N9).

In: the access point's word that an address joined, with the passphrase's id. Out: the device it is,
and findings where a passphrase that is one device's own is in use twice, or a visitor's is past its
date. Bounded: `passphrases.MAX_KEYS` bindings.
"""

from __future__ import annotations

from dataclasses import replace

from appliance.keeper import findings, identity_findings
from appliance.keeper.devices.model import Device
from appliance.keeper.devices.passphrases import (
    HOUSEHOLD,
    Binding,
    Judgement,
    Outcome,
    Passphrases,
    Purpose,
    TooManyKeysError,
)
from appliance.keeper.household.arrivals import Arrivals
from appliance.keeper.household.kin import Join, Kin
from appliance.keeper.household.record import Record
from appliance.keeper.household.stays import Stays
from appliance.keeper.now import Now
from appliance.messages import StationChanged
from wire.base import Standing
from wire.findings import FindingKind
from wire.models import JoinedBy
from wire.orders import BindPassphrase

OWNERS = frozenset({Standing.REGISTERED, Standing.HOUSEHOLD, Standing.WORK})
"""Standings that make the passphrase a device joined with its own."""

_BECAUSE = "It joined with the passphrase that is a known device's own, and is that device with a new address."


class Keys:
    """Passphrases and who joined with them."""

    def __init__(self, record: Record, stays: Stays, arrivals: Arrivals, kin: Kin) -> None:
        self._record = record
        self._stays = stays
        self._arrivals = arrivals
        self._kin = kin

    # --- joined -----------------------------------------------------------------------------

    def joined(self, heard: StationChanged, now: Now) -> Device | None:
        """An address joined; the device it is, None where there is no room for one more."""
        judgement = self._judge(heard.mac, heard.key_id, now)
        holder = None if judgement.device_id is None else self._record.registry.by_id(judgement.device_id)
        device = self._record.registry.by_mac(heard.mac)
        if judgement.outcome is Outcome.SAME and holder is not None and device is not holder:
            device = self._same(heard.mac, device, holder, now)
        else:
            device = self._arrivals.see(heard.mac, now, None)
        if device is None:
            return None
        self._stays.joined(heard.mac, now.ts)
        device = self._note(self._record.registry.by_id(device.device_id) or device, heard)
        if judgement.outcome is not Outcome.UNKNOWN:
            self._arrivals.release(heard.mac, now)
        match judgement.outcome:
            case Outcome.SHARED if holder is not None:
                self.shared(device, holder, str(heard.key_id), now)
            case Outcome.ENDED:
                self._ended(device, str(heard.key_id), now)
            case Outcome.FIRST:
                self._bind(str(heard.key_id), device, now.at)
            case _:
                pass
        return self._record.registry.by_id(device.device_id)

    def _judge(self, mac: str, key_id: str | None, now: Now) -> Judgement:
        passphrases = self._record.store.kinship.passphrases()
        binding = None if key_id is None else passphrases.get(key_id)
        holder = None
        if binding is not None and binding.device_id is not None:
            holder = self._record.registry.by_id(binding.device_id)
        here = holder is not None and self._stays.device_here(holder, now.ts, but=[mac])
        judgement = passphrases.judge(key_id, now.ts, holder_here=here)
        device = self._record.registry.by_mac(mac)
        if holder is None or judgement.outcome is not Outcome.SAME or device is holder:
            # A device that is counted as this address already is not two for being here twice.
            return replace(judgement, outcome=Outcome.OPEN) if device is not None and device is holder else judgement
        other = device is not None and (device.on_the_register or self._stays.together(device.macs, holder.macs))
        if other or self._kin.was_split(mac, holder.device_id):
            return replace(judgement, outcome=Outcome.SHARED)
        return judgement

    def _same(self, mac: str, device: Device | None, holder: Device, now: Now) -> Device:
        if device is None:
            return self._arrivals.attach(holder, mac, now, how=JoinedBy.KEY)
        join = Join(how=JoinedBy.KEY, because=_BECAUSE)
        self._kin.join(holder, device, join, scope=now.scope, at=now.at)
        return self._arrivals.see(mac, now, None) or holder

    def _note(self, device: Device, heard: StationChanged) -> Device:
        """Remember which passphrase the address joined with."""
        if heard.key_id is None:
            return device
        changed = replace(
            device,
            addresses=tuple(
                replace(item, key_id=heard.key_id) if item.mac == heard.mac else item for item in device.addresses
            ),
        )
        return self._record.keep(changed) if changed.addresses != device.addresses else device

    # --- findings ---------------------------------------------------------------------------

    def shared(self, device: Device, holder: Device, key_id: str, now: Now) -> None:
        """A device uses the passphrase that is another's own."""
        clause = now.scope.register()
        stored = self._record.open_finding(device.device_id, FindingKind.KEY_SHARED, key_id)
        if stored is not None:
            self._record.count_finding(stored, now.ts, now.at)
        elif clause is not None:
            finding_id = self._record.ids.finding()
            at_once = self._stays.device_here(holder, now.ts) or self._stays.together(device.macs, holder.macs)
            finding = identity_findings.key_shared(
                device, holder, key_id, at_once=at_once, clause=clause, now=now, finding_id=finding_id
            )
            self._record.raise_finding(finding, subject=key_id, at=now.at)

    def _ended(self, device: Device, key_id: str, now: Now) -> None:
        clause = now.scope.register()
        binding = self._record.store.kinship.passphrases().get(key_id)
        stored = self._record.open_finding(device.device_id, FindingKind.KEY_ENDED, key_id)
        if stored is not None:
            self._record.count_finding(stored, now.ts, now.at)
        elif clause is not None and binding is not None and binding.until is not None:
            finding_id = self._record.ids.finding()
            finding = identity_findings.key_ended(
                device, key_id, ended=binding.until, clause=clause, now=now, finding_id=finding_id
            )
            self._record.raise_finding(finding, subject=key_id, at=now.at)

    def left(self, mac: str, now: Now) -> None:
        """An address left. A second one with its passphrase that it fell silent for was the same device after all."""
        device = self._record.registry.by_mac(mac)
        last = self._stays.last(mac)
        self._stays.left(mac, now.ts)
        if device is None or last is None:
            return
        for binding in self._record.store.kinship.passphrases().of_device(device.device_id):
            for other in self._about(FindingKind.KEY_SHARED, binding.key_id):
                began = min((self._stays.began(item) or 0.0 for item in other.macs), default=0.0)
                one = last <= began and not self._stays.device_here(device, now.ts)
                two = (
                    other.on_the_register
                    or self._stays.together(device.macs, other.macs)
                    or any(self._kin.was_split(item, device.device_id) for item in other.macs)
                )
                if one and not two:
                    join = Join(how=JoinedBy.KEY, because=_BECAUSE)
                    self._kin.join(device, other, join, scope=now.scope, at=now.at)
                    return

    def _about(self, kind: FindingKind, key_id: str) -> list[Device]:
        """Devices with an open finding of this kind about this passphrase."""
        found = [self._record.registry.by_id(item) for item in self._record.store.findings.about(kind.value, key_id)]
        return [device for device in found if device is not None and device.addresses]

    # --- bindings ---------------------------------------------------------------------------

    def bind(self, order: BindPassphrase, at: float) -> str | None:
        """A person says what a passphrase is for. None when done, else why not."""
        purpose = Purpose(order.purpose)
        device_id = order.device_id if purpose is Purpose.DEVICE else None
        device = None if device_id is None else self._record.registry.by_id(device_id)
        if device_id is not None and device is None:
            return "The box does not know this device."
        while device is not None and device.merged_into is not None:
            device = self._record.registry.by_id(device.merged_into)
        until = order.until.timestamp() if order.until is not None and purpose is Purpose.GUEST else None
        whose = None if device is None else device.device_id
        refusal = self._put(Binding(key_id=order.key_id, purpose=purpose, device_id=whose, until=until), at)
        if refusal is None:
            self._answered(order.key_id, purpose, whose, until, at)
        return refusal

    def unbind(self, key_id: str, at: float) -> None:
        """A passphrase is none any more: nobody joins with it, and its place is free."""
        kinship = self._record.store.kinship
        before = kinship.passphrases()
        if before.get(key_id) is None:
            return
        kinship.put_passphrases(Passphrases(each for each in before if each.key_id != key_id))
        because = "The passphrase was ended: nobody joins with it any more."
        for kind in (FindingKind.KEY_SHARED, FindingKind.KEY_ENDED):
            for device in self._about(kind, key_id):
                self._close(device, kind, key_id, because, at)

    def _answered(self, key_id: str, purpose: Purpose, whose: str | None, until: float | None, at: float) -> None:
        """Close the findings about a passphrase that what was said of it answers."""
        because = "An officer said what the passphrase is for."
        for device in self._about(FindingKind.KEY_SHARED, key_id):
            # Others than the one it is now bound to still share it.
            if purpose is not Purpose.DEVICE or whose is None or device.device_id == whose:
                self._close(device, FindingKind.KEY_SHARED, key_id, because, at)
        if purpose is not Purpose.GUEST or (until is not None and until > at):
            for device in self._about(FindingKind.KEY_ENDED, key_id):
                self._close(device, FindingKind.KEY_ENDED, key_id, because, at)

    def _close(self, device: Device, kind: FindingKind, key_id: str, because: str, at: float) -> None:
        stored = self._record.open_finding(device.device_id, kind, key_id)
        if stored is not None:
            self._record.report_finding(stored, findings.closed(stored.finding, because), at)

    def owned(self, device: Device, at: float) -> Device:
        """An officer gave the device a standing that makes the passphrase it joined with its own."""
        if device.standing in OWNERS:
            for address in sorted(device.addresses, key=lambda item: -item.last_seen):
                if address.key_id is not None and address.key_id != HOUSEHOLD:
                    binding = self._record.store.kinship.passphrases().get(address.key_id)
                    free = binding is None and not self._used_by_others(address.key_id, device)
                    if free or (binding is not None and binding.purpose is Purpose.DEVICE and not binding.device_id):
                        self._bind(address.key_id, device, at)
                        break
        return self._record.registry.by_id(device.device_id) or device

    def _used_by_others(self, key_id: str, device: Device) -> bool:
        """Whether another device joined with it too: then it is a group's, and tells nobody apart."""
        return any(
            address.key_id == key_id
            for other in self._record.registry
            if other.device_id != device.device_id
            for address in other.addresses
        )

    def _bind(self, key_id: str, device: Device, at: float) -> None:
        self._put(Binding(key_id=key_id, purpose=Purpose.DEVICE, device_id=device.device_id), at)

    def _put(self, binding: Binding, at: float) -> str | None:
        kinship = self._record.store.kinship
        before = kinship.passphrases().get(binding.key_id)
        try:
            kinship.put_passphrases(kinship.passphrases().bind(binding))
        except TooManyKeysError:
            return "The box cannot keep more passphrases apart."
        for device_id in {binding.device_id, None if before is None else before.device_id} - {None}:
            device = self._record.registry.by_id(str(device_id))
            if device is not None and device.revision:
                self._record.report(device, at)
        return None
