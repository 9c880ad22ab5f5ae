"""Times for which an officer was told that nobody, or one device, is at home (R15).

In and out: `wire.box.Away`. Bounded: `MAX_AWAY` rows, as many as travel; of those that are over the one longest
over makes room, and where none is over a new one is refused. One that is over is kept while a baseline may
still rest on that time, then forgotten.
"""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.devices.model import moment
from appliance.keeper.store.activity import KEEP_HOURS
from wire.box import Away

MAX_AWAY = 64
_KEEP_SECONDS = KEEP_HOURS * 3600.0


class Aways:
    """Table `away`; all calls within the store's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def has_room(self, at: float) -> bool:
        """Make room for one more by forgetting the one that is longest over; false when none is over."""
        count = int(self._db.execute("select count(*) from away").fetchone()[0])
        if count < MAX_AWAY:
            return True
        return (
            self._db.execute(
                "delete from away where away_id = (select away_id from away where ends < ? order by ends limit 1)",
                (at,),
            ).rowcount
            > 0
        )

    def put(self, away: Away) -> None:
        """Write one down as it now stands."""
        self._db.execute(
            "insert or replace into away (away_id, device_id, starts, ends, reason, by) values (?, ?, ?, ?, ?, ?)",
            (
                away.away_id,
                away.device_id,
                away.starts.timestamp(),
                away.ends.timestamp(),
                away.reason,
                away.by,
            ),
        )

    def remove(self, away_id: str) -> None:
        """It never was."""
        self._db.execute("delete from away where away_id = ?", (away_id,))

    def all(self) -> tuple[Away, ...]:
        """All that are known, by their start."""
        rows = self._db.execute(
            "select away_id, starts, ends, device_id, reason, by from away order by starts, away_id"
        )
        return tuple(
            Away(away_id=away_id, starts=moment(starts), ends=moment(ends), device_id=device_id, reason=reason, by=by)
            for away_id, starts, ends, device_id, reason, by in rows
        )

    def prune(self, at: float) -> bool:
        """Forget those that are long over; whether there were any."""
        return self._db.execute("delete from away where ends < ?", (at - _KEEP_SECONDS,)).rowcount > 0
