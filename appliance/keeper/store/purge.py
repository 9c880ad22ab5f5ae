"""Which rows are due, and getting rid of them in portions: working tables by age, bodies of the ledger by their key.

In: moments before which rows are due. Out: how many rows went. What a case hold keeps is not touched here, and bodies
it keeps are moved under its own key before their month's key goes. `TABLES` says of every table of the database how
its rows age, or `KEPT` why they do not; a test holds both against the schema.

Bounded: `PORTION` rows a call. A pass goes once through each table by its key, however many rows are not due.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlite_utils import Database

from appliance.keeper.store.holds import Hold
from appliance.keeper.store.vault import Vault, month_end
from wire.ledger import RecordKind

PORTION = 500
WINDOW = 500
"""Leaves that are looked through in one step."""
MAX_LEFT_OUT = 256
"""As many as entries that say so (see `store.watch`)."""
_LEFT_OUT = "left_out"
"""Key in `meta`: names that are to be looked for."""
_STAY, _PROPOSAL = "gatehouse.session.v1", "gatehouse.proposal.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How rows of a table age. All in SQL, on a row `t`; times in Unix seconds."""

    data_class: str
    first: str
    """When what it says began."""
    last: str
    """When it was over; null where it is not."""
    of: str = ""
    """Column that says of which address (`mac`) or device it is; empty: the box."""
    when: str = "true"
    """Rows that age at all."""
    key: tuple[str, ...] = ("rowid",)


TABLES: Mapping[str, Ages] = {
    "session": Ages(data_class="presence", first="t.started", last="t.ended", of="mac"),
    "link": Ages(data_class="presence", first="t.since", last="t.until", of="mac"),
    "evidence": Ages(data_class="fingerprint", first="t.first_seen", last="t.last_seen", of="mac"),
    "hit": Ages(data_class="fingerprint", first="t.first_seen", last="t.last_seen", of="mac"),
    "proposal": Ages(
        data_class="fingerprint",
        first="t.reported_at",
        last="t.reported_at",
        of="device_id",
        when="t.state <> 'open'",
    ),
    "activity": Ages(
        data_class="volumes", first="t.hour * 3600.0", last="(t.hour + 1) * 3600.0", of="mac", key=("mac", "hour")
    ),
    "record": Ages(data_class="signs", first="t.first", last="t.last", of="mac"),
    "category_day": Ages(data_class="list_hits", first="t.day * 86400.0", last="(t.day + 1) * 86400.0", of="mac"),
    "name_visit": Ages(data_class="full_names", first="t.first_seen", last="t.last_seen", of="mac"),
    "finding": Ages(
        data_class="findings",
        first="t.reported_at",
        last="t.reported_at",
        of="device_id",
        when="t.state = 'closed'",
    ),
    "gap": Ages(data_class="box", first="t.started", last="t.ended"),
    "watched": Ages(data_class="box", first="t.hour * 3600.0", last="(t.hour + 1) * 3600.0"),
    "command": Ages(data_class="commands", first="t.at", last="t.at"),
    "quiet": Ages(data_class="commands", first="t.at", last="t.until", of="device_id"),
    "away": Ages(data_class="commands", first="t.starts", last="t.ends", of="device_id"),
    "hold": Ages(data_class="commands", first="t.at", last="t.ended"),
    "pause": Ages(data_class="commands", first="t.starts", last="t.ends"),
    "unmasked": Ages(data_class="commands", first="t.starts", last="t.ends", of="device_id"),
    "form_sent": Ages(data_class="household", first="t.at", last="t.at", of="device_id"),
    "guest_claim": Ages(data_class="household", first="t.at", last="t.until", of="device_id"),
    "own_code": Ages(data_class="household", first="t.expires", last="t.expires", of="device_id"),
    "notice_shown": Ages(
        data_class="household",
        first="t.shown",
        last="coalesce(t.read, t.shown)",
        of="device_id",
        when="not exists (select 1 from device d where d.device_id = t.device_id)",
    ),
}
"""Tables whose rows go by age. Order: what is about an address before the address."""

