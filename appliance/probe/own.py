"""What the probe is on the household's network: its addresses, and the numbers that mark its questions.

Bounded: one value. Apart from `frames`, so that scapy is loaded only when there is something to send.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from appliance.messages import ProbeTest


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """This box on the household's network, and the numbers by which it knows answers to its own questions."""

    mac: str
    address: IPv4Address
    network: IPv4Network
    link_local: IPv6Address | None
    """None where the interface has no IPv6."""
    port: int
    """UDP port that answers to the questions for services come to."""
    number: int
    """Transaction id, 32 bits, random."""
    test: ProbeTest | None = None
    """For the detection test: what to ask, and from which address."""
