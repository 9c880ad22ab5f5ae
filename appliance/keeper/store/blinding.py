"""Keyed hashes that stand for texts that may not be kept: equal texts stay equal, and no more is told.

In: a key of this box and a text. Out: `blind-` and 32 hexadecimal digits (128 bits of HMAC-SHA-256).
Who has the key can try guesses, so this keeps a name out of sight; it is no secrecy against the box.
"""

from __future__ import annotations

import hashlib
import hmac

PREFIX = "blind-"
_DIGITS = 32


def blind(key: bytes, text: str) -> str:
    """The keyed hash of a text."""
    return f"{PREFIX}{hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]}"
