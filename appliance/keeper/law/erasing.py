"""Erasing what was recorded of a device that should not have been; the audit keeps no content (R65).

In: the act `EraseRecords` (two people). Out: rows of the working tables gone at once; bodies of the ledger struck out
at once, and what else lay under the same keys sealed anew in portions, so that those keys can be destroyed: then no old
copy of a page can be read either. The record of the erasure says how much, of which span, who asked; not what.
What a case hold keeps is not erased. Findings that are open close first, with nothing of their content.

Bounded: `MAX_JOBS` keys wait to be replaced: a class and month counts once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from appliance.keeper import findings
from appliance.keeper.household.record import Record
from appliance.keeper.law.acts import Given
from appliance.keeper.store.database import Store
from appliance.keeper.store.findings import StoredFinding
from appliance.keeper.store.purge import TABLES
from wire.acts import EraseRecords
from wire.findings import Finding
from wire.ledger import RecordKind
from wire.models import type_of

MAX_JOBS = 4096
_JOBS = "reseal"
"""Key in `meta`: classes and months whose keys are to be replaced."""
BECAUSE = "What it rested on was erased."
EVER = 9e12
"""Later than any moment that can be put on the wire, Unix seconds."""


class Erasing:
    """Follows the act; calls within the store's transaction."""

    def __init__(self, store: Store, record: Record) -> None:
        self._store = store
        self._record = record
        self.wanted = bool(store.get(_JOBS))
        """Keys wait to be replaced."""

    def follow(self, order: EraseRecords, given: Given) -> str | None:
        """Erase; None when that was done, else why not."""
        since = 0.0 if order.since is None else order.since.timestamp()
        until = EVER if order.until is None else order.until.timestamp()
        if until < since:
            return "The time to erase would end before it begins."
        store = self._store
        if store.holds.covers(order.device_id, first=since, last=until):
            return "Records of this time are held for a case. They can be erased when the hold has ended."
        device = self._record.registry.by_id(order.device_id)
        # Also those that it had before: records of looked-up names and of signals are about an address alone.
        macs = store.purge.addresses(order.device_id)
        start = store.ledger.size
        closed = self._findings(order.device_id, since, until, given.at)
        for type_, subject in store.purge.told(order.device_id, macs, since=since, until=until):
            store.outbox.forget(type_=type_, subject=subject)
        rows = {
            table: gone
            for table in TABLES
            if (gone := store.purge.erase(table, order.device_id, macs, since=since, until=until))
        }
        leaves = store.purge.about(order.device_id, macs, since=since, until=until, start=start)
        if device is None and not rows and not leaves:
            return "The box has nothing of this device."
        store.purge.strike([n for n, _class, _key in leaves])
        self._want({key for _n, _class, key in leaves})
        store.records.recount()
        store.note_erased()
        plain = {
            "cause": "ordered",
            "device_id": order.device_id,
            "since": None if order.since is None else round(since),
            "until": None if order.until is None else round(until),
            "rows": rows,
            "records": len(leaves),
            "findings": closed,
            "by": given.by,
            "second": given.second,
        }
        store.ledger.note(RecordKind.ERASURE, plain)
        return None

    def _findings(self, device_id: str, since: float, until: float, at: float) -> int:
        """Close and forget findings that rest on the span; what waits of them to be sent is taken back."""
        store = self._store
        found = [
            stored
            for stored in store.findings.of_device(device_id)
            if stored.finding.last_seen.timestamp() >= since and stored.finding.first_seen.timestamp() <= until
        ]
        for stored in found:
            type_ = type_of(stored.finding).ce_type
            store.outbox.forget(type_=type_, subject=stored.finding.finding_id)
            self._record.report_finding(stored, emptied(stored, BECAUSE), at)
            store.findings.remove(stored.finding.finding_id)
        return len(found)

    # --- keys -------------------------------------------------------------------------------

    def _jobs(self) -> list[tuple[str, int, list[int]]]:
        return [(name, month, keys) for name, month, keys in json.loads(self._store.get(_JOBS) or "[]")]

    def _put(self, jobs: list[tuple[str, int, list[int]]]) -> None:
        self._store.set(_JOBS, json.dumps(jobs) if jobs else "")
        self.wanted = bool(jobs)

    def _want(self, struck: set[int]) -> None:
        """Keys under which bodies were struck are to be replaced, and with them their month's others."""
        vault = self._store.vault
        jobs = {(name, month): keys for name, month, keys in self._jobs()}
        for key, name, month, hold in vault.table():
            if hold is None and key in struck:
                old = vault.renew(name, month)
                jobs[name, month] = sorted({*jobs.get((name, month), []), *old})
        self._put([(name, month, keys) for (name, month), keys in list(jobs.items())[:MAX_JOBS]])

    def work(self) -> Iterator[int]:
        """Seal anew what lay under the old keys, and destroy those; one portion a step."""
        while jobs := self._jobs():
            name, month, keys = jobs[0]
            yield from self._store.purge.reseal(frozenset(keys), name, month)
            self._store.vault.destroy_keys(keys)
            self._put(self._jobs()[1:])
            yield 0


def emptied(stored: StoredFinding, because: str) -> Finding:
    """The finding, closed, without what it said."""
    finding = findings.closed(stored.finding, because) if stored.finding.state == "open" else stored.finding
    emptied = {
        "revision": max(finding.revision, stored.finding.revision + 1),
        "closed_because": because,
        "reasons": (),
        "alternatives": (),
        "hit": None,
        "records": None,
        "cause": None,
    }
    return finding.model_copy(update=emptied)
