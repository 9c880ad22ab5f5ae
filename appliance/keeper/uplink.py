"""The way to the courier and back: what to publish next, and opening what comes down.

In: credit, receipts, time. Out: signed and sealed `Outbound` messages; opened payloads. A row stays
in the outbox until the server's own receipt (a PUBACK is not custody); one that is not received
`RESEND_SECONDS` after it was sent goes again, later each time.

Few rows go alone; a backlog goes in batches, by class and age. A finding that is newer than the connection
overtakes the backlog, older findings with it. What lies outside the outbox and can wait (`bulk`) goes when nothing
else does.

Bounded: `WINDOW` rows on their way, and as many findings on top, so that no pile of states holds
a finding up; so much is also what an alert may find before it on the way. Rows that the server never confirms while
it confirms others (`event-conflict`: the box's storage was set back) count apart, up to `ASIDE_MOST`: what is new passes them.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import OutboxRow, Priority
from appliance.messages import Outbound
from wire.base import Payload
from wire.batch import MAX_ITEMS, Batch
from wire.box import BoxStatus
from wire.codec import MAX_PAYLOAD, Opened, WireError, open_sealed, payload_json, seal
from wire.models import TYPES, MessageType, Receipt, type_of
from wire.renewal import RenewalRequest, renewal_bytes
from wire.topics import Channel, Topic

RESEND_SECONDS = 5.0
RESEND_MOST = 240.0
WINDOW = 4096
ASIDE_MOST = 8 * WINDOW
BATCH_FROM = 16
"""Fewer rows than this of a class travel alone: nothing is gained, and each can be refused for itself."""
BULK_MOST = 4
"""Messages of the bulk sources in one turn."""
BULK_RESERVE = 16
"""So much credit stays for what matters more."""
_READ_OCTETS = 40 * 1024
_HEAD_OCTETS = 128
"""A batch's own words around its items."""
_BATCH = next(entry for entry in TYPES.values() if entry.model is Batch)

_log = logging.getLogger(__name__)

Bulk = Callable[[float], Payload | None]
"""(Unix seconds) -> what to send next when the way is free; None: nothing now. It may be lost: who wants it asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the box is and whom it trusts."""

    tenant: str
    site: str
    signer: Ed25519PrivateKey
    opener: X25519PrivateKey
    server_verify: tuple[Ed25519PublicKey, ...]
    server_seal: X25519PublicKey


@dataclass(slots=True, kw_only=True)
class _Flight:
    """One message on its way."""

    seqs: set[int]
    """Rows in it that were not received."""
    urgency: int
    due: float
    wait: float
    receipts: int
    """How many receipts there were when it was sent last."""
    aside: bool = False
    """The server confirms others and not this one, however often it is sent."""


