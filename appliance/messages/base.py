"""What all messages share: their shape, and the types and bounds of their fields."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

MAX_DATAGRAM = 128 * 1024
"""Largest datagram between two processes, in bytes; below the kernel's default send buffer."""

MAX_MASKED = 1024
"""Most MACs a collection mask may name; a household with more is refused, not truncated."""

Mac = Annotated[str, Meta(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")]
Moment = Annotated[float, Meta(ge=0, lt=7_258_118_400)]
"""Unix seconds, 1970 to 2199: the range of `wire.models.Time`."""
Tally = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""A counter that `wire.models.Count` can carry."""


MAX_REFUSED = 2048
"""Most addresses and networks that one message refuses."""

MAX_FILTERS = 3
"""Most filtering resolvers: one for each standing that a clause may hold back."""


class MessageError(ValueError):
    """A datagram that is not a list of known messages, or is too large."""


class BaseMessage(Struct, frozen=True, kw_only=True, tag_field="t", forbid_unknown_fields=True):
    """Common shape of all messages: immutable, by keyword, strict."""
