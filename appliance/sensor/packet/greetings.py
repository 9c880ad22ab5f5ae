"""First words of TCP streams that are a handshake of their own: SSH, BitTorrent.

Enters: the prefix of a stream. Leaves: fields that say more, and the octets taken. Bounded: `MAX_BANNER`.
"""

from __future__ import annotations

import re

from appliance.sensor.packet.cursor import ParseError

Detail = tuple[tuple[str, str], ...]

MAX_BANNER = 255
"""RFC 4253 section 4.2, line end included."""

_SSH = b"SSH-"
_BANNER = re.compile(rb"SSH-(2\.0|1\.99|1\.[0-9])-([\x21-\x2c\x2e-\x7e][\x21-\x7e]*)(?: ([\x20-\x7e]*))?\r?")
_BITTORRENT = b"\x13BitTorrent protocol"
_BITTORRENT_SIZE = 68
"""Name, reserved bits, info hash, peer id (BEP 3)."""


def may_begin_ssh(prefix: bytes) -> bool:
    """Whether these octets, as far as they go, may begin an SSH identification."""
    return prefix.startswith(_SSH) if len(prefix) >= len(_SSH) else _SSH.startswith(prefix)


def ssh(prefix: bytes) -> tuple[Detail, int] | None:
    """Protocol and software version of an SSH identification; None while more is needed.

    The comment behind the software version is not kept: it may say a host's or a person's name.

    Raises:
        ParseError: something else, or longer than `MAX_BANNER`.
    """
    end = prefix.find(b"\n", 0, MAX_BANNER)
    if end < 0:
        if len(prefix) >= MAX_BANNER:
            raise ParseError("SSH identification over the bound")
        return None
    banner = _BANNER.fullmatch(prefix[:end])
    if banner is None:
        raise ParseError("not an SSH identification")
    return (("version", banner[1].decode("ascii")), ("software", banner[2].decode("ascii"))), end + 1


def may_begin_bittorrent(prefix: bytes) -> bool:
    """Whether these octets, as far as they go, may begin a BitTorrent handshake."""
    return prefix.startswith(_BITTORRENT) if len(prefix) >= len(_BITTORRENT) else _BITTORRENT.startswith(prefix)


def bittorrent(prefix: bytes) -> tuple[Detail, int] | None:
    """A BitTorrent handshake; None while more is needed. Neither what is shared nor the peer's id is kept.

    Raises:
        ParseError: something else.
    """
    if not may_begin_bittorrent(prefix):
        raise ParseError("not a BitTorrent handshake")
    if len(prefix) < _BITTORRENT_SIZE:
        return None
    return (), _BITTORRENT_SIZE
