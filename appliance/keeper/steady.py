"""A keeper that goes on when there is no room: what failed is done again by a fresh core, after room was made.

In: the calls of `core.Core`. Out: its answers. When a turn finds no room nothing of it was written, but the core
remembers it: so room is made (`Store.relieve`), a core is made from what is committed, and the turn comes again, so
that the alert in it goes out. Whoever is connected starts over then (`take_fresh`).

Bounded: a turn is tried twice; what finds no room then either is counted (`lost`), and nothing is done until the next
tick tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from appliance import messages as m
from appliance.keeper.core import Core, Peer, Send
from appliance.keeper.store.database import Store, StoreError
from appliance.keeper.store.room import StoreFullError, discard, is_full

_log = logging.getLogger(__name__)


def open_store(path: Path, *, outbox_octets: int, share: int, ballast: int) -> Store:
    """Open the store; where there is no room even for that, without the ballast.

    Raises:
        StoreError: it cannot be opened, see `Store`.
    """
    try:
        return Store(path, outbox_octets=outbox_octets, share=share, ballast=ballast)
    except (StoreError, StoreFullError) as error:
        if not is_full(error.__cause__ or error) or not discard(path):
            raise
        _log.error("no room to open the database: the ballast is given up (%s)", error)
    return Store(path, outbox_octets=outbox_octets, share=share, ballast=ballast)


_Turn = Callable[[Core], list[Send]]


class Steady:
    """One core after the other, over one store."""

    def __init__(self, store: Store, make: Callable[[], Core]) -> None:
        """`make` puts a core together from what is committed, as at a start."""
        self._store = store
        self._make = make
        self._core: Core | None = None
        self._was_fresh = False
        self.lost = 0
        """Turns that found no room even then, since start."""
        self._core = self._fresh()

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
        fresh, self._was_fresh = self._was_fresh, False
        return fresh

    # --- as the core ------------------------------------------------------------------------

    def connected(self, peer: Peer, *, now: float, monotonic: float) -> list[Send]:
        """See `Core.connected`."""
        return self._turn(lambda core: core.connected(peer, now=now, monotonic=monotonic))

    def gone(self, peer: Peer, *, now: float, monotonic: float) -> list[Send]:
        """See `Core.gone`."""
        return self._turn(lambda core: core.gone(peer, now=now, monotonic=monotonic))

    def document(self, raw: bytes | None, *, now: float, monotonic: float) -> list[Send]:
        """See `Core.document`."""
        return self._turn(lambda core: core.document(raw, now=now, monotonic=monotonic))

    def tick(self, *, now: float, monotonic: float) -> list[Send]:
        """See `Core.tick`."""
        return self._turn(lambda core: core.tick(now=now, monotonic=monotonic))

    def heard(self, peer: Peer, batch: Iterable[m.Message], *, now: float, monotonic: float) -> list[Send]:
        """See `Core.heard`."""
        kept = tuple(batch)
        return self._turn(lambda core: core.heard(peer, kept, now=now, monotonic=monotonic))

    def stopping(self, *, now: float, monotonic: float) -> None:
        """See `Core.stopping`."""

        def stop(core: Core) -> list[Send]:
            core.stopping(now=now, monotonic=monotonic)
            return []

        self._turn(stop)

    # --- inside -----------------------------------------------------------------------------

    def _turn(self, turn: _Turn) -> list[Send]:
        if self._core is not None:
            try:
                return turn(self._core)
            except StoreFullError as error:
                _log.error("a turn found no room and is tried again: %s", error)
        self._core = None
        self._was_fresh = True
        self._core = self._fresh()
        if self._core is not None:
            try:
                return turn(self._core)
            except StoreFullError as error:
                _log.error("there is no room at all: %s", error)
        self._core = None
        self.lost += 1
        return []

    def _fresh(self) -> Core | None:
        """A core from what is committed; None where not even that finds room."""
        try:
            if self._was_fresh and not self._store.relieve():
                return None
            return self._make()
        except StoreFullError as error:
            if self._was_fresh:
                _log.error("no core can be made: %s", error)
                return None
        self._was_fresh = True
        return self._fresh()
