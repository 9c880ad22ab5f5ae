"""Authenticated time: a box that has started asks, the server answers, signed.

The nonce makes the answer a fresh one; half of the time it took bounds the error. With the question travels the
private key of what was recorded since the start, sealed to the server: it opens only what the server let open.
"""

from __future__ import annotations

from pydantic import Field

from wire.base import Count, Payload, Time
from wire.ledger import Digest


class TimeRequest(Payload):
    """What time is it?"""

    nonce: Digest
    boot: str = Field(pattern=r"^[0-9a-f-]{1,36}$")
    sealed_key: str | None = Field(default=None, max_length=400)
    """HPKE (base64) to the server's sealing key: the X25519 private key under which records of this run are sealed."""
    sealed: Count = 0
    """How many records wait."""


class TimeAnswer(Payload):
    """The server's time. `key` opens what was sealed in this run of the machine."""

    nonce: Digest
    at: Time
    key: str | None = Field(default=None, max_length=100)
    """X25519 private key, raw, base64: in an envelope sealed to the box."""
