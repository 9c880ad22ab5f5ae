"""What is known of a device, put together for comparing: evidence, kind, names, stays.

In: devices and the authority in force. Out: `identity.Profile`. Names are in it only where there is
leave to keep them; a Wi-Fi passphrase only where it is not used by all: one that more than two devices
of the list joined with, or that is a visitors' or the household's, tells nothing of any.
Bounded: `MAX_NAMES` names and `MAX_SPANS` stays a profile.
"""

from __future__ import annotations

from collections import Counter

from appliance.keeper.authority import Scope
from appliance.keeper.devices.distinctive import UNKNOWN_KEY
from appliance.keeper.devices.identity import MAX_SPANS, Profile
from appliance.keeper.devices.model import Device
from appliance.keeper.devices.passphrases import HOUSEHOLD, Purpose
from appliance.keeper.household.record import Record
from appliance.keeper.household.stays import Stays
from appliance.traits import Trait
from wire.authority import DataClass

MAX_NAMES = 64
HABITUAL = 3
"""So often a name was asked for at least, to be a habit."""
LEARN_SECONDS = 3600.0
LEARN_FROM = 32
"""Devices whose names are looked at for what is common."""


class Profiles:
    """Puts profiles together."""

    def __init__(self, record: Record, stays: Stays) -> None:
        self._record = record
        self._stays = stays
        self._learn_due = float("-inf")
        self.common: frozenset[str] = frozenset()
        """Names that several devices ask for: they tell nothing."""
        self._shared: frozenset[str] = frozenset()
        """Passphrases that more than two devices joined with: they tell nothing either."""

    def begin(self) -> None:
        """Before some devices are compared: look anew which passphrases several of them joined with."""
        users: Counter[str] = Counter()
        for device in self._record.registry:
            users.update({address.key_id for address in device.addresses if address.key_id is not None})
        # Two: the device that had it, and the one that is compared with it.
        self._shared = frozenset(key_id for key_id, count in users.items() if count > 2)

    def _own_keys(self, device: Device) -> dict[str, float]:
        """The passphrases it joined with that may be one device's own."""
        passphrases = self._record.store.kinship.passphrases()
        own: dict[str, float] = {}
        for key_id in {address.key_id for address in device.addresses} - {None, HOUSEHOLD}:
            binding = passphrases.get(str(key_id))
            if (binding is None and key_id not in self._shared) or (
                binding is not None and binding.purpose is Purpose.DEVICE
            ):
                own[str(key_id)] = UNKNOWN_KEY
        return own

    def of(self, device: Device, scope: Scope) -> Profile:
        """All that is known of a device."""
        evidence: dict[Trait, dict[str, float]] = {}
        for piece in self._record.store.evidence.of(device.macs):
            if piece.token and piece.trait is not Trait.WIFI_KEY:  # sent empty: nothing to compare
                evidence.setdefault(piece.trait, {})[piece.token] = piece.distinctive
        if keys := self._own_keys(device):
            evidence[Trait.WIFI_KEY] = keys
        names = None
        if DataClass.FULL_NAMES in scope.classes(device.standing):
            names = self._record.store.evidence.habitual_names(device.macs, least=HABITUAL, most=MAX_NAMES)
        looks = device.looks_like
        return Profile(
            device_id=device.device_id,
            evidence=evidence,
            category=None if looks is None else looks.category,
            vendor=None if looks is None else looks.vendor,
            os_family=None if looks is None else looks.os_family,
            local=device.locally_administered,
            names=names,
            first_seen=device.first_seen,
            last_seen=device.last_seen,
            left_at=self._stays.left_at(device.macs),
            spans=self._stays.spans(device.macs, most=MAX_SPANS),
        )

    def tick(self, *, scope: Scope, at: float) -> None:
        """Look anew, now and then, which names several devices ask for."""
        if at < self._learn_due:
            return
        self._learn_due = at + LEARN_SECONDS
        seen: set[str] = set()
        common: set[str] = set()
        for device in self._record.registry.latest(lambda item: scope.names_leave(item.standing), most=LEARN_FROM):
            names = self._record.store.evidence.habitual_names(device.macs, least=HABITUAL, most=4 * MAX_NAMES)
            common |= names & seen
            seen |= names
        self.common = frozenset(common)
