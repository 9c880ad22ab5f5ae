"""Names of services as keys to search by: the last label first, so that a name and all that belong to it lie together.

In: a name as a box logged it, or as somebody typed it. Out: `test.example.shop` for `shop.example.test`, at most
`MOST` characters; nothing for what is no name. Nothing here resolves a name (R42).
"""

from __future__ import annotations

import re

import idna

MOST = 253
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_SCHEME = re.compile(r"^(?:hxxps?|https?)(?:\[?:\]?)?//", re.IGNORECASE)


def name_key(name: str | None) -> str | None:
    """The key of a logged name; None for none, or for one that is no host name."""
    if not name:
        return None
    labels = _labels(name)
    return None if labels is None else ".".join(reversed(labels))


def typed_key(text: str) -> str | None:
    """The key of a typed name, also of one that was pasted defanged or as an address of a page; None for no name."""
    text = text.strip()[: 4 * MOST]
    text = _SCHEME.sub("", text)
    for written, meant in (("[.]", "."), ("(.)", "."), ("[dot]", "."), ("。", "."), ("[:]", ":")):
        text = text.replace(written, meant)
    text = re.split(r"[/?#:\s]", text, maxsplit=1)[0]
    key = name_key(text)
    return key if key is not None and "." in key else None


def after_key(key: str) -> tuple[str, str]:
    """The range in which the keys of all names lie that belong to a key's name: from the first, to before the second."""
    # '/' is the character after '.': all keys that begin with the key and a dot lie between the two.
    return f"{key}.", f"{key}/"


def _labels(name: str) -> list[str] | None:
    text = name.strip().rstrip(".").lower()
    if not text or len(text) > 4 * MOST:
        return None
    if not text.isascii():
        try:
            # UTS 46 as browsers map it: capitals and full-width letters are the same name.
            text = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    labels = text.split(".")
    if len(text) > MOST or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return labels
