"""What one device was heard to do lately, as the rules read it. Pure.

In: records of the store, newest first. Out: the same by signal and by far end, and how often it comes.
Bounded: `MAX_OBSERVED` records a device and `WINDOW_SECONDS` back; older ones are not weighed again.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median

from appliance.signals import Signal
from wire.base import Standing

WINDOW_SECONDS = 7 * 86400.0
MAX_OBSERVED = 2000

_HERE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""Addresses that are in the home (RFC 1918, RFC 3927, RFC 4193, RFC 4291)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One signal in one hour; times in Unix seconds."""

    record_id: str
    signal: Signal
    value: str
    first: float
    last: float
    count: int = 1
    server: str | None = None
    port: int | None = None
    octets: int | None = None

    @property
    def local(self) -> bool:
        """Whether the far end is in the home itself, such as the box."""
        return is_local(self.server)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a device did in some time, in counts."""

    flows: int = 0
    """Connections begun."""
    unnamed: int = 0
    """Of them, to addresses that nothing named."""
    lookups: int = 0
    """Names asked of the box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known of the device beside its signals."""

    device_id: str | None
    standing: Standing | None = None
    category: str | None = None
    refused: frozenset[str] = frozenset()
    """Questions that the box answers in its own way for such a device: canary, relay, discovery."""
    hour: Use = field(default_factory=Use)
    """The last hour."""
    day: Use = field(default_factory=Use)
    """The last day with any traffic."""
    gateway: bool = False
    """Upstream of the box: it is the first that was heard there, which the provider's own equipment is."""
    upstream: int = 0
    """How many addresses are heard upstream of the box."""
    day_ends: float = 0.0
    """When that day ended."""
    usual: float | None = None
    """Its usual share of connections that nothing named; None where too little is known."""


class Window:
    """Records of one device, newest first."""

    def __init__(self, observed: Iterable[Observed]) -> None:
        self._observed = tuple(observed)
        self._by_signal: dict[Signal, list[Observed]] = {}
        for item in self._observed:
            self._by_signal.setdefault(item.signal, []).append(item)

    def __len__(self) -> int:
        return len(self._observed)

    def of(self, signal: Signal, where: Callable[[Observed], bool] | None = None) -> list[Observed]:
        """Records of a signal, newest first."""
        found = self._by_signal.get(signal, [])
        return list(found) if where is None else [item for item in found if where(item)]

    def busy(self, servers: Collection[str | None]) -> list[Observed]:
        """Connections to these far ends that went on for long and moved much."""
        known = set(servers) - {None}
        return self.of(Signal.BUSY, lambda item: item.server in known)

    @property
    def latest(self) -> float:
        """When anything was last heard; 0 when nothing was."""
        return max((item.last for item in self._observed), default=0.0)


def by_server(observed: Iterable[Observed]) -> dict[str, list[Observed]]:
    """By far end, the one heard last first."""
    found: dict[str, list[Observed]] = {}
    for item in observed:
        found.setdefault(item.server or "", []).append(item)
    return found


def ends(observed: Iterable[Observed]) -> list[str]:
    """Far ends, the one heard last first."""
    return [server for server in by_server(observed) if server]


def times(observed: Iterable[Observed]) -> int:
    """How often, in all."""
    return sum(item.count for item in observed)


def newest_first(observed: Iterable[Observed]) -> list[Observed]:
    """In the order in which records are named."""
    return sorted(observed, key=lambda item: (-item.last, item.record_id))


def rhythm(observed: Sequence[Observed]) -> str:
    """` about every 2 minutes`: the mean within an hour, and the middle one of the hours.

    ` 4 times` where it comes seldom or all at once; nothing for once.
    """
    steps = [(item.last - item.first) / (item.count - 1) for item in observed if item.count >= 3]
    if steps:
        seconds = median(steps)
        if seconds >= 90:
            return f" about every {seconds / 60:.0f} minutes"
        if seconds >= 20:
            return f" about every {round(seconds)} seconds"
    total = times(observed)
    return f" {total} times" if total > 1 else ""


@lru_cache(maxsize=4096)
def is_local(server: str | None) -> bool:
    """Whether an address is one of the home."""
    try:
        address = ipaddress.ip_address(server or "")
    except ValueError:
        return False
    return any(address in network for network in _HERE)
