"""Signals as they are kept: one row an hour for each address, signal, value and far end.

In: signals that may be kept, with the clause that lets them. Out: the rows of some addresses since a
moment, for the rules. A row keeps the address, not the device: it moves with it when devices are
joined or split. Bounded: `MAX_RECORDS` rows in all and `MAX_OF_ADDRESS` an address; the ones not heard
for longest go, and are counted. Addresses that nobody gave a standing, which anybody can make up, have
`1 / SHARE_OF_STRANGERS` of the rows: they make way for each other, and neither they nor the household's
take the last row from the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sqlite_utils import Database

from appliance.keeper.signs.spans import begun
from appliance.keeper.store.purge import held
from appliance.messages import SignalSeen
from appliance.signals import Signal

MAX_RECORDS = 200_000
MAX_OF_ADDRESS = 5_000
SHARE_OF_STRANGERS = 4
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


_OF_STRANGERS = "(mac not in (select mac from address join device using (device_id) where standing <> 'unknown'))"

_COLUMNS = "record_id, mac, signal, value, server, port, first, last, count, octets"


class Records:
    """Table `record`; all calls within the store's transaction."""

    def __init__(self, db: Database, *, erased: Callable[[], None], limit: int = MAX_RECORDS) -> None:
        self._db = db
        self._erased = erased
        self._limit = limit
        self._count = 0
        self._strangers = 0
        self.recount()
        self.limit_of_address = MAX_OF_ADDRESS
        self.overflow = 0
        """Rows forgotten to make room."""

    def __len__(self) -> int:
        return self._count

    def recount(self) -> None:
        """Count again: after a rollback, and now and then, since standings change."""
        self._count = int(self._db.execute("select count(*) from record").fetchone()[0])
        self._strangers = int(self._db.execute(f"select count(*) from record where {_OF_STRANGERS}").fetchone()[0])  # noqa: S608 - ours

    def add(
        self, heard: SignalSeen, ground: Ground, *, ts: float, new_id: Callable[[], str], stranger: bool = False
    ) -> str:
        """Count a signal, last heard at `ts`, in its hour; the id of the row. A `stranger` has no standing."""
        since = begun(heard.since, ts)
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
        self._make_room(heard.mac, stranger=stranger)
        record_id = new_id()
        self._db.execute(
            "insert into record (record_id, mac, hour, signal, value, server, port, clause, authority_id, "
            "authority_number, first, last, count, octets, generation) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (record_id, *key, *grounds, since, ts, heard.count, heard.octets, heard.generation),
        )
        self._count += 1
        self._strangers += stranger
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

    def heard_of(self, *, since: float, signals: Collection[Signal] | None = None) -> list[str]:
        """Addresses of which anything, or any of these signals, was heard since then."""
        if signals is None:
            rows = self._db.execute("select distinct mac from record where last >= ?", (since,))
        else:
            marks = ", ".join("?" * len(signals))
            rows = self._db.execute(
                f"select distinct mac from record where last >= ? and signal in ({marks})",  # noqa: S608 - ours, and marks
                (since, *(signal.value for signal in signals)),
            )
        return [mac for (mac,) in rows]

    def upstream(self, *, since: float) -> list[str]:
        """Addresses heard on the provider's side since then, the first heard first; at most 64."""
        rows = self._db.execute(
            "select mac from record where signal = ? and last >= ? group by mac order by min(first), mac limit 64",
            (Signal.UPSTREAM.value, since),
        )
        return [mac for (mac,) in rows]

    def erase(self, macs: Iterable[str], *, but: Collection[Signal] = ()) -> list[str]:
        """Erase what was heard of these addresses, `but` for these signals and what a case hold keeps; of whom there was any."""
        gone: list[str] = []
        marks = ", ".join("?" * len(but))
        kept = tuple(signal.value for signal in but)
        for mac in macs:
            found = self._forget(
                f"delete from record as t where mac = ? and signal not in ({marks}) and not {held('record')}",  # noqa: S608 - ours, and marks
                (mac, *kept),
            )
            if found:
                self._erased()
                gone.append(mac)
        return gone

    def _make_room(self, mac: str, *, stranger: bool) -> None:
        own = int(self._db.execute("select count(*) from record where mac = ?", (mac,)).fetchone()[0])
        if own >= self.limit_of_address:
            excess = max(own - self.limit_of_address + 1, min(_ROOM, self.limit_of_address // 8))
            self.overflow += self._forget(
                "delete from record where record_id in (select record_id from record where mac = ? order by last limit ?)",
                (mac, excess),
            )
        share = self._limit // SHARE_OF_STRANGERS
        if stranger and self._strangers >= share:
            self._forget_oldest(_OF_STRANGERS, self._strangers - share + 1)
        elif not stranger and self._count - self._strangers >= self._limit - share:
            self._forget_oldest(f"not {_OF_STRANGERS}", self._count - self._strangers - self._limit + share + 1)

    def _forget_oldest(self, whose: str, excess: int) -> None:
        self.overflow += self._forget(
            f"delete from record where record_id in (select record_id from record where {whose} order by last limit ?)",  # noqa: S608 - ours
            (max(excess, min(_ROOM, self._limit // 8)),),
        )

    def _forget(self, statement: str, parameters: tuple[str | int, ...]) -> int:
        gone = int(self._db.execute(statement, parameters).rowcount)
        if gone:
            self.recount()
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
