"""Signed heads of the log, their counter-signatures, and the seeds of the ratchet (R68, N3).

A head is signed when `SPACING` seconds have passed since the last one and the log grew, when it grew by `RECORDS`, or
at once with a finding for now or today. It carries the proof that it continues the head which the server last
counter-signed. Where the server counter-signed what this log does not hold (the box was copied, or set back), the next
head says so by a proof that cannot hold: the server raises the finding, and counter-signs nothing of this box any more.

In: time, answers of the server. Out: rows of the outbox and of the table of heads. Callers hold the store's
transaction. Bounded: one head waits at a time, a newer one takes its place; one seed waits at a time.
"""

from __future__ import annotations

import logging

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from wire.base import Payload
from wire.codec import payload_json
from wire.ledger import Head, HeadCosigned, cosigned_bytes, head_bytes, holds, signed
from wire.merkle import consistency_of
from wire.models import type_of

SPACING = 60.0
RECORDS = 100
AT_ONCE = 1.0
"""Heads for alerts are at least this many seconds apart."""

_SINCE, _HEARD_AT = "ledger_since", "ledger_heard_at"
_SEED = "gatehouse.seed.v1"
_UNSIGNED = "A" * 86 + "=="

_log = logging.getLogger(__name__)


class Heads:
    """Signs, sends and keeps heads."""

    def __init__(
        self,
        store: Store,
        *,
        tenant: str,
        site: str,
        signer: Ed25519PrivateKey,
        server_verify: tuple[Ed25519PublicKey, ...],
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._site = site
        self._signer = signer
        self._server_verify = server_verify
        last = store.ledger.log.latest_head()
        self._size = 0 if last is None else last.size
        """Of the last head."""
        self._signed_at = float("-inf")
        self._heard_at = float(store.get(_HEARD_AT) or "0")
        """When the server signed the newest counter-signature."""
        self._since = int(store.get(_SINCE) or "0")
        """What the server last counter-signed, whether this log holds it or not."""
        self._told = 0
        """From where the last head's proof began."""
        self._again = False
        """The last head is to be said anew: its proof did not begin where the server stands."""
        self._dropped: int | None = None
        """What the outbox had dropped when the seed was put in."""
        self.disputed = False
        """The server counter-signed a head that this log does not hold."""

    def tick(self, monotonic: float, *, at_once: bool = False) -> None:
        """Sign a head if one is due, or with `at_once` if the log grew; begin the stretch whose seed has arrived."""
        ledger = self._store.ledger
        self._begin_stretch()
        grown, passed = ledger.size - self._size, monotonic - self._signed_at
        if grown > 0:
            soon = (ledger.urgent or grown >= RECORDS) and passed >= AT_ONCE
            due = at_once or soon or passed >= SPACING
        else:
            due = self._again and passed >= AT_ONCE and ledger.size > 0
        if due:
            self._sign(monotonic)

    def _sign(self, monotonic: float) -> None:
        ledger = self._store.ledger
        size, since = ledger.size, self._since
        proof = consistency_of(ledger.log.subtree, since, size) if since <= size else ()
        head = Head(
            tenant=self._tenant,
            site=self._site,
            epoch=ledger.epoch,
            size=size,
            root=ledger.root.hex(),
            at=ledger.stamp,
            signature=_UNSIGNED,
            consistency=tuple(item.hex() for item in proof),
            since=since,
        )
        head = head.model_copy(update={"signature": signed(self._signer, head_bytes(head))})
        ledger.log.put_head(head)
        self._send(head, subject="head")
        self._size, self._signed_at, self._told = size, monotonic, since
        self._again = ledger.urgent = False

    def _send(self, payload: Payload, *, subject: str) -> None:
        self._store.outbox.add(
            type_=type_of(payload).ce_type,
            subject=subject,
            body=payload_json(payload).decode(),
            priority=Priority.LEDGER,
            created=self._store.ledger.stamp.wall_ms / 1000,
            supersede=True,
        )

    # --- answers ----------------------------------------------------------------------------

    def cosigned(self, said: HeadCosigned) -> bool:
        """The server counter-signed a head; false where that is not for this log, or not signed by the server."""
        ledger = self._store.ledger
        message = cosigned_bytes(
            tenant=self._tenant, site=self._site, epoch=said.epoch, size=said.size, root=said.root, at=said.at
        )
        if said.epoch != ledger.epoch or said.size < 1 or not holds(said.signature, message, self._server_verify):
            return False
        ours = said.size <= ledger.size and ledger.log.root_at(said.size).hex() == said.root
        if ours:
            ledger.log.put_cosigned(said.size, said.at.timestamp(), said.signature)
            self._prepare_stretch()
        else:
            self.disputed = True
            _log.error("the server counter-signed a head of %d records that this log does not hold", said.size)
        # A server that was set back to a backup stands earlier than before: the next proof begins there. What this
        # log does not hold is only ever gone forward to, so that the server sees the proof fail.
        # A counter-signature that was kept back and comes again moves nothing.
        at = said.at.timestamp()
        newer = at > self._heard_at
        if newer:
            self._heard_at = at
            self._store.set(_HEARD_AT, repr(at))
        if said.size > self._since or (newer and ours and said.size < self._since):
            self._since = said.size
            self._store.set(_SINCE, str(said.size))
        if self._told != self._since and (not ours or self._size > said.size):
            self._again = True
        return True

    # --- the ratchet ------------------------------------------------------------------------

    def _prepare_stretch(self) -> None:
        ledger = self._store.ledger
        if not ledger.ratchet.due(ledger.stamp):
            return
        seed = ledger.ratchet.prepare(ledger.stamp, size=ledger.size)
        self._send(seed, subject=str(seed.stretch))
        self._dropped = self._store.outbox.dropped

    def _begin_stretch(self) -> None:
        """The seed has left the outbox: by the server's receipt, or else it is lost and another is made."""
        ledger = self._store.ledger
        waits = ledger.ratchet.waits
        if waits is None or self._store.outbox.holds(type_=_SEED, subject=str(waits)):
            return
        if self._dropped == self._store.outbox.dropped:
            ledger.ratchet.begin(ledger.stamp, size=ledger.size)
        else:
            ledger.ratchet.abandon()
        self._dropped = None
