"""Findings as they are kept, with what is needed to report them.

Bounded: `MAX_FINDINGS` rows. For a new one beyond them the oldest closed one is forgotten; are all
open, the new one is not taken and counted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlite_utils import Database

from wire.findings import Finding

MAX_FINDINGS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """A finding with what the keeper needs to know about its reporting."""

    finding: Finding
    subject: str
    """What it is about beside the device, such as a list and its entry; empty when nothing."""
    reported_at: float
    """When a revision was last put in the outbox."""
    dirty: bool
    """Whether repeats were counted since."""


class Findings:
    """Table `finding`; all calls within the store's transaction."""

    def __init__(self, db: Database, *, limit: int = MAX_FINDINGS) -> None:
        self._db = db
        self.limit = limit
        self.overflow = 0

    def open(self, device_id: str | None, kind: str, subject: str = "") -> StoredFinding | None:
        """The open finding of this kind about this device (None: the box) and subject."""
        found = self._all("device_id is ? and kind = ? and subject = ? and state = 'open'", device_id, kind, subject)
        return next(iter(found), None)

    def open_of(self, device_id: str) -> list[StoredFinding]:
        """All open findings about a device."""
        return self._all("device_id = ? and state = 'open'", device_id)

    def spans_of(self, device_id: str, *, since: float) -> list[tuple[float, float]]:
        """First and last time of each finding about a device, open or closed, that was told since; Unix seconds."""
        found = self._all("device_id = ? and reported_at >= ?", device_id, since)
        return [(item.finding.first_seen.timestamp(), item.finding.last_seen.timestamp()) for item in found]

    def open_of_kind(self, device_id: str | None, kind: str) -> int:
        """How many findings of this kind about a device are open."""
        found = self._db.execute(
            "select count(*) from finding where device_id is ? and kind = ? and state = 'open'", (device_id, kind)
        )
        return int(found.fetchone()[0])

    def of_kind(self, kinds: Collection[str]) -> list[StoredFinding]:
        """All open findings of these kinds."""
        marks = ", ".join("?" * len(kinds))
        return self._all(f"state = 'open' and kind in ({marks})", *kinds)

    def last_closed(self, device_id: str | None, kind: str, subject: str) -> StoredFinding | None:
        """The latest finding of this kind about this device and subject that is closed."""
        found = self._all(
            "device_id is ? and kind = ? and subject = ? and state = 'closed' order by reported_at desc limit 1",
            device_id,
            kind,
            subject,
        )
        return next(iter(found), None)

    def get(self, finding_id: str) -> StoredFinding | None:
        """The finding of this id."""
        return next(iter(self._all("finding_id = ?", finding_id)), None)

    def of_device(self, device_id: str) -> list[StoredFinding]:
        """All findings about a device, open or closed."""
        return self._all("device_id = ?", device_id)

    def with_hit(self) -> list[StoredFinding]:
        """All findings, open or closed, of something on a list."""
        return self._all("json_extract(payload, '$.hit') is not null")

    def open_since(self, before: float, *, after: str, most: int) -> list[StoredFinding]:
        """Open findings about devices that were last told of before a moment, by id from the one behind `after`."""
        return self._all(
            "state = 'open' and device_id is not null and reported_at < ? and finding_id > ? order by finding_id limit ?",
            before,
            after,
            most,
        )

    def remove(self, finding_id: str) -> None:
        """Forget a finding."""
        self._db.execute("delete from finding where finding_id = ?", (finding_id,))

    def about(self, kind: str, subject: str) -> list[str]:
        """Ids of devices with an open finding of this kind and subject."""
        rows = self._db.execute(
            "select distinct device_id from finding where kind = ? and subject = ? and state = 'open'", (kind, subject)
        )
        return [device_id for (device_id,) in rows]

    def unreported(self, before: float) -> list[StoredFinding]:
        """Findings with repeats not yet reported whose last report is older than `before`."""
        return self._all("dirty = 1 and reported_at <= ? order by reported_at limit 64", before)

    def open_count(self) -> int:
        """How many findings are open."""
        return int(self._db.execute("select count(*) from finding where state = 'open'").fetchone()[0])

    def has_room(self) -> bool:
        """Make room for one more finding by forgetting the oldest closed one; false when all are open."""
        count = int(self._db.execute("select count(*) from finding").fetchone()[0])
        if count < self.limit:
            return True
        closed = self._db.execute(
            "delete from finding where finding_id = "
            "(select finding_id from finding where state = 'closed' order by reported_at limit 1)"
        ).rowcount
        self.overflow += 0 if closed else 1
        return closed > 0

    def put(self, stored: StoredFinding) -> None:
        """Write a finding as it now stands."""
        finding = stored.finding
        self._db.execute(
            # Not `insert or replace`, which moves the row and rewrites every index of the table.
            "insert into finding (finding_id, device_id, kind, subject, state, payload, reported_at, dirty) "
            "values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (finding_id) do update set device_id = excluded.device_id, "
            "kind = excluded.kind, subject = excluded.subject, state = excluded.state, payload = excluded.payload, "
            "reported_at = excluded.reported_at, dirty = excluded.dirty",
            (
                finding.finding_id,
                finding.device_id,
                finding.kind.value,
                stored.subject,
                finding.state,
                finding.model_dump_json(),
                stored.reported_at,
                int(stored.dirty),
            ),
        )

    def _all(self, where: str, *parameters: str | float | None) -> list[StoredFinding]:
        statement = f"select subject, reported_at, dirty, payload from finding where {where}"  # noqa: S608 - ours
        return [
            StoredFinding(
                subject=subject, reported_at=at, dirty=bool(dirty), finding=Finding.model_validate_json(payload)
            )
            for subject, at, dirty, payload in self._db.execute(statement, parameters)
        ]
