"""Observations that nobody at the box can read: rows of ciphertext, in the order in which they came.

In: sealed batches with the run of the machine and its monotonic clock. Out: the same, oldest first. Calls within the
store's transaction. Bounded: `MAX_ROWS` rows and `MAX_OCTETS` octets (a row of one observation has some 250); what
finds no room is refused and counted by the caller, so that what came first is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

MAX_ROWS = 200_000
MAX_OCTETS = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """One sealed batch."""

    n: int
    boot: str
    monotonic: float
    """When it was sealed, by the clock of that run of the machine, seconds."""
    observations: int
    body: bytes


class Sealed:
    """The table `sealed`."""

    def __init__(self, db: Database, *, rows: int = MAX_ROWS, octets: int = MAX_OCTETS) -> None:
        self._db = db
        self._most_rows, self._most_octets = rows, octets
        self._rows = self._octets = self._observations = 0
        self.recount()

    def recount(self) -> None:
        """Count again, after a start or a rollback."""
        found = self._db.execute(
            "select count(*), coalesce(sum(length(body)), 0), coalesce(sum(observations), 0) from sealed"
        ).fetchone()
        self._rows, self._octets, self._observations = (int(value) for value in found)

    def __len__(self) -> int:
        """How many observations wait."""
        return self._observations

    @property
    def half_full(self) -> bool:
        """Whether half of the rows or octets are taken."""
        return 2 * self._rows >= self._most_rows or 2 * self._octets >= self._most_octets

    def add(self, *, boot: str, monotonic: float, observations: int, body: bytes) -> bool:
        """Keep a batch; false where there is no room."""
        if self._rows >= self._most_rows or self._octets + len(body) > self._most_octets:
            return False
        self._db.execute(
            "insert into sealed (boot, monotonic, observations, body) values (?, ?, ?, ?)",
            (boot, monotonic, observations, body),
        )
        self._rows += 1
        self._octets += len(body)
        self._observations += observations
        return True

    def first(self, most: int) -> list[SealedRow]:
        """The oldest rows, oldest first."""
        return self._rows_of("select n, boot, monotonic, observations, body from sealed order by n limit ?", most)

    def last(self, most: int) -> list[SealedRow]:
        """The newest rows, newest first."""
        return self._rows_of("select n, boot, monotonic, observations, body from sealed order by n desc limit ?", most)

    def _rows_of(self, statement: str, most: int) -> list[SealedRow]:
        rows = self._db.execute(statement, (most,)).fetchall()
        return [
            SealedRow(n=int(n), boot=str(boot), monotonic=float(monotonic), observations=int(count), body=bytes(body))
            for n, boot, monotonic, count, body in rows
        ]

    def remove(self, up_to: int) -> None:
        """Forget rows up to this number."""
        found = self._db.execute(
            "select count(*), coalesce(sum(length(body)), 0), coalesce(sum(observations), 0) from sealed where n <= ?",
            (up_to,),
        ).fetchone()
        self._db.execute("delete from sealed where n <= ?", (up_to,))
        self._rows -= int(found[0])
        self._octets -= int(found[1])
        self._observations -= int(found[2])

    def remove_others(self, boot: str) -> int:
        """Forget what was sealed in other runs of the machine; how many observations that were."""
        before = self._observations
        self._db.execute("delete from sealed where boot <> ?", (boot,))
        self.recount()
        return before - self._observations

    def remove_all(self) -> int:
        """Forget all; how many observations that were."""
        before = self._observations
        self._db.execute("delete from sealed")
        self.recount()
        return before
