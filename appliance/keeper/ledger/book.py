"""The ledger: every record of what the box found, decided and could see, in a log that nobody can change unseen (R68).

In: bodies (canonical JSON) with their kind, data class and whom they are about. Out: a position in the log. A record
is written in the store's transaction with what it records; its stamp is that of the turn (`begin`). The body is
salted and sealed by the vault; the leaf holds a commitment to it and says nothing of whom it is about.

Bounded: `MAX_LEAVES` leaves. The last `RESERVE` of them are for what the box may never be silent about: when the log
is that full, a gap record says so, repeats of less weight are refused and counted, and the hourly coverage record says
how many. A body is at most `MAX_BODY` octets; a longer one is recorded as its length and hash.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from typing import Any, Protocol

from appliance.keeper.ledger.ratchet import Ratchet
from appliance.keeper.store.ledger import Log, Row
from wire import ledger, merkle
from wire.ledger import ClockState, Leaf, RecordKind, Stamp

MAX_LEAVES = 10_000_000
RESERVE = 200_000
MAX_BODY = 64 * 1024
SALT = 32
BOX = "box"
"""Data class of a record that is about no device."""

LESSER = frozenset({RecordKind.DEVICE, RecordKind.PROPOSAL, RecordKind.SESSION, RecordKind.SIGNALS, RecordKind.NAMES})
"""Kinds that are refused first."""

UNSTAMPED = Stamp(wall_ms=0, mono_ms=0, boot="0", clock=ClockState.FREE)
"""Of records that were written before any turn began: only scripts do that."""


class Sealer(Protocol):
    """What the vault does for the ledger."""

    def seal(self, data_class: str, at: float, plain: bytes) -> tuple[int, bytes]:
        """Number of the key, and the octets sealed."""

    def open(self, key: int, sealed: bytes) -> bytes | None:
        """The octets; None where the key was destroyed."""


class Ledger:
    """The log of one box; all calls within the store's transaction."""

    def __init__(
        self, log: Log, vault: Sealer, *, epoch: str, overwritten: Callable[[], None], limit: int = MAX_LEAVES
    ) -> None:
        """`overwritten` is called where keys or bodies went: the database's own log must not keep them either."""
        self.log = log
        self.epoch = epoch
        self.ratchet = Ratchet(log, epoch=epoch, overwritten=overwritten)
        self.refused = 0
        """Records that found no room, since the last coverage record (see `coverage`)."""
        self.overflow = 0
        """All that went over a bound, since start."""
        self.urgent = False
        """Something was recorded with which a head is signed at once (see `heads`)."""
        self._vault = vault
        self._overwritten = overwritten
        self._limit = limit
        self._reserve = min(RESERVE, limit // 2)
        self._frontier = log.frontier()
        self._stamp = UNSTAMPED

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._frontier.size

    @property
    def root(self) -> bytes:
        """Root of the log as it stands."""
        return self._frontier.root

    @property
    def stamp(self) -> Stamp:
        """The moment of this turn."""
        return self._stamp

    def begin(self, stamp: Stamp) -> None:
        """A turn begins: what is written in it was made at this moment."""
        self._stamp = stamp
        self.ratchet.forward(stamp)

    def rolled_back(self) -> None:
        """What was written in the transaction is gone."""
        self._frontier = self.log.frontier()
        self.ratchet.rolled_back()

    # --- writing ----------------------------------------------------------------------------

    def note(
        self,
        kind: RecordKind,
        plain: dict[str, Any],
        *,
        data_class: str = BOX,
        macs: Collection[str] = (),
        device_id: str | None = None,
    ) -> int:
        """Write a record of what has no payload of its own; `plain` holds what JSON can say."""
        return self.write(kind, ledger.canonical(plain), data_class=data_class, macs=macs, device_id=device_id)

    def write(
        self,
        kind: RecordKind,
        body: bytes,
        *,
        data_class: str = BOX,
        macs: Collection[str] = (),
        device_id: str | None = None,
    ) -> int:
        """Write a record; its position, or -1 where there was no room, which the log itself says."""
        if not self._has_room(kind):
            return -1
        return self._append(kind, body, data_class, (*macs, *(() if device_id is None else (device_id,))))

    def _has_room(self, kind: RecordKind) -> bool:
        left = self._limit - self.size
        if left > self._reserve or (left > 0 and kind not in LESSER):
            return True
        if self.refused == 0 and left > 0:
            gap = {"cause": "ledger-full", "kept": sorted(kind.value for kind in set(RecordKind) - LESSER)}
            self._append(RecordKind.GAP, ledger.canonical(gap), BOX, ())
        self.refused += 1
        self.overflow += 1
        return False

    def _append(self, kind: RecordKind, body: bytes, data_class: str, about: Collection[str]) -> int:
        if len(body) > MAX_BODY:
            self.overflow += 1
            body = ledger.canonical({"too_long": len(body), "sha256": hashlib.sha256(body).hexdigest()})
        n, at, salt = self._frontier.size, self._stamp, secrets.token_bytes(SALT)
        committed = ledger.commitment(salt, body)
        leaf = Leaf(epoch=self.epoch, n=n, kind=kind, data_class=data_class, at=at, commitment=committed)
        hashed = merkle.leaf_hash(ledger.leaf_bytes(leaf))
        key, sealed = self._vault.seal(data_class, at.wall_ms / 1000, salt + body)
        stretch, step, mac = self.ratchet.mark(hashed) or (None, None, None)
        row = Row(
            n=n,
            kind=kind,
            data_class=data_class,
            at=at,
            commitment=bytes.fromhex(committed),
            hash=hashed,
            key=key,
            sealed=sealed,
            stretch=stretch,
            step=step,
            mac=mac,
        )
        self.log.append(row, about, self._frontier.append(hashed))
        return n

    def forget(self, subjects: Collection[str], kinds: Collection[RecordKind], *, why: str) -> int:
        """Erase bodies of these kinds about these, which may not be kept any more; how many. The log says that it did."""
        gone = self.log.erase(self.log.of_kinds(subjects, kinds))
        if gone:
            self._overwritten()
            self.note(RecordKind.ERASURE, {"why": why, "kinds": sorted(kind.value for kind in kinds), "count": gone})
        return gone

    # --- reading ----------------------------------------------------------------------------

    def body(self, row: Row) -> tuple[bytes, bytes] | None:
        """Salt and body of a leaf; None once it was erased, or where what is kept is not what was committed to."""
        if row.key is None or row.sealed is None:
            return None
        plain = self._vault.open(row.key, row.sealed)
        if plain is None or hashlib.sha256(plain).digest() != row.commitment:
            return None
        return plain[:SALT], plain[SALT:]
