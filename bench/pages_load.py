"""`python -m bench.pages_load URL HOUSEHOLDS RATE`: stores events at a rate as ingest does, until its input ends."""

from __future__ import annotations

import hashlib
import secrets
import select
import sys
import time
from datetime import UTC, datetime

from appliance import clock
from dashboard.ingest.apply import apply
from dashboard.store.engine import open_engine, parallel
from lab.faults.sending import stay
from lab.generator import Sizes, site_id
from wire.codec import Envelope, Opened, payload_json, topic_for
from wire.models import type_of

EVERY = 0.1
"""Seconds between two batches."""
ANSWERING = 0.02
"""After each batch the worker signs and seals a receipt for each household of it, and holds no lock meanwhile: 100
receipts are about so much work. Without it a loader that is late would keep a database of one writer to itself."""


def main() -> None:
    """Store until nobody listens any more; what could not be done in time is said."""
    url, households, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    engine, epoch, number = parallel(open_engine(url)), secrets.token_hex(4), 0
    began = clock.monotonic()
    while not _over(EVERY):
        due = int((clock.monotonic() - began) * rate)
        # Also who is far behind ends when nobody listens any more.
        while number < due and not _over(0):
            batch = [_opened(number + step, households, epoch) for step in range(min(100, due - number))]
            with engine.begin() as connection:
                apply(connection, batch, clock.now())
            number += len(batch)
            time.sleep(ANSWERING)
    seconds = clock.monotonic() - began
    sys.stderr.write(f"pages: {number:,} events stored beside, {number / seconds:,.0f} a second\n")
    engine.dispose()


def _over(seconds: float) -> bool:
    """Whether the input ends within that time."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def _opened(number: int, households: int, epoch: str) -> Opened:
    site = site_id(number % households)
    payload = stay(number, number % 20, clock.now())
    return Opened(
        topic=topic_for(payload, tenant=Sizes().tenant, site=site),
        envelope=Envelope(
            id=f"{epoch}-{number}",
            source=f"urn:gatehouse:{Sizes().tenant}:{site}",
            type=type_of(payload).ce_type,
            time=datetime.now(UTC),
            sequence=str(number),
        ),
        payload=payload,
        digest=hashlib.sha256(payload_json(payload)).hexdigest(),
    )


if __name__ == "__main__":
    main()
