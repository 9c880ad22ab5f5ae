"""The head of an HTTP/1 request (RFC 9112 sections 2 and 3).

Enters: the prefix of a TCP stream. Leaves: a `Request`. The path is not kept: it is content.
"""

from __future__ import annotations

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a request's head says, without its path and its other fields."""

    method: str
    host: str | None
    """Host, or the authority of an absolute or CONNECT target; lower case, port removed."""
    user_agent: str | None
    version: str
    """`1.0` or `1.1`."""
