"""Many messages of a box's outbox in one envelope, so that a backlog costs one seal and one signature for dozens.

Each item keeps its own number: (epoch, seq) names it whether it came alone or here, and its body is the payload JSON
to the octet, so the digest is the same either way. A batch has no number of its own in the outbox and is not kept.
Bounded: `MAX_ITEMS` items, and together what a payload may hold. A batch holds no batch.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wire.base import Count, Id, Payload, Time

MAX_ITEMS = 256


class BatchItem(Payload):
    """One message as it waited in the outbox."""

    seq: Count
    type: Annotated[str, Field(max_length=64)]
    """CloudEvents type of a message that goes up; a reader keeps one that it does not know."""
    created: Time
    body: Annotated[str, Field(max_length=32 * 1024)]
    """Payload JSON, as it would have been signed had it travelled alone."""


class Batch(Payload):
    """Messages of one epoch, in any order."""

    epoch: Id
    items: tuple[BatchItem, ...] = Field(min_length=1, max_length=MAX_ITEMS)
