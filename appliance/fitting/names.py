"""Whether names are answered: one question to a resolver, twelve octets of its answer looked at. An edge: one socket.

The question is for the root's name servers, which everybody may ask and which tells nothing of a home. Of what comes
back only the header is read (RFC 1035 section 4.1.1). Bounded: `WAIT` seconds a resolver.
"""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

WAIT = 1.5
_HEADER = struct.Struct("!6H")
_RECURSE, _ANSWER, _CODE = 0x0100, 0x8000, 0x000F
_ROOT_NS = b"\0" + struct.pack("!2H", 2, 1)


def question(number: int) -> bytes:
    """`. IN NS`, to be looked up for us."""
    return _HEADER.pack(number, _RECURSE, 1, 0, 0, 0) + _ROOT_NS


def is_answer(raw: bytes, number: int) -> bool:
    """Whether a datagram answers that question with something."""
    if len(raw) < _HEADER.size:
        return False
    id_, flags, _asked, answers, _authority, _more = _HEADER.unpack_from(raw)
    return id_ == number and bool(flags & _ANSWER) and not flags & _CODE and answers > 0


def answered(resolvers: Iterable[IPv4Address | IPv6Address], *, port: int = 53, wait: float = WAIT) -> bool:
    """Whether one of the resolvers answers."""
    for resolver in resolvers:
        family = socket.AF_INET if resolver.version == 4 else socket.AF_INET6
        number = secrets.randbits(16)
        try:
            with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.settimeout(wait)
                sock.connect((str(resolver), port))
                sock.send(question(number))
                if is_answer(sock.recv(4096), number):
                    return True
        except OSError:  # nobody there, no way there, or too late
            continue
    return False