KEPT: Mapping[str, str] = {
    "device": "Goes as a whole, with all that hangs on it, when it was not seen for the time of `presence`.",
    "address": "As `device`; the last address of a device on the register stays as long as the device.",
    "confirmed": "Goes with its device.",
    "binding": "What a passphrase is for: an arrangement in force, replaced whole when it changes.",
    "mask": "Whom the box may collect of at this moment, replaced whole.",
    "meta": "One value a name, replaced by the next.",
    "watch": "A household's own entries: each has its own end.",
    "outbox": "Goes on the server's receipt; what is due goes without one, but never a finding the server lacks.",
    "sealed": "Opened, or destroyed unread, at the first time that somebody vouches for.",
    "withdrawal": "Holds until an authority of a higher number; bounded.",
    "authority_kept": "By what right was recorded what a bundle holds; bounded.",
    "bundle": "Each has an end of its own, within a week; its file goes with it.",
    "notice_told": "Hashes of notices.",
    "vault_key": "Keys are destroyed when all they sealed is due.",
    "ledger": "The body is destroyed with its key; that a record was there, and when, proves the rest and stays.",
    "ledger_about": "Goes with the body of its record.",
    "ledger_boot": "Names of runs of the machine, no more.",
    "ledger_node": "Hashes.",
    "ledger_head": "Signed hashes and times; bounded by the ledger.",
    "ledger_ratchet": "Keys of what the box has not yet proved otherwise; each goes when the next follows.",
}
"""Tables whose rows do not go by age, each with the reason."""

_HELD_OF = {
    "": "true",
    "mac": "(h.device_id is null or exists (select 1 from link k where k.mac = t.mac and k.device_id = h.device_id))",
    "device_id": "(h.device_id is null or t.device_id is null or t.device_id = h.device_id or exists "
    "(select 1 from link a join link b using (mac) where a.device_id = t.device_id and b.device_id = h.device_id))",
}
_LEDGER_HELD = (
    "t.wall_ms >= h.since * 1000 and t.wall_ms <= h.until * 1000 and (h.device_id is null "
    "or not exists (select 1 from ledger_about x where x.n = t.n) "
    "or exists (select 1 from ledger_about x where x.n = t.n and (x.about = h.device_id "
    "or x.about in (select mac from link where device_id = h.device_id))))"
)
"""Whether hold `h` keeps leaf `t`: of its span, and about its device, or about none."""
LEAF_HELD = f"exists (select 1 from hold h where h.ended is null and {_LEDGER_HELD})"  # noqa: S608 - ours
"""The condition, in SQL, that a hold keeps leaf `t`."""


