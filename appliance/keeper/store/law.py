"""What was ordered beside the authority document: pauses, withdrawals, unmasked devices.

Times are Unix seconds. Calls within the store's transaction. Bounded: `MAX_PAUSES` pauses (the oldest that are over
go), `MAX_WITHDRAWALS` withdrawals (the oldest go: they are of documents long replaced), `MAX_UNMASKED` devices (a
further one is refused).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

MAX_PAUSES = 256
MAX_WITHDRAWALS = 256
MAX_UNMASKED = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A pause that was ordered."""

    starts: float
    ends: float | None
    """None: until told otherwise."""
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A consent, or the authority, was withdrawn: it holds for documents of this id up to this number."""

    authority_id: str
    number: int
    consent: str | None
    """None: the authority's own."""
    at: float
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmasked:
    """A device that is treated as registered for a time."""

    device_id: str
    starts: float
    ends: float
    clause: str
    authority_id: str
    authority_number: int
    by: str
    second: str | None
    broken: bool
    reason: str


class Law:
    """The tables `pause`, `withdrawal` and `unmasked`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # --- pauses -----------------------------------------------------------------------------

    def pauses(self) -> tuple[Paused, ...]:
        """All that are remembered, oldest first."""
        rows = self._db.execute("select starts, ends, by, reason from pause order by pause_id").fetchall()
        return tuple(
            Paused(starts=starts, ends=ends, by=str(by), reason=str(reason)) for starts, ends, by, reason in rows
        )

    def pause(self, paused: Paused) -> None:
        """Remember one more."""
        self._db.execute(
            "insert into pause (starts, ends, by, reason) values (?, ?, ?, ?)",
            (paused.starts, paused.ends, paused.by, paused.reason),
        )
        self._db.execute(
            "delete from pause where ends is not null and ends <= ? "
            "and pause_id <= (select max(pause_id) from pause) - ?",
            (paused.starts, MAX_PAUSES),
        )

    def pauses_full(self, at: float) -> bool:
        """Whether as many last or are to come as there is room for."""
        lasting = self._db.execute("select count(*) from pause where ends is null or ends > ?", (at,)).fetchone()[0]
        return int(lasting) >= MAX_PAUSES

    def resume(self, at: float) -> int:
        """End those that last still. How many."""
        return int(
            self._db.execute("update pause set ends = max(?, starts) where ends is null or ends > ?", (at, at)).rowcount
        )

    # --- withdrawals ------------------------------------------------------------------------

    def withdrawals(self) -> tuple[Withdrawal, ...]:
        """All that are remembered, oldest first."""
        rows = self._db.execute(
            "select authority_id, number, consent, at, by, reason from withdrawal order by withdrawal_id"
        ).fetchall()
        return tuple(
            Withdrawal(
                authority_id=str(row[0]), number=int(row[1]), consent=row[2], at=row[3], by=str(row[4]), reason=row[5]
            )
            for row in rows
        )

    def withdraw(self, withdrawal: Withdrawal) -> None:
        """Remember one more."""
        self._db.execute(
            "insert into withdrawal (authority_id, number, consent, at, by, reason) values (?, ?, ?, ?, ?, ?)",
            (
                withdrawal.authority_id,
                withdrawal.number,
                withdrawal.consent,
                withdrawal.at,
                withdrawal.by,
                withdrawal.reason,
            ),
        )
        self._db.execute(
            "delete from withdrawal where withdrawal_id <= (select max(withdrawal_id) from withdrawal) - ?",
            (MAX_WITHDRAWALS,),
        )

    # --- unmasked devices -------------------------------------------------------------------

    def unmasked(self) -> tuple[Unmasked, ...]:
        """All devices whose mask is off."""
        rows = self._db.execute(
            "select device_id, starts, ends, clause, authority_id, authority_number, by, second, broken, reason "
            "from unmasked order by device_id"
        ).fetchall()
        return tuple(
            Unmasked(
                device_id=str(row[0]),
                starts=row[1],
                ends=row[2],
                clause=str(row[3]),
                authority_id=str(row[4]),
                authority_number=int(row[5]),
                by=str(row[6]),
                second=row[7],
                broken=bool(row[8]),
                reason=str(row[9]),
            )
            for row in rows
        )

    def unmask(self, opened: Unmasked) -> None:
        """Take the mask off a device, or say anew until when."""
        self._db.execute(
            "insert or replace into unmasked values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                opened.device_id,
                opened.starts,
                opened.ends,
                opened.clause,
                opened.authority_id,
                opened.authority_number,
                opened.by,
                opened.second,
                int(opened.broken),
                opened.reason,
            ),
        )

    def mask(self, device_id: str) -> None:
        """Put the mask on again."""
        self._db.execute("delete from unmasked where device_id = ?", (device_id,))
