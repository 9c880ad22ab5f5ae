"""What supports a device, kept by address: traits, the rules they meet, and names that were looked up.

In: traits already cut down to what may be kept, with their token (see `Piece`). Out: the same, for
profiles and verdicts. Nothing here decides what may be kept.
Bounded: `MAX_EVIDENCE` traits, `MAX_HITS` rules and `MAX_NAMES` names an address, and with the bounds of
`registry` and `model.MAX_ADDRESSES` in all; what goes over is counted. When traits are full, one seen once and long ago makes room for a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from appliance.keeper.store.purge import held
from appliance.traits import Sort, Trait, sort

MAX_EVIDENCE = 64
MAX_HITS = 64
MAX_OF_ONE_RULE = 4
"""Models that one rule may have read from an address: whoever invents models must not fill the table."""
MAX_NAMES = 20_000

READABLE_SORTS = frozenset({Sort.HABIT})
"""Sorts of traits whose value may be read of any device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One value of one trait."""

    trait: Trait
    token: str
    """What equal values share: the value of a habit; of a name or an identifier its keyed hash."""
    value: str | None
    """The value where it may be read; empty where the device sent it empty."""
    distinctive: float
    """0 to 1: from what every such device says to what only one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """A rule that an address met, Unix seconds."""

    rule: str
    first_seen: float
    last_seen: float


