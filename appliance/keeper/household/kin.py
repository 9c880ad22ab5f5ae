"""Which addresses are one device: joining and splitting, by a person, a passphrase or an identifier (N8).

Joining and splitting only move addresses between devices; evidence, names and stays hang on the
address and stay as they are, so that a split restores both histories. The device that stays keeps its
standing, which is in force for all its addresses; one that is taken out again has the standing it had.
Nothing here guesses: see `proposals`. Bounded: addresses a device (`arrivals`), history (`store`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.household.appearance import Appearance
from appliance.keeper.household.arrivals import Arrivals
from appliance.keeper.household.record import Record
from appliance.keeper.household.standing import DECIDED, OF_SIGNS, Standings
from appliance.keeper.household.stays import Stays
from appliance.keeper.now import Now
from appliance.keeper.store.devices import Link
from wire.models import JoinedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Why two devices are one."""

    how: JoinedBy
    because: str
    """A plain sentence, for the findings that it closes."""
    probability: float | None = None
    reasons: tuple[str, ...] = ()
    by: str | None = None
    """Opaque reference of the account that confirmed it."""


class Kin:
    """Joins and splits devices."""

    def __init__(
        self, record: Record, stays: Stays, arrivals: Arrivals, appearance: Appearance, standings: Standings
    ) -> None:
        self._record = record
        self._stays = stays
        self._arrivals = arrivals
        self._appearance = appearance
        self._standings = standings

    def join(self, stays: Device, goes: Device, join: Join, *, scope: Scope, at: float) -> Device:
        """Count all addresses of `goes` as `stays`'s from now on."""
        store = self._record.store
        stays = self._arrivals.make_room(stays, len(goes.addresses))
        moved = tuple(replace(address, joined_by=join.how) for address in goes.addresses)
        stays = self._gathered(replace(stays, addresses=(*stays.addresses, *moved)))
        self._record.keep(stays)
        for address in moved:
            self._arrivals.found(address.mac)
            store.devices.link(
                Link(
                    mac=address.mac,
                    device_id=stays.device_id,
                    since=at,
                    how=join.how,
                    probability=join.probability,
                    reasons=join.reasons,
                    by=join.by,
                )
            )
        self._record.close_findings(goes.device_id, DECIDED | OF_SIGNS, join.because, at)
        store.kinship.hand_over(goes.device_id, stays.device_id)
        store.kinship.put_passphrases(store.kinship.passphrases().handed_over(goes.device_id, stays.device_id))
        gone = replace(goes, addresses=(), merged_into=stays.device_id, presence=None, quarantined=False)
        if goes.revision:
            self._record.report(gone, at)
        else:
            self._record.keep(gone)
            self._record.remove(gone)  # nobody was ever told of it
        stays = self._appearance.judge(replace(stays, presence=self._stays.presence(stays)))
        stays = self._record.report(stays, at)
        self._standings.narrow(stays, scope=scope, at=at)
        self._record.changed += 1
        if join.how is not JoinedBy.PERSON:
            for address in moved:
                self._appearance.doubt(stays, address.mac, Now(scope=scope, ts=at, at=at))
        return stays

    def split(self, device: Device, macs: Iterable[str], *, scope: Scope, at: float) -> list[Device] | None:
        """Take addresses out again; None where that would leave nothing, or they are not the device's.

        Each becomes the device it was before it was joined; one that never was another device becomes
        an unknown one. Returns those devices.
        """
        wanted = frozenset(macs)
        out = [address for address in device.addresses if address.mac in wanted]
        rest = tuple(address for address in device.addresses if address.mac not in wanted)
        if len(out) != len(wanted) or not rest:
            return None
        groups: dict[str, list[Address]] = {}
        for address in out:
            groups.setdefault(self._before(device, address, wanted) or address.mac, []).append(address)
        made = [self._revive(before, addresses) for before, addresses in groups.items()]
        device = self._gathered(replace(device, addresses=rest), only=True)
        self._record.keep(device)
        for other in made:
            self._part(device, other, at=at)
        device = self._appearance.judge(replace(device, presence=self._stays.presence(device)))
        self._record.report(device, at)
        restored = []
        for other in made:
            shown = self._appearance.judge(replace(other, presence=self._stays.presence(other)))
            shown = self._record.report(shown, at)
            self._standings.narrow(shown, scope=scope, at=at)
            restored.append(shown)
        self._record.changed += 1
        return restored

    def was_split(self, mac: str, device_id: str) -> bool:
        """Whether it was found out before that this address is not that device."""
        links = self._record.store.devices.links([mac])
        return any(link.device_id == device_id and link.until is not None for link in links)

    # --- inside -----------------------------------------------------------------------------

    def _before(self, device: Device, address: Address, wanted: frozenset[str]) -> str | None:
        """The device that an address was before it was joined: the latest that goes out whole, else the first."""
        links = self._record.store.devices.links(device.macs)
        first = None
        for link in reversed([link for link in links if link.mac == address.mac]):
            other = self._record.registry.by_id(link.device_id)
            if other is None or other.merged_into is None:
                continue
            first = link.device_id
            if {item.mac for item in links if item.device_id == first} <= wanted:
                break
        return first

    def _revive(self, before: str, addresses: list[Address]) -> Device:
        old = self._record.registry.by_id(before)
        if old is None:
            return self._record.registry.made(addresses[0])
        how = {address.mac: self._how_before(before, address) for address in addresses}
        own = tuple(replace(address, joined_by=how[address.mac]) for address in addresses)
        return self._gathered(replace(old, addresses=(*old.addresses, *own), merged_into=None), only=True)

    def _how_before(self, device_id: str, address: Address) -> JoinedBy | None:
        links = [link for link in self._record.store.devices.links([address.mac]) if link.device_id == device_id]
        return links[-1].how if links else None

    def _part(self, device: Device, other: Device, *, at: float) -> None:
        """Move what is not bound to an address: passphrases, and what a person had confirmed."""
        store = self._record.store
        self._record.keep(other)
        for address in other.addresses:
            link = Link(mac=address.mac, device_id=other.device_id, since=at, how=address.joined_by)
            store.devices.link(link)
        store.kinship.take_back(device.device_id, other.macs)
        own = {address.key_id for address in other.addresses} - {address.key_id for address in device.addresses}
        passphrases = store.kinship.passphrases()
        for binding in passphrases.of_device(device.device_id):
            if binding.key_id in own:
                passphrases = passphrases.bind(replace(binding, device_id=other.device_id))
        store.kinship.put_passphrases(passphrases)
        between = store.kinship.between(device.device_id, other.device_id)
        if between is not None and between.proposal.state == "confirmed":
            refused = between.proposal.model_copy(
                update={"state": "refused", "revision": between.proposal.revision + 1}
            )
            self._record.tell_proposal(replace(between, proposal=refused), at)

    @staticmethod
    def _gathered(device: Device, *, only: bool = False) -> Device:
        """First and last seen over all addresses; `only` these, or what was known of the device before too."""
        first = min(address.first_seen for address in device.addresses)
        last = max(address.last_seen for address in device.addresses)
        if not only:
            first, last = min(first, device.first_seen), max(last, device.last_seen)
        return replace(device, first_seen=first, last_seen=last)
