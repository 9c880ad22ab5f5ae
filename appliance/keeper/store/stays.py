"""Stays of devices as they are kept: one row from joining to leaving, by address.

In and out: `StoredStay`. Bounded: `MAX_STAYS` rows an address, the oldest that is over goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlite_utils import Database

from appliance.keeper.devices.presence import Stay
from wire.models import PresenceState

MAX_STAYS = 256
_COLUMNS = "session_id, revision, mac, started, last, state, since, asleep_seconds, ended, ended_because"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStay:
    """A stay, the id it is told under, and how often it was told."""

    session_id: str
    revision: int
    stay: Stay


_ANEW = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])


class Stays:
    """Table `session`; all calls within the store's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.overflow = 0
        """Stays forgotten to make room."""

    def put(self, stored: StoredStay) -> None:
        """Write a stay as it now is."""
        stay = stored.stay
        self._db.execute(
            # Not `insert or replace`, which moves the row and rewrites every index of the table.
            f"insert into session ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608 - ours
            f"on conflict (session_id) do update set {_ANEW}",
            (
                stored.session_id,
                stored.revision,
                stay.mac,
                stay.started,
                stay.last,
                stay.state.value,
                stay.since,
                stay.asleep_seconds,
                stay.ended,
                stay.ended_because,
            ),
        )

    def make_room(self, mac: str) -> None:
        """Before a new stay of an address: forget its oldest beyond the bound."""
        self.overflow += self._db.execute(
            "delete from session where mac = ?1 and ended is not null and session_id not in "
            "(select session_id from session where mac = ?1 order by started desc limit ?2)",
            (mac, MAX_STAYS - 1),
        ).rowcount

    def touch(self, lasts: Iterable[tuple[float, str]]) -> None:
        """Last signs of life of open stays: moments and ids."""
        self._db.conn.executemany("update session set last = max(last, ?) where session_id = ?", list(lasts))

    def get(self, session_id: str) -> StoredStay | None:
        """The stay of this id."""
        return next(iter(self._all("session_id = ?", session_id)), None)

    def open(self) -> list[StoredStay]:
        """Stays that are not over."""
        return self._all("ended is null")

    def spans(self, macs: Iterable[str], *, most: int) -> tuple[tuple[float, float], ...]:
        """The latest stays of these addresses, from start to last sign of life, in order."""
        found: list[tuple[float, float]] = []
        for mac in macs:
            found.extend(
                self._db.execute(
                    "select started, max(started, last) from session where mac = ? order by started desc limit ?",
                    (mac, most),
                ).fetchall()
            )
        return tuple(sorted(found)[-most:])

    def _all(self, where: str, *parameters: str) -> list[StoredStay]:
        rows = self._db.execute(f"select {_COLUMNS} from session where {where}", parameters)  # noqa: S608 - ours
        return [
            StoredStay(
                session_id=session_id,
                revision=revision,
                stay=Stay(
                    mac=mac,
                    started=started,
                    last=last,
                    state=PresenceState(state),
                    since=since,
                    asleep_seconds=asleep,
                    ended=ended,
                    ended_because=because,
                ),
            )
            for session_id, revision, mac, started, last, state, since, asleep, ended, because in rows
        ]
