"""Domain names in one form, so that two spellings of one name compare equal.

In: text of a list or of a question. Out: lower-case A-labels without a final dot, or None for what
is no name. Bounded: 253 characters, 127 labels of at most 63 (RFC 1035 section 2.3.4).
"""

from __future__ import annotations

import re

import idna

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
MAX_NAME = 253


def normalise(text: str) -> str | None:
    """The one form of a name; labels in other scripts become A-labels (RFC 5891, UTS 46)."""
    name = text.strip().rstrip(".").lower()
    if not name or len(name) > 4 * MAX_NAME:
        return None
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            return None
    if len(name) > MAX_NAME or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return None
    return name
