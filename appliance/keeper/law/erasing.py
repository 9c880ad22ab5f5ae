"""Erasing what was recorded of a device that should not have been; the audit keeps no content (R65).

In: the act `EraseRecords` (two people). Out: rows of the working tables gone at once; bodies of the ledger struck out
at once, and what else lay under the same keys sealed anew in portions, so that those keys can be destroyed: then no old
copy of a page can be read either. The record of the erasure says how much, of which span, who asked; not what.
What a case hold keeps is not erased. Findings that are open close first, with nothing of their content.
A name that may not be kept any more is looked for in what is recorded already, and goes in the same way (R67).

Bounded: `MAX_JOBS` keys wait to be replaced: a class and month counts once; `store.purge.MAX_LEFT_OUT` names wait.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from appliance.keeper import findings
from appliance.keeper.household.record import Record
from appliance.keeper.law.acts import Given
from appliance.keeper.ledger.book import SALT
from appliance.keeper.store.database import Store
from appliance.keeper.store.findings import StoredFinding
from appliance.keeper.store.purge import TABLES, WINDOW
from wire.acts import EraseRecords
from wire.findings import Finding
from wire.ledger import RecordKind
from wire.models import type_of

MAX_JOBS = 4096
_JOBS = "reseal"
"""Key in `meta`: classes and months whose keys are to be replaced."""
BECAUSE = "What it rested on was erased."
LEFT_OUT = "It rested on a name that may not be kept."
EVER = 9e12
"""Later than any moment that can be put on the wire, Unix seconds."""


class Erasing:
    """Follows the act; calls within the store's transaction."""

    def __init__(self, store: Store, record: Record) -> None:
        self._store = store
        self._record = record
        self._wanted = bool(store.get(_JOBS))

    @property
    def wanted(self) -> bool:
        """Keys wait to be replaced, or names to be looked for."""
        return self._wanted or self._store.purge.asked

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
        return sum(self._take_back(stored, BECAUSE, at) for stored in found)

    def _take_back(self, stored: StoredFinding, because: str, at: float) -> int:
        """Close a finding with nothing of what it said, and forget it."""
        self._store.outbox.forget(type_=type_of(stored.finding).ce_type, subject=stored.finding.finding_id)
        self._record.report_finding(stored, emptied(stored, because), at)
        self._store.findings.remove(stored.finding.finding_id)
        self._store.note_erased()
        return 1

    # --- keys -------------------------------------------------------------------------------

    def _jobs(self) -> list[tuple[str, int, list[int]]]:
        return [(name, month, keys) for name, month, keys in json.loads(self._store.get(_JOBS) or "[]")]

    def _put(self, jobs: list[tuple[str, int, list[int]]]) -> None:
        self._store.set(_JOBS, json.dumps(jobs) if jobs else "")
        self._wanted = bool(jobs)

    def _want(self, struck: set[int]) -> None:
        """Keys under which bodies were struck are to be replaced, and with them their month's others."""
        vault = self._store.vault
        jobs = {(name, month): keys for name, month, keys in self._jobs()}
        for key, name, month, hold in vault.table():
            if hold is None and key in struck:
                old = vault.renew(name, month)
                jobs[name, month] = sorted({*jobs.get((name, month), []), *old})
        self._put([(name, month, keys) for (name, month), keys in list(jobs.items())[:MAX_JOBS]])

    def work(self, at: float) -> Iterator[int]:
        """Strike what holds a name that may not be kept; then replace the keys it lay under. One portion a step."""
        yield from self._leave_out(at)
        yield from self._replace_keys()

    def _leave_out(self, at: float) -> Iterator[int]:
        """A body cannot be changed, so one that holds such a name goes whole, with the other names of its hour (R67)."""
        store = self._store
        for stored in self._with_hits():
            if any(item.covers(_hit(stored)) for item in store.purge.left_out()):
                yield self._take_back(stored, LEFT_OUT, at)
        while waiting := store.purge.left_out():
            item, size = waiting[0], store.ledger.size
            found = [
                (n, key)
                for n, key, plain in store.purge.with_names(item.next)
                if any(map(item.covers, _names(plain[SALT:])))
            ]
            store.purge.strike([n for n, _key in found])
            self._want({key for _n, key in found})
            item = replace(item, next=item.next + WINDOW, records=item.records + len(found))
            over = item.next >= size
            store.purge.put_left_out([*(() if over else (item,)), *waiting[1:]])
            if over and item.records:
                store.ledger.note(RecordKind.ERASURE, {"cause": "left out", "records": item.records})
            if found:
                store.note_erased()
            yield 1

    def _with_hits(self) -> list[StoredFinding]:
        store = self._store
        return [] if not store.purge.asked else [item for item in store.findings.with_hit() if not self._held(item)]

    def _held(self, stored: StoredFinding) -> bool:
        finding = stored.finding
        first, last = finding.first_seen.timestamp(), finding.last_seen.timestamp()
        return self._store.holds.covers(finding.device_id or "", first=first, last=max(last, stored.reported_at))

    def _replace_keys(self) -> Iterator[int]:
        """Seal anew what lay under the old keys, and destroy those; one portion a step."""
        while jobs := self._jobs():
            name, month, keys = jobs[0]
            yield from self._store.purge.reseal(frozenset(keys), name, month)
            self._store.vault.destroy_keys(keys)
            self._put(self._jobs()[1:])
            yield 0


def _hit(stored: StoredFinding) -> str:
    return (stored.finding.hit and stored.finding.hit.name) or ""


def _names(body: bytes) -> list[str]:
    """Looked-up names in the body of a record."""
    plain = json.loads(body)
    hit = plain.get("hit") or {}
    return [*(item["name"] for item in plain.get("names") or ()), *([hit["name"]] if hit.get("name") else [])]


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
