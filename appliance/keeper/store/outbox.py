"""What has still to reach the server: one row a message, gone only on the server's receipt.

Rows of a newer state of the same subject replace older ones that were not yet received. Over its
quota the outbox makes room: the lowest class goes first and the oldest of it first, in portions, and
what went is told by `take_dropped`, so that the ledger can say it (R69). Findings are never dropped; when
only they are left, revisions between a finding's first and its latest make way.

Bounded: `MAX_OUTBOX` rows and `MAX_OCTETS` octets, and beyond them at most two rows for each finding;
`findings` bounds those. Rows and octets are counted once at the start, from an index alone (1.2 million
rows: less than half a second), and from then on with each change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from sqlite_utils import Database

MAX_OUTBOX = 2_000_000
MAX_OCTETS = 1024**3
ROW_OCTETS = 256
"""What a row takes beside its body: number, type, subject, and its places in the indexes."""

PORTION_ROWS = 4_096
"""At most so many rows make way in one step, so that no turn takes long."""

_PORTIONS = 64
"""A step frees this part of the quota, so that not every new row costs one."""


class Priority(IntEnum):
    """Classes in the order of sending, lower first; when room is needed the highest number goes first."""

    FINDING = 0
    """Never dropped."""
    RESULT = 1
    """Answers to commands."""
    LEDGER = 2
    """Heads, seeds, and what else keeps the log provable."""
    STATE = 3
    """How something is now; a newer one replaces it."""
    RECORD = 4
    """Bulk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One message as it waits."""

    seq: int
    epoch: str
    type: str
    body: str
    """Payload JSON."""
    priority: int
    created: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Rows of one class that made way."""

    priority: Priority
    count: int
    first_seq: int
    last_seq: int
    since: float
    """When the oldest and the newest of them were made, Unix seconds."""
    until: float

    def joined(self, other: Dropped) -> Dropped:
        """Both as one."""
        return replace(
            self,
            count=self.count + other.count,
            first_seq=min(self.first_seq, other.first_seq),
            last_seq=max(self.last_seq, other.last_seq),
            since=min(self.since, other.since),
            until=max(self.until, other.until),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What waits, and what made way and was not said yet; replaced whole, so that a rollback can put the old back."""

    rows: int
    octets: int
    dropped: tuple[Dropped, ...] = ()


class Outbox:
    """The outbox table; all calls within the store's transaction or between."""

    def __init__(
        self,
        db: Database,
        *,
        epoch: str,
        limit: int = MAX_OUTBOX,
        octets: int = MAX_OCTETS,
        spares: Callable[[str], bool] = lambda _what: False,
    ) -> None:
        """`limit` rows and `octets`; `spares` counts what can be missed, and says whether it is (see `room`)."""
        self._db = db
        self._epoch = epoch
        self._limit = limit
        self._quota = octets
        self._spares = spares
        self.superseded = 0
        """Rows replaced by newer ones before they were received, since start."""
        self.dropped = 0
        """Rows that made way, since start."""
        rows, held = db.execute("select count(*), total(octets) from outbox").fetchone()
        self._now = Counts(rows=int(rows), octets=int(held))

    def __len__(self) -> int:
        return self._now.rows

    @property
    def octets(self) -> int:
        """What the waiting rows take."""
        return self._now.octets

    @property
    def over(self) -> bool:
        """Whether more waits than the quota allows."""
        return self._now.rows > self._limit or self._now.octets > self._quota

    # --- transactions -----------------------------------------------------------------------

    def mark(self) -> Counts:
        """What waits at this moment, for `restore`."""
        return self._now

    def restore(self, counts: Counts) -> None:
        """A transaction that began when it was so was rolled back."""
        self._now = counts

    def _change(self, rows: int, octets: int) -> None:
        now = self._now
        self._now = replace(now, rows=now.rows + rows, octets=now.octets + octets)

    # --- in ---------------------------------------------------------------------------------

    def add(
        self, *, type_: str, subject: str, body: str, priority: Priority, created: float, supersede: bool | None = None
    ) -> int:
        """Put a message in; returns its sequence number, 0 where it is spared.

        `supersede`: it replaces what waits of the same type and subject; None: if it is a state. States and bulk are
        spared where there is room only for what may never be missed.
        """
        if priority >= Priority.STATE and self._spares(priority.name.lower()):
            return 0
        if supersede or (supersede is None and priority is Priority.STATE):
            self.superseded += self._delete("type = ? and subject = ?", (type_, subject))
        elif priority is Priority.FINDING and self.over:
            self.superseded += self._delete(
                "type = ?1 and subject = ?2 and seq > (select min(seq) from outbox where type = ?1 and subject = ?2)",
                (type_, subject),
            )
        octets = len(body.encode()) + ROW_OCTETS
        cursor = self._db.execute(
            "insert into outbox (epoch, type, subject, body, priority, created, octets) values (?, ?, ?, ?, ?, ?, ?)",
            (self._epoch, type_, subject, body, int(priority), created, octets),
        )
        seq = int(cursor.lastrowid or 0)
        self._change(1, octets)
        if self.over:
            self.make_room(max(self._quota // _PORTIONS, 1), rows=self._limit // _PORTIONS)
        return seq

    # --- out --------------------------------------------------------------------------------

    def waiting(
        self, *, without: Collection[int], most: int, octets: int | None = None, urgent_only: bool = False
    ) -> list[OutboxRow]:
        """Rows to send next, findings first, then by class and age; `without` are on their way already.

        At most `most` rows, and where `octets` is given no more than fit that, but one at least. Costs as many
        steps in an index as rows are on their way, never as many as wait.
        """
        found: list[int] = []
        held = 0
        where = f"where priority = {int(Priority.FINDING)}" if urgent_only else ""
        for seq, size in self._db.execute(f"select seq, octets from outbox {where} order by priority, seq"):  # noqa: S608 - an int of ours
            if len(found) >= most:
                break
            if seq in without:
                continue
            held += size
            if octets is not None and held > octets and found:
                break
            found.append(seq)
        return self._rows(found)

    def after(self, priority: Priority, seq: int, *, most: int, octets: int | None = None) -> list[OutboxRow]:
        """Rows of one class with a number above `seq`, in order: at most `most`, and no more than fit `octets`."""
        found: list[int] = []
        held = 0
        rows = self._db.execute(
            "select seq, octets from outbox where priority = ? and seq > ? order by seq limit ?",
            (int(priority), seq, most),
        )
        for number, size in rows:
            held += size
            if octets is not None and held > octets and found:
                break
            found.append(number)
        return self._rows(found)

    def last(self) -> int:
        """The highest number that waits; 0 when nothing does."""
        return int(self._db.execute("select ifnull(max(seq), 0) from outbox").fetchone()[0])

    def row(self, seq: int) -> OutboxRow | None:
        """One row, if it still waits."""
        return next(iter(self._rows([seq])), None)

    def holds(self, *, type_: str, subject: str) -> bool:
        """Whether a message about this subject still waits."""
        statement = "select 1 from outbox where type = ? and subject = ? limit 1"
        return self._db.execute(statement, (type_, subject)).fetchone() is not None

    def received(self, epoch: str, first: int, last: int) -> int:
        """The server has these: delete them. A receipt for another epoch deletes nothing."""
        if epoch != self._epoch:
            return 0
        return self._delete("seq between ? and ?", (first, last))

    def forget(self, *, type_: str, subject: str) -> int:
        """Take back what waits about a subject, because it is to be erased; how many rows."""
        return self._delete("type = ? and subject = ?", (type_, subject))

    def overdue(self, before: float) -> int:
        """Bulk and states made before a moment go unreceived, because their time is over; how many of a portion.

        Findings, answers and the ledger's own messages wait for the server however long that takes.
        """
        due: list[int] = []
        for priority in (Priority.STATE, Priority.RECORD):
            rows = self._db.execute(
                "select seq, created from outbox where priority = ? order by seq limit ?", (int(priority), PORTION_ROWS)
            ).fetchall()
            due.extend(seq for seq, created in rows if created < before)
        return sum(self._delete("seq = ?", (seq,)) for seq in due)

    # --- room -------------------------------------------------------------------------------

    def make_room(self, octets: int, *, rows: int = 0) -> int:
        """Drop the lowest classes, oldest first, until the quota has `octets` and `rows` to spare; how many went.

        At most `PORTION_ROWS` at once; the next row goes on where this one ended.
        """
        gone = 0
        for priority in sorted(Priority, reverse=True):
            if priority is Priority.FINDING or gone >= PORTION_ROWS:
                break
            chosen: list[tuple[int, float, int]] = []
            spare_rows, spare = self._limit - self._now.rows, self._quota - self._now.octets
            found = self._db.execute(
                "select seq, created, octets from outbox where priority = ? order by seq limit ?",
                (int(priority), PORTION_ROWS - gone),
            )
            for seq, created, size in found:
                if spare_rows >= rows and spare >= octets:
                    break
                chosen.append((seq, created, size))
                spare_rows, spare = spare_rows + 1, spare + size
            gone += self._drop(priority, chosen)
        return gone

    def shed(self, most: int = PORTION_ROWS) -> int:
        """Drop at most so many rows of the lowest class there is, for a disk that is full; how many went."""
        for priority in sorted(Priority, reverse=True):
            if priority <= Priority.LEDGER:
                break
            found = self._db.execute(
                "select seq, created, octets from outbox where priority = ? order by seq limit ?",
                (int(priority), most),
            ).fetchall()
            if found:
                return self._drop(priority, found)
        return 0

    def take_dropped(self) -> tuple[Dropped, ...]:
        """What made way and was not said yet, one entry a class; to be said in the same transaction."""
        dropped, self._now = self._now.dropped, replace(self._now, dropped=())
        return dropped

    def _drop(self, priority: Priority, rows: Sequence[tuple[int, float, int]]) -> int:
        if not rows:
            return 0
        seqs = [seq for seq, _created, _octets in rows]
        # Between the first and the last of a class nothing of it stays: a range costs less than a list.
        gone = self._delete("priority = ? and seq between ? and ?", (int(priority), min(seqs), max(seqs)))
        times = [created for _seq, created, _octets in rows]
        new = Dropped(
            priority=priority,
            count=gone,
            first_seq=min(seqs),
            last_seq=max(seqs),
            since=min(times),
            until=max(times),
        )
        said = {item.priority: item for item in self._now.dropped}
        said[priority] = said[priority].joined(new) if priority in said else new
        self._now = replace(self._now, dropped=tuple(said[each] for each in sorted(said)))
        self.dropped += gone
        return gone

    def _delete(self, where: str, parameters: tuple[str | int, ...]) -> int:
        gone = self._db.execute(f"delete from outbox where {where} returning octets", parameters).fetchall()  # noqa: S608 - ours
        self._change(-len(gone), -sum(octets for (octets,) in gone))
        return len(gone)

    def _rows(self, seqs: Sequence[int]) -> list[OutboxRow]:
        statement = "select seq, epoch, type, body, priority, created from outbox where seq = ?"
        found = (self._db.execute(statement, (seq,)).fetchone() for seq in seqs)
        return [_row(row) for row in found if row is not None]


def _row(row: tuple[int, str, str, str, int, float]) -> OutboxRow:
    seq, epoch, type_, body, priority, created = row
    return OutboxRow(seq=seq, epoch=epoch, type=type_, body=body, priority=priority, created=created)
