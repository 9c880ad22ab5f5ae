"""A keeper that goes on when there is no room: what failed is done again by a fresh core, after room was made.

In: the calls of `core.Core`. Out: its answers. When a turn finds no room nothing of it was written, but the core
remembers it: so room is made (`Store.relieve`), a core is made from what is committed and told the authority file as
it is, and the turn comes again, so that the alert in it goes out. A turn that found no room only after it was
committed (for the number of a message beside the outbox) does not: what it did stands, and would count twice.
Whoever is connected starts over then (`take_fresh`).

Bounded: a turn is tried twice; what finds no room then either is counted (`lost`), and nothing is done until the next
tick tries again. How many were lost is in the ledger when there is room (`Room.missed`).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from appliance import messages as m
from appliance.keeper.core import Core, Peer, Send
from appliance.keeper.store.database import Store, StoreError
from appliance.keeper.store.room import StoreFullError, discard, is_full

_log = logging.getLogger(__name__)


def open_store(path: Path, *, outbox_octets: int, share: int, ballast: int, vault_key: Path | None = None) -> Store:
    """Open the store; where there is no room even for that, without the ballast. See `Store` for what is given.

    Raises:
        StoreError: it cannot be opened, see `Store`.
    """
    try:
        return Store(path, outbox_octets=outbox_octets, share=share, ballast=ballast, vault_key=vault_key)
    except (StoreError, StoreFullError) as error:
        if not is_full(error) or not discard(path):
            raise
        _log.error("no room to open the database: the ballast is given up (%s)", error)
    return Store(path, outbox_octets=outbox_octets, share=share, ballast=ballast, vault_key=vault_key)


_Turn = Callable[[Core], list[Send]]
_NO_ROOM = (StoreFullError, sqlite3.Error, OSError)
"""What may say so; `is_full` knows whether it does."""


class Steady:
    """One core after the other, over one store."""

    def __init__(self, store: Store, make: Callable[[], Core]) -> None:
        """`make` puts a core together from what is committed, as at a start."""
        self._store = store
        self._make = make
        self._offered: tuple[bytes | None] | None = None
        """The authority file as it was last told; None: never."""
        self._was_fresh = False
        self.lost = 0
        """Turns that found no room even then, since start."""
        self._core = self._first()

    @property
    def busy(self) -> bool:
        """See `Core.busy`."""
        return self._core is not None and self._core.busy

    @property
    def anew(self) -> bool:
        """See `Core.anew`."""
        return self._core is not None and self._core.anew

    def take_fresh(self) -> bool:
        """Whether another core is there since the last call, which knows nobody: all peers have to start over."""
        if self._core is None:
            return False
        fresh, self._was_fresh = self._was_fresh, False
        return fresh

    # --- as the core ------------------------------------------------------------------------

    def connected(self, peer: Peer, *, now: float, monotonic: float) -> list[Send]:
        """See `Core.connected`."""
        return self._turn(lambda core: core.connected(peer, now=now, monotonic=monotonic), now, monotonic)

    def gone(self, peer: Peer, *, now: float, monotonic: float) -> list[Send]:
        """See `Core.gone`."""
        return self._turn(lambda core: core.gone(peer, now=now, monotonic=monotonic), now, monotonic)

    def document(self, raw: bytes | None, *, now: float, monotonic: float) -> list[Send]:
        """See `Core.document`."""
        self._offered = (raw,)
        return self._turn(lambda core: core.document(raw, now=now, monotonic=monotonic), now, monotonic)

    def tick(self, *, now: float, monotonic: float) -> list[Send]:
        """See `Core.tick`. Where there is no core, one is made if there is room now."""
        if self._core is None:
            self._core = self._another(now, monotonic)
        return self._turn(lambda core: core.tick(now=now, monotonic=monotonic), now, monotonic)

    def heard(self, peer: Peer, batch: Iterable[m.Message], *, now: float, monotonic: float) -> list[Send]:
        """See `Core.heard`."""
        kept = tuple(batch)
        return self._turn(lambda core: core.heard(peer, kept, now=now, monotonic=monotonic), now, monotonic)

    def stopping(self, *, now: float, monotonic: float) -> None:
        """See `Core.stopping`."""

        def stop(core: Core) -> list[Send]:
            core.stopping(now=now, monotonic=monotonic)
            return []

        self._turn(stop, now, monotonic)

    # --- inside -----------------------------------------------------------------------------

    def _turn(self, turn: _Turn, now: float, monotonic: float) -> list[Send]:
        if self._core is not None:
            committed = self._store.committed
            try:
                return turn(self._core)
            except _NO_ROOM as error:
                if not is_full(error):
                    raise
                again = self._store.committed == committed
                _log.error("a turn found no room%s: %s", " and is tried again" if again else "", error)
            self._core = self._another(now, monotonic)
            if self._core is not None and not again:
                return []
        if self._core is not None:
            try:
                return turn(self._core)
            except _NO_ROOM as error:
                if not is_full(error):
                    raise
                _log.error("there is no room at all: %s", error)
                self._core = None
        self.lost += 1
        self._store.room.missed("turn")
        return []

    def _another(self, now: float, monotonic: float) -> Core | None:
        """Make room, and a core from what is committed that knows the authority file; None where that finds no room."""
        self._was_fresh = True
        if not self._store.relieve():
            return None
        try:
            core = self._make()
            if self._offered is not None:
                core.document(self._offered[0], now=now, monotonic=monotonic)
        except _NO_ROOM as error:
            if not is_full(error):
                raise
            _log.error("no core can be made: %s", error)
            return None
        return core

    def _first(self) -> Core | None:
        try:
            return self._make()
        except _NO_ROOM as error:
            if not is_full(error):
                raise
        return self._another(0.0, 0.0)  # nothing is offered yet, so nothing is told the time
