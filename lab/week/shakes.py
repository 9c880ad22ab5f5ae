"""First words of tunnels and calls as octets: WireGuard, OpenVPN, IKE, STUN, and the hello of Tor's programs.

Dice in, UDP payloads and a shape of a hello out. The keys and ids in them are made up by the dice.
"""

from __future__ import annotations

import base64
import struct
from random import Random

from lab.week import hellos

WIREGUARD_PORT, OPENVPN_PORT, IKE_PORT, NAT_TRAVERSAL_PORT, STUN_PORT = 51820, 1194, 500, 4500, 3478
_RENEGOTIATION = 0x00FF
_TOR_NAME = (8, 20)


def wireguard_initiation(dice: Random) -> bytes:
    """A handshake initiation (the protocol's paper, section 5.4.2): 148 octets, the last field zero."""
    key = bytearray(dice.randbytes(32))
    key[-1] &= 0x7F  # a Curve25519 point (RFC 7748 section 5)
    return struct.pack("<B3xI", 1, dice.randrange(1, 1 << 32)) + bytes(key) + dice.randbytes(92) + bytes(16)


def wireguard_data(dice: Random, number: int) -> bytes:
    """A packet of data (section 5.4.6)."""
    return struct.pack("<B3xIQ", 4, dice.randrange(1, 1 << 32), number) + dice.randbytes(80)


def openvpn_reset(dice: Random, ts: float) -> bytes:
    """A client's hard reset with tls-crypt: session, packet id and time, tag, the sealed reset."""
    return b"\x38" + dice.randbytes(8) + struct.pack("!II", 1, int(ts)) + dice.randbytes(32) + dice.randbytes(5)


def ike_initial(dice: Random) -> bytes:
    """The first message of IKEv2 (RFC 7296 section 1.2): a security association stands first."""
    proposal = struct.pack("!BBH", 34, 0, 48) + dice.randbytes(44)
    keys = struct.pack("!BBH", 0, 0, 264) + dice.randbytes(260)
    body = proposal + keys
    return dice.randbytes(8) + bytes(8) + struct.pack("!BBBBII", 33, 0x20, 34, 8, 0, 28 + len(body)) + body


def sealed(dice: Random, number: int) -> bytes:
    """A packet of ESP in UDP (RFC 3948 section 2.1)."""
    return struct.pack("!II", dice.randrange(1 << 31, 1 << 32), number) + dice.randbytes(120)


def stun_binding(dice: Random) -> bytes:
    """A binding request (RFC 8489 section 5) without attributes."""
    return struct.pack("!HHI", 0x0001, 0, 0x2112A442) + dice.randbytes(12)


def game(dice: Random, number: int) -> bytes:
    """A game's own protocol: a few fields that count, and a little state."""
    return b"GAME" + struct.pack("!IIHH", number, 7, 1, 40) + bytes(24) + dice.randbytes(16)


def tor_shape() -> hellos.Shape:
    """A hello as Tor's programs make it: a browser's ciphers first, OpenSSL's signal last, no protocol of the web."""
    browser = hellos.shapes()["firefox"]
    extensions = tuple(kind for kind in browser.extensions if kind not in {16, 28, 34, 0xFE0D})
    return browser.model_copy(
        update={"ciphers": (*browser.ciphers, _RENEGOTIATION), "extensions": extensions, "alpn": ()}
    )


def tor_name(dice: Random) -> str:
    """A name as Tor's programs make one up: nobody has it."""
    length = dice.randrange(*_TOR_NAME)
    return f"www.{base64.b32encode(dice.randbytes(length)).decode().lower().rstrip('=')[:length]}.net"
