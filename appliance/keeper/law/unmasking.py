"""Devices whose mask is off for a time (N2): only by a clause of the authority, by two people, and it ends by itself.

In: the acts `Unmask` and `EndUnmask`, the scope in force, moments. Out: what may be collected of each device whose
mask is off, and findings where one person did it in an emergency. It ends at the moment that was said, after the hours
that the clause allows, an hour after an emergency began, when the clause is not in force any more, and when the device
gets another standing. What the device calls itself is readable only meanwhile.
Bounded: `store.law.MAX_UNMASKED` devices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.keeper.authority import Scope, when
from appliance.keeper.devices.model import Device
from appliance.keeper.devices.registry import Registry
from appliance.keeper.law.acts import Acts, Given
from appliance.keeper.law.telling import Teller, told
from appliance.keeper.store.law import MAX_UNMASKED, Law, Unmasked
from wire.acts import EndUnmask, Unmask
from wire.authority import DataClass, UnmaskClause
from wire.base import Standing
from wire.findings import FindingKind, Grade
from wire.ledger import RecordKind

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Scope):
    """The scope in force, as it is for one device whose mask is off."""

    clause: UnmaskClause
    standing: Standing
    """Of the device."""

    def classes(self, standing: Standing) -> dict[DataClass, str]:
        """What may be kept of the device: as of its standing, and what the clause adds; of no other is it asked."""
        del standing
        found = Scope.classes(self, self.standing)
        for data_class in self.clause.classes:
            found.setdefault(data_class, self.clause.number)
        return found if DataClass.PRESENCE in found else {}

    def lists(self, standing: Standing) -> dict[str, str]:
        """The lists that are in force for registered devices."""
        return Scope.lists(self, Standing.REGISTERED) if self.names_leave(standing) else {}

    def itemise(self, standing: Standing, list_id: str) -> bool:
        """As for registered devices."""
        del standing
        return Scope.itemise(self, Standing.REGISTERED, list_id)

    @property
    def readable(self) -> Standing:
        """The standing by which what the device calls itself is kept: in words, or as a keyed hash."""
        return Standing.REGISTERED if DataClass.FINGERPRINT in self.clause.classes else self.standing


class Unmasking:
    """The devices whose mask is off."""

    def __init__(
        self,
        law: Law,
        registry: Callable[[], Registry],
        *,
        tell: Teller,
        note: Callable[[RecordKind, Mapping[str, object], float], None],
        masked: Callable[[Device, Scope | None, float], None],
        sure: Callable[[], bool] = lambda: True,
    ) -> None:
        """`note` writes a record, `masked` erases what may not be kept of a device whose mask is on again.

        `sure` says whether somebody vouches for the time.
        """
        self._law = law
        self._registry = registry
        self._tell = tell
        self._note = note
        self._masked = masked
        self._sure = sure
        self._known: dict[str, Unmasked] = {each.device_id: each for each in law.unmasked()}
        self._changed = 0
        self._opened: dict[str, Opened] = {}
        self._of: tuple[object, ...] = ()

    def follow(self, acts: Acts) -> None:
        """Say which acts are followed here."""
        acts.on(Unmask, self._open)
        acts.on(EndUnmask, self._close)

    @property
    def until(self) -> float | None:
        """When the last mask that is off is put on again; None while all are on."""
        return max((each.ends for each in self._known.values()), default=None)

    def opened(self, scope: Scope | None, at: float) -> Mapping[str, Opened]:
        """What may be collected of each device whose mask is off at a moment, by its id."""
        off = tuple(each.device_id for each in self._known.values() if each.starts <= at < each.ends)
        key = (None if scope is None else scope.authority, self._changed, off)
        if key != self._of:
            self._of, self._opened = key, {}
            for device_id in off if scope is not None else ():
                device = self._registry().by_id(device_id)
                clause = None if device is None or scope is None else scope.unmasking(device.standing)
                if device is not None and clause is not None and scope is not None:
                    self._opened[device_id] = Opened(authority=scope.authority, clause=clause, standing=device.standing)
        return self._opened

    def tick(self, scope: Scope | None, at: float) -> None:
        """Put masks on again whose time is over, or that have no clause any more."""
        for each in list(self._known.values()):
            device = self._registry().by_id(each.device_id)
            clause = None if scope is None or device is None else scope.unmasking(device.standing)
            if at >= each.ends:
                self._end(each, "Its time is over.", scope, at)
            elif clause is None or clause.number != each.clause:
                self._end(each, "No clause allows it any more.", scope, at)

    # --- acts -------------------------------------------------------------------------------

    def _open(self, order: Unmask, given: Given) -> str | None:
        device = self._registry().by_id(order.device_id)
        if device is None or device.merged_into is not None:
            return "The box does not know this device."
        clause = None if given.scope is None else given.scope.unmasking(device.standing)
        if clause is None or given.scope is None:
            return "No clause of the authority lets the mask be taken off a device of this standing."
        authority = given.scope.authority
        if not self._sure():
            return "The box is not certain yet what time it is. Give the instruction again in a few minutes."
        if device.device_id not in self._known and len(self._known) >= MAX_UNMASKED:
            return f"The mask is off {MAX_UNMASKED} devices already. Put one on again first."
        last = [given.at + clause.most_hours * HOUR, given.ends, authority.not_after.timestamp()]
        opened = Unmasked(
            device_id=device.device_id,
            starts=given.at,
            ends=min(order.until.timestamp(), *last),
            clause=clause.number,
            authority_id=authority.id,
            authority_number=authority.number,
            by=given.by,
            second=given.second,
            broken=given.broken and not given.two,
            reason=order.reason,
        )
        if opened.ends <= given.at:
            return "The time for which the mask would be off is over already."
        self._law.unmask(opened)
        self._known[opened.device_id] = opened
        self._changed += 1
        plain = {"event": "unmasked", "device": opened.device_id, "ends": round(opened.ends), "clause": clause.number}
        self._note(RecordKind.AUTHORITY, plain | {"by": given.by, "second": given.second or ""}, given.at)
        if opened.broken:
            reasons = (
                f"One officer took the mask off a device in an emergency, until {when(opened.ends)}.",
                f"The reason that was given: {order.reason}",
                "What is kept of the device meanwhile is what clause " + clause.number + " allows.",
            )
            self._tell(
                told(FindingKind.BREAK_GLASS, given.command_id, reasons, Grade.HIGH, ts=given.at), given.scope, given.at
            )
        return None

    def _close(self, order: EndUnmask, given: Given) -> str | None:
        opened = self._known.get(order.device_id)
        if opened is None:
            return "The mask of this device is on."
        self._end(opened, "An officer put it on again.", given.scope, given.at)
        return None

    def _end(self, opened: Unmasked, because: str, scope: Scope | None, at: float) -> None:
        self._law.mask(opened.device_id)
        del self._known[opened.device_id]
        self._changed += 1
        plain = {"event": "masked", "device": opened.device_id, "because": because}
        self._note(RecordKind.AUTHORITY, plain, at)
        device = self._registry().by_id(opened.device_id)
        if device is not None:
            self._masked(device, scope, at)
