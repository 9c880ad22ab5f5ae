"""Public suffixes: names under which anybody may register, so that an entry for one would catch everybody.

In: a name in its one form. Out: whether it is one. The list ships in the package `publicsuffixlist`; its
private part (hosting companies' shared domains) counts, and so does a single label that nobody registered.
"""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList


def is_public(name: str) -> bool:
    """Whether the name itself is a public suffix."""
    return bool(_suffixes().is_public(name))


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
