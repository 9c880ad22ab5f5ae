"""When the box could not see: rows that outlive every process, told to the server with each status.

In: what the keeper hears of its sensor, and moments (Unix seconds). Out: the latest gaps. A gap is
about the box, not about devices, so it is kept without an authority too.
Bounded: `MAX_GAPS` rows, the oldest go; `TOLD` of them travel.
"""

from __future__ import annotations

from sqlite_utils import Database

from appliance.keeper.devices.model import moment
from wire.box import Gap, GapCause

MAX_GAPS = 1000
TOLD = 8


class Gaps:
    """The table of gaps, and which taps the sensor is known to hold."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._since: float | None = None
        """When the sensor took the taps it holds; None while that is not known."""

    def keeper_started(self, floor: float) -> None:
        """The keeper was away since `floor`, the last moment it committed; 0 where it never ran before."""
        if floor:
            self._begin(floor, GapCause.KEEPER_AWAY)

    def sensor_gone(self, at: float) -> None:
        """The sensor's connection is gone: whether it still listens is not known."""
        self._begin(at, GapCause.SENSOR_AWAY)

    def sensor_listens(self, since: float, at: float) -> None:
        """The sensor says at `at` that it holds taps which it took at `since`."""
        row = self._db.execute("select gap_id, started from gap where ended is null").fetchone()
        if row is not None:
            gap_id, started = row
            # It may have listened all the while, but what it heard had nowhere to go.
            ended = since if started < since <= at else at
            self._db.execute("update gap set ended = max(started, ?) where gap_id = ?", [ended, gap_id])
        elif self._since is not None and since != self._since:
            self._insert(since, since, GapCause.TAPS_ANEW)
        self._since = since

    def latest(self) -> tuple[Gap, ...]:
        """The latest gaps, newest first; one without an end lasts still."""
        rows = self._db.execute("select started, ended, cause from gap order by gap_id desc limit ?", [TOLD])
        return tuple(
            Gap(started=moment(started), ended=None if ended is None else moment(ended), cause=GapCause(cause))
            for started, ended, cause in rows.fetchall()
        )

    @property
    def seeing(self) -> bool:
        """Whether no gap is open."""
        return self._db.execute("select 1 from gap where ended is null").fetchone() is None

    def _begin(self, at: float, cause: GapCause) -> None:
        if self.seeing:
            self._insert(at, None, cause)

    def _insert(self, started: float, ended: float | None, cause: GapCause) -> None:
        self._db.execute("insert into gap (started, ended, cause) values (?, ?, ?)", [started, ended, cause.value])
        self._db.execute("delete from gap where gap_id <= (select max(gap_id) from gap) - ?", [MAX_GAPS])
