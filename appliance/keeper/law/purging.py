"""The purge: what is due goes, within a day of being due, in portions, and the ledger says so without content (N17).

In: the authority, a moment that no clock can have put ahead, the store. Out: rows gone, keys destroyed, an `ERASURE`
record with counts by class. It runs at the start, every `EVERY_SECONDS`, and when a hold has ended. One portion a
turn, so that no turn is long; how far it is, is in the tables themselves: a run that was cut begins again.

A month's key is destroyed when the month is over and the class's days after it: so a body outlives its time by at most
that month. What may be read in the tables themselves goes to the day. Bounded: `store.purge.PORTION` rows a turn.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

from appliance.keeper.authority import Judgement, Reason, Scope
from appliance.keeper.devices.model import Device
from appliance.keeper.devices.registry import Registry
from appliance.keeper.law.erasing import emptied
from appliance.keeper.law.holds import NARROW
from appliance.keeper.law.retention import Terms, shipped, terms
from appliance.keeper.store.database import Store
from appliance.keeper.store.findings import StoredFinding
from appliance.keeper.store.purge import TABLES
from appliance.keeper.store.vault import VaultError, month_of
from wire.authority import Authority
from wire.base import Standing
from wire.findings import Finding
from wire.ledger import ClockState, RecordKind

EVERY_SECONDS = 20 * 3600.0
DEVICES_A_TURN = 10
AGAIN_SECONDS = 600.0
"""After a key file that could not be written."""

_PURGED = "purged_at"
_COUNTS = "purge_counts"
_OUT = "out_of_force_since"
_TAKEN_BACK = frozenset({Reason.MISSING, Reason.WITHDRAWN, Reason.LAPSED})
"""Ends before its time; when it began to be so is kept."""
GONE = "It was not seen for as long as records are kept."
OVER = "The time for which it is kept is over."

_log = logging.getLogger(__name__)


class Purging:
    """Runs the purge; `tick` once a turn, within the store's transaction."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        forget: Callable[[Device, str, float], None],
        let_go: Callable[[Device, float], int],
        close: Callable[[StoredFinding, Finding, float], None],
        erasing: Callable[[float], Iterator[int]],
        narrow: Callable[[Device, Scope, float], None],
    ) -> None:
        """What the book does for it.

        `forget` a device as a whole; `let_go` of a device's addresses unused since a moment, but the last; `close` a
        finding that becomes another; `erasing`: what erasing left to do; `narrow`: erase what may not be kept of a
        device of its standing.
        """
        self._store = store
        self._registry = registry
        self._forget = forget
        self._let_go = let_go
        self._close = close
        self._erasing = erasing
        self._narrow = narrow
        self._steps: Iterator[int] | None = None
        self._due = self._again = float("-inf")

    @property
    def purged_at(self) -> float | None:
        """When the last run was complete, Unix seconds."""
        text = self._store.get(_PURGED)
        return None if text is None else float(text)

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._steps is not None

    def soon(self) -> None:
        """Run at the next turn."""
        self._due = float("-inf")

    def tick(self, authority: Authority | None, judgement: Judgement, *, at: float) -> None:
        """One portion, where a run is due or under way. `at` is a moment that has passed for sure."""
        ended_at = self._ended_at(authority, judgement, at)
        if self._steps is None:
            if at < max(self._due, self._again):
                return
            self._due = at + EVERY_SECONDS
            self._steps = self._run(terms(authority, ended_at=ended_at, at=at), judgement.scope)
        try:
            if any(self._steps):  # up to the next portion in which something went
                return
            self._steps = None
        except VaultError as error:
            # The disk is full, or the file's place is gone: nothing was destroyed, and it is tried again.
            _log.warning("keys cannot be destroyed now: %s", error)
            self._steps, self._due, self._again = None, float("-inf"), at + AGAIN_SECONDS

    def _ended_at(self, authority: Authority | None, judgement: Judgement, at: float) -> float | None:
        """When the last authority ended; None while one is in force, paused, or still to come."""
        since = self._store.get(_OUT)
        if judgement.reason not in _TAKEN_BACK:
            if since:
                self._store.set(_OUT, "")
            # By the certain moment, not the judgement's: a clock that was put ahead ends recording, and erases nothing.
            over = authority is not None and at >= authority.not_after.timestamp()
            return authority.not_after.timestamp() if authority is not None and over else None
        if not since:
            self._store.set(_OUT, repr(at))
            return at
        return float(since)

    # --- a run ------------------------------------------------------------------------------

    def _run(self, due: Terms, scope: Scope | None) -> Iterator[int]:
        yield from self._erasing(due.at)
        yield from self._after_holds(scope, due)
        yield from self._devices(due)
        yield from self._findings(due)
        for table, ages in TABLES.items():
            for gone in self._store.purge.aged(table, due.before(ages.data_class)):
                self._count(ages.data_class, table, gone)
                yield gone
        self._store.records.recount()
        yield from self._outbox(due)
        yield from self._keys(due)
        self._finish(due)

    def _after_holds(self, scope: Scope | None, due: Terms) -> Iterator[int]:
        """What a hold kept though the device's standing no longer lets it be kept goes when the hold is over."""
        if scope is None or not self._store.get(NARROW):
            return
        for device_id in [device.device_id for device in self._registry]:
            device = self._registry.by_id(device_id)
            if device is not None and device.merged_into is None:
                self._narrow(device, scope, due.at)
            yield 1
        self._store.set(NARROW, "")

    def _devices(self, due: Terms) -> Iterator[int]:
        before = due.before("presence")
        gone = 0
        for device in self._registry:
            now = self._registry.by_id(device.device_id)
            if now is None or now.last_seen >= before:
                pass
            elif self._is_held(now):
                continue
            elif now.merged_into is not None:
                gone += self._part(now, due)
            elif due.ended or now.standing is not Standing.REGISTERED:
                self._forget(now, GONE, due.at)
                self._count("presence", "device", 1)
                gone += 1
            if now is not None and now.standing is Standing.REGISTERED and not due.ended and not self._is_held(now):
                dropped = self._let_go(now, before)
                self._count("presence", "address", dropped)
                gone += dropped
            if gone >= DEVICES_A_TURN:
                yield gone
                gone = 0
        yield gone

    def _is_held(self, device: Device) -> bool:
        return self._store.holds.covers(device.device_id, first=device.first_seen, last=device.last_seen)

    def _part(self, device: Device, due: Terms) -> int:
        """A device that counts as part of another goes when nothing says any more which addresses it had."""
        if device.addresses or self._store.devices.linked(device.device_id):
            return 0
        self._forget(device, GONE, due.at)
        return 1

    def _findings(self, due: Terms) -> Iterator[int]:
        """Findings that are open and of which nothing was heard for their time close, with nothing of what they said.

        A row of the outbox that the server has not received stays: no finding is lost on its way.
        """
        store, before, after = self._store, due.before("findings"), ""
        while found := store.findings.open_since(before, after=after, most=DEVICES_A_TURN):
            after = found[-1].finding.finding_id
            gone = 0
            for stored in found:
                finding = stored.finding
                first, last = finding.first_seen.timestamp(), finding.last_seen.timestamp()
                if store.holds.covers(finding.device_id or "", first=first, last=max(last, stored.reported_at)):
                    continue
                self._close(stored, emptied(stored, OVER), due.at)
                store.findings.remove(finding.finding_id)
                gone += 1
            self._count("findings", "closed", gone)
            yield gone

    def _outbox(self, due: Terms) -> Iterator[int]:
        """What is due goes unreceived too; never a finding that the server lacks."""
        while gone := self._store.outbox.overdue(min(due.before("presence"), due.at)):
            self._count("presence", "outbox", gone)
            yield gone

    def _keys(self, due: Terms) -> Iterator[int]:
        store = self._store
        if store.ledger.stamp.clock is ClockState.AUTHENTICATED:
            # What a clock that was ahead dated years too late is not kept years too long.
            store.vault.bring_back(month_of(due.at))
        active = {hold.hold_id for hold in store.holds.active()}
        over = [key for key, _class, _month, hold in store.vault.table() if hold is not None and hold not in active]
        classes = {name: due.before(name) for name in shipped().classes}
        otherwise = due.before("")
        months = store.purge.due_keys(classes, otherwise)
        for key in over:
            yield from store.purge.hold_back(key)  # another hold may keep it
        for key, _class, _month in months:
            yield from store.purge.hold_back(key)
        # All at once: each change of the key file wraps every key that is left anew.
        store.vault.destroy_keys([*over, *(key for key, *_rest in months)])
        for _key, name, month in months:
            self._count(name, "months", 1, month=month)
        if over:
            self._count("held", "holds", len(over))
        yield 0
        for gone in store.purge.sweep():
            self._count("ledger", "bodies", gone)
            yield gone

    # --- the account ------------------------------------------------------------------------

    def _count(self, data_class: str, what: str, gone: int, *, month: int | None = None) -> None:
        if not gone:
            return
        counts = json.loads(self._store.get(_COUNTS) or "{}")
        of_class = counts.setdefault(data_class, {})
        if month is None:
            of_class[what] = of_class.get(what, 0) + gone
        else:
            of_class[what] = sorted({*of_class.get(what, []), f"{month // 12:04d}-{month % 12 + 1:02d}"})
        self._store.set(_COUNTS, json.dumps(counts))

    def _finish(self, due: Terms) -> None:
        store = self._store
        counts = json.loads(store.get(_COUNTS) or "{}")
        if counts:
            plain = {"cause": "time is over", "ended": due.ended, "counts": counts}
            store.ledger.note(RecordKind.ERASURE, plain)
            store.set(_COUNTS, "")
            _log.info("purged: %s", json.dumps(counts))
        # Each time: what the server received since was deleted too, and pages keep copies of that until then.
        store.note_erased()
        store.set(_PURGED, repr(due.at))
