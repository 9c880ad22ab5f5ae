"""The way to the courier and back: what to publish next, and opening what comes down.

In: credit, receipts, time. Out: signed and sealed `Outbound` messages; opened payloads. A row stays
in the outbox until the server's own receipt (a PUBACK is not custody); one that is not received
`RESEND_SECONDS` after it was sent goes again, later each time.

Bounded: `WINDOW` rows on their way, and as many findings on top, so that no pile of states holds
a finding up.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import OutboxRow
from appliance.messages import Outbound
from wire.box import BoxStatus
from wire.codec import Opened, WireError, open_sealed, payload_json, seal, topic_for
from wire.models import TYPES, Receipt, type_of
from wire.topics import Channel, Topic

RESEND_SECONDS = 5.0
RESEND_MOST = 240.0
WINDOW = 256

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the box is and whom it trusts."""

    tenant: str
    site: str
    signer: Ed25519PrivateKey
    opener: X25519PrivateKey
    server_verify: tuple[Ed25519PublicKey, ...]
    server_seal: X25519PublicKey


@dataclass(slots=True)
class _Flight:
    due: float
    wait: float


class Uplink:
    """State of the conversation with the courier."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self._store = store
        self._identity = identity
        self._flights: dict[int, _Flight] = {}
        self._credit = 0
        self._connected = False
        self.broker_connected = False
        self.given_up = 0
        """Rows that no message can carry."""

    def connected(self, now: float) -> Outbound:
        """The courier is there: start over. Returns the last will, always the first message."""
        self.gone()
        self._connected = True
        return self.status(BoxStatus(online=False, at=_utc(now)), now)

    def gone(self) -> None:
        """The courier is gone, and with it what was on its way and its credit."""
        self._flights.clear()
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
        self.broker_connected = connected

    def take_credit(self) -> bool:
        """Use one credit for a message outside the outbox."""
        if not self._connected or not self._credit:
            return False
        self._credit -= 1
        return True

    def pump(self, monotonic: float) -> list[Outbound]:
        """What to publish now, findings first, as far as the credit goes."""
        if not self._connected or not self._credit:
            return []
        rows = [*self._overdue(monotonic), *self._fresh(self._credit)]
        rows.sort(key=lambda row: (row.priority, row.seq))
        rows = rows[: self._credit]
        for row in rows:
            flight = self._flights.setdefault(row.seq, _Flight(due=0.0, wait=RESEND_SECONDS))
            flight.due = monotonic + flight.wait
            flight.wait = min(flight.wait * 2, RESEND_MOST)
        sealed = [message for row in rows if (message := self._try_sealed(row)) is not None]
        self._credit -= len(sealed)
        return sealed

    def _try_sealed(self, row: OutboxRow) -> Outbound | None:
        """One that no message can carry is given up and said: it must not end the keeper at every start."""
        try:
            return self._sealed(row)
        except WireError as error:
            _log.error("message %d (%s) can never be sent and is given up: %s", row.seq, row.type, error)
            self._store.outbox.received(self._store.epoch, row.seq, row.seq)
            self._flights.pop(row.seq, None)
            self.given_up += 1
            return None

    def _overdue(self, monotonic: float) -> list[OutboxRow]:
        """Rows that were sent and not received in time."""
        rows: list[OutboxRow] = []
        for seq in [seq for seq, flight in self._flights.items() if flight.due <= monotonic]:
            row = self._store.outbox.row(seq)
            if row is None:  # superseded on its way
                del self._flights[seq]
            else:
                rows.append(row)
        return rows

    def _fresh(self, most: int) -> list[OutboxRow]:
        flights = len(self._flights)
        if flights >= 2 * WINDOW:
            return []
        if flights >= WINDOW:
            most = min(most, 2 * WINDOW - flights)
            return self._store.outbox.waiting(without=self._flights, most=most, urgent_only=True)
        return self._store.outbox.waiting(without=self._flights, most=min(most, WINDOW - flights))

    def received(self, receipt: Receipt) -> int:
        """Delete what the server has; returns how many rows went."""
        gone = 0
        for first, last in receipt.ranges:
            gone += self._store.outbox.received(receipt.epoch, first, last)
            if receipt.epoch == self._store.epoch:
                for seq in [seq for seq in self._flights if first <= seq <= last]:
                    del self._flights[seq]
        return gone

    def status(self, status: BoxStatus, now: float) -> Outbound:
        """A status message, outside the outbox."""
        number = self._store.next_status_number()
        topic = topic_for(status, tenant=self._identity.tenant, site=self._identity.site)
        body = seal(
            payload_json(status),
            type_=type_of(status).ce_type,
            topic=topic,
            id_=f"{self._store.epoch}-s{number}",
            sequence=number,
            at=_utc(now),
            signer=self._identity.signer,
            recipient=self._identity.server_seal,
        )
        return Outbound(topic=str(topic), body=body)

    def open(self, topic: str, body: bytes) -> Opened:
        """Open what came from the broker.

        Raises:
            WireError: not for this box, not signed by the server, or not well formed.
        """
        opened = open_sealed(body, topic=topic, recipient=self._identity.opener, signers=self._identity.server_verify)
        if (opened.topic.tenant, opened.topic.site) != (self._identity.tenant, self._identity.site):
            raise WireError("it is for another box")
        if opened.topic.channel is not Channel.CMD:
            raise WireError("it does not come down")
        return opened

    def _sealed(self, row: OutboxRow) -> Outbound:
        entry = TYPES[row.type]
        topic = Topic(tenant=self._identity.tenant, site=self._identity.site, channel=entry.channel, name=entry.name)
        body = seal(
            row.body.encode(),
            type_=row.type,
            topic=topic,
            id_=f"{row.epoch}-{row.seq}",
            sequence=row.seq,
            at=_utc(row.created),
            signer=self._identity.signer,
            recipient=self._identity.server_seal,
        )
        return Outbound(topic=str(topic), body=body)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
