"""What a list is made of: names with their reach, networks, and lines that are neither.

Everything here is immutable and knows no list, no file and no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from ipaddress import IPv4Network, IPv6Network

import msgspec

Network = IPv4Network | IPv6Network


class Reach(IntEnum):
    """Which names an entry covers; the number is what two bits of a compiled entry say."""

    EXACT = 0
    """Itself only."""
    SUBTREE = 1
    """Itself and the names below."""
    BELOW = 2
    """Only the names below, written `*.name`."""
    EXCEPTION = 3
    """Itself and the names below are not listed, whatever stands above."""

    def covers(self, *, itself: bool) -> bool:
        """Whether it speaks of its own name (`itself`), or of the names below."""
        return self is not Reach.BELOW if itself else self is not Reach.EXACT


def joined(one: Reach, other: Reach) -> Reach:
    """The reach of a name that a list holds twice: an exception wins, all else adds up."""
    if one is other:
        return one
    return Reach.EXCEPTION if Reach.EXCEPTION in (one, other) else Reach.SUBTREE


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One name of a list, in the one form of `names.normalise`. There are millions: a struct is made quickly."""

    name: str
    reach: Reach

    @property
    def written(self) -> str:
        """As people write it: `*.` before a name of which only the names below are meant."""
        return written(self.name, self.reach)


def written(name: str, reach: Reach) -> str:
    """A name with its reach, as people write it."""
    return f"*.{name}" if reach is Reach.BELOW else name


class Why(StrEnum):
    """Why a line, or a part of it, is no entry."""

    MALFORMED = "malformed"
    """No name, no address, not UTF-8, or too long."""
    UNSUPPORTED = "unsupported"
    """It means something that names of the DNS cannot tell: a wildcard inside a name, an option, a part of a page."""
    URL = "url"
    """It names a page or a folder of a site. It is never widened to the site (N16)."""
    PUBLIC_SUFFIX = "public-suffix"
    """It would catch everybody's sites under a registry's or a hosting company's name."""
    TOO_WIDE = "too-wide"
    """A network that holds the home's own addresses, or too large a part of the internet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line that is no entry. Its text is not kept: lists can be confidential."""

    line: int
    """Its number, from 1."""
    why: Why


Item = Entry | Network | Fault
"""What reading a list gives."""
