"""What devices did, by hour, and in which hours the box watched.

In: counts of an address in an hour; seconds watched. Out: `HourOf` sums over the addresses of a device. Counts
only: no name, no server is in here. Rows go with their address.
Bounded: `MAX_HOURS` rows an address and `MAX_ROWS` in all, nothing older than `KEEP_HOURS`; what goes for want
of room is counted in `overflow`, what goes for its age is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from appliance.keeper.store.purge import held

MAX_HOURS = 63 * 24
"""Of one address: nine weeks in which it was used in every hour."""
MAX_ROWS = 200_000
"""Some 130 addresses that are busy all day, about 16 MB."""
KEEP_HOURS = 126 * 24
"""A device that is quiet for nine weeks is still compared with the nine before them."""

_COUNTS = ("flows", "unnamed", "octets", "unnamed_octets", "others", "pushes", "chatter")
_MOST = 2**53 - 1
"""A sum stays what JSON and SQLite can carry."""

_ADD = (
    f"insert into activity (mac, hour, {', '.join(_COUNTS)}) values (?, ?, {', '.join('?' * len(_COUNTS))}) "  # noqa: S608 - names are ours, above
    "on conflict (mac, hour) do update set "
    + ", ".join(f"{count} = min({count} + excluded.{count}, {_MOST})" for count in _COUNTS)
)
_SUMS = ", ".join(f"min(sum({count}), {_MOST})" for count in _COUNTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOf:
    """What a device did in one hour; octets are 0 where volumes may not be kept."""

    hour: int
    """Hours since 1970, UTC."""
    flows: int = 0
    """Connections begun."""
    unnamed: int = 0
    """Of them, to addresses that nothing named."""
    octets: int = 0
    unnamed_octets: int = 0
    others: int = 0
    """Look-ups of no closed class."""
    pushes: int = 0
    """Look-ups of push services."""
    chatter: int = 0
    """Look-ups of all closed classes, push among them."""

    @property
    def use(self) -> int:
        """What a person's use adds to: see `signs.baseline`."""
        return self.others + self.unnamed


class Activity:
    """Tables `activity` and `watched`; all calls within the store's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.overflow = 0
        """Rows forgotten to make room."""

    def add(self, mac: str, counts: HourOf) -> None:
        """Add to the hour of an address that has a device."""
        self._db.execute(_ADD, (mac, counts.hour, *(min(getattr(counts, count), _MOST) for count in _COUNTS)))

    def hours(self, macs: Sequence[str], *, first: int, last: int) -> list[HourOf]:
        """Hours from `first` up to and without `last` in which any of these addresses did anything, in order."""
        rows = self._db.execute(
            f"select hour, {_SUMS} from activity where mac in ({', '.join('?' * len(macs))}) "  # noqa: S608 - names are ours, above
            "and hour >= ? and hour < ? group by hour order by hour",
            (*macs, first, last),
        )
        return [HourOf(hour=row[0], **dict(zip(_COUNTS, row[1:], strict=True))) for row in rows]

    def use(self, macs: Sequence[str], *, first: int, last: int) -> dict[int, int]:
        """Of the same hours only the use (see `HourOf.use`): weeks of it are asked for every hour."""
        found: dict[int, int] = {}
        for mac in macs:
            rows = self._db.execute(
                "select hour, others + unnamed from activity "
                "where mac = ? and hour >= ? and hour < ? and others + unnamed > 0",
                (mac, first, last),
            )
            for hour, use in rows:
                found[hour] = found.get(hour, 0) + use
        return found

    def first(self, macs: Sequence[str]) -> int | None:
        """The first hour known of these addresses: before it nothing might be kept, or nothing was there."""
        firsts = (
            self._db.execute("select min(hour) from activity where mac = ?", (mac,)).fetchone()[0] for mac in macs
        )
        return min((int(hour) for hour in firsts if hour is not None), default=None)

    def addresses(self) -> list[str]:
        """All addresses of which there is any row."""
        return [mac for (mac,) in self._db.execute("select distinct mac from activity")]

    def forget(self, macs: Iterable[str]) -> None:
        """Drop the rows of these addresses: there is no leave to keep them any more; what a case hold keeps stays."""
        self._db.conn.executemany(
            f"delete from activity as t where mac = ? and not {held('activity')}",  # noqa: S608 - ours
            [(mac,) for mac in macs],
        )

    # --- hours in which the box watched -------------------------------------------------------

    def watch(self, hour: int, seconds: float) -> None:
        """The box watched for so many seconds of this hour, under an authority and with its sensor there."""
        self._db.execute(
            "insert into watched (hour, seconds) values (?, ?) "
            "on conflict (hour) do update set seconds = min(seconds + excluded.seconds, 3600.0)",
            (hour, seconds),
        )

    def watched(self, *, first: int, last: int, least: float) -> list[int]:
        """Hours from `first` up to and without `last` of which the box watched at least `least` seconds."""
        rows = self._db.execute(
            "select hour from watched where hour >= ? and hour < ? and seconds >= ? order by hour", (first, last, least)
        )
        return [hour for (hour,) in rows]

    # --- bounds -------------------------------------------------------------------------------

    def prune(self, hour: int) -> None:
        """Forget what is too old at this hour, and what is over a bound, the oldest first."""
        for table in ("activity", "watched"):
            self._db.execute(f"delete from {table} where hour < ?", (hour - KEEP_HOURS,))  # noqa: S608 - ours
        over = self._db.execute("select mac from activity group by mac having count(*) > ?", (MAX_HOURS,)).fetchall()
        for (mac,) in over:
            self.overflow += self._db.execute(
                "delete from activity where mac = ?1 and hour not in "
                "(select hour from activity where mac = ?1 order by hour desc limit ?2)",
                (mac, MAX_HOURS),
            ).rowcount
        rows = int(self._db.execute("select count(*) from activity").fetchone()[0])
        if rows > MAX_ROWS:
            self.overflow += self._db.execute(
                "delete from activity where (mac, hour) in (select mac, hour from activity order by hour limit ?)",
                (rows - MAX_ROWS,),
            ).rowcount
