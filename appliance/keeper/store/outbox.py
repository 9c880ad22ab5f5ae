"""What has still to reach the server: one row a message, gone only on the server's receipt.

Rows of a newer state of the same subject replace older ones that were not yet received. Findings
are never dropped; when the outbox is full, revisions between a finding's first and its latest make
way, and if that is not enough `full` says so, and the keeper takes in no new devices until it drains.

Bounded: `MAX_OUTBOX` rows, and beyond them at most two for each finding and each answer to a command
of the server; `database` bounds the findings.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from sqlite_utils import Database

MAX_OUTBOX = 100_000


class Priority(IntEnum):
    """Order of sending; lower goes first."""

    FINDING = 0
    RESULT = 1
    STATE = 2


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


class Outbox:
    """The outbox table; all calls within the store's transaction or between."""

    def __init__(self, db: Database, *, epoch: str, limit: int = MAX_OUTBOX) -> None:
        self._db = db
        self._epoch = epoch
        self._limit = limit
        self.superseded = 0
        """Rows replaced by newer ones before they were received, since start."""
        self._count = int(db.execute("select count(*) from outbox").fetchone()[0])

    def __len__(self) -> int:
        return self._count

    @property
    def full(self) -> bool:
        """Whether nothing that may grow without end should be added."""
        return self._count >= self._limit

    def recount(self) -> None:
        """Count again, after a rollback."""
        self._count = int(self._db.execute("select count(*) from outbox").fetchone()[0])

    def add(self, *, type_: str, subject: str, body: str, priority: Priority, created: float) -> int:
        """Put a message in; returns its sequence number."""
        if priority is Priority.STATE:
            self._supersede("delete from outbox where type = ? and subject = ?", (type_, subject))
        elif self.full:
            self._supersede(
                """
                delete from outbox where type = ?1 and subject = ?2
                and seq > (select min(seq) from outbox where type = ?1 and subject = ?2)
                """,
                (type_, subject),
            )
        cursor = self._db.execute(
            "insert into outbox (epoch, type, subject, body, priority, created) values (?, ?, ?, ?, ?, ?)",
            (self._epoch, type_, subject, body, int(priority), created),
        )
        self._count += 1
        return int(cursor.lastrowid or 0)

    def _supersede(self, statement: str, parameters: tuple[str, ...]) -> None:
        gone = self._db.execute(statement, parameters).rowcount
        self.superseded += gone
        self._count -= gone

    def waiting(self, *, without: Collection[int], most: int, urgent_only: bool = False) -> list[OutboxRow]:
        """Rows to send next, findings first, then by age; `without` are on their way already."""
        marks = ",".join("?" * len(without))
        urgent = f"and priority = {int(Priority.FINDING)}" if urgent_only else ""
        rows = self._db.execute(
            f"select seq, epoch, type, body, priority, created from outbox "  # noqa: S608 - only marks and an int
            f"where seq not in ({marks}) {urgent} order by priority, seq limit ?",
            (*without, most),
        )
        return [_row(row) for row in rows]

    def row(self, seq: int) -> OutboxRow | None:
        """One row, if it still waits."""
        found = self._db.execute(
            "select seq, epoch, type, body, priority, created from outbox where seq = ?", (seq,)
        ).fetchone()
        return None if found is None else _row(found)

    def holds(self, *, type_: str, subject: str) -> bool:
        """Whether a message about this subject still waits."""
        statement = "select 1 from outbox where type = ? and subject = ? limit 1"
        return self._db.execute(statement, (type_, subject)).fetchone() is not None

    def received(self, epoch: str, first: int, last: int) -> int:
        """The server has these: delete them. A receipt for another epoch deletes nothing."""
        if epoch != self._epoch:
            return 0
        gone = self._db.execute("delete from outbox where seq between ? and ?", (first, last)).rowcount
        self._count -= gone
        return gone


def _row(row: tuple[int, str, str, str, int, float]) -> OutboxRow:
    seq, epoch, type_, body, priority, created = row
    return OutboxRow(seq=seq, epoch=epoch, type=type_, body=body, priority=priority, created=created)
