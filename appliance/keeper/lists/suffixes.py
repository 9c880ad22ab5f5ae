"""Public suffixes: names under which anybody may register, so that an entry for one would catch everybody.

In: a name in its one form. Out: whether it is one. The list ships in the package `publicsuffixlist`; its
private part (hosting companies' shared domains) counts, and so does a single label that nobody registered.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from publicsuffixlist import PublicSuffixList


def is_public(name: str) -> bool:
    """Whether the name itself is a public suffix."""
    return bool(_suffixes().is_public(name))


def none_is_public(names: Sequence[str]) -> bool:
    """Whether surely none of these names, each of two labels or more, is one. Quick; may say no in doubt."""
    return _suffixes().none_of(names)


class _Suffixes(PublicSuffixList):
    """The list, and a quick look at many names."""

    def __init__(self) -> None:
        super().__init__()
        starred = {rule[2:] for rule in self._publicsuffix if rule.startswith("*.")}
        self._rules = frozenset(self._publicsuffix | starred)
        self._starred = frozenset(starred)

    def none_of(self, names: Sequence[str]) -> bool:
        # A suffix of two labels or more is a rule itself, or lies right under one with a star.
        return self._rules.isdisjoint(names) and self._starred.isdisjoint([name.partition(".")[2] for name in names])


@cache
def _suffixes() -> _Suffixes:
    return _Suffixes()
