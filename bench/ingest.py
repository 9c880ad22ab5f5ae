"""Rows a second from sealed envelopes to the dashboard's tables: rows that came alone, and beside them rows in batches.

The ingest worker's own steps (open, check, write, commit, receipt) on a SQLite file with full synchronisation, one
process, no broker: what the broker and the courier cost on top, the campaign `outage` shows.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from appliance.keeper.uplink import Identity, Uplink
from dashboard.ingest.opening import Arrived
from dashboard.ingest.outgoing import Outgoing, Writer
from dashboard.ingest.session import Session
from dashboard.ingest.worker import Worker
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab.faults.sending import stay
from wire.codec import payload_json
from wire.keys import public_text
from wire.models import Receipt

ROWS, QUICK_ROWS = 40_000, 4_000
_AT = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
_WAITING = 4_000
"""Rows that wait at once of a backlog; no more than may be on their way."""
_ALONE = 10
"""Rows that wait at once when none travels in a batch."""


class _Wire:
    """What a worker uses of a session, without a network."""

    def __init__(self) -> None:
        self.arrivals: deque[Arrived] = deque()
        self.trouble = ""
        self.online = self.opened = True
        self.published = 0

    def open(self) -> bool:
        return True

    def turn(self, _timeout: float) -> None:
        """Nothing to wait for."""

    def acknowledge(self, _arrived: Arrived) -> None:
        """Nobody waits for it."""

    def publish(self, _outgoing: Outgoing, _now: float) -> bool:
        self.published += 1
        return True

    def close(self) -> None:
        """Nothing is open."""


def measure(*, quick: bool = False) -> dict[str, dict[str, float]]:
    """By way of travelling: rows a second at the box (sealing) and at the dashboard (to the commit), and their ratio."""
    rows = QUICK_ROWS if quick else ROWS
    found = {"in batches": _way(rows, _WAITING), "alone": _way(rows // 10, _ALONE)}
    ours = found["in batches"]["rows_a_second"]
    for figures in found.values():
        figures["beside_ours"] = figures["rows_a_second"] / ours
    return found


def _way(rows: int, waiting: int) -> dict[str, float]:
    """Seal and take in so many rows, of which so many wait at once."""
    with tempfile.TemporaryDirectory(prefix="ingest-", dir=Path.cwd()) as name:
        folder, box, opener = Path(name), Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        server, sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        messages, sealed = _sealed(
            folder,
            Identity(
                tenant="example",
                site="site-1",
                signer=box,
                opener=opener,
                server_verify=(server.public_key(),),
                server_seal=sealing.public_key(),
            ),
            rows,
            waiting,
        )
        engine = open_engine(f"sqlite:///{folder / 'dashboard.db'}")
        upgrade(engine)
        with engine.begin() as connection:
            connection.execute(
                schema.site.insert().values(
                    site="site-1",
                    tenant="example",
                    title="1",
                    verify_key=public_text(box),
                    seal_key=public_text(opener),
                )
            )
        wire = _Wire()
        worker = Worker(
            session=cast("Session", wire),
            engine=engine,
            tenant="example",
            sealing_key=sealing,
            writer=Writer(tenant="example", signing_key=server, run="ingest-1"),
            handlers={},
            now=lambda: _AT,
            monotonic=time.monotonic,
            pause=lambda _seconds: None,
        )
        wire.arrivals.extend(messages)
        began = time.perf_counter()
        while wire.arrivals:
            worker.turn()
        seconds = time.perf_counter() - began
        engine.dispose()
    return {
        "rows": float(rows),
        "messages": float(len(messages)),
        "sealed_a_second": rows / sealed,
        "rows_a_second": rows / seconds,
        "receipts": float(wire.published),
    }


def _sealed(folder: Path, identity: Identity, rows: int, waiting: int) -> tuple[list[Arrived], float]:
    store = Store(folder / "keeper.db")
    uplink = Uplink(store, identity)
    uplink.connected(_AT)
    uplink.broker(connected=True)
    messages: list[Arrived] = []
    seconds = 0.0
    for first in range(0, rows, waiting):
        with store.transaction():
            for number in range(first, min(first + waiting, rows)):
                body = payload_json(stay(number, number % 20, _AT)).decode()
                store.outbox.add(
                    type_="gatehouse.session.v1", subject="", body=body, priority=Priority.RECORD, created=_AT
                )
        uplink.credit(_WAITING)
        began = time.perf_counter()
        sent = uplink.pump(0.0, _AT)
        seconds += time.perf_counter() - began
        messages += [
            Arrived(topic=item.topic, body=item.body, packet=number, connection=1)
            for number, item in enumerate(sent, start=1)
        ]
        with store.transaction():
            uplink.received(Receipt(epoch=store.epoch, ranges=((1, 2**53 - 1),), at=datetime.fromtimestamp(_AT, UTC)))
    store.close()
    return messages, seconds
