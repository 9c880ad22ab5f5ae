"""Signals: what traffic shows that may be a way round the box, or a device behind a device.

The vocabulary that the sensor speaks and the keeper weighs. A signal is a fact about packets, without
opinion: what it may mean, and what else could explain it, is the keeper's to say. No signal carries a
looked-up name; where a shipped table names a service, the table's closed word is the value.
Bounded: a value has at most `MAX_VALUE` characters.
"""

from __future__ import annotations

from enum import StrEnum

MAX_VALUE = 128
"""Characters of a value."""


class Signal(StrEnum):
    """Signals; the comment gives the form of the value. `server` and `port` are of the far end."""

    # --- names asked elsewhere, or out of sight
    RESOLVER_NAMED = "resolver-named"
    """Word of the table of resolvers: its name was looked up, or shown in a hello."""
    RESOLVER_REACHED = "resolver-reached"
    """Word of the table: a TLS or QUIC connection to an address that is a resolver's, on port 443."""
    DOH = "doh"
    """A connection that looks like DNS over HTTPS: by ALPN and shape, one word saying by what."""
    DOT = "dot"
    """`hello` or `syn`: DNS over TLS (RFC 7858), port 853."""
    DOQ = "doq"
    """`hello` or `datagram`: DNS over QUIC (RFC 9250), port 853, or ALPN `doq` on any."""
    DNSCRYPT = "dnscrypt"
    """`certificate` (question for a provider's certificate) or `query`."""
    CANARY = "canary"
    """A question by which a browser asks whether it may use a resolver of its own."""
    RELAY = "relay"
    """A question for the ingress of a relay service that hides names and addresses."""
    DISCOVERY = "discovery"
    """A question for designated resolvers (RFC 9462): `opportunistic` or `named`."""
    OTHER_RESOLVER = "other-resolver"
    """`udp` or `tcp`: a plain question to a resolver that is not the box; it was redirected."""
    # --- tunnels
    WIREGUARD = "wireguard"
    """`initiation`, `response` or `data`."""
    OPENVPN = "openvpn"
    """`udp/hard-reset` or `tcp/hard-reset`: a client's first packet, by its transport."""
    IKE = "ike"
    """`1`, `2` (version of the exchange) or `esp` (sealed packets: in UDP, RFC 3948, or without ports, RFC 4303)."""
    SSTP = "sstp"
    """A TLS tunnel: `request` (its own, in the clear), `hello` (busy, on its port, without a protocol of the web)."""
    SSH = "ssh"
    """Software of the client's identification."""
    BUSY = "busy"
    """One connection that goes on and moves much: what it was heard to be (`ssh`, `tls`, `quic`, `udp`, `tcp`)."""
    VPN_NAMED = "vpn-named"
    """Word of the table of VPN services: looked up, or shown in a hello."""
    TOR_NAMED = "tor-named"
    """Word of the table: a name of the Tor project, its directory or a bridge's front."""
    TOR = "tor"
    """`directory` (address and port of a directory authority), `guard` (a hello as its clients make it)."""
    RANDOM_FIRST = "random-first"
    """First packet of a connection that looks like noise: its length."""
    DNS_TUNNEL = "dns-tunnel"
    """Why: closed words such as `null`, `txt`, `entropy`, `length`, `rate`, joined by commas."""
    SOCKS = "socks"
    """`4` or `5`."""
    CONNECT = "connect"
    """An HTTP CONNECT to a proxy."""
    # --- hidden names
    ECH = "ech"
    """`real` or `grease`."""
    NO_SNI = "no-sni"
    """`tls` or `quic`: a hello without a name."""
    QUIC_UNNAMED = "quic-unnamed"
    """QUIC that never showed a readable hello: `hidden`, `version` (none that is read), `moved` (it began elsewhere)."""
    # --- behind and beside the box
    TTL = "ttl"
    """Hop limit as received, and the start it points to: `63/64`."""
    SYSTEM = "system"
    """A family of operating systems by one habit, with the habit: `windows/syn`, `apple/agent`."""
    TETHER = "tether"
    """A source address of a network that this router does not serve, as phones and routers hand out."""
    ROUTER = "router"
    """`advertisement`: it offers itself as a router (IPv6)."""
    DHCP_SERVER = "dhcp-server"
    """`4` or `6`: it hands out addresses."""
    UPSTREAM = "upstream"
    """How it was heard on the side towards the provider: `arp`, `dhcp`, `mdns`; `mac` is its address."""


NETWORK = frozenset({Signal.ROUTER, Signal.DHCP_SERVER, Signal.UPSTREAM})
"""Signals about the network rather than about what a device's user does."""