def held(table: str) -> str:
    """The condition, in SQL, that a hold keeps row `t` of a table."""
    ages = TABLES[table]
    return (
        f"exists (select 1 from hold h where h.ended is null and h.since <= coalesce({ages.last}, 9e99) "  # noqa: S608 - columns are ours
        f"and h.until >= {ages.first} and {_HELD_OF[ages.of]})"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A name that may not be kept any more, and how far the ledger was looked through for it (R67)."""

    name: str
    below: bool
    """And all names below it."""
    next: int = 0
    """The first leaf that was not looked at."""
    records: int = 0
    """Bodies that went."""

    def covers(self, name: str) -> bool:
        """Whether a looked-up name is one of these."""
        return name == self.name or (self.below and name.endswith(f".{self.name}"))


class Purge:
    """Deleting what is due; all calls within the store's transaction."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        self.asked = bool(self.left_out())
        """Names are to be looked for in the ledger."""

    # --- working tables ---------------------------------------------------------------------

    def aged(self, table: str, before: float) -> Iterator[int]:
        """Rows of a table that ended before a moment go; one portion a step, how many went."""
        ages = TABLES[table]
        columns = ", ".join(ages.key)
        marks = ", ".join("?" * len(ages.key))
        after: tuple[object, ...] | None = None
        while True:
            beyond = "" if after is None else f"({columns}) > ({marks}) and "
            rows = self._db.execute(
                f"select {columns} from {table} t where {beyond}{ages.when} and {ages.last} < ? "  # noqa: S608 - names are ours
                f"and not {held(table)} order by {columns} limit ?",
                (*(after or ()), min(before, 9e99), PORTION),
            ).fetchall()
            self._db.conn.executemany(
                f"delete from {table} where ({columns}) = ({marks})",  # noqa: S608 - names are ours
                rows,
            )
            yield len(rows)
            if len(rows) < PORTION:
                return
            after = rows[-1]

    def erase(self, table: str, device_id: str, macs: tuple[str, ...], *, since: float, until: float) -> int:
        """Rows of a table about a device go that say anything of a span; what lasts still stays."""
        ages = TABLES[table]
        whose = macs if ages.of == "mac" else (device_id,)
        if not ages.of or not whose:
            return 0
        marks = ", ".join("?" * len(whose))
        # Of a table whose rows have no end yet (a stay, a link) only the past can be taken back.
        return self._db.execute(
            f"delete from {table} as t where t.{ages.of} in ({marks}) and {ages.last} >= ? and {ages.first} <= ?",  # noqa: S608 - names are ours
            (*whose, since, until),
        ).rowcount

    def addresses(self, device_id: str) -> tuple[str, ...]:
        """Addresses that ever counted as a device's, as far as rows or records still say so, but those now another's."""
        rows = self._db.execute(
            "select mac from link where device_id = ?1 union select a.about from ledger_about d "
            "join ledger t on t.n = d.n and t.kind = ?2 join ledger_about a on a.n = d.n "
            "where d.about = ?1 and a.about like '__:__:__:__:__:__' "
            "except select mac from address where device_id <> ?1",
            (device_id, RecordKind.DEVICE.value),
        )
        return tuple(sorted(mac for (mac,) in rows))

    def told(self, device_id: str, macs: tuple[str, ...], *, since: float, until: float) -> list[tuple[str, str]]:
        """Under which type and subject stays that `erase` takes, and proposals, may still wait for the server."""
        marks = ", ".join("?" * len(macs))
        stays = self._db.execute(
            f"select session_id from session where mac in ({marks}) and ended >= ? and started <= ?",  # noqa: S608 - marks only
            (*macs, since, until),
        ).fetchall()
        proposals = self._db.execute(
            "select proposal_id from proposal where state <> 'open' and device_id = ? and reported_at between ? and ?",
            (device_id, since, until),
        ).fetchall()
        return [*((_STAY, session_id) for (session_id,) in stays), *((_PROPOSAL, one) for (one,) in proposals)]

    # --- names that may not be kept any more ----------------------------------------------------

    def leave_out(self, name: str, *, below: bool) -> None:
        """Ask for a name to be looked for in what is recorded; at most `MAX_LEFT_OUT` wait, then the newest stands."""
        waiting = [item for item in self.left_out() if (item.name, item.below) != (name, below)]
        self.put_left_out([*waiting[-MAX_LEFT_OUT + 1 :], LeftOut(name=name, below=below)])

    def left_out(self) -> list[LeftOut]:
        """Names that are still to be looked for."""
        row = self._db.execute("select value from meta where key = ?", (_LEFT_OUT,)).fetchone()
        return [LeftOut(**item) for item in json.loads(row[0])] if row is not None and row[0] else []

    def put_left_out(self, waiting: Sequence[LeftOut]) -> None:
        """Write which names are still to be looked for."""
        text = json.dumps([asdict(item) for item in waiting]) if waiting else ""
        self._db.execute("insert or replace into meta (key, value) values (?, ?)", (_LEFT_OUT, text))
        self.asked = bool(waiting)

    def with_names(self, first: int) -> list[tuple[int, int, bytes]]:
        """Position, key, and salt and body of leaves that may hold a looked-up name, of `WINDOW` leaves; not what a hold keeps."""
        rows = self._db.execute(
            "select n, key, sealed from ledger t where n >= ? and n < ? and kind in (?, ?) and key is not null "  # noqa: S608 - ours
            f"and not {LEAF_HELD}",
            (first, first + WINDOW, RecordKind.NAMES.value, RecordKind.FINDING.value),
        ).fetchall()
        opened = ((n, key, self._vault.open(key, sealed)) for n, key, sealed in rows)
        return [(n, key, plain) for n, key, plain in opened if plain is not None]

    # --- the ledger -------------------------------------------------------------------------

    def due_keys(self, before: Mapping[str, float], otherwise: float) -> list[tuple[int, str, int]]:
        """Keys of months that are due: number, class and month. `before` by class, `otherwise` of any other."""
        return [
            (key, data_class, month)
            for key, data_class, month, hold in self._vault.table()
            if hold is None and (limit := before.get(data_class, otherwise)) and month_end(month) <= limit
        ]

    def hold_back(self, key: int) -> Iterator[int]:
        """Bodies under a key that a hold keeps are sealed under the hold's key; one portion a step."""
        after = -1
        while True:
            rows = self._db.execute(
                "select t.n, t.key, t.sealed, (select h.hold_id from hold h where h.ended is null "  # noqa: S608 - ours
                f"and {_LEDGER_HELD} order by h.review desc limit 1) as held from ledger t "
                "where t.key = ? and t.n > ? and held is not null order by t.n limit ?",
                (key, after, PORTION),
            ).fetchall()
            for n, old, sealed, hold_id in rows:
                (moved,) = self._vault.rewrap([(old, sealed)], hold_id)
                if moved is not None:
                    self._put(n, moved)
            yield len(rows)
            if len(rows) < PORTION:
                return
            after = rows[-1][0]

    def reseal(self, keys: frozenset[int], data_class: str, month: int) -> Iterator[int]:
        """Bodies under these keys are sealed under the month's youngest key; one portion a step."""
        marks = ", ".join("?" * len(keys))
        while True:
            rows = self._db.execute(
                f"select n, key, sealed from ledger where key in ({marks}) limit ?",  # noqa: S608 - marks only
                (*keys, PORTION),
            ).fetchall()
            moved = self._vault.reseal([(key, sealed) for _n, key, sealed in rows], data_class, month)
            for (n, _key, _sealed), row in zip(rows, moved, strict=True):
                if row is None:  # nothing opens it any more
                    self._strike([n])
                else:
                    self._put(n, row)
            yield len(rows)
            if len(rows) < PORTION:
                return

    def sweep(self) -> Iterator[int]:
        """Bodies whose key is gone go too, and whom they were about; one portion a step."""
        key = -1
        known = {number for number, *_rest in self._vault.table()}
        while (row := self._db.execute("select min(key) from ledger where key > ?", (key,)).fetchone())[0] is not None:
            key = int(row[0])
            while key not in known:
                gone = self._db.execute("select n from ledger where key = ? limit ?", (key, PORTION)).fetchall()
                self._strike([n for (n,) in gone])
                yield len(gone)
                if len(gone) < PORTION:
                    break

    def about(
        self, device_id: str, macs: tuple[str, ...], *, since: float, until: float, start: int
    ) -> list[tuple[int, str, int]]:
        """Leaves about a device, of a span or from position `start`, whose body is left: position, class, key."""
        whose = (device_id, *macs)
        marks = ", ".join("?" * len(whose))
        return self._db.execute(
            "select distinct t.n, t.data_class, t.key from ledger_about a join ledger t on t.n = a.n "  # noqa: S608 - marks only
            f"where a.about in ({marks}) and t.key is not null "
            "and ((t.wall_ms >= ? and t.wall_ms <= ?) or t.n >= ?) order by t.n",
            (*whose, since * 1000, until * 1000, start),
        ).fetchall()

    def strike(self, leaves: list[int]) -> None:
        """The bodies of these leaves go, and whom they were about."""
        self._strike(leaves)

    def _strike(self, leaves: list[int]) -> None:
        positions = [(n,) for n in leaves]
        self._db.conn.executemany("update ledger set key = null, sealed = null where n = ?", positions)
        self._db.conn.executemany("delete from ledger_about where n = ?", positions)

    def _put(self, n: int, row: tuple[int, bytes]) -> None:
        self._db.execute("update ledger set key = ?, sealed = ? where n = ?", (*row, n))

    def of_hold(self, hold: Hold) -> list[int]:
        """Keys of a hold."""
        return [key for key, _class, _month, hold_id in self._vault.table() if hold_id == hold.hold_id]
