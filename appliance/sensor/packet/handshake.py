"""First messages of protocols that carry others or run beside the web: told apart, not read.

Enters: the first octets of a datagram or of a stream. Leaves: a `Handshake`, or None. Told by shape, never
by the port alone. Bounded: as the readers of each protocol say.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from appliance.sensor.packet import greetings, quic, stun, vpn

Detail = tuple[tuple[str, str], ...]


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """What the first octets look like."""

    protocol: str
    """`stun`, `wireguard`, `openvpn`, `ike`, `ssh`, `bittorrent`, `quic-retry`, `quic-negotiation`."""
    detail: Detail = ()
    """Fields that say more, such as ("type", "initiation") or ("software", "OpenSSH_9.6")."""


_DATAGRAMS: tuple[tuple[str, Callable[[bytes], Detail | None]], ...] = (
    ("stun", stun.detail),
    ("wireguard", vpn.wireguard),
    ("openvpn", vpn.openvpn),
    ("ike", vpn.ike),
    ("quic-retry", quic.retry),
    ("quic-negotiation", quic.negotiation),
)


def datagram(data: bytes, sport: int, dport: int) -> Handshake | None:  # noqa: ARG001 - shape decides; ports are there for what shape cannot tell
    """What handshake a datagram is, or None. Never raises."""
    for protocol, read in _DATAGRAMS:
        detail = read(data)
        if detail is not None:
            return Handshake(protocol=protocol, detail=detail)
    return None


_Read = Callable[[bytes], tuple[Detail, int] | None]


def _stream(protocol: str, read: _Read) -> Callable[[bytes], tuple[Handshake, int] | None]:
    def reader(prefix: bytes) -> tuple[Handshake, int] | None:
        found = read(prefix)
        return None if found is None else (Handshake(protocol=protocol, detail=found[0]), found[1])

    return reader


read_ssh = _stream("ssh", greetings.ssh)
"""As `greetings.ssh`, as a `Handshake`."""
read_bittorrent = _stream("bittorrent", greetings.bittorrent)
"""As `greetings.bittorrent`, as a `Handshake`."""
read_openvpn = _stream("openvpn", vpn.openvpn_stream)
"""As `vpn.openvpn_stream`, as a `Handshake`."""
