"""The ratchet of this box: which key MACs the next leaf, when it goes forward, when a new stretch begins.

A stretch's seed travels to the server in a sealed message and must leave no copy here: so a stretch begins only once
the server's receipt has taken the seed out of the outbox, and until then leaves go on under the stretch before. Each
hour of the machine's running (and each start) the key is replaced by the next one, for good.

In: time, and whether the seed still waits. Out: MACs. Bounded: two stretches, the one in use and the one to come.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.keeper.store.ledger import Log
from wire.ledger import LedgerSeed, Stamp
from wire.ratchet import STEP_SECONDS, first_key, mac, next_key

STRETCH_SECONDS = 3600.0
"""A stretch that is this old makes way for a new one at the next counter-signed head."""
_NOT_BEGUN = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    number: int
    begins: int
    step: int
    boot: str
    due: float
    """Seconds of the monotonic clock of run `boot` at which the key is replaced."""
    key: bytes


class Ratchet:
    """State of the ratchet; all calls within the store's transaction."""

    def __init__(self, log: Log, *, epoch: str, overwritten: Callable[[], None]) -> None:
        """`overwritten` is called where a key was replaced in the table: the database's log must not keep it either."""
        self._log = log
        self._epoch = epoch
        self._overwritten = overwritten
        self._now: _Stretch | None = None
        self._next: _Stretch | None = None
        self.rolled_back()

    def rolled_back(self) -> None:
        """The tables are what counts."""
        self._now = self._next = None
        for number, begins, step, boot, due, key in self._log.ratchets():
            stretch = _Stretch(number=number, begins=begins, step=step, boot=boot, due=due, key=key)
            if begins == _NOT_BEGUN:
                self._next = stretch
            else:
                self._now = stretch

    @property
    def waits(self) -> int | None:
        """The stretch whose seed is on its way; None where there is none."""
        return None if self._next is None else self._next.number

    def mark(self, leaf_hash: bytes) -> tuple[int, int, bytes] | None:
        """Stretch, step and MAC for a leaf; None before the first stretch: the server holds no seed yet."""
        if self._now is None:
            return None
        return self._now.number, self._now.step, mac(self._now.key, leaf_hash)

    def forward(self, at: Stamp) -> None:
        """Replace the key as often as hours have passed; once at a start, since nobody knows how long it was off."""
        now = self._now
        if now is None:
            return
        seconds = at.mono_ms / 1000
        steps, due = 0, now.due
        if now.boot != at.boot:
            steps, due = 1, seconds + STEP_SECONDS
        elif seconds >= due:
            steps = 1 + int((seconds - due) // STEP_SECONDS)
            due += steps * STEP_SECONDS
        if not steps:
            return
        key = now.key
        for _ in range(steps):
            key = next_key(key)
        self._put(replace(now, step=now.step + steps, boot=at.boot, due=due, key=key))

    def due(self, at: Stamp) -> bool:
        """Whether a new stretch should be prepared, now that the server is there."""
        if self._next is not None:
            return False
        now = self._now
        return now is None or now.boot != at.boot or now.step * STEP_SECONDS >= STRETCH_SECONDS

    def prepare(self, at: Stamp, *, size: int) -> LedgerSeed:
        """A new stretch's seed, to be sent; it begins with `begin` when the server has it."""
        seed = secrets.token_bytes(32)
        number = 1 if self._now is None else self._now.number + 1
        self._put(
            _Stretch(
                number=number,
                begins=_NOT_BEGUN,
                step=0,
                boot=at.boot,
                due=0.0,
                key=first_key(seed, epoch=self._epoch, stretch=number),
            )
        )
        return LedgerSeed(epoch=self._epoch, stretch=number, begins=size, seed=seed.hex())

    def begin(self, at: Stamp, *, size: int) -> None:
        """The server has the seed: the next leaf is the first one under it, and the keys before are forgotten."""
        coming = self._next
        if coming is None:
            return
        self._next = None
        self._log.drop_ratchets(coming.number)
        self._put(replace(coming, begins=size, boot=at.boot, due=at.mono_ms / 1000 + STEP_SECONDS))

    def abandon(self) -> None:
        """It is not known that the server has the seed: the stretch never begins."""
        if self._next is not None:
            self._log.drop_ratchet(self._next.number)
            self._next = None

    def _put(self, stretch: _Stretch) -> None:
        self._log.put_ratchet(
            stretch.number,
            begins=stretch.begins,
            step=stretch.step,
            boot=stretch.boot,
            due=stretch.due,
            key=stretch.key,
        )
        if stretch.begins == _NOT_BEGUN:
            self._next = stretch
        else:
            self._now = stretch
            self._overwritten()
