"""Visits that somebody in the home said (N12): a claim beside a finding, never a standing.

In: what was said on a device's own connection, moments. Out: a sentence among the reasons of the finding that the
device is not registered, as long as the visit is said to last; then it goes by itself. Nobody has checked it, and the
sentence says so: an officer decides as before. Bounded: one a device, `MAX_CLAIMS` in all (see `store.household_side`).
"""

from __future__ import annotations

from datetime import datetime

from appliance.keeper import findings
from appliance.keeper.devices.model import Device, moment
from appliance.keeper.household.record import Record
from appliance.keeper.store.findings import StoredFinding
from appliance.keeper.store.household_side import Claim
from appliance.messages import Visitor
from wire.base import Standing
from wire.findings import FindingKind

LOOK_SECONDS = 5.0
"""Findings are looked through for what was said at most this often."""

MAX_REASONS = 16

_BEGIN = "Somebody in the home says: "
_KINDS = (FindingKind.UNREGISTERED_DEVICE, FindingKind.VISIT_OVER)

VISITORS = {
    Visitor.PHONE: "a visitor's phone",
    Visitor.TABLET: "a visitor's tablet",
    Visitor.LAPTOP: "a visitor's laptop",
    Visitor.CONSOLE: "a visitor's games console",
    Visitor.OTHER: "a visitor's device",
}


class Guests:
    """Claims, and the sentence each adds to a finding."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._claims = {claim.device_id: claim for claim in record.store.household_side.claims()}
        self._due = float("-inf")

    def say(self, device: Device, visitor: Visitor, until: float, at: float) -> bool:
        """Write down what was said of a device nobody has decided about; false where there is no room."""
        if device.standing is not Standing.UNKNOWN:
            return True  # an officer has decided: what was said goes to the officers and changes nothing here
        claim = Claim(device_id=device.device_id, visitor=visitor.value, until=until, at=at)
        if not self._record.store.household_side.put_claim(claim):
            return False
        self._claims[device.device_id] = claim
        self._due = float("-inf")
        return True

    def of(self, device_id: str) -> Claim | None:
        """What was said of a device."""
        return self._claims.get(device_id)

    def tick(self, at: float) -> None:
        """Say it where a finding does not say it yet; take back what is over."""
        if at < self._due or not self._claims:
            return
        self._due = at + LOOK_SECONDS
        for claim in list(self._claims.values()):
            device = self._record.registry.by_id(claim.device_id)
            over = at >= claim.until or device is None or device.standing is not Standing.UNKNOWN
            for kind in _KINDS:
                stored = self._record.open_finding(claim.device_id, kind)
                if stored is not None:
                    self._say(stored, None if over else sentence(claim), at)
            if over:
                self.forget(claim.device_id)

    def forget(self, device_id: str) -> None:
        """It is over, or the box knows no such device any more."""
        self._claims.pop(device_id, None)
        self._record.store.household_side.remove_claim(device_id)

    def _say(self, stored: StoredFinding, said: str | None, at: float) -> None:
        finding = stored.finding
        others = tuple(reason for reason in finding.reasons if not reason.startswith(_BEGIN))
        reasons = others if said is None else (*others[: MAX_REASONS - 1], said)
        if reasons != finding.reasons:
            changed = finding.model_copy(update={"reasons": reasons})
            self._record.report_finding(stored, findings.revised(changed), at)


def sentence(claim: Claim) -> str:
    """What was said, and that nobody has checked it."""
    return f"{_BEGIN}{VISITORS[Visitor(claim.visitor)]}, until {_day(moment(claim.until))}. This was not checked."


def _day(then: datetime) -> str:
    return f"{then.day} {then:%B %Y} at {then:%H:%M} (UTC)"
