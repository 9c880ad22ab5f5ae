"""A household's own entries as they are kept: names to be found, or never to be kept (R35, R67).

In and out: `wire.box.Watch`. Bounded: `MAX_WATCHED` rows, as many as travel; a further one is refused.
"""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.devices.model import moment
from wire.box import Watch
from wire.findings import Severity

MAX_WATCHED = 256


class Watched:
    """Table `watch`; all calls within the store's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> tuple[Watch, ...]:
        """All of them, oldest first."""
        rows = self._db.execute(
            "select watch_id, name, below, excluded, severity, reason, by, at, expires from watch order by at, watch_id"
        )
        return tuple(
            Watch(
                watch_id=watch_id,
                name=name,
                below=bool(below),
                excluded=bool(excluded),
                severity=Severity(severity),
                reason=reason,
                by=by,
                at=moment(at),
                expires=moment(expires),
            )
            for watch_id, name, below, excluded, severity, reason, by, at, expires in rows
        )

    def put(self, entry: Watch) -> bool:
        """Write one, in place of one for the same name; false where there is no room."""
        changed = self._db.execute(
            "delete from watch where name = ? and excluded = ?", (entry.name, int(entry.excluded))
        ).rowcount
        if not changed and self._db.table("watch").count >= MAX_WATCHED:
            return False
        self._db.execute(
            "insert into watch (watch_id, name, below, excluded, severity, reason, by, at, expires) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.watch_id,
                entry.name,
                int(entry.below),
                int(entry.excluded),
                entry.severity.value,
                entry.reason,
                entry.by,
                entry.at.timestamp(),
                entry.expires.timestamp(),
            ),
        )
        return True

    def remove(self, watch_id: str) -> bool:
        """It no longer holds; false where there is none."""
        return self._db.execute("delete from watch where watch_id = ?", (watch_id,)).rowcount > 0

    def prune(self, at: float) -> bool:
        """Take off those that have ended; whether there were any."""
        return self._db.execute("delete from watch where expires <= ?", (at,)).rowcount > 0
