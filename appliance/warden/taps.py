"""NFLOG groups: opened, configured and bound here, read by the sensor.

A `TapGroup` in, a netlink socket ready to be handed over out. The socket carries no right to change
anything: a process without CAP_NET_ADMIN that holds it is refused by the kernel.
Bounded: the kernel holds at most `receive_buffer` octets a tap for a late reader.

Layout: <linux/netfilter/nfnetlink_log.h>; lengths are the machine's byte order, values big-endian.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Sequence

from firmware.names import FLUSH_HUNDREDTHS, TapGroup

_NETLINK_NETFILTER = 12
_CONFIG = 0x0401  # NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG
_ERROR = 2  # NLMSG_ERROR
_REQUEST_ACK = 0x05  # NLM_F_REQUEST | NLM_F_ACK

_CFG_CMD = 1
_CFG_MODE = 2
_CFG_NLBUFSIZ = 3
_CFG_TIMEOUT = 4
_CFG_QTHRESH = 5
_BIND = 1  # NFULNL_CFG_CMD_BIND
_COPY_PACKET = 2

_SO_RCVBUFFORCE = 33
_BATCH_OCTETS = 64 * 1024
"""Octets of one batch in the kernel: 32 hellos of 2 KiB."""

_ACK_SECONDS = 1.0


class TapBusyError(OSError):
    """Another process still holds the group."""


def configuration(tap: TapGroup) -> bytes:
    """The netlink request that binds a tap's group and says what to copy, and how."""
    attributes = b"".join(
        _attribute(kind, value)
        for kind, value in (
            (_CFG_CMD, struct.pack(">B", _BIND)),
            (_CFG_MODE, struct.pack(">IBx", tap.snaplen, _COPY_PACKET)),
            (_CFG_NLBUFSIZ, struct.pack(">I", _BATCH_OCTETS)),
            (_CFG_TIMEOUT, struct.pack(">I", FLUSH_HUNDREDTHS)),
            (_CFG_QTHRESH, struct.pack(">I", tap.queue_threshold)),
        )
    )
    group = struct.pack(">BBH", socket.AF_UNSPEC, 0, tap.group)
    size = 16 + len(group) + len(attributes)
    return struct.pack("=IHHII", size, _CONFIG, _REQUEST_ACK, 1, 0) + group + attributes


def refusal(answer: bytes) -> int:
    """The error number in the kernel's answer; 0 is consent, EBADMSG an answer that is none."""
    if len(answer) < 20:
        return errno.EBADMSG
    _size, kind, _flags, _sequence, _port, code = struct.unpack_from("=IHHIIi", answer)
    return -code if kind == _ERROR else errno.EBADMSG


def open_tap(tap: TapGroup) -> socket.socket:
    """A bound socket of `tap`'s group.

    Raises:
        TapBusyError: the group is still bound elsewhere; it may be free in a moment.
        OSError: the kernel refuses: no CAP_NET_ADMIN, or no NFLOG.
    """
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
    try:
        sock.bind((0, 0))
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, tap.receive_buffer)
        except PermissionError:  # in a user namespace the machine's own limit holds
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, tap.receive_buffer)
        sock.settimeout(_ACK_SECONDS)
        sock.send(configuration(tap))
        _expect_consent(tap, sock.recv(4096))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def open_all(taps: Sequence[TapGroup]) -> list[socket.socket]:
    """All of `taps`, or none.

    Raises:
        OSError: as `open_tap`; those already opened are closed again.
    """
    opened: list[socket.socket] = []
    try:
        for tap in taps:
            opened.append(open_tap(tap))  # noqa: PERF401 - a comprehension would lose those already opened
    except BaseException:
        for sock in opened:
            sock.close()
        raise
    return opened


def _expect_consent(tap: TapGroup, answer: bytes) -> None:
    code = refusal(answer)
    if code:
        error = TapBusyError if code in {errno.EBUSY, errno.EPERM} else OSError
        raise error(code, f"tap {tap.name}: {os.strerror(code)}")


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
