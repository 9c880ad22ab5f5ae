"""Rules that an officer found not relevant at this home, as they are kept (R30).

In and out: `wire.box.Quieted`. Bounded: `MAX_QUIETED` rows, as many as travel; a further one is refused.
"""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from appliance.keeper.devices.model import moment
from wire.box import Quieted

MAX_QUIETED = 256


class Quiets:
    """Table `quiet`; all calls within the store's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> list[Quieted]:
        """All of them, oldest first."""
        rows = self._db.execute(
            "select quiet_id, rule, device_id, subject, reason, by, at, until, count from quiet order by at, quiet_id"
        )
        return [
            Quieted(
                quiet_id=quiet_id,
                rule=rule,
                device_id=device_id,
                subject=subject,
                reason=reason,
                by=by,
                at=moment(at),
                until=None if until is None else moment(until),
                count=count,
            )
            for quiet_id, rule, device_id, subject, reason, by, at, until, count in rows
        ]

    def put(self, quieted: Quieted) -> None:
        """Write one as it now stands."""
        self._db.execute(
            "insert or replace into quiet (quiet_id, rule, device_id, subject, reason, by, at, until, count) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                quieted.quiet_id,
                quieted.rule,
                quieted.device_id,
                quieted.subject,
                quieted.reason,
                quieted.by,
                quieted.at.timestamp(),
                _seconds(quieted.until),
                quieted.count,
            ),
        )

    def remove(self, quiet_id: str) -> None:
        """It no longer holds."""
        self._db.execute("delete from quiet where quiet_id = ?", (quiet_id,))


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