class Evidence:
    """Tables `evidence`, `hit` and `name_visit`; all calls within the store's transaction."""

    def __init__(self, db: Database, *, erased: Callable[[], None]) -> None:
        self._db = db
        self._erased = erased
        self.traits_overflow = 0
        self.hits_overflow = 0
        self.names_overflow = 0

    # --- traits -----------------------------------------------------------------------------

    def add(self, mac: str, piece: Piece, ts: float) -> bool:
        """Count one piece of evidence; true when it is new."""
        changed = self._db.execute(
            "update evidence set count = count + 1, last_seen = max(last_seen, ?1), first_seen = min(first_seen, ?1), "
            "value = coalesce(?5, value), distinctive = max(distinctive, ?6) "
            "where mac = ?2 and trait = ?3 and token = ?4",
            (ts, mac, piece.trait.value, piece.token, piece.value, piece.distinctive),
        ).rowcount
        if changed:
            return False
        if self._rows("evidence", mac) >= MAX_EVIDENCE:
            self.traits_overflow += 1
            if not self._make_room(mac, piece.trait):
                return False
        self._db.execute(
            "insert into evidence (mac, trait, token, value, distinctive, first_seen, last_seen, count) "
            "values (?, ?, ?, ?, ?, ?, ?, 1)",
            (mac, piece.trait.value, piece.token, piece.value, piece.distinctive, ts, ts),
        )
        return True

    def _make_room(self, mac: str, trait: Trait) -> bool:
        """Let the value of a trait go that was seen once, if the trait fills more than its share."""
        most = self._db.execute(
            "select trait, count(*) as n from evidence where mac = ? group by trait order by n desc limit 1", (mac,)
        ).fetchone()
        if most is None or most[0] == trait.value:
            return False
        gone = self._db.execute(
            "delete from evidence where rowid = (select rowid from evidence where mac = ? and trait = ? and count = 1 "
            "order by last_seen limit 1)",
            (mac, most[0]),
        ).rowcount
        return gone > 0

    def of(self, macs: Iterable[str]) -> list[Piece]:
        """What supports these addresses, oldest first."""
        found: list[Piece] = []
        for mac in macs:
            rows = self._db.execute(
                "select trait, token, value, distinctive from evidence where mac = ? order by first_seen, trait", (mac,)
            )
            found.extend(
                Piece(trait=Trait(trait), token=token, value=value, distinctive=worth)
                for trait, token, value, worth in rows
            )
        return found

    def sharing(self, macs: Sequence[str], *, least: float, most: int) -> list[str]:
        """Other addresses that share a distinctive token with one of these, the ones sharing most first."""
        marks = ", ".join("?" * len(macs))
        rows = self._db.execute(
            f"select other.mac from evidence own join evidence other "  # noqa: S608 - only marks
            f"on other.trait = own.trait and other.token = own.token and other.mac not in ({marks}) "
            f"where own.mac in ({marks}) and own.distinctive >= ? group by other.mac "
            f"order by count(*) desc, max(other.last_seen) desc limit ?",
            (*macs, *macs, least, most),
        )
        return [mac for (mac,) in rows]

    def erase_readable(self, macs: Iterable[str]) -> None:
        """Erase what devices call themselves and their identifiers; the keyed hashes stay."""
        habits = [trait.value for trait in Trait if sort(trait) in READABLE_SORTS]
        marks = ", ".join("?" * len(habits))
        for mac in macs:
            gone = self._db.execute(
                f"update evidence as t set value = null where mac = ? and value <> '' "  # noqa: S608 - ours, and marks
                f"and trait not in ({marks}) and not {held('evidence')}",
                (mac, *habits),
            ).rowcount
            if gone:
                self._erased()

    # --- rules ------------------------------------------------------------------------------

    def hit(self, mac: str, rule: str, ts: float) -> bool:
        """Count a rule that the address met; true when it is new, also where there is no room to keep it."""
        changed = self._db.execute(
            "update hit set count = count + 1, last_seen = max(last_seen, ?1), first_seen = min(first_seen, ?1) "
            "where mac = ?2 and rule = ?3",
            (ts, mac, rule),
        ).rowcount
        if changed:
            return False
        name = rule.partition("\t")[0]
        same = self._db.execute(
            "select count(*) from hit where mac = ?1 and (rule = ?2 or substr(rule, 1, length(?2) + 1) = ?2 || char(9))",
            (mac, name),
        ).fetchone()[0]
        if same >= MAX_OF_ONE_RULE or self._rows("hit", mac) >= MAX_HITS:
            self.hits_overflow += 1
            return True
        self._db.execute(
            "insert into hit (mac, rule, first_seen, last_seen, count) values (?, ?, ?, ?, 1)", (mac, rule, ts, ts)
        )
        return True

    def hits(self, macs: Iterable[str]) -> list[Met]:
        """The rules that these addresses met."""
        return [
            Met(rule=rule, first_seen=first, last_seen=last)
            for mac in macs
            for rule, first, last in self._db.execute(
                "select rule, first_seen, last_seen from hit where mac = ? order by first_seen, rule", (mac,)
            )
        ]

    # --- names ------------------------------------------------------------------------------

    def add_name(
        self, mac: str, name: str, *, authority_id: str, authority_number: int, clause: str, ts: float
    ) -> None:
        """Count one look-up of a name, under a clause."""
        changed = self._db.execute(
            "update name_visit set count = count + 1, last_seen = max(last_seen, ?) where mac = ? and name = ?",
            (ts, mac, name),
        ).rowcount
        if changed:
            return
        if self._rows("name_visit", mac) >= MAX_NAMES:
            self.names_overflow += 1
            return
        self._db.execute(
            "insert into name_visit (mac, name, authority_id, authority_number, clause, first_seen, last_seen, "
            "count) values (?, ?, ?, ?, ?, ?, ?, 1)",
            (mac, name, authority_id, authority_number, clause, ts, ts),
        )

    def names(self, macs: Iterable[str]) -> dict[str, int]:
        """Names these addresses asked for, with their counts."""
        found: dict[str, int] = {}
        for mac in macs:
            for name, count in self._db.execute("select name, count from name_visit where mac = ?", (mac,)):
                found[name] = found.get(name, 0) + count
        return found

    def habitual_names(self, macs: Collection[str], *, least: int, most: int) -> frozenset[str]:
        """The names asked for at least `least` times, the `most` frequent of them."""
        often = sorted(self.names(macs).items(), key=lambda item: (-item[1], item[0]))
        return frozenset(name for name, count in often[:most] if count >= least)

    def erase_names(self, macs: Iterable[str]) -> None:
        """Erase the names that these addresses asked for, but what a case hold keeps."""
        for mac in macs:
            gone = self._db.execute(
                f"delete from name_visit as t where mac = ? and not {held('name_visit')}",  # noqa: S608 - ours
                (mac,),
            ).rowcount
            if gone:
                self._erased()

    def erase_name(self, name: str, *, below: bool) -> None:
        """Erase a name, and with `below` the names below it, wherever it was asked for."""
        gone = self._db.execute(
            "delete from name_visit as t where (name = ?1 or (?2 and substr(name, -length(?1) - 1) = '.' || ?1)) "  # noqa: S608 - ours
            f"and not {held('name_visit')}",
            (name, below),
        ).rowcount
        if gone:
            self._erased()

    def _rows(self, table: str, mac: str) -> int:
        statement = f"select count(*) from {table} where mac = ?"  # noqa: S608 - table is one of ours
        return int(self._db.execute(statement, (mac,)).fetchone()[0])
