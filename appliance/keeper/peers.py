"""Who talks to the keeper, and what goes to them. Each peer has a socket of its own name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from appliance import messages as m


class Peer(StrEnum):
    """Who talks to the keeper."""

    SENSOR = "sensor"
    WARDEN = "warden"
    COURIER = "courier"
    PORCH = "porch"
    PROBE = "probe"
    RESOLVER = "resolver"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Messages for a peer; for porch and status, for the connection that asked."""

    peer: Peer
    messages: tuple[m.Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The moments of one turn, in seconds."""

    now: float
    """Wall clock: by it the other processes time what they say."""
    at: float
    """What the keeper decides by; never earlier than what is known to have passed."""
    monotonic: float
