r"""Plain lines, hundreds at a time: where a block of a list holds nothing but names, all are taken at once.

In: a block of lines and what such a line looks like in its format. Out: the names, as `normalise` would give them and
none a public suffix; None where any line is another, so that each is read on its own. Pure.

Lists of millions are nearly all such lines. A name is in its one form already when it has two labels or more of small
letters, digits, hyphens and underscores, none beginning or ending with a hyphen (see `names`).
"""

from __future__ import annotations

import re

from appliance.keeper.lists.names import MAX_NAME
from appliance.keeper.lists.suffixes import none_is_public

_LABEL = r"[a-z0-9_][a-z0-9_-]{0,62}+(?<!-)"
_NAME = rf"((?:{_LABEL}\.)++{_LABEL})"


def line(before: str = "", after: str = "") -> re.Pattern[str]:
    """A line that has a name between these; both are regular expressions."""
    return re.compile(rf"^{before}{_NAME}{after}\r?\n", re.MULTILINE)


def names(block: bytes, like: re.Pattern[str]) -> list[str] | None:
    """The names of a block in which every line is like this."""
    if not block.isascii():
        return None
    text = block.decode()
    found: list[str] = like.findall(text)
    if len(found) != text.count("\n") or max(map(len, found)) > MAX_NAME or not none_is_public(found):
        return None
    return found
