"""First messages of protocols that carry others or run beside the web: told apart, not read.

Enters: the first octets of a datagram or of a stream. Leaves: a `Handshake`, or None.
"""

from __future__ import annotations

import msgspec


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """What the first octets look like."""

    protocol: str
    """`stun`, `wireguard`, `openvpn`, `ike`, `ssh`, `bittorrent`, `quic-retry`."""
    detail: tuple[tuple[str, str], ...] = ()
    """Fields that say more, such as ("type", "initiation") or ("software", "OpenSSH_9.6")."""
