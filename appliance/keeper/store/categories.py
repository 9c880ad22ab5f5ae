"""How often an address asked for names of a category in a day, where the names themselves are not kept (R32).

In: an address, a category, a moment. Out: counts by day. No name is here.
Bounded: `MAX_DAYS` days and `MAX_CATEGORIES` categories an address; the oldest day makes room, a further
category is counted as `overflow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlite_utils import Database

from appliance.keeper.store.purge import held

MAX_DAYS = 120
MAX_CATEGORIES = 8
DAY = 86400.0


class Categories:
    """Table `category_day`; all calls within the store's transaction."""

    def __init__(self, db: Database, *, erased: Callable[[], None]) -> None:
        self._db = db
        self._erased = erased
        self.overflow = 0

    def count(
        self, mac: str, category: str, *, authority_id: str, authority_number: int, clause: str, ts: float
    ) -> None:
        """One more on the day of `ts`, under a clause."""
        day = int(ts // DAY)
        changed = self._db.execute(
            "update category_day set count = count + 1, authority_id = ?, authority_number = ?, clause = ? "
            "where mac = ? and category = ? and day = ?",
            (authority_id, authority_number, clause, mac, category, day),
        ).rowcount
        if changed:
            return
        known = self._db.execute(
            "select count(distinct category), coalesce(sum(category = ?2), 0) from category_day where mac = ?1",
            (mac, category),
        ).fetchone()
        if known[0] >= MAX_CATEGORIES and not known[1]:
            self.overflow += 1
            return
        self._db.execute(
            "insert into category_day (mac, category, day, authority_id, authority_number, clause, count) "
            "values (?, ?, ?, ?, ?, ?, 1)",
            (mac, category, day, authority_id, authority_number, clause),
        )
        self._db.execute(
            "delete from category_day where mac = ?1 and category = ?2 and day not in "
            "(select day from category_day where mac = ?1 and category = ?2 order by day desc limit ?3)",
            (mac, category, MAX_DAYS),
        )

    def days(self, macs: Iterable[str], category: str) -> dict[int, int]:
        """Counts of these addresses together by day; a day is its number since 1970-01-01 UTC."""
        found: dict[int, int] = {}
        for mac in macs:
            rows = self._db.execute(
                "select day, count from category_day where mac = ? and category = ?", (mac, category)
            )
            for day, count in rows:
                found[day] = found.get(day, 0) + count
        return dict(sorted(found.items()))

    def erase(self, macs: Iterable[str]) -> None:
        """Erase what these addresses asked for."""
        for mac in macs:
            gone = self._db.execute(
                f"delete from category_day as t where mac = ? and not {held('category_day')}",  # noqa: S608 - ours
                (mac,),
            ).rowcount
            if gone:
                self._erased()
