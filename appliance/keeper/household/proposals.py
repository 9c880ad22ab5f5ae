"""Which known device may this be, with a new address? Proposals for a person, never a decision (N8, R17).

In: devices whose evidence grew. Out: proposals with probability and reasons, revised as evidence grows
and withdrawn when it falls or both are there at once; a finding where a device that is not registered
is probably one on the register. A pair that a person refused is not proposed again, unless it shows
an identifier that it did not show then.
A device is compared when it shows something new or comes back, and while it is new every
`AGAIN_SECONDS`, as the one that it may be can seem to be there a while longer. Of an open proposal
nothing else is asked but whether both were there at once. Identifiers that a person has confirmed join
by themselves, without comparing all. Nothing is compared of a device whose kind may not be recorded.
Bounded: a device is compared at most every `SPACING` seconds with at most `CANDIDATES` others, at
most `A_TURN` devices a turn of `TURN_SECONDS`, however many devices come. Those that wait are at most
one entry a device. Of one device at most `MAX_OPEN` proposals are open, the likeliest; more are counted.
"""

from __future__ import annotations

from dataclasses import replace

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.identity import Likeness, Profile, compare
from appliance.keeper.devices.model import Device, moment
from appliance.keeper.household.kin import Join, Kin
from appliance.keeper.household.profiles import Profiles
from appliance.keeper.household.record import Record
from appliance.keeper.household.stays import Stays
from appliance.keeper.household.suspicions import MOVED, Suspicions
from appliance.keeper.store.kinship import StoredProposal
from appliance.traits import Trait
from wire.authority import DataClass
from wire.base import Standing
from wire.models import JoinedBy, Proposal

PROPOSED = 0.5
PROBABLE = 0.9
CANDIDATES = 64
SPACING = 5.0
TURN_SECONDS = 1.0
A_TURN = 4
CHECK_SECONDS = 30.0
"""Open proposals are looked at anew at most this often, `CANDIDATES` at a time: both may be there by now."""
NEW_SECONDS = 900.0
"""So long a device is new. An access point notices within 5 minutes that a station fell silent."""
AGAIN_SECONDS = 150.0
MAX_OPEN = 8
"""Open proposals of one known device: whoever invents addresses must not bury the right one."""

MAX_SENTENCES = 16


