"""Where things are in the lab's internet: documentation ranges only (RFC 5737, RFC 3849).

The household's own prefixes are in its `household.toml`; these are the rest.
"""

from __future__ import annotations

import zlib
from ipaddress import IPv4Address, IPv6Address

WAN = ("198.51.100.2/24", "2001:db8:ff::2/64")
"""The router's addresses towards its provider."""

PROVIDER = ("198.51.100.1", "2001:db8:ff::1")
"""The provider's end of that link."""

RESOLVER = ("203.0.113.10", "2001:db8:53::10")
"""The provider's resolver, which the router asks."""

OTHER_RESOLVER = ("203.0.113.53", "2001:db8:53::53")
"""A well-known public resolver, which a device may ask instead."""

HQ = ("203.0.113.20", "2001:db8:53::20")
"""Where broker and dashboard run; name `hq.example`."""

HQ_NAME = "hq.example"

SITES = tuple((f"203.0.113.{80 + n}", f"2001:db8:53::{80 + n}") for n in range(8))
"""Web servers; every one answers for every name, over TCP and QUIC."""

SINK = ("203.0.113.99", "2001:db8:53::99")
"""Takes UDP at `SINK_PORTS` and says nothing; iperf3 listens here for the benches."""

SINK_PORTS = range(9, 17)
"""From discard (RFC 863) up: eight, so that a bench finds ports enough for its flows."""

TUNNEL_ZONE = "t.tunnel.test"
"""A zone that the provider's resolver asks another server about, as resolvers do."""

TUNNEL_SERVER = "203.0.113.133"
"""That server (see `lab.tools.elsewhere`); without it the zone does not answer."""

SERVERS = (RESOLVER, OTHER_RESOLVER, *SITES, SINK)
"""Everything the internet machine answers as."""


def site_of(name: str) -> tuple[IPv4Address, IPv6Address]:
    """The web server that a name lives at: always the same one for the same name."""
    four, six = SITES[zlib.crc32(name.lower().rstrip(".").encode()) % len(SITES)]
    return IPv4Address(four), IPv6Address(six)