class Uplink:
    """State of the conversation with the courier."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self._store = store
        self.identity = identity
        self._flights: dict[int, _Flight] = {}
        self._of: dict[int, int] = {}
        """Number of the flight that a row is in."""
        self._next_flight = 1
        self._aside = 0
        """Rows of flights that are set aside."""
        self._receipts = 0
        self._resend_at = float("inf")
        self._cursors = dict.fromkeys(Priority, 0)
        """Of each class: up to here every row is on its way or gone."""
        self._live = 0
        """The same of findings that came after `_top`."""
        self._top = 0
        """The last row there was when the broker came: findings after it are news."""
        self._credit = 0
        self._connected = False
        self._bulk: list[Bulk] = []
        self.broker_connected = False
        self.given_up = 0
        """Rows that no message can carry."""

    def bulk(self, source: Bulk) -> None:
        """Have a source asked when nothing else is to be sent and credit is left."""
        self._bulk.append(source)

    def connected(self, now: float) -> Outbound:
        """The courier is there: start over. Returns the last will, always the first message."""
        self.gone()
        self._connected = True
        return self.status(BoxStatus(online=False, at=_utc(now)), now)

    def gone(self) -> None:
        """The courier is gone, and with it what was on its way and its credit."""
        self._flights.clear()
        self._of.clear()
        self._aside = 0
        self._resend_at = float("inf")
        self._cursors = dict.fromkeys(Priority, 0)
        self._live = self._top = self._store.outbox.last()
        self._credit = 0
        self._connected = False
        self.broker_connected = False

    def credit(self, count: int) -> None:
        """The courier can take this many more."""
        self._credit = min(self._credit + max(count, 0), 65_536)

    def broker(self, *, connected: bool) -> None:
        """The courier's session with the broker came or went; what was on its way is sent again."""
        if connected and not self.broker_connected:
            for flight in self._flights.values():
                flight.due, flight.wait = 0.0, RESEND_SECONDS
            self._resend_at = 0.0 if self._flights else float("inf")
            # What waited so far is backlog now; what of it is on its way already is passed over.
            self._live = self._top = self._store.outbox.last()
        self.broker_connected = connected

    @property
    def has_credit(self) -> bool:
        """Whether the courier takes another message now."""
        return self._connected and self._credit > 0

    def take_credit(self) -> bool:
        """Use one credit for a message outside the outbox."""
        if not self.has_credit:
            return False
        self._credit -= 1
        return True

    def pump(self, monotonic: float, at: float) -> list[Outbound]:
        """What to publish now, findings first, as far as the credit goes. `at` is Unix seconds."""
        if not self.has_credit:
            return []
        sent = self._fresh((Priority.FINDING,), monotonic)
        sent += self._again(monotonic)
        sent += self._fresh(tuple(Priority)[1:], monotonic)
        sent += self._beside(at)
        return sent

    # --- what is new ------------------------------------------------------------------------

    def _fresh(self, classes: Sequence[Priority], monotonic: float) -> list[Outbound]:
        sent: list[Outbound] = []
        for priority in classes:
            while self._credit and (rows := self._next(priority)):
                sent += self._launch(priority, rows, monotonic)
        return sent

    def _next(self, priority: Priority) -> list[OutboxRow]:
        """The next rows of a class that are not on their way; of findings, the news first."""
        outbox, room = self._store.outbox, WINDOW - len(self._of) + min(self._aside, ASIDE_MOST)
        if priority is Priority.FINDING and room + WINDOW > 0:
            most = min(MAX_ITEMS, room + WINDOW)
            if rows := self._unsent(outbox.after(priority, self._live, most=most, octets=_READ_OCTETS)):
                return rows
        while room > 0:
            rows = outbox.after(priority, self._cursors[priority], most=min(MAX_ITEMS, room), octets=_READ_OCTETS)
            if priority is Priority.FINDING:
                rows = [row for row in rows if row.seq <= self._top]
            if not rows or (fresh := self._unsent(rows)):
                return fresh if rows else []
            self._cursors[priority] = rows[-1].seq
        return []

    def _unsent(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        return [row for row in rows if row.seq not in self._of]

    def _launch(self, priority: Priority, rows: Sequence[OutboxRow], monotonic: float) -> list[Outbound]:
        """Send rows that were never sent, alone or as one batch, and move the cursor past them."""
        groups = [self._packed(rows)] if len(rows) >= BATCH_FROM else [[row] for row in rows]
        sent: list[Outbound] = []
        for group in groups:
            if not self._credit:
                break
            message = self._try_sealed(group)
            last = group[-1].seq
            if priority is Priority.FINDING and last > self._top:
                self._live = last
            else:
                self._cursors[priority] = last
            if message is None:
                continue
            number, self._next_flight = self._next_flight, self._next_flight + 1
            flight = _Flight(
                seqs={row.seq for row in group},
                urgency=priority,
                due=monotonic + RESEND_SECONDS,
                wait=2 * RESEND_SECONDS,
                receipts=self._receipts,
            )
            self._flights[number] = flight
            self._of.update(dict.fromkeys(flight.seqs, number))
            self._resend_at = min(self._resend_at, flight.due)
            self._credit -= 1
            sent.append(message)
        return sent

    # --- what was not received --------------------------------------------------------------

    def _again(self, monotonic: float) -> list[Outbound]:
        """Messages that were sent and not received in time."""
        if monotonic < self._resend_at:
            return []
        sent: list[Outbound] = []
        due = [(flight.urgency, number) for number, flight in self._flights.items() if flight.due <= monotonic]
        for _urgency, number in sorted(due):
            if not self._credit:
                break
            flight = self._flights[number]
            rows = [row for seq in sorted(flight.seqs) if (row := self._store.outbox.row(seq)) is not None]
            self._forget(flight.seqs - {row.seq for row in rows})  # superseded on its way
            message = self._try_sealed(rows) if rows else None
            if message is None:
                continue
            if flight.wait >= RESEND_MOST and flight.receipts < self._receipts and not flight.aside:
                flight.aside = True
                self._aside += len(flight.seqs)
            flight.receipts = self._receipts
            flight.due, flight.wait = monotonic + flight.wait, min(flight.wait * 2, RESEND_MOST)
            self._credit -= 1
            sent.append(message)
        self._resend_at = min((flight.due for flight in self._flights.values()), default=float("inf"))
        return sent

    def _forget(self, seqs: set[int]) -> None:
        """Rows that are not on their way any more."""
        for seq in seqs:
            number = self._of.pop(seq, None)
            if number is None:
                continue
            flight = self._flights[number]
            flight.seqs.discard(seq)
            self._aside -= flight.aside
            if not flight.seqs:
                del self._flights[number]

    def received(self, receipt: Receipt) -> int:
        """Delete what the server has; returns how many rows went."""
        gone = 0
        self._receipts += 1
        for first, last in receipt.ranges:
            gone += self._store.outbox.received(receipt.epoch, first, last)
            if receipt.epoch == self._store.epoch:
                if last - first < len(self._of):
                    self._forget({seq for seq in range(first, last + 1) if seq in self._of})
                else:
                    self._forget({seq for seq in self._of if first <= seq <= last})
        return gone

    # --- beside the outbox ------------------------------------------------------------------

    def status(self, status: BoxStatus, now: float) -> Outbound:
        """A status message."""
        return self.beside(status, now)

    def beside(self, payload: Payload, now: float) -> Outbound:
        """A message outside the outbox: it goes once, and nobody owes a receipt for it.

        Raises:
            WireError: larger than any message.
        """
        number = self._store.next_status_number()
        id_ = f"{self._store.epoch}-s{number}"
        return self._outbound(type_of(payload), payload_json(payload), id_=id_, sequence=number, at=now)

    def renewal(self, csr: str, now: float) -> bytes:
        """A request for the box's next certificate, signed with the key that it was enrolled with."""
        tenant, site, at = self.identity.tenant, self.identity.site, _utc(now)
        signature = self.identity.signer.sign(renewal_bytes(tenant=tenant, site=site, csr=csr, at=at))
        text = base64.b64encode(signature).decode()
        return payload_json(RenewalRequest(tenant=tenant, site=site, csr=csr, at=at, signature=text))

    def _beside(self, at: float) -> list[Outbound]:
        sent: list[Outbound] = []
        for source in self._bulk:
            while self._credit > BULK_RESERVE and len(sent) < BULK_MOST and (payload := source(at)) is not None:
                sent.append(self.beside(payload, at))
                self._credit -= 1
        return sent

    def open(self, topic: str, body: bytes) -> Opened:
        """Open what came from the broker.

        Raises:
            WireError: not for this box, not signed by the server, or not well formed.
        """
        opened = open_sealed(body, topic=topic, recipient=self.identity.opener, signers=self.identity.server_verify)
        if (opened.topic.tenant, opened.topic.site) != (self.identity.tenant, self.identity.site):
            raise WireError("it is for another box")
        if opened.topic.channel is not Channel.CMD:
            raise WireError("it does not come down")
        return opened

    # --- sealing ----------------------------------------------------------------------------

    def _try_sealed(self, rows: Sequence[OutboxRow]) -> Outbound | None:
        """One that no message can carry is given up and said: it must not end the keeper at every start."""
        try:
            return self._sealed(rows)
        except WireError as error:
            row = rows[0]
            _log.error("message %d (%s) can never be sent and is given up: %s", row.seq, row.type, error)
            self._store.outbox.received(self._store.epoch, row.seq, row.seq)
            self._forget({row.seq})
            self.given_up += 1
            return None

    def _sealed(self, rows: Sequence[OutboxRow]) -> Outbound:
        first = rows[0]
        if len(rows) == 1 and first.type in TYPES:  # of what a newer version left here only a batch can be made
            body = first.body.encode()
            id_ = f"{first.epoch}-{first.seq}"
            return self._outbound(TYPES[first.type], body, id_=id_, sequence=first.seq, at=first.created)
        items = ",".join(map(_item, rows))
        body = f'{{"epoch":{json.dumps(first.epoch)},"items":[{items}]}}'.encode()
        id_ = f"{first.epoch}-b{first.seq}"
        return self._outbound(_BATCH, body, id_=id_, sequence=first.seq, at=rows[-1].created)

    def _packed(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        """As many of the first rows as fit one batch; at least one."""
        packed, held = [rows[0]], _HEAD_OCTETS + len(_item(rows[0]).encode())
        for row in rows[1:]:
            held += len(_item(row).encode()) + 1
            if held > MAX_PAYLOAD or row.epoch != rows[0].epoch:
                break
            packed.append(row)
        return packed

    def _outbound(self, entry: MessageType, body: bytes, *, id_: str, sequence: int, at: float) -> Outbound:
        topic = Topic(tenant=self.identity.tenant, site=self.identity.site, channel=entry.channel, name=entry.name)
        sealed = seal(
            body,
            type_=entry.ce_type,
            topic=topic,
            id_=id_,
            sequence=sequence,
            at=_utc(at),
            signer=self.identity.signer,
            recipient=self.identity.server_seal,
        )
        return Outbound(topic=str(topic), body=sealed)


def _item(row: OutboxRow) -> str:
    """A `wire.batch.BatchItem`, written straight: a model for each of a million rows is most of the work."""
    body = json.dumps(row.body, ensure_ascii=False)
    return (
        f'{{"body":{body},"created":"{_utc(row.created).isoformat()}","seq":{row.seq},"type":{json.dumps(row.type)}}}'
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