class Proposals:
    """What may be one, and what a person said of it."""

    def __init__(self, record: Record, stays: Stays, kin: Kin, profiles: Profiles) -> None:
        self._record = record
        self._stays = stays
        self._kin = kin
        self._profiles = profiles
        self._suspicions = Suspicions(record)
        self._grown: dict[str, float] = {}
        """Devices to compare, each from when on."""
        self._compared: dict[str, float] = {}
        """When a device was compared last, for `SPACING` seconds."""
        self._turn_due = float("-inf")
        self._check_due = float("-inf")
        self._checked = 0
        """Row of the open proposal looked at last; the next ones are looked at after it."""
        self.overflow = 0
        """Likely pairs that were not proposed, because likelier ones fill the bound."""
        self.compared = 0
        """Pairs compared since start."""

    # --- when -------------------------------------------------------------------------------

    def grew(self, device: Device, at: float) -> None:
        """The device's evidence grew, or it came back: compare it soon."""
        due = max(at, self._compared.get(device.device_id, float("-inf")) + SPACING)
        self._grown[device.device_id] = min(due, self._grown.get(device.device_id, due))

    def tick(self, *, scope: Scope, at: float) -> None:
        """Compare what is due."""
        if at < self._turn_due:
            return
        self._turn_due = at + TURN_SECONDS
        self._compared = {key: then for key, then in self._compared.items() if at - then < SPACING}
        if at >= self._check_due:
            self._check_due = at + CHECK_SECONDS
            self._check(scope=scope, at=at)
        due = [device_id for device_id, then in self._grown.items() if at >= then][:A_TURN]
        if due:
            self._profiles.begin()
        for device_id in due:
            del self._grown[device_id]
            self._compared[device_id] = at
            device = self._record.registry.by_id(device_id)
            if device is None or not device.addresses or not device.revision or not _may(device, scope):
                continue
            self._consider(device, scope=scope, at=at)
            if at - device.first_seen < NEW_SECONDS:
                self._grown.setdefault(device_id, at + AGAIN_SECONDS)

    def _check(self, *, scope: Scope, at: float) -> None:
        """Whether two of which it was proposed that they are one were there at once by now."""
        self._checked, some = self._record.store.kinship.open(after=self._checked, most=CANDIDATES)
        for stored in some:
            one = self._record.registry.by_id(stored.proposal.device_id)
            two = self._record.registry.by_id(stored.proposal.other_id)
            if one is None or two is None or not self._stays.together(one.macs, two.macs):
                continue
            likeness = self._likeness(self._profiles.of(one, scope), self._profiles.of(two, scope), rivals=1)
            self._settle(one, two, likeness, propose=False, scope=scope, at=at)

    # --- comparing --------------------------------------------------------------------------

    def _consider(self, device: Device, *, scope: Scope, at: float) -> None:
        others = [other for other in self._candidates(device, at) if _may(other, scope)]
        rivals = sum(1 for other in others if not self._stays.device_here(other, at))
        own = self._profiles.of(device, scope)
        found: list[tuple[float, Device, Likeness]] = []
        for other in others:
            likeness = self._likeness(own, self._profiles.of(other, scope), rivals=max(rivals, 1))
            found.append((likeness.probability, other, likeness))
        best = max(
            (item for item in found if self._comparable(device, item[1])), key=lambda item: item[0], default=None
        )
        for item in found:
            is_best = best is not None and item[1] is best[1]
            self._settle(device, item[1], item[2], propose=is_best, scope=scope, at=at)
        if best is not None and best[0] < PROPOSED and best[2].excluded is None:
            self._suspicions.unlikely(device, best[1], best[2])

    def _likeness(self, one: Profile, two: Profile, *, rivals: int) -> Likeness:
        self.compared += 1
        older, newer = sorted((one, two), key=lambda profile: (profile.first_seen, profile.device_id))
        return compare(older, newer, rivals=rivals, common=self._profiles.common)

    def _candidates(self, device: Device, at: float) -> list[Device]:
        """Devices to compare with, at most `CANDIDATES`: open proposals, who shares something, who is away."""
        kinship, registry = self._record.store.kinship, self._record.registry
        found: dict[str, Device] = {}
        for stored in kinship.open_of(device.device_id):
            for device_id in (stored.proposal.device_id, stored.proposal.other_id):
                other = registry.by_id(device_id)
                if other is not None and other.addresses:
                    found[device_id] = other
        for mac in self._record.store.evidence.sharing(device.macs, least=0.5, most=CANDIDATES // 2):
            other = registry.by_mac(mac)
            if other is not None and self._comparable(device, other):
                found[other.device_id] = other
        here = self._stays.device_here(device, at)

        def wanted(other: Device) -> bool:
            return self._comparable(device, other) and not (here and self._stays.device_here(other, at))

        for other in registry.latest(wanted, most=CANDIDATES):
            found.setdefault(other.device_id, other)
        found.pop(device.device_id, None)
        return list(found.values())[:CANDIDATES]

    @staticmethod
    def _comparable(device: Device, other: Device) -> bool:
        """Whether asking makes sense: two that an officer put on the register are two."""
        if other.device_id == device.device_id or not other.addresses or not other.revision:
            return False
        return not (device.on_the_register and other.on_the_register)

    # --- what follows -----------------------------------------------------------------------

    def _settle(
        self, device: Device, other: Device, likeness: Likeness, *, propose: bool, scope: Scope, at: float
    ) -> None:
        stays, goes = _order(device, other)
        stored = self._record.store.kinship.between(stays.device_id, goes.device_id)
        is_open = stored is not None and stored.proposal.state == "open"
        if likeness.probability < PROPOSED or likeness.excluded is not None:
            if stored is not None and is_open:
                self._withdraw(stored, likeness, at)
                self._suspicions.no_more(goes, at, scope=scope)
            return
        if not is_open and not propose:
            return
        if stored is None:
            self._propose(stays, goes, likeness, at)
        elif is_open or stored.proposal.state == "withdrawn" or self._shows_more(stored, likeness):
            self._revise(stored, stays, goes, likeness, at)
        else:
            return
        if likeness.probability >= PROBABLE and stays.on_the_register and goes.standing is Standing.UNKNOWN:
            self._suspicions.same_device(stays, goes, likeness, scope=scope, at=at)
        elif stays.on_the_register:
            self._suspicions.no_more(goes, at, scope=scope)

    @staticmethod
    def _shows_more(stored: StoredProposal, likeness: Likeness) -> bool:
        return stored.proposal.state == "refused" and bool(set(likeness.identifiers) - set(stored.identifiers))

    def _propose(self, stays: Device, goes: Device, likeness: Likeness, at: float) -> None:
        if not self._likely_enough(stays, likeness, at):
            return
        if not self._record.store.kinship.has_room():
            return
        proposal = Proposal(
            proposal_id=self._record.ids.proposal(),
            revision=1,
            device_id=stays.device_id,
            other_id=goes.device_id,
            probability=likeness.probability,
            reasons=_fit(likeness.reasons),
            against=_fit(likeness.against),
            state="open",
            raised_at=moment(at),
        )
        stored = StoredProposal(proposal=proposal, identifiers=likeness.identifiers, reported_at=at)
        self._record.tell_proposal(stored, at)

    def _likely_enough(self, stays: Device, likeness: Likeness, at: float) -> bool:
        """Whether it is among the likeliest proposals of a device; makes room by withdrawing the least likely."""
        kinship = self._record.store.kinship
        own = [item for item in kinship.open_of(stays.device_id) if item.proposal.device_id == stays.device_id]
        if len(own) < MAX_OPEN:
            return True
        self.overflow += 1
        least = min(own, key=lambda item: item.proposal.probability)
        if least.proposal.probability >= likeness.probability:
            return False
        said = Likeness(probability=least.proposal.probability, against=("Others are likelier to be this device.",))
        self._withdraw(least, said, at)
        return True

    def _revise(self, stored: StoredProposal, stays: Device, goes: Device, likeness: Likeness, at: float) -> None:
        old = stored.proposal
        same = (old.state, old.device_id, set(old.reasons)) == ("open", stays.device_id, set(_fit(likeness.reasons)))
        if same and abs(old.probability - likeness.probability) < MOVED:
            return
        proposal = old.model_copy(
            update={
                "revision": old.revision + 1,
                "device_id": stays.device_id,
                "other_id": goes.device_id,
                "probability": likeness.probability,
                "reasons": _fit(likeness.reasons),
                "against": _fit(likeness.against),
                "state": "open",
            }
        )
        self._record.tell_proposal(replace(stored, proposal=proposal, identifiers=likeness.identifiers), at)

    def _withdraw(self, stored: StoredProposal, likeness: Likeness, at: float) -> None:
        proposal = stored.proposal.model_copy(
            update={
                "revision": stored.proposal.revision + 1,
                "probability": likeness.probability,
                "reasons": _fit(likeness.reasons),
                "against": _fit(likeness.against),
                "state": "withdrawn",
            }
        )
        self._record.tell_proposal(replace(stored, proposal=proposal), at)

    # --- answers ----------------------------------------------------------------------------

    def answer(self, proposal_id: str, *, confirm: bool, by: str, scope: Scope, at: float) -> str | None:
        """What a person says of a proposal. None when done, else why not."""
        stored = self._record.store.kinship.proposal(proposal_id)
        if stored is None:
            return "The box does not know this proposal."
        if stored.proposal.state != "open":
            return "The proposal is not open any more."
        stays = self._record.registry.by_id(stored.proposal.device_id)
        goes = self._record.registry.by_id(stored.proposal.other_id)
        if stays is None or goes is None or not stays.addresses or not goes.addresses:
            return "One of the devices is not there any more."
        state = "confirmed" if confirm else "refused"
        proposal = stored.proposal.model_copy(update={"revision": stored.proposal.revision + 1, "state": state})
        self._record.tell_proposal(replace(stored, proposal=proposal), at)
        if not confirm:
            self._suspicions.no_more(goes, at, scope=scope)
            return None
        join = Join(
            how=JoinedBy.PERSON,
            because="An officer confirmed that it is a known device with a new address.",
            probability=stored.proposal.probability,
            reasons=stored.proposal.reasons,
            by=by,
        )
        self._withdraw_others(goes, at)
        self._kin.join(stays, goes, join, scope=scope, at=at)
        self._record.store.kinship.confirm(stays.device_id, stored.identifiers, at)
        return None

    def _withdraw_others(self, goes: Device, at: float) -> None:
        for other in self._record.store.kinship.open_of(goes.device_id):
            self._withdraw(other, Likeness(probability=0.0, against=("It was counted as another device.",)), at)

    def recognise(self, device: Device, trait: Trait, token: str, *, scope: Scope, at: float) -> Device:
        """A device shows an identifier: if a person has confirmed it as a known one's, it is that device."""
        kinship = self._record.store.kinship
        owner_id = kinship.confirmed(trait, token)
        owner = None if owner_id is None else self._record.registry.by_id(owner_id)
        if owner is None or owner.device_id == device.device_id or device.on_the_register or not owner.addresses:
            return device
        if device.standing is Standing.REFUSED or self._stays.device_here(owner, at) or not _may(owner, scope):
            return device
        stored = kinship.between(owner.device_id, device.device_id)
        refused = stored is not None and stored.proposal.state == "refused"
        if refused or any(self._kin.was_split(mac, owner.device_id) for mac in device.macs):
            return device
        likeness = self._likeness(self._profiles.of(owner, scope), self._profiles.of(device, scope), rivals=1)
        if likeness.excluded is not None or likeness.contradicted:
            return device
        join = Join(
            how=JoinedBy.IDENTIFIER,
            because="It showed an identifier that an officer has confirmed as a known device's.",
            probability=likeness.probability,
            reasons=_fit(likeness.reasons),
        )
        self._withdraw_others(device, at)
        return self._kin.join(owner, device, join, scope=scope, at=at)


def _order(device: Device, other: Device) -> tuple[Device, Device]:
    """Which stays and which would count as part of it: what an officer put on the register stays, else the older."""
    first, second = sorted(
        (device, other), key=lambda item: (not item.on_the_register, item.first_seen, item.device_id)
    )
    return first, second


def _may(device: Device, scope: Scope) -> bool:
    """Whether there is leave to look at what the device shows of itself."""
    return DataClass.FINGERPRINT in scope.classes(device.standing)


def _fit(sentences: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(findings.clip(sentence) for sentence in sentences[:MAX_SENTENCES])
