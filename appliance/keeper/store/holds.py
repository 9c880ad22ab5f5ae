"""Case holds as they are kept (N17).

In and out: `Hold`; times in Unix seconds. Bounded: `MAX_HOLDS` rows; for one more the oldest that is over goes, and
are all in force, it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

MAX_HOLDS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Records of this span are kept beyond their time."""

    hold_id: str
    since: float
    until: float
    device_id: str | None
    """Of this device and of the box; None: of all."""
    review: float
    """When it ends unless it is set anew."""
    reason: str
    by: str
    second: str | None
    at: float
    ended: float | None = None


_COLUMNS = "hold_id, since, until, device_id, review, reason, by, second, at, ended"


class Holds:
    """Table `hold`; all calls within the store's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def active(self) -> list[Hold]:
        """Those in force, oldest first."""
        return self._all("ended is null order by at, hold_id")

    def get(self, hold_id: str) -> Hold | None:
        """One of them, also where it is over."""
        return next(iter(self._all("hold_id = ?", hold_id)), None)

    def put(self, hold: Hold) -> bool:
        """Write one as it now stands; false where there is no room for one more."""
        if self.get(hold.hold_id) is None and self._db.table("hold").count >= MAX_HOLDS:
            gone = self._db.execute(
                "delete from hold where hold_id = "
                "(select hold_id from hold where ended is not null order by ended limit 1)"
            ).rowcount
            if not gone:
                return False
        self._db.execute(
            f"insert or replace into hold ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - ours
            (
                hold.hold_id,
                hold.since,
                hold.until,
                hold.device_id,
                hold.review,
                hold.reason,
                hold.by,
                hold.second,
                hold.at,
                hold.ended,
            ),
        )
        return True

    def covers(self, device_id: str, *, first: float, last: float) -> bool:
        """Whether a hold in force keeps records of a device from this span."""
        return any(
            hold.since <= last and hold.until >= first and self._is_of(hold.device_id, device_id)
            for hold in self.active()
        )

    def _is_of(self, held: str | None, device_id: str) -> bool:
        """Whether a hold on one device is about another too, as they share or shared an address."""
        if held is None or held == device_id:
            return True
        statement = "select 1 from link one join link two using (mac) where one.device_id = ? and two.device_id = ?"
        return self._db.execute(statement, (held, device_id)).fetchone() is not None

    def _all(self, where: str, *parameters: str) -> list[Hold]:
        rows = self._db.execute(f"select {_COLUMNS} from hold where {where}", parameters).fetchall()  # noqa: S608 - ours
        return [
            Hold(
                hold_id=hold_id,
                since=since,
                until=until,
                device_id=device_id,
                review=review,
                reason=reason,
                by=by,
                second=second,
                at=at,
                ended=ended,
            )
            for hold_id, since, until, device_id, review, reason, by, second, at, ended in rows
        ]
