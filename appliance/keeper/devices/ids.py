"""Opaque ids for devices and findings: a letter, a hyphen, ten base32 characters (50 bits).

An id says nothing about the device; two households never share one by design of the randomness.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

_OCTETS = 7
_CHARACTERS = 10


def id_source(prefix: str, randomness: Callable[[int], bytes]) -> Callable[[], str]:
    """A source of ids; `randomness(n)` gives n octets (`secrets.token_bytes`, or a script's)."""

    def new_id() -> str:
        return f"{prefix}-{base64.b32encode(randomness(_OCTETS)).decode().lower()[:_CHARACTERS]}"

    return new_id
