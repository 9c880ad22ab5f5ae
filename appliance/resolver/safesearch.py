"""Search engines' strict modes: the shipped table in, names and the address each is to be answered with out.

Bounded: the table as shipped; `MAX_ADDRESSES` addresses of one target.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

MAX_ADDRESSES = 8

Addresses = tuple[IPv4Address | IPv6Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One search engine or video site."""

    title: str
    target: str
    """The name whose addresses serve the strict mode."""
    names: tuple[str, ...]
    """Answered with those addresses; exactly these, never what is below."""


@cache
def engines() -> tuple[Engine, ...]:
    """The shipped table."""
    raw = tomllib.loads((Path(__file__).parent / "safesearch.toml").read_text(encoding="utf-8"))
    return tuple(
        Engine(
            title=each["title"],
            target=each["target"],
            names=(*each["names"], *(f"www.google.{ending}" for ending in each.get("google", "").split())),
        )
        for each in raw["engine"]
    )
