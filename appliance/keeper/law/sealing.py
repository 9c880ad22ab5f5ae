"""What is heard before anybody vouches for the time: sealed unreadable, then released or destroyed unread (R54).

In: observations of a turn, while the time is not authenticated; the key, in a signed answer. Out: rows of ciphertext;
later the same observations, with the time they were heard at, those that are provably within the authority.

At the first need of a run of the machine a key pair (X25519) is made. The private key is sealed to the server and
forgotten: nobody at the box can read what is sealed, nor can who takes the box away. What was sealed in another run
of the machine has no time any more that could be proved: it is destroyed unread and counted.

A batch is provable where the whole of it, with the error of its time on both sides, lies where one document was in
force, outside every pause. Until all is released, what is heard goes on being sealed: the order of things is kept.
Bounded: see `store.sealed`; `RELEASE_ROWS` rows a turn; what finds no room is counted in `dropped`. The second half of
the room is for devices on the register, so that addresses somebody makes up leave no gap in what is heard of these.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from appliance import messages as m
from appliance.keeper.authority import Scope
from appliance.keeper.law.timekeeping import DRIFT, Timekeeper
from appliance.keeper.minimise import DeviceObservation
from appliance.keeper.peers import Turn
from appliance.keeper.store.database import Store
from appliance.keeper.store.sealed import SealedRow
from wire.keys import public_text, seal_key
from wire.timing import open_batch, run_key, seal_batch, seal_run_key

RELEASE_ROWS = 64
BATCH = 32
_PREFIX = 8
"""Octets of a row before its ciphertext: the number of its batch."""

MOST_LATE = 600.0
"""An observation waits at most so long in a queue before it is sealed, seconds; one that says more is taken as new."""

_KEY = "sealing_key"
_COUNTED = "sealed_dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """An observation whose time is known now."""

    message: DeviceObservation
    scope: Scope
    """What was in force when it was heard."""


class Sealing:
    """Seals and releases. Callers hold the store's transaction."""

    def __init__(
        self,
        store: Store,
        clock: Timekeeper,
        *,
        server: X25519PublicKey,
        tenant: str,
        site: str,
        within: Callable[[float, float], Scope | None],
    ) -> None:
        """`within` says what was in force during the whole of a time."""
        self._store = store
        self._clock = clock
        self._server = server
        self._tenant = tenant
        self._site = site
        self._within = within
        self._public: X25519PublicKey | None = None
        self._sealed_key: str | None = None
        self._private: X25519PrivateKey | None = None
        self._number = 0
        self._waiting: list[tuple[float, DeviceObservation, bool]] = []
        self.dropped = int(store.get(_COUNTED) or "0")
        """Observations that were destroyed unread, or found no room, and that nobody was told of yet."""
        self.overflow = 0
        """Of these, since start, what found no room."""
        if not clock.scripted:
            with store.transaction():
                self._drop(store.sealed.remove_others(clock.boot))
            self._remember()

    @property
    def on(self) -> bool:
        """Whether what is heard is sealed: nobody vouches for the time, or what was sealed is not all released."""
        return not self._clock.scripted and (not self._clock.authenticated or len(self._store.sealed) > 0)

    @property
    def releasing(self) -> bool:
        """Whether there is more to release at the next turn."""
        return self._private is not None

    @property
    def count(self) -> int:
        """Observations that wait."""
        return len(self._store.sealed)

    @property
    def key(self) -> str | None:
        """The sealed key of this run of the machine, for the server; None where nothing was sealed under one."""
        return self._sealed_key if len(self._store.sealed) else None

    # --- in ---------------------------------------------------------------------------------

    def take(self, message: DeviceObservation, turn: Turn, *, on_the_register: bool) -> None:
        """Seal one observation, with the others of its turn (`flush`)."""
        late = turn.now - message.ts
        self._waiting.append((late if 0 <= late <= MOST_LATE else 0.0, message, on_the_register))

    def flush(self, monotonic: float) -> None:
        """The turn is over: its observations become one row."""
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if self._store.sealed.half_full:
                kept = [each for each in batch if each[2]]
                self._no_room(len(batch) - len(kept))
                batch = kept
            if batch:
                self._seal([(late, message) for late, message, _known in batch], monotonic)

    def _no_room(self, count: int) -> None:
        self.overflow += count
        self._drop(count)

    def _seal(self, batch: list[tuple[float, DeviceObservation]], monotonic: float) -> None:
        public = self._public or self._make()
        self._number += 1
        lates = msgspec.json.encode([late for late, _message in batch])
        plain = lates + b"\n" + m.encode(message for _late, message in batch)
        sealed = seal_batch(plain, public, boot=self._clock.boot, number=self._number)
        body = self._number.to_bytes(_PREFIX, "big") + sealed
        if not self._store.sealed.add(boot=self._clock.boot, monotonic=monotonic, observations=len(batch), body=body):
            self._no_room(len(batch))

    def _make(self) -> X25519PublicKey:
        """A key pair for this run of the machine, whose private part nobody here can read from now on."""
        private = X25519PrivateKey.generate()
        self._public = private.public_key()
        self._sealed_key = seal_run_key(
            private, self._server, tenant=self._tenant, site=self._site, boot=self._clock.boot
        )
        kept = {"boot": self._clock.boot, "public": public_text(self._public), "sealed": self._sealed_key}
        self._store.set(_KEY, json.dumps(kept))
        return self._public

    def _remember(self) -> None:
        """The pair of this run of the machine, where the keeper was started before in it."""
        text = self._store.get(_KEY)
        kept = {} if text is None else json.loads(text)
        if kept.get("boot") == self._clock.boot:
            self._public, self._sealed_key = seal_key(kept["public"]), kept["sealed"]
            self._number = max((_number(row) for row in self._store.sealed.last(1)), default=0)

    # --- out --------------------------------------------------------------------------------

    def opened(self, text: str | None) -> None:
        """The server's answer to the sealed key: the key, or another where it cannot open it. Then nobody can."""
        key = None if text is None else run_key(text)
        if key is not None and self._public is not None and public_text(key) == public_text(self._public):
            self._private = key
        elif len(self._store.sealed):
            self._drop(self._store.sealed.remove_all())

    def release(self) -> list[Released]:
        """The next observations that are provably within the authority; what is not is destroyed unread."""
        if self._private is None or not self._clock.authenticated or self._clock.anew:
            return []
        rows = self._store.sealed.first(RELEASE_ROWS)
        found: list[Released] = []
        for row in rows:
            found += self._open(row, self._private)
        if rows:
            self._store.sealed.remove(rows[-1].n)
        if not len(self._store.sealed):
            self._private = None  # nothing is left that it could open
        return found

    def _open(self, row: SealedRow, key: X25519PrivateKey) -> Sequence[Released]:
        # When it was sealed is known before it is opened; what is out of doubt outside is not opened at all.
        stamp = self._clock.stamp()
        error = (stamp.error_ms or 0) / 1000 + DRIFT * abs(stamp.mono_ms / 1000 - row.monotonic)
        sealed_at = stamp.wall_ms / 1000 - (stamp.mono_ms / 1000 - row.monotonic)
        if self._within(sealed_at - error, sealed_at + error) is None:
            self._drop(row.observations)
            return ()
        number = _number(row)
        plain = open_batch(row.body[_PREFIX:], key, boot=row.boot, number=number)
        if plain is None:
            self._drop(row.observations)
            return ()
        lates, _, body = plain.partition(b"\n")
        try:
            batch = list(zip(msgspec.json.decode(lates, type=list[float]), m.decode(body), strict=True))
        except (ValueError, msgspec.MsgspecError, m.MessageError):
            # Sealed by another version of the software since the machine started, which said it in other words.
            self._drop(row.observations)
            return ()
        found = []
        for late, message in batch:
            scope = self._within(sealed_at - late - error, sealed_at + error)
            if scope is None or not isinstance(message, DeviceObservation):
                self._drop(1)
            else:
                found.append(Released(message=moved(message, sealed_at - late), scope=scope))
        return found

    def told(self) -> int:
        """How many were dropped since this was asked last; the caller writes it down."""
        count, self.dropped = self.dropped, 0
        if count:
            self._store.set(_COUNTED, "0")
        return count

    def _drop(self, count: int) -> None:
        if count:
            self.dropped += count
            self._store.set(_COUNTED, str(self.dropped))


def moved(message: DeviceObservation, ts: float) -> DeviceObservation:
    """The observation as if heard at `ts`; what it says of a time before moves with it."""
    ts = max(ts, 0.0)
    if isinstance(message, m.SignalSeen | m.ActivitySeen):
        since = max(message.since + (ts - message.ts), 0.0)
        return msgspec.structs.replace(message, ts=ts, since=min(since, ts))
    return msgspec.structs.replace(message, ts=ts)


def _number(row: SealedRow) -> int:
    return int.from_bytes(row.body[:_PREFIX], "big")
