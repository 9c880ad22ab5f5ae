"""Answers a box that asks for the time, and lets it open what it sealed to us until then (R54).

In: a `TimeRequest` whose seal and signature held, and the server's own clock. Out: one `TimeAnswer` with the box's
nonce, which makes it a fresh one: a repeated question gets an answer that its box does not wait for any more. The key
of what was sealed is opened only for the box and the run of its machine that it was sealed for. Bounded: one answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection

from wire.base import Payload
from wire.codec import Opened
from wire.timing import TimeAnswer, TimeRequest, open_run_key


def tell_time(
    connection: Connection, opened: Opened, now: float, *, sealing_key: X25519PrivateKey
) -> Iterator[Payload]:
    """What a box is answered; `now` is Unix seconds, read after the question came."""
    del connection  # nothing is kept: a broker may repeat the question as often as it likes
    request = opened.payload
    if not isinstance(request, TimeRequest):
        return
    topic, key = opened.topic, None
    if request.sealed_key is not None:
        key = open_run_key(request.sealed_key, sealing_key, tenant=topic.tenant, site=topic.site, boot=request.boot)
    yield TimeAnswer(nonce=request.nonce, at=datetime.fromtimestamp(now, UTC), key=key)
