"""Which lists hold a name: by whole labels, the closest entry first (R24, R29, N16).

In: lists that are loaded, and a name. Out: `Match`es, each with its list and the entry that covers the name.
An entry matches itself and, if its reach says so, the names below; never above, never a part of a label. The
closest entry decides: an exception frees what is below it from all that stands above, and an entry below an
exception counts again.

A table holds hashes only; the entry's text is the part of the name that was found. Of a confidential list
even that is not said: its entry is `keyed:` and the keyed hash.

Bounded: `MAX_LISTS` lists; a look-up asks each at most once for each label (127, RFC 1035).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from appliance.keeper.lists.compiling import Tally, in_memory
from appliance.keeper.lists.entries import Reach, written
from appliance.keeper.lists.formats import Format, parse
from appliance.keeper.lists.names import normalise
from appliance.keeper.lists.table import Table, digests
from wire.findings import Severity

MAX_LISTS = 128
MAX_OCTETS = 16 * 1024 * 1024
"""Of a list that is read into memory whole."""

EXCLUDED = "excluded"
"""Category of lists whose names are never kept at all (R67): solicitors, health, help lines."""
ADULT = "adult"
"""Category of lists whose names are told as a trend only, unless a clause says otherwise (R32)."""
KEYED = "keyed:"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameList:
    """What is said of one list, without its names."""

    id: str
    version: str
    title: str
    severity: Severity
    sha256: str
    """Over the bytes it came in, hexadecimal."""
    category: str | None = None
    owner: str | None = None
    source: str | None = None
    """Where it came from."""
    confidential: bool = False
    """Its names may not be said: hits carry keyed hashes."""
    published: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A list in use."""

    meta: NameList
    table: Table
    tally: Tally | None = None
    """What reading it gave, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A name that is on a list."""

    list: NameList
    entry: str
    """As normalised from the list, with `*.` if it was written so; of a confidential list `keyed:` and its hash."""
    reach: Reach = Reach.SUBTREE


class ListFileError(ValueError):
    """A list that cannot be used at all."""


def load(
    raw: bytes,
    *,
    id_: str,
    version: str,
    title: str,
    severity: Severity,
    format_: Format = Format.DOMAINS,
    category: str | None = None,
    owner: str | None = None,
    source: str | None = None,
    confidential: bool = False,
    key: bytes = b"",
) -> Loaded:
    """Read a small list into memory.

    Raises:
        ListFileError: larger than MAX_OCTETS, no line of it can be used, or confidential without a key.
    """
    if len(raw) > MAX_OCTETS:
        raise ListFileError(f"list {id_} has {len(raw)} bytes, the most is {MAX_OCTETS}")
    if confidential and not key:
        raise ListFileError(f"list {id_} is confidential and there is no key to keep its names out of sight")
    hashed = hashlib.sha256(raw)
    table, tally = in_memory(
        parse(io.BytesIO(raw), format_), key=key, source=hashed.digest(), confidential=confidential
    )
    if not tally.entries and not tally.networks and any(tally.faults.values()):
        raise ListFileError(f"list {id_}: no line of it can be used; is it a list in the format {format_.value}?")
    meta = NameList(
        id=id_,
        version=version,
        title=title,
        severity=severity,
        sha256=hashed.hexdigest(),
        category=category,
        owner=owner,
        source=source,
        confidential=confidential,
    )
    return Loaded(meta=meta, table=table, tally=tally)


class Lists:
    """All lists that are loaded; which of them are in force for a device is the authority's word.

    A change is one assignment of a new mapping: who is in the middle of a look-up goes on with the lists as
    they were, and nobody ever sees half of one.
    """

    def __init__(self, lists: Iterable[Loaded] = ()) -> None:
        self._lists: Mapping[str, Loaded] = {item.meta.id: item for item in lists}
        self.overflow = 0
        """Lists that were not taken because there were `MAX_LISTS`."""

    def __len__(self) -> int:
        return len(self._lists)

    def get(self, list_id: str) -> Loaded | None:
        """The list of this id."""
        return self._lists.get(list_id)

    def replace(self, loaded: Loaded) -> bool:
        """Put a list in use, in place of the one with its id; false where there is no room."""
        if loaded.meta.id not in self._lists and len(self._lists) >= MAX_LISTS:
            self.overflow += 1
            return False
        self._lists = {**self._lists, loaded.meta.id: loaded}
        return True

    def remove(self, list_id: str) -> None:
        """Take a list out of use."""
        self._lists = {key: item for key, item in self._lists.items() if key != list_id}

    def match(self, name: str, in_force: Iterable[str]) -> Iterator[Match]:
        """Lists among `in_force` that hold this name; each at most once, by its closest entry."""
        lists = self._lists
        asked = _Asked.of(name)
        if asked is None:
            return
        for list_id in in_force:
            found = lists.get(list_id)
            if found is not None and (match := asked.on(found)) is not None:
                yield match

    def excluded(self, name: str) -> bool:
        """Whether nothing at all may be kept of this name; no clause is needed for that (R67)."""
        asked = _Asked.of(name)
        return asked is not None and any(
            asked.on(item) is not None for item in self._lists.values() if item.meta.category == EXCLUDED
        )


class _Asked:
    """A name and those above it, hashed once for each key."""

    def __init__(self, name: str) -> None:
        labels = name.split(".")
        self._names = [".".join(labels[place:]) for place in range(len(labels))]
        self._hashes: dict[bytes, list[bytes]] = {}

    @classmethod
    def of(cls, name: str) -> _Asked | None:
        normal = normalise(name)
        return None if normal is None else cls(normal)

    def on(self, loaded: Loaded) -> Match | None:
        """By the closest entry that covers the name, from the whole name upwards."""
        table = loaded.table
        hashes = self._hashes.get(table.key)
        if hashes is None:
            hashes = self._hashes[table.key] = list(digests(table.key, self._names))
        for place, hashed in enumerate(hashes):
            reach = table.reach(hashed)
            if reach is None or not reach.covers(itself=place == 0):
                continue
            if reach is Reach.EXCEPTION:
                return None
            said = f"{KEYED}{hashed.hex()}" if loaded.meta.confidential else written(self._names[place], reach)
            return Match(list=loaded.meta, entry=said, reach=reach)
        return None
