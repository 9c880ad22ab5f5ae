"""The log's tables: leaves and their sealed bodies, inner nodes, heads. What they mean is `keeper.ledger`'s business.

In and out: rows, positions, octets. A leaf's row is never changed or deleted; its body (`salt | body`, sealed by the
vault) may be sealed anew or erased, and with it the row that says whom it was about. Inner nodes are kept from
level `TILE` upwards; those below are worked out from at most `1 << TILE` leaves, so that a leaf costs one row.

Bounded: leaves by `keeper.ledger.book`; subjects at most `MAX_ABOUT` a leaf; heads at most `MAX_HEADS`: the latest, and
of those older than `FINE_SECONDS` the last of each day; runs of the machine by the leaves that name them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from appliance.keeper.store.purge import LEAF_HELD
from wire.ledger import ClockState, Head, Leaf, RecordKind, Stamp
from wire.merkle import Frontier, root_of, subtrees_of

TILE = 6
MAX_ABOUT = 64
MAX_HEADS = 20_000
FINE_SECONDS = 7 * 86_400
_DAY_MS = 86_400_000
_LEAF = (
    "n, kind, data_class, wall_ms, mono_ms, (select name from ledger_boot b where b.boot = l.boot), clock, error_ms, "
    "commitment, hash, key, sealed, stretch, step, mac"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A leaf as it is kept."""

    n: int
    kind: RecordKind
    data_class: str
    at: Stamp
    commitment: bytes
    hash: bytes
    key: int | None
    """Number of the vault's key; None once the body was erased."""
    sealed: bytes | None
    """`salt (32 octets) | body`, sealed; None once it was erased."""
    stretch: int | None = None
    step: int | None = None
    mac: bytes | None = None
    """Of the leaf's hash, under the key of this step of this stretch (`wire.ratchet`)."""

    def leaf(self, epoch: str) -> Leaf:
        """What is hashed of it."""
        return Leaf(
            epoch=epoch,
            n=self.n,
            kind=self.kind,
            data_class=self.data_class,
            at=self.at,
            commitment=self.commitment.hex(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHead:
    """A signed head, and the server's signature where it came back."""

    size: int
    root: bytes
    at: Stamp
    signature: str
    cosigned_at: float | None = None
    """Unix seconds."""
    cosignature: str | None = None


class Log:
    """Tables `ledger` and `ledger_*`; all calls within the store's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._boots: dict[str, int] = {}

    # --- leaves -----------------------------------------------------------------------------

    def size(self) -> int:
        """How many leaves there are."""
        return int(self._db.execute("select coalesce(max(n) + 1, 0) from ledger").fetchone()[0])

    def frontier(self) -> Frontier:
        """The right edge, from what is kept."""
        self._boots.clear()  # a run that was noted in what was rolled back is not there
        size, start, peaks = self.size(), 0, []
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                peaks.append(self.subtree(level, start >> level))
                start += 1 << level
        return Frontier(size, peaks)

    def append(self, row: Row, about: Iterable[str], nodes: Iterable[tuple[int, int, bytes]]) -> None:
        """Write a leaf, whom it is about, and the inner nodes that it completed."""
        at = row.at
        self._db.execute(
            "insert into ledger (n, kind, data_class, wall_ms, mono_ms, boot, clock, error_ms, commitment, hash, key, "
            "sealed, stretch, step, mac) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.n,
                row.kind.value,
                row.data_class,
                at.wall_ms,
                at.mono_ms,
                self._boot(at.boot),
                at.clock.value,
                at.error_ms,
                row.commitment,
                row.hash,
                row.key,
                row.sealed,
                row.stretch,
                row.step,
                row.mac,
            ),
        )
        subjects = sorted(set(about))[:MAX_ABOUT]
        if subjects:
            self._db.conn.executemany(
                "insert into ledger_about (n, about) values (?, ?)", [(row.n, item) for item in subjects]
            )
        for level, place, node in nodes:
            if level >= TILE:
                self._db.execute("insert into ledger_node (level, place, hash) values (?, ?, ?)", (level, place, node))

    def subtree(self, level: int, place: int) -> bytes:
        """Hash of a complete subtree (see `wire.merkle.Subtree`)."""
        if level >= TILE:
            row = self._db.execute(
                "select hash from ledger_node where level = ? and place = ?", (level, place)
            ).fetchone()
            return bytes(row[0])
        first, last = place << level, (place + 1) << level
        hashes = [
            bytes(found)
            for (found,) in self._db.execute(
                "select hash from ledger where n >= ? and n < ? order by n", (first, last)
            ).fetchall()
        ]
        return subtrees_of(hashes)(level, 0)

    def root_at(self, size: int) -> bytes:
        """Root of the log as it was at a size."""
        return root_of(self.subtree, size)

    def row(self, n: int) -> Row | None:
        """One leaf."""
        return next(self.rows(n, n), None)

    def rows(self, first: int, last: int) -> Iterator[Row]:
        """Leaves of these positions, both included, in order; read in portions, so that a long span holds nothing up."""
        while first <= last:
            portion = self._db.execute(
                f"select {_LEAF} from ledger l where n between ? and ? order by n limit 256",  # noqa: S608 - ours
                (first, last),
            ).fetchall()
            if not portion:
                return
            for found in portion:
                yield _row(found)
            first = int(portion[-1][0]) + 1

    def hashes(self, first: int, end: int) -> list[bytes]:
        """Hashes of the leaves from `first` up to, not including, `end`."""
        rows = self._db.execute("select hash from ledger where n >= ? and n < ? order by n", (first, end)).fetchall()
        return [bytes(found) for (found,) in rows]

    def span(self, since_ms: int, until_ms: int) -> tuple[int, int]:
        """First and last position of the leaves made in a span of wall time; (0, -1) where there are none."""
        first, last = self._db.execute(
            "select min(n), max(n) from ledger where wall_ms >= ? and wall_ms < ?", (since_ms, until_ms)
        ).fetchone()
        return (0, -1) if first is None else (int(first), int(last))

    def about(self, subjects: Collection[str]) -> list[int]:
        """Positions of leaves about any of these (addresses or device ids), in order."""
        wanted = json.dumps(sorted(subjects))
        rows = self._db.execute(
            "select distinct n from ledger_about where about in (select value from json_each(?)) order by n", (wanted,)
        )
        return [int(n) for (n,) in rows.fetchall()]

    def of_kinds(self, subjects: Collection[str], kinds: Collection[RecordKind]) -> list[int]:
        """Positions of leaves of these kinds, with their bodies, about any of these, but what a case hold keeps."""
        rows = self._db.execute(
            "select distinct t.n from ledger_about a join ledger t on t.n = a.n "  # noqa: S608 - ours
            "where a.about in (select value from json_each(?)) and t.kind in (select value from json_each(?)) "
            f"and t.sealed is not null and not {LEAF_HELD} order by t.n",
            (json.dumps(sorted(subjects)), json.dumps(sorted(kind.value for kind in kinds))),
        )
        return [int(n) for (n,) in rows.fetchall()]

    def about_whom(self, n: int) -> frozenset[str]:
        """Whom a leaf is about: addresses and device ids; nobody once its body was erased."""
        return frozenset(
            about for (about,) in self._db.execute("select about from ledger_about where n = ?", (n,)).fetchall()
        )

    # --- bodies -----------------------------------------------------------------------------

    def under(self, keys: Collection[int], *, after: int = -1, most: int = 256) -> list[Row]:
        """Leaves whose bodies are sealed under any of these keys, from behind `after`."""
        rows = self._db.execute(
            f"select {_LEAF} from ledger l where n > ? and key in (select value from json_each(?)) "  # noqa: S608 - ours
            "order by n limit ?",
            (after, json.dumps(sorted(keys)), most),
        )
        return [_row(row) for row in rows.fetchall()]

    def reseal(self, n: int, key: int, sealed: bytes) -> None:
        """Keep a body under another key."""
        self._db.execute("update ledger set key = ?, sealed = ? where n = ?", (key, sealed, n))

    def erase(self, positions: Iterable[int]) -> int:
        """Erase bodies and whom they were about; how many there were. The leaves stay, and the log still verifies."""
        gone = 0
        for n in positions:
            gone += self._db.execute(
                "update ledger set key = null, sealed = null where n = ? and sealed is not null", (n,)
            ).rowcount
            self._db.execute("delete from ledger_about where n = ?", (n,))
        return gone

    def erase_under(self, keys: Collection[int]) -> int:
        """Erase every body that is sealed under any of these keys; how many there were."""
        gone, after = 0, -1
        while portion := self.under(keys, after=after):
            after = portion[-1].n
            gone += self.erase(row.n for row in portion)
        return gone

    # --- what is recorded by the hour -------------------------------------------------------

    def unfiled_signals(self, before_hour: int, most: int) -> list[dict[str, Any]]:
        """Signals of hours before this one of which the ledger has not all, as mappings, by hour and address."""
        return self._mappings(
            "select record_id, mac, hour, signal, value, server, port, first, last, count - filed as count, octets, "
            "authority_id, authority_number, clause from record where count > filed and hour < ? "
            "order by hour, mac, record_id limit ?",
            (before_hour, most),
        )

    def filed_signals(self, record_ids: Iterable[str]) -> None:
        """The ledger has all that these rows count."""
        self._db.conn.executemany(
            "update record set filed = count where record_id = ?", [(record_id,) for record_id in record_ids]
        )

    def unfiled_names(self, most: int) -> list[dict[str, Any]]:
        """Looked-up names of which the ledger has not all look-ups, as mappings, by address."""
        return self._mappings(
            "select mac, name, count - filed as count, first_seen as first, last_seen as last, authority_id, "
            "authority_number, clause from name_visit where count > filed order by mac, authority_id, "
            "authority_number, clause, name limit ?",
            (most,),
        )

    def filed_names(self, names: Iterable[tuple[str, str]]) -> None:
        """The ledger has all that these rows (address, name) count."""
        self._db.conn.executemany("update name_visit set filed = count where mac = ? and name = ?", list(names))

    def _mappings(self, statement: str, parameters: tuple[int, ...]) -> list[dict[str, Any]]:
        cursor = self._db.execute(statement, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    # --- heads ------------------------------------------------------------------------------

    def put_head(self, head: Head) -> None:
        """Keep a head; old ones are thinned out."""
        self._db.execute(
            "insert into ledger_head (size, root, stamp, signature) values (?, ?, ?, ?) on conflict (size) do nothing",
            (head.size, bytes.fromhex(head.root), head.at.model_dump_json(exclude_none=True), head.signature),
        )
        if self._heads() > MAX_HEADS:
            self._thin(head.at.wall_ms)

    def put_cosigned(self, size: int, at: float, cosignature: str) -> None:
        """The server's signature of a head."""
        self._db.execute(
            "update ledger_head set cosigned_at = ?, cosignature = ? where size = ?", (at, cosignature, size)
        )

    def heads(self, *, since: int = 0, most: int = MAX_HEADS) -> list[KeptHead]:
        """Heads of at least this size, the smallest first."""
        rows = self._db.execute(
            "select size, root, stamp, signature, cosigned_at, cosignature from ledger_head where size >= ? "
            "order by size limit ?",
            (since, most),
        )
        return [_head(row) for row in rows.fetchall()]

    def latest_head(self, *, cosigned: bool = False) -> KeptHead | None:
        """The largest head, or the largest that the server counter-signed."""
        which = "where cosignature is not null" if cosigned else ""
        row = self._db.execute(
            f"select size, root, stamp, signature, cosigned_at, cosignature from ledger_head {which} "  # noqa: S608 - ours
            "order by size desc limit 1"
        ).fetchone()
        return None if row is None else _head(row)

    def _thin(self, now_ms: int) -> None:
        """Of heads that are no longer fresh the last counter-signed of each day stays; then the oldest go."""
        old = now_ms - FINE_SECONDS * 1000
        self._db.execute(
            "delete from ledger_head where json_extract(stamp, '$.wall_ms') < ?1 and size not in ("
            "select max(size) from ledger_head where cosignature is not null "
            "group by json_extract(stamp, '$.wall_ms') / ?2)",
            (old, _DAY_MS),
        )
        if self._heads() > MAX_HEADS:
            newest = "select size from ledger_head order by size desc limit 1 offset ?"
            self._db.execute(f"delete from ledger_head where size <= ({newest})", (MAX_HEADS - MAX_HEADS // 10,))  # noqa: S608 - ours

    def _heads(self) -> int:
        return int(self._db.execute("select count(*) from ledger_head").fetchone()[0])

    # --- the ratchet ------------------------------------------------------------------------

    def ratchets(self) -> list[tuple[int, int, int, str, float, bytes]]:
        """Stretch, its first position (-1: not begun), step, run of the machine, when the step ends, key."""
        return self._db.execute(
            "select stretch, begins, step, boot, due, key from ledger_ratchet order by stretch"
        ).fetchall()

    def put_ratchet(self, stretch: int, *, begins: int, step: int, boot: str, due: float, key: bytes) -> None:
        """Write a stretch; the key before is overwritten."""
        self._db.execute(
            "insert or replace into ledger_ratchet (stretch, begins, step, boot, due, key) values (?, ?, ?, ?, ?, ?)",
            (stretch, begins, step, boot, due, key),
        )

    def drop_ratchets(self, below: int) -> None:
        """Forget earlier stretches and their keys."""
        self._db.execute("delete from ledger_ratchet where stretch < ?", (below,))

    def drop_ratchet(self, stretch: int) -> None:
        """Forget one stretch."""
        self._db.execute("delete from ledger_ratchet where stretch = ?", (stretch,))

    def _boot(self, name: str) -> int:
        boot = self._boots.get(name)
        if boot is None:
            self._db.execute("insert or ignore into ledger_boot (name) values (?)", (name,))
            boot = int(self._db.execute("select boot from ledger_boot where name = ?", (name,)).fetchone()[0])
            self._boots = {name: boot}
        return boot


def _row(found: tuple[Any, ...]) -> Row:
    n, kind, data_class, wall_ms, mono_ms, boot, clock, error_ms, committed, hashed, key, sealed, *macced = found
    stretch, step, mac = macced
    return Row(
        n=n,
        kind=RecordKind(kind),
        data_class=data_class,
        at=Stamp(wall_ms=wall_ms, mono_ms=mono_ms, boot=boot, clock=ClockState(clock), error_ms=error_ms),
        commitment=committed,
        hash=hashed,
        key=key,
        sealed=sealed,
        stretch=stretch,
        step=step,
        mac=mac,
    )


def _head(row: tuple[int, bytes, str, str, float | None, str | None]) -> KeptHead:
    size, root, stamp, signature, cosigned_at, cosignature = row
    return KeptHead(
        size=size,
        root=root,
        at=Stamp.model_validate_json(stamp),
        signature=signature,
        cosigned_at=cosigned_at,
        cosignature=cosignature,
    )
