"""What the sets of the rules should hold, and until when: the keeper's order in, lines for `nft -f` out.

Pure. What is not fail-closed is leased: its elements carry a timeout, so that the kernel itself lets
the device go where nobody says the order again, whichever process has stopped (R57).
Bounded: `names.QUARANTINE_SIZE` addresses in quarantine and in each filter, `names.REFUSED_SIZE` networks.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.messages import Enforcement
from firmware import names

MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")

LEAST_SECONDS = 1
"""nft's own JSON counts whole seconds; less than one is over."""

SURE_SECONDS = 3.0
"""Leased elements are not missed so shortly before their end: the kernel may be ahead."""

Place = tuple[str, str]
"""Family and set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """What one set should hold."""

    lasting: tuple[str, ...] = ()
    leased: tuple[str, ...] = ()


@dataclass(slots=True)
class Holding:
    """The order in force, as sets."""

    sets: dict[Place, Members] = field(default_factory=dict)
    until: float = float("-inf")
    """Monotonic time at which leased elements end."""

    def left(self, monotonic: float) -> int:
        """Whole seconds that leased elements still have; 0 when it is over."""
        return max(int(self.until - monotonic), 0) if self.until > monotonic else 0

    def fill(self, monotonic: float) -> str:
        """Lines that make all sets exactly what they should be."""
        return "".join(
            f"flush set {family} {names.TABLE} {name}\n{self._add((family, name), monotonic)}"
            for family, name in PLACES
        )

    def add(self, monotonic: float) -> str:
        """Lines that fill sets which are empty."""
        return "".join(self._add(place, monotonic) for place in PLACES)

    def _add(self, place: Place, monotonic: float) -> str:
        members = self.sets.get(place)
        if members is None:
            return ""
        left = self.left(monotonic)
        leased = members.leased if left >= LEAST_SECONDS else ()
        elements = ", ".join((*members.lasting, *(f"{each} timeout {left}s" for each in leased)))
        return f"add element {place[0]} {names.TABLE} {place[1]} {{ {elements} }}\n" if elements else ""

    def holds(self, found: Mapping[Place, Iterable[str]], monotonic: float) -> bool:
        """Whether sets that were read hold what they should, and nothing else."""
        for place, elements in found.items():
            members = self.sets.get(place, Members())
            there = set(elements)
            if place not in TIMED:  # how nft writes networks down again is its own matter
                if not there:
                    return False
                continue
            needed = set(members.lasting)
            if self.until - monotonic > SURE_SECONDS:
                needed |= set(members.leased)
            if not needed <= there or not there <= set(members.lasting) | set(members.leased):
                return False
        return True

    def anybody(self, monotonic: float) -> bool:
        """Whether a device is in quarantine now."""
        members = self.sets.get(("bridge", names.QUARANTINED), Members())
        return bool(members.lasting or (members.leased and self.left(monotonic)))

    def wanted(self) -> list[Place]:
        """Sets that should hold something."""
        return [place for place in PLACES if place in self.sets]


PLACES: tuple[Place, ...] = (
    *((family, names.QUARANTINED) for family in names.QUARANTINE_FAMILIES),
    *(("inet", name) for each in names.FILTERS for name in (each.macs, each.refused4, each.refused6)),
)
"""All sets that an order fills."""

TIMED: tuple[Place, ...] = (
    *((family, names.QUARANTINED) for family in names.QUARANTINE_FAMILIES),
    *(("inet", each.macs) for each in names.FILTERS),
)
"""Those of them that hold devices."""


def from_order(order: Enforcement, monotonic: float) -> Holding:
    """The sets that an order asks for.

    Raises:
        ValueError: something is no address, is said twice, or there is too much.
    """
    holding = Holding(until=monotonic + order.lease)
    members = _members("in quarantine", order.quarantined, frozenset(order.closed))
    for family in names.QUARANTINE_FAMILIES:
        _put(holding, (family, names.QUARANTINED), members)
    closed = frozenset(order.filtered_closed)
    filters = {each.number: each for each in names.FILTERS}
    seen: set[str] = set()
    for wanted in order.filters:
        sets = filters.pop(wanted.number, None)
        if sets is None:
            raise ValueError(f"filter {wanted.number} is said twice, or there is none of that number")
        if seen & set(wanted.macs):
            raise ValueError("a device is in two filters")
        seen.update(wanted.macs)
        _put(holding, ("inet", sets.macs), _members("filtered", wanted.macs, closed))
        networks4, networks6 = _networks(wanted.refused)
        _put(holding, ("inet", sets.refused4), Members(lasting=networks4))
        _put(holding, ("inet", sets.refused6), Members(lasting=networks6))
    return holding


def from_kernel(found: Mapping[Place, Mapping[str, int | None]], monotonic: float) -> Holding:
    """The order that the kernel still carries out, from elements and the seconds each has left (None: no end)."""
    ends = [left for elements in found.values() for left in elements.values() if left is not None]
    holding = Holding(until=monotonic + max(ends) if ends else float("-inf"))
    for place, elements in found.items():
        lasting = tuple(each for each, left in elements.items() if left is None)
        leased = tuple(each for each, left in elements.items() if left is not None)
        _put(holding, place, Members(lasting=lasting, leased=leased))
    return holding


def _put(holding: Holding, place: Place, members: Members) -> None:
    if members.lasting or members.leased:
        holding.sets[place] = members


def _members(what: str, macs: Sequence[str], closed: frozenset[str]) -> Members:
    wanted = tuple(dict.fromkeys(macs))
    if len(wanted) > names.QUARANTINE_SIZE:
        raise ValueError(f"{len(wanted)} devices {what}, the most is {names.QUARANTINE_SIZE}")
    for mac in wanted:
        if not MAC.fullmatch(mac):
            raise ValueError(f"{mac[:40]!r} is not a hardware address")
    # Whoever made one up must not bring the others' hold to an end: it is left out, not refused.
    wanted = tuple(mac for mac in wanted if is_device(mac))
    return Members(
        lasting=tuple(mac for mac in wanted if mac in closed), leased=tuple(mac for mac in wanted if mac not in closed)
    )


def is_device(mac: str) -> bool:
    """Whether one device can have it; a group's (IEEE 802 clause 8.2.2), such as everybody's, would be all devices'."""
    return mac != "00:00:00:00:00:00" and not int(mac[:2], 16) & 1


def _networks(texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """IPv4 and IPv6, without overlaps: the kernel's interval sets take none."""
    networks4: list[ipaddress.IPv4Network] = []
    networks6: list[ipaddress.IPv6Network] = []
    for text in texts:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{text[:60]!r} is not an address or network") from None
        if not network.prefixlen:
            raise ValueError("a network that is the whole internet is not refused")
        if isinstance(network, ipaddress.IPv4Network):
            networks4.append(network)
        else:
            networks6.append(network)
    collapsed4 = tuple(str(each) for each in ipaddress.collapse_addresses(networks4))
    collapsed6 = tuple(str(each) for each in ipaddress.collapse_addresses(networks6))
    if max(len(collapsed4), len(collapsed6)) > names.REFUSED_SIZE:
        raise ValueError(f"more than {names.REFUSED_SIZE} networks to refuse")
    return collapsed4, collapsed6
