"""Lists put together for one filter: entries in, rules of a plan out, never wider than the lists.

Each list has a bit. A name's entry sets or clears its bit for the name itself and for the names below;
what it does not speak of comes from the closest name above. So an exception of one list does not
lift another list's entry, and the closest entry decides, as in `lists.match`. What a free list names is never
refused, whatever the others say.
Bounded: `room` names and characters; one more raises `UnfitError`.
"""

from __future__ import annotations

from collections.abc import Generator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from appliance.keeper.lists.entries import Entry, Reach
from appliance.messages import MAX_REFUSED
from appliance.plan import MAX_RULES, Rule

MAX_REFUSED_TEXT = 40_000
"""Characters of all addresses: with the devices, they must fit one message to the warden."""


class UnfitError(Exception):
    """Nothing that can be in force; the text is a clause of a sentence."""


class Tree:
    """Names of one filter."""

    def __init__(self, *, room: int = MAX_RULES, allow_only: bool = False) -> None:
        self.room = room
        """Names that still fit."""
        self._allow_only = allow_only
        self._block = 0
        self._allow = 0
        self._free = 0
        self._nodes: dict[str, list[int]] = {}
        """By name: bits set and cleared for itself, set and cleared below."""

    def add(self, bit: int, entry: Entry, *, blocks: bool, free: bool = False) -> None:
        """Take an entry of list number `bit`, one that blocks, one that allows, or one that is always free.

        Raises:
            UnfitError: there is no room.
        """
        mask = 1 << bit
        if free:
            self._free |= mask
        elif blocks:
            self._block |= mask
        else:
            self._allow |= mask
        node = self._nodes.get(entry.name)
        if node is None:
            if self.room <= 0:
                raise UnfitError(f"its lists have more than {MAX_RULES:,} names in all")
            self.room -= 1
            node = self._nodes[entry.name] = [0, 0, 0, 0]
        if entry.reach is Reach.EXCEPTION:
            node[1] |= mask
            node[3] |= mask
            return
        if entry.reach.covers(itself=True):
            node[0] |= mask
        if entry.reach.covers(itself=False):
            node[2] |= mask

    def rules(self, portion: int) -> Generator[None, None, tuple[Rule, ...]]:
        """The rules, names above before names below; yields after every `portion` names."""
        below_of: dict[str, int] = {}
        rules: list[Rule] = []
        for count, name in enumerate(sorted(self._nodes, key=lambda name: name.count(".")), start=1):
            if not count % portion:
                yield
            above = self._above(name, below_of)
            own_set, own_clear, below_set, below_clear = self._nodes[name]
            own = (above | own_set) & ~own_clear
            below = (above | below_set) & ~below_clear
            below_of[name] = below
            before, itself, beneath = self._refused(above), self._refused(own), self._refused(below)
            if (itself, beneath) != (before, before):
                rules.append(Rule(name=name, itself=itself, below=beneath))
        return tuple(rules)

    def _above(self, name: str, below_of: dict[str, int]) -> int:
        while "." in name:
            name = name.partition(".")[2]
            found = below_of.get(name)
            if found is not None:
                return found
        return 0

    def _refused(self, mask: int) -> bool:
        if mask & self._free:
            return False
        return bool(mask & self._block) or (self._allow_only and not mask & self._allow)


class Addresses:
    """Addresses and networks of one filter."""

    def __init__(self, *, room: int = MAX_REFUSED_TEXT) -> None:
        self.room = room
        """Characters that still fit."""
        self._networks4: list[IPv4Network] = []
        self._networks6: list[IPv6Network] = []

    def add(self, network: IPv4Network | IPv6Network) -> None:
        """Take one.

        Raises:
            UnfitError: there is no room.
        """
        self.room -= len(str(network)) + 3
        if self.room < 0 or len(self._networks4) + len(self._networks6) >= MAX_REFUSED:
            raise UnfitError(f"its lists have more addresses than fit, some {MAX_REFUSED:,}")
        if isinstance(network, IPv4Network):
            self._networks4.append(network)
        else:
            self._networks6.append(network)

    def texts(self) -> tuple[str, ...]:
        """Without overlaps."""
        return (*map(str, collapse_addresses(self._networks4)), *map(str, collapse_addresses(self._networks6)))
