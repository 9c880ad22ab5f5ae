"""What the box could not keep, and a disk that is full, told as findings and written down as gaps (R69, N4).

In: what made way in the outbox, what was spared while the store was narrow, whether it is. Out: findings about the
box, of which each is one while it lasts; gap records of the ledger. Bounded: two findings, one row of `meta`; what was
spared is said once in `SAY_SECONDS`, what made way is in the ledger with the transaction that dropped it.
"""

from __future__ import annotations

from typing import Protocol

from appliance.keeper.authority import Scope, when
from appliance.keeper.household.record import Record
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.spans import counted
from appliance.keeper.store.dropped import Untold, say_dropped, take_untold, untold
from wire.findings import FindingKind, Grade
from wire.ledger import RecordKind

SAY_SECONDS = 60.0
RECOVER_SECONDS = 10.0
"""Between two looks whether there is room again."""
CALM_SECONDS = 86_400.0
"""What was dropped is told as over when a day passed without more."""
SUBJECT = "waiting"
_CAUSE = "storage"


class Teller(Protocol):
    """Who writes findings about the box down."""

    def tell_box(self, sign: Sign, *, scope: Scope | None, at: float) -> None:
        """A sign about the box itself."""

    def end(self, device_id: str | None, kind: FindingKind, subject: str, because: str, at: float) -> None:
        """What a sign was about is over."""


class Storage:
    """Watches the room of one store. Callers hold the store's transaction."""

    def __init__(self, record: Record, teller: Teller) -> None:
        self._record = record
        self._store = record.store
        self._teller = teller
        self._say_due = float("-inf")
        self._narrow_since: float | None = None
        self._well = False
        """That nothing of an earlier run is open any more is known."""

    def tick(self, *, scope: Scope | None, at: float) -> None:
        """At the end of a turn: write gaps, tell findings, end what is over."""
        say_dropped(self._store)
        self._narrow(scope, at)
        if at < self._say_due:
            return
        self._say_due = at + SAY_SECONDS
        self._spared(at)
        if untold(self._store) is not None:
            found = take_untold(self._store)
            if found is not None:
                self._dropped(found, scope, at)
            return
        stored = self._record.open_finding(None, FindingKind.RECORDS_DROPPED, SUBJECT)
        if stored is not None and at - stored.finding.last_seen.timestamp() >= CALM_SECONDS:
            because = "Nothing made way for a day."
            self._teller.end(None, FindingKind.RECORDS_DROPPED, SUBJECT, because, at)

    def _narrow(self, scope: Scope | None, at: float) -> None:
        if self._store.room.narrow:
            if self._narrow_since is None:
                self._narrow_since = at
                self._well = False
                self._teller.tell_box(_full(at), scope=scope, at=at)
        elif not self._well:
            self._well = True
            self._spared(at)
            if self._narrow_since is not None:
                for device in tuple(self._record.registry):
                    self._record.soon(device)  # what was not told meanwhile
            self._narrow_since = None
            because = "There is room again. What was not kept meanwhile is counted in the box's own record."
            self._teller.end(None, FindingKind.STORAGE_FULL, "", because, at)

    def _spared(self, at: float) -> None:
        spared = self._store.room.take_skipped()
        if spared:
            since = at if self._narrow_since is None else self._narrow_since
            plain = {"cause": "storage-full", "skipped": spared, "from": round(since), "to": round(at)}
            self._store.ledger.note(RecordKind.GAP, plain)

    def _dropped(self, found: Untold, scope: Scope | None, at: float) -> None:
        stored = self._record.open_finding(None, FindingKind.RECORDS_DROPPED, SUBJECT)
        before = 0 if stored is None else stored.finding.count
        sign = Sign(
            kind=FindingKind.RECORDS_DROPPED,
            device_id=None,
            subject=SUBJECT,
            grade=Grade.MEDIUM,
            confidence=1.0,
            reasons=(
                "More waited to be sent than the box has room for: the oldest of what matters least was dropped.",
                f"{counted(found.count, 'message')} of {when(found.since)} to {when(found.until)} will not come.",
                "Findings are not among them. What was dropped is counted in the box's own record.",
            ),
            alternatives=("The box could not reach the server for a long time.",),
            cause=_CAUSE,
            since=found.since,
            ts=at,
            count=before + found.count,
        )
        self._teller.tell_box(sign, scope=scope, at=at)


def _full(at: float) -> Sign:
    return Sign(
        kind=FindingKind.STORAGE_FULL,
        device_id=None,
        subject="",
        grade=Grade.HIGH,
        confidence=1.0,
        reasons=(
            "The storage of the box is full.",
            "Findings are still made and sent. News of how devices are, and how busy they are, is not kept for now.",
        ),
        alternatives=("A long time without the server, or a fault of the box's memory card.",),
        cause=_CAUSE,
        since=at,
        ts=at,
    )
