"""Loopback up, without a program: one ioctl in this process's network namespace."""

from __future__ import annotations

import fcntl
import socket
import struct

_SET_FLAGS = 0x8914  # SIOCSIFFLAGS, netdevice(7)
_UP, _RUNNING = 0x1, 0x40


def loopback_up() -> None:
    """Bring `lo` up where this process is.

    Raises:
        OSError: no CAP_NET_ADMIN over this network namespace.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP | _RUNNING))
