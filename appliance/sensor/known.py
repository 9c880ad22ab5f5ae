"""The shipped tables of services that carry names or traffic past the box.

Enters: a name in its one spelling, or an address as text. Leaves: what the tables call it, or None.
Bounded: the tables are shipped; `_CACHED` addresses remembered, and no name. A name in a table stands for
itself and the names below it; of several that match, the longest counts. The tables state facts of public
pages; that such a name is asked for does not say what for.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

_CACHED = 4096
_Word = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=40)]
_Source = Annotated[str, Meta(min_length=10, max_length=200)]


class Purpose(StrEnum):
    """What a named service is there for."""

    RESOLVER = "resolver"
    VPN = "vpn"
    TOR = "tor"
    RELAY = "relay"
    CANARY = "canary"


class Resolver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `resolvers.toml`."""

    word: _Word
    source: _Source
    names: Annotated[tuple[str, ...], Meta(max_length=16)]
    addresses: Annotated[tuple[str, ...], Meta(max_length=16)]
    """Hosts or networks."""


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `services.toml`."""

    kind: Purpose
    word: _Word
    source: _Source
    names: Annotated[tuple[str, ...], Meta(min_length=1, max_length=16)]


class _Resolvers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: str
    resolver: Annotated[tuple[Resolver, ...], Meta(min_length=1, max_length=256)]


class _Services(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: str
    service: Annotated[tuple[Service, ...], Meta(min_length=1, max_length=512)]


class Known(NamedTuple):
    """What a name stands for."""

    purpose: Purpose
    word: str


_File = TypeVar("_File")


def _read(name: str, kind: type[_File]) -> _File:
    return msgspec.toml.decode((resources.files("appliance.sensor") / name).read_bytes(), type=kind)


@cache
def resolvers() -> tuple[Resolver, ...]:
    """The shipped table of resolvers.

    Raises:
        msgspec.MsgspecError: the file is not as it should be: a fault of ours.
    """
    return _read("resolvers.toml", _Resolvers).resolver


@cache
def services() -> tuple[Service, ...]:
    """The shipped table of other services; raises as `resolvers`."""
    return _read("services.toml", _Services).service


_BY_NAME = {name: Known(entry.kind, entry.word) for entry in services() for name in entry.names} | {
    name: Known(Purpose.RESOLVER, entry.word) for entry in resolvers() for name in entry.names
}
_MOST_LABELS = max(name.count(".") for name in _BY_NAME) + 1
_BY_ADDRESS: dict[str, str] = {}
_BY_NETWORK: list[tuple[IPv4Network | IPv6Network, str]] = []
for _entry in resolvers():
    for _text in _entry.addresses:
        if "/" in _text:
            _BY_NETWORK.append((ip_network(_text), _entry.word))
        else:
            _BY_ADDRESS[str(ip_address(_text))] = _entry.word


def named(name: str) -> Known | None:
    """What a name (lower case, no final dot) stands for, or None."""
    labels = name.rsplit(".", _MOST_LABELS)[-_MOST_LABELS:]
    for first in range(len(labels)):
        found = _BY_NAME.get(".".join(labels[first:]))
        if found is not None:
            return found
    return None


@lru_cache(maxsize=_CACHED)
def resolver_at(address: str) -> str | None:
    """Word of the resolver that has this address, or None; also where the text is no address."""
    word = _BY_ADDRESS.get(address)
    if word is not None:
        return word
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return next((word for network, word in _BY_NETWORK if parsed in network), None)
