"""First messages of protocols that carry others or run beside the web: told apart, not read.

Enters: the first octets of a datagram or of a stream. Leaves: a `Handshake`, or None. Told by shape, never
by the port alone. Bounded: as the readers of each protocol say.
"""

from __future__ import annotations

from collections.abc import Callable, Container

import msgspec

from appliance.sensor.packet import greetings, quic, stun, vpn

Detail = tuple[tuple[str, str], ...]


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """What the first octets look like."""

    protocol: str
    """`stun`, `wireguard`, `openvpn`, `ike`, `ssh`, `bittorrent`, `quic-retry`, `quic-negotiation`."""
    detail: Detail = ()
    """Fields that say more, such as ("type", "initiation") or ("software", "OpenSSH_9.6")."""


_Readers = tuple[tuple[str, Callable[[bytes], Detail | None]], ...]
_DATAGRAMS: tuple[tuple[str, Callable[[bytes], Detail | None], Container[int]], ...] = (
    ("stun", stun.detail, range(0x40)),
    ("wireguard", vpn.wireguard, range(1, 4)),
    ("openvpn", vpn.openvpn, vpn.OPENVPN_BEGINS),
    ("ike", vpn.ike, range(0x100)),
    ("quic-retry", quic.retry, range(0xC0, 0x100)),
    ("quic-negotiation", quic.negotiation, range(0x80, 0x100)),
)
"""Name, reader, and the first octets with which such a message may begin."""
_BY_FIRST: tuple[_Readers, ...] = tuple(
    tuple((protocol, read) for protocol, read, begins in _DATAGRAMS if first in begins) for first in range(0x100)
)
"""Each first datagram of a flow comes by here: it is shown only to those whose it may be."""


def datagram(data: bytes, sport: int, dport: int) -> Handshake | None:  # noqa: ARG001 - shape decides; ports are there for what shape cannot tell
    """What handshake a datagram is, or None. Never raises."""
    if not data:
        return None
    for protocol, read in _BY_FIRST[data[0]]:
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
