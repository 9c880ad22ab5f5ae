"""Signals as they are kept: one row an hour for each address, signal, value and far end.

In: signals that may be kept, with the clause that lets them. Out: the rows of some addresses since a
moment, for the rules. A row keeps the address, not the device: it moves with it when devices are
joined or split. Bounded: `MAX_RECORDS` rows in all and `MAX_OF_ADDRESS` an address; the ones not heard
for longest go, and are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlite_utils import Database

from appliance.messages import SignalSeen
from appliance.signals import Signal

MAX_RECORDS = 200_000
MAX_OF_ADDRESS = 5_000
HOUR = 3600.0
_ROOM = 64
"""Rows that make way at once, so that not every new one costs a search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRecord:
    """One signal of one address in one hour; times in Unix seconds."""

    record_id: str
    mac: str
    signal: Signal
    value: str
    server: str | None
    port: int | None
    first: float
    last: float
    count: int
    octets: int | None
    """Both ways; None where volumes may not be kept, or it is not about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """By which clause of which authority a record is kept."""

    authority_id: str
    authority_number: int
    clause: str


_COLUMNS = "record_id, mac, signal, value, server, port, first, last, count, octets"


class Records:
    """Table `record`; all calls within the store's transaction."""

    def __init__(self, db: Database, *, erased: Callable[[], None], limit: int = MAX_RECORDS) -> None:
        self._db = db
        self._erased = erased
        self._limit = limit
        self._count = int(db.execute("select count(*) from record").fetchone()[0])
        self.limit_of_address = MAX_OF_ADDRESS
        self.overflow = 0
        """Rows forgotten to make room."""

    def __len__(self) -> int:
        return self._count

    @property
    def room_for_strangers(self) -> int:
        """So many rows may stand before what is heard of addresses that are no devices is not taken in any more."""
        return self._limit * 9 // 10

    def recount(self) -> None:
        """Count again, after a rollback."""
        self._count = int(self._db.execute("select count(*) from record").fetchone()[0])

    def add(self, heard: SignalSeen, ground: Ground, *, ts: float, new_id: Callable[[], str]) -> str:
        """Count a signal, last heard at `ts`, in its hour; the id of the row."""
        since = min(heard.since, ts)
        server, port = heard.server or "", -1 if heard.port is None else heard.port
        key = (heard.mac, int(ts // HOUR), heard.signal.value, heard.value, server, port)
        grounds = (ground.clause, ground.authority_id, ground.authority_number)
        found = self._db.execute(
            "select record_id from record where mac = ? and hour = ? and signal = ? and value = ? and server = ? "
            "and port = ? and clause = ? and authority_id = ? and authority_number = ?",
            (*key, *grounds),
        ).fetchone()
        if found is not None:
            self._db.execute(
                "update record set count = count + ?, first = min(first, ?), last = max(last, ?), "
                "octets = case when ?4 is null then octets else coalesce(octets, 0) + ?4 end where record_id = ?5",
                (heard.count, since, ts, heard.octets, found[0]),
            )
            return str(found[0])
        self._make_room(heard.mac)
        record_id = new_id()
        self._db.execute(
            "insert into record (record_id, mac, hour, signal, value, server, port, clause, authority_id, "
            "authority_number, first, last, count, octets, generation) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (record_id, *key, *grounds, since, ts, heard.count, heard.octets, heard.generation),
        )
        self._count += 1
        return record_id

    def of(self, macs: Iterable[str], *, since: float, most: int) -> tuple[SignalRecord, ...]:
        """What these addresses were last heard to do since then, newest first, at most `most`."""
        wanted = tuple(macs)
        marks = ", ".join("?" * len(wanted))
        rows = self._db.execute(
            f"select {_COLUMNS} from record where mac in ({marks}) and last >= ? "  # noqa: S608 - ours, and marks
            "order by last desc, record_id limit ?",
            (*wanted, since, most),
        )
        return tuple(_record(row) for row in rows)

    def heard_of(self, *, since: float) -> list[str]:
        """Addresses of which anything was heard since then."""
        rows = self._db.execute("select distinct mac from record where last >= ?", (since,))
        return [mac for (mac,) in rows]

    def upstream(self, *, since: float) -> list[str]:
        """Addresses heard on the provider's side since then, the first heard first; at most 64."""
        rows = self._db.execute(
            "select mac from record where signal = ? and last >= ? group by mac order by min(first), mac limit 64",
            (Signal.UPSTREAM.value, since),
        )
        return [mac for (mac,) in rows]

    def erase(self, macs: Iterable[str]) -> None:
        """Erase all that was heard of these addresses."""
        for mac in macs:
            if self._forget("delete from record where mac = ?", (mac,)):
                self._erased()

    def _make_room(self, mac: str) -> None:
        own = int(self._db.execute("select count(*) from record where mac = ?", (mac,)).fetchone()[0])
        if own >= self.limit_of_address:
            self.overflow += self._forget(
                "delete from record where record_id in (select record_id from record where mac = ? order by last limit ?)",
                (mac, own - self.limit_of_address + 1),
            )
        if self._count >= self._limit:
            excess = self._count - self._limit + 1
            self.overflow += self._forget(
                "delete from record where record_id in (select record_id from record order by last limit ?)",
                (max(excess, min(_ROOM, self._limit // 2)),),
            )

    def _forget(self, statement: str, parameters: tuple[str | int, ...]) -> int:
        gone = int(self._db.execute(statement, parameters).rowcount)
        self._count -= gone
        return gone


def _record(row: tuple[str, str, str, str, str, int, float, float, int, int | None]) -> SignalRecord:
    record_id, mac, signal, value, server, port, first, last, count, octets = row
    return SignalRecord(
        record_id=record_id,
        mac=mac,
        signal=Signal(signal),
        value=value,
        server=server or None,
        port=None if port < 0 else port,
        first=first,
        last=last,
        count=count,
        octets=octets,
    )
