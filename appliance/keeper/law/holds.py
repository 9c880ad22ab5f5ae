"""Case holds: records of a span are kept beyond their time, for as long as somebody stands for it (N17).

In: the acts `SetHold` (two people) and `EndHold`, and time. Out: rows of the store's `hold`, a record of the ledger for
each beginning and end. What a hold keeps is left out by `purging` and moved under a key of its own before its month's
key is destroyed. A hold ends at its review date unless it is set anew by then; what it kept goes with the next purge.
Only what is on the box can be held. Bounded: `store.holds.MAX_HOLDS`.
"""

from __future__ import annotations

from dataclasses import replace

from appliance.keeper.law.acts import Given
from appliance.keeper.store.database import Store
from appliance.keeper.store.holds import Hold
from wire.acts import EndHold, SetHold
from wire.ledger import RecordKind

NARROW = "narrow"
"""Key in `meta`: a hold is over, and may have kept what else had gone with a device's standing (see `purging`)."""
MOST_SECONDS = 400 * 86400.0
"""Until a review at the latest: nothing is held for ever because somebody forgot it."""


class Holding:
    """Follows the acts about holds; calls within the store's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.ended = False
        """A hold is over: there may be something to purge. Whoever purges takes it back."""

    def begin(self, order: SetHold, given: Given) -> str | None:
        """Set a hold, or set it anew; None when that was done, else why not."""
        since, until, review = order.since.timestamp(), order.until.timestamp(), order.review.timestamp()
        if until < since:
            return "The hold would end before it begins."
        if review <= given.at:
            return "The date on which the hold is looked at again has passed."
        if review > given.at + MOST_SECONDS:
            return "A hold has to be looked at again within 400 days."
        known = self._store.holds.get(order.hold_id)
        if (
            known is not None
            and known.ended is None
            and (known.since, known.until, known.device_id)
            != (
                since,
                until,
                order.device_id,
            )
        ):
            return "There is a hold of this name about other records. End it first, or give the new one another name."
        hold = Hold(
            hold_id=order.hold_id,
            since=since,
            until=until,
            device_id=order.device_id,
            review=review,
            reason=order.reason,
            by=given.by,
            second=given.second,
            at=given.at,
        )
        if not self._store.holds.put(hold):
            return "As many holds are in force at this home as the box can keep. End one first."
        self._note(hold, "set" if known is None or known.ended is not None else "renewed")
        return None

    def end(self, order: EndHold, given: Given) -> str | None:
        """End a hold; None when that was done, else why not."""
        hold = self._store.holds.get(order.hold_id)
        if hold is None or hold.ended is not None:
            return "There is no hold of this name in force."
        self._end(hold, given.at, f"ended by {given.by}")
        return None

    def tick(self, at: float) -> None:
        """End what was not looked at again in time."""
        for hold in self._store.holds.active():
            if at >= hold.review:
                self._end(hold, at, "not renewed by its review date")

    def _end(self, hold: Hold, at: float, because: str) -> None:
        self._store.holds.put(replace(hold, ended=at))
        self._store.set(NARROW, "1")
        self.ended = True
        self._note(hold, because)

    def _note(self, hold: Hold, what: str) -> None:
        plain = {
            "hold_id": hold.hold_id,
            "what": what,
            "since": round(hold.since),
            "until": round(hold.until),
            "device_id": hold.device_id,
            "review": round(hold.review),
            "by": hold.by,
            "second": hold.second,
        }
        self._store.ledger.note(RecordKind.HOLD, plain)
