"""Lists of names: read, check, match by whole labels only (R24, R29, N16).

File: one domain a line, `#` starts a comment. `example.org` matches itself and every name below
it; `*.example.org` only the names below. A match is between whole labels, so `sex.example` never
matches `essex.example`. A bare public suffix (`com`, `co.uk`, a hosting company's shared domain)
would catch everybody's sites and is refused, as is a line that is no name; both are counted.

Bounded: `MAX_OCTETS` a file, `MAX_ENTRIES` a list; line numbers of the first `MAX_FAULTS` faults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from publicsuffixlist import PublicSuffixList

from appliance.keeper.lists.names import normalise
from wire.findings import Severity

MAX_OCTETS = 16 * 1024 * 1024
MAX_ENTRIES = 500_000
MAX_FAULTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NameList:
    """One list as it was loaded. Entries are normalised; `sha256` is over the file's bytes."""

    id: str
    version: str
    title: str
    severity: Severity
    sha256: str
    plain: frozenset[str]
    """Match themselves and every name below."""
    below: frozenset[str]
    """Match only names below (written `*.name`)."""
    malformed: tuple[int, ...]
    """Numbers of the first lines that are no names, counted from 1."""
    malformed_count: int
    public_suffixes: tuple[int, ...]
    """Numbers of the first lines refused because they name a public suffix."""
    public_suffix_count: int
    overflow: int
    """Entries left out because the list was full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A name that is on a list."""

    list: NameList
    entry: str
    """As normalised from the list, with `*.` if it was written so."""


class ListFileError(ValueError):
    """A list that cannot be used at all."""


def load(raw: bytes, *, id_: str, version: str, title: str, severity: Severity) -> NameList:
    """Read a list.

    Raises:
        ListFileError: larger than MAX_OCTETS or not UTF-8.
    """
    if len(raw) > MAX_OCTETS:
        raise ListFileError(f"list {id_} has {len(raw)} bytes, the most is {MAX_OCTETS}")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ListFileError(f"list {id_} is not UTF-8: {error}") from None
    plain: set[str] = set()
    below: set[str] = set()
    malformed: list[int] = []
    suffixes: list[int] = []
    overflow = 0
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        name = normalise(entry.removeprefix("*."))
        if name is None:
            malformed.append(number)
        elif _public_suffixes().is_public(name):
            suffixes.append(number)
        elif len(plain) + len(below) >= MAX_ENTRIES:
            overflow += 1
        else:
            (below if entry.startswith("*.") else plain).add(name)
    return NameList(
        id=id_,
        version=version,
        title=title,
        severity=severity,
        sha256=hashlib.sha256(raw).hexdigest(),
        plain=frozenset(plain),
        below=frozenset(below),
        malformed=tuple(malformed[:MAX_FAULTS]),
        malformed_count=len(malformed),
        public_suffixes=tuple(suffixes[:MAX_FAULTS]),
        public_suffix_count=len(suffixes),
        overflow=overflow,
    )


class Lists:
    """All lists that are loaded; which of them are in force for a device is the authority's word."""

    def __init__(self, lists: Iterable[NameList] = ()) -> None:
        self._lists: Mapping[str, NameList] = {item.id: item for item in lists}

    def match(self, name: str, in_force: Iterable[str]) -> Iterator[Match]:
        """Lists among `in_force` that hold this name; each at most once, by its closest entry."""
        normal = normalise(name)
        if normal is None:
            return
        for list_id in in_force:
            found = self._lists.get(list_id)
            if found is None:
                continue
            entry = _closest(normal, found)
            if entry is not None:
                yield Match(list=found, entry=entry)


def _closest(name: str, found: NameList) -> str | None:
    """The longest entry that covers `name`, label by label from the whole name upwards."""
    suffix = name
    while True:
        if suffix in found.plain:
            return suffix
        if suffix in found.below and suffix != name:
            return f"*.{suffix}"
        _label, dot, suffix = suffix.partition(".")
        if not dot:
            return None


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()
