"""What is kept, for how long, and how it goes: holds, erasing and the purge, put together for the keeper.

In: acts, time, the authority. Out: see `holds`, `erasing`, `purging`; and what the server is told of it.
"""

from __future__ import annotations

from appliance.keeper.authority import Judgement
from appliance.keeper.book import Book
from appliance.keeper.devices.model import moment
from appliance.keeper.law.acts import Acts
from appliance.keeper.law.erasing import Erasing
from appliance.keeper.law.holds import Holding
from appliance.keeper.law.purging import Purging
from appliance.keeper.store.database import Store
from wire.acts import EndHold, EraseRecords, SetHold
from wire.authority import Authority
from wire.box import Held
from wire.box import Keeping as Told

LOOK_SECONDS = 10.0
"""How often it is asked whether anything is due."""


class Keeping:
    """One of each; calls within the store's transaction."""

    def __init__(self, store: Store, book: Book, acts: Acts) -> None:
        self._store = store
        self._looked = float("-inf")
        self._holding = Holding(store)
        self._erasing = Erasing(store, book.record)
        self._purging = Purging(
            store,
            book.registry,
            forget=book.forget,
            let_go=book.let_go,
            close=book.record.report_finding,
            erasing=self._erasing.work,
            narrow=lambda device, scope, at: (
                None if device.device_id in book.opened else book.masked(device, scope=scope, at=at)
            ),
        )
        acts.on(SetHold, self._holding.begin)
        acts.on(EndHold, self._holding.end)
        acts.on(EraseRecords, self._erasing.follow)

    def tick(self, authority: Authority | None, judgement: Judgement, *, at: float) -> None:
        """Time passed; `at` is a moment that has passed for sure, whatever the clock shows (Unix seconds)."""
        ordered = self._holding.ended or self._erasing.wanted
        if not ordered and not self._purging.busy and self._looked <= at < self._looked + LOOK_SECONDS:
            return  # most turns have nothing to do with it
        self._looked = at
        self._holding.tick(at)
        if ordered or self._holding.ended:
            self._holding.ended = False
            self._purging.soon()
        self._purging.tick(authority, judgement, at=at)

    def told(self) -> Told:
        """What the server is told with each status."""
        at = self._purging.purged_at
        return Told(
            purged_at=None if at is None else moment(at),
            lost_keys=self._store.vault.lost,
            holds=tuple(
                Held(hold_id=hold.hold_id, review=moment(hold.review), device_id=hold.device_id)
                for hold in self._store.holds.active()
            ),
        )
