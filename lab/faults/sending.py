"""The box's end of the way: a store and an uplink as the keeper has them, and its socket for the courier.

In: payloads to send, and what the courier brings. Out: what the uplink would have sent. Bounded as those two are.
"""

from __future__ import annotations

import os
import select
import socket
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from appliance import clock, link
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from appliance.keeper.uplink import Identity, Uplink
from appliance.messages import BrokerState, Credit, Inbound, InboundDone, Message, RenewalSigned, RenewalWanted
from wire.base import Payload
from wire.box import BoxStatus
from wire.codec import payload_json
from wire.findings import Finding, FindingKind, Rule, Severity
from wire.models import Command, Receipt, Session, type_of


def stay(number: int, device: int, at: float) -> Session:
    """A message that is kept for itself: one stay of a device."""
    began = datetime.fromtimestamp(at, UTC)
    return Session(
        session_id=f"stay-{number}",
        revision=1,
        device_id=f"device-{device}",
        mac=f"02:00:00:fa:01:{device:02x}",
        started=began,
        ended=began,
        ended_because="It left.",
    )


def alert(number: int, at: float) -> Finding:
    """A finding that somebody should see at once."""
    moment = datetime.fromtimestamp(at, UTC)
    return Finding(
        finding_id=f"alert-{number}",
        revision=1,
        kind=FindingKind.UNREGISTERED_DEVICE,
        severity=Severity.ACT_NOW,
        device_id=f"device-{number}",
        state="open",
        first_seen=moment,
        last_seen=moment,
        raised_at=moment,
        count=1,
        rule=Rule(id="unregistered-device", version="1", authority_id="order-1", authority_number=1, clause="1"),
        confidence=1.0,
        reasons=("It has not been registered.",),
        alternatives=(),
    )


class Keeper:
    """A keeper's store and uplink, and its end of the courier's socket."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        (folder / "keeper").mkdir(parents=True, exist_ok=True)
        self.store = Store(folder / "keeper" / "keeper.db")
        self.uplink = Uplink(self.store, identity)
        self.refused = 0
        """Messages from the broker that did not hold."""
        self.receipts = 0
        self.commands: list[Command] = []
        """Those that held, as they came, repetitions too; as many as a campaign asks for."""
        self._listener = link.listen(folder / "keeper" / "courier.sock")
        self._link: link.Link | None = None
        self._unsent: deque[Message] = deque()

    def close(self) -> None:
        """Close socket and database."""
        self._lose()
        self._listener.close()
        self.store.close()

    def put(self, *payloads: Payload, at: float) -> list[int]:
        """Put messages into the outbox in one transaction; their numbers."""
        with self.store.transaction():
            return [
                self.store.outbox.add(
                    type_=type_of(payload).ce_type,
                    subject=getattr(payload, "finding_id", ""),
                    body=payload_json(payload).decode(),
                    priority=Priority.FINDING if isinstance(payload, Finding) else Priority.RECORD,
                    created=at,
                )
                for payload in payloads
            ]

    def turn(self, timeout: float = 0.05) -> None:
        """Wait for the courier at most so many seconds, and carry what there is."""
        reads: list[socket.socket | link.Link] = [self._listener, *([self._link] if self._link else [])]
        writes = [self._link] if self._link and self._unsent else []
        ready, free, _ = select.select(reads, writes, [], timeout)
        if self._listener in ready:
            self._accept()
        elif self._link is not None and self._link in ready:
            self._receive()
        if self._link is not None and (ready or free or not self._unsent):
            if len(self._unsent) < 64:  # else what waits is enough
                with self.store.transaction():
                    self._unsent += self.uplink.pump(clock.monotonic(), clock.now())
            self._flush()

    def _accept(self) -> None:
        accepted = link.accept(self._listener, {os.getuid(), 0})
        if accepted is None:
            return
        self._lose()
        self._link = accepted
        with self.store.transaction():
            self._unsent.append(self.uplink.connected(clock.now()))

    def _lose(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        self._unsent.clear()
        self.uplink.gone()

    def _receive(self) -> None:
        try:
            while self._link is not None and (batch := self._link.receive()):
                with self.store.transaction():
                    for message in batch:
                        self._take(message)
        except link.LinkClosedError:
            self._lose()

    def _take(self, message: Message) -> None:
        match message:
            case Credit(count=count):
                self.uplink.credit(count)
            case BrokerState(connected=connected):
                if connected and not self.uplink.broker_connected and self.uplink.take_credit():
                    status = BoxStatus(online=True, at=datetime.fromtimestamp(clock.now(), UTC))
                    self._unsent.append(self.uplink.status(status, clock.now()))
                self.uplink.broker(connected=connected)
            case RenewalWanted(csr=csr):
                self._unsent.append(RenewalSigned(request=self.uplink.renewal(csr, clock.now())))
            case Inbound():
                self.inbound(message.topic, message.body)
                self._unsent.append(InboundDone(token=message.token))
            case _:
                self.refused += 1

    def inbound(self, topic: str, body: bytes) -> Payload | None:
        """Open what came down; a receipt empties the outbox."""
        try:
            payload = self.uplink.open(topic, body).payload
        except ValueError:
            self.refused += 1
            return None
        if isinstance(payload, Receipt):
            self.receipts += 1
            self.uplink.received(payload)
        elif isinstance(payload, Command):
            self.commands.append(payload)
        return payload

    def _flush(self) -> None:
        try:
            while self._unsent and self._link is not None:
                self._link.send(self._unsent[0])
                self._unsent.popleft()
        except link.LinkFullError:
            pass
        except link.LinkClosedError:
            self._lose()
