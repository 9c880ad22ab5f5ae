"""What the keeper tells sensor and warden to do, what the warden hands the sensor, and the answers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.messages.base import BaseMessage, Mac, Moment, Tally

MAX_TALKS = 512
"""Most talks in one message."""


class CollectionMask(BaseMessage, frozen=True, tag="mask"):
    """Of whom what may leave the sensor: whole state. Lapses `lease` seconds after it came (monotonic)."""

    generation: int
    names: tuple[str, ...]
    """MACs whose looked-up names may leave, at most MAX_MASKED."""
    lease: float
    signs: tuple[str, ...] = ()
    """MACs whose signals and activity may leave, at most MAX_MASKED."""
    network: bool = False
    """Whether signals about the network itself (`signals.NETWORK`) may leave, whoever sends them."""


class TapsHanded(BaseMessage, frozen=True, tag="taps"):
    """Descriptors of bound NFLOG sockets ride along (SCM_RIGHTS), in the order of `taps`."""

    taps: tuple[str, ...]


class Talk(msgspec.Struct, frozen=True, array_like=True):
    """What a device exchanged with one port of one address since the last report."""

    mac: Mac
    server: str
    protocol: int
    """6 TCP, 17 UDP."""
    port: Annotated[int, Meta(ge=0, le=65535)]
    up: Tally
    """Octets from the device."""
    down: Tally


class TalksCounted(BaseMessage, frozen=True, tag="talks"):
    """Warden to sensor: who exchanged how much with whom since the last report. It never reaches the keeper."""

    ts: Moment
    seconds: float
    """Since the last report."""
    talks: Annotated[tuple[Talk, ...], Meta(max_length=MAX_TALKS)]


class Enforcement(BaseMessage, frozen=True, tag="enforcement"):
    """Which devices are held back or filtered. Whole state, not a change: the warden makes it so.

    What is not `closed` ends by itself when this message has not come again for `lease` seconds (R57).
    """

    generation: int
    quarantined: tuple[str, ...]
    """MACs, at most MAX_MASKED."""
    filtered: tuple[str, ...] = ()
    """MACs whose questions go to the filtering resolver, at most MAX_MASKED."""
    closed: tuple[str, ...] = ()
    """Those of both whose clause says fail-closed."""
    refused: tuple[str, ...] = ()
    """Addresses and networks that filtered devices do not reach, at most MAX_REFUSED."""
    lease: float = 45.0


class WardenState(BaseMessage, frozen=True, tag="warden-state"):
    """Answer to `Enforcement`, and said once at start with generation 0."""

    ts: Moment
    generation: int
    applied: bool
    detail: str = ""
