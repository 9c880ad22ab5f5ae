"""NFLOG: netlink messages of a handed descriptor in, `Frame`s out.

`messages` is sans-IO and reads one datagram of the kernel, which holds many packets; `NflogTap`
receives datagrams without blocking. The kernel speaks, but a packet's own bytes are hostile: a
message that does not fit its lengths is counted and skipped, nothing is raised.
Bounded: one datagram is at most `BUFFER` octets (the kernel batches at most 128 KiB); a reader
takes at most as many datagrams as its caller allows in one go; at most `MAX_PORTS` port names are kept.

Layout: <linux/netlink.h>, <linux/netfilter/nfnetlink_log.h>. Lengths are the machine's byte order,
values inside the attributes are big-endian.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from appliance.sensor.frame import Frame, LinkType, Tap

BUFFER = 256 * 1024
"""Octets a tap receives at most in one datagram; twice what the kernel may batch."""

MAX_PORTS = 64
"""Port names kept; a router with more interfaces asks the kernel again."""

_PACKET = 0x0400  # NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET
_HEADERS = 20  # nlmsghdr and nfgenmsg
_ETHERNET_HEADER = 14
_WHOLE_FRAMES = frozenset({7, 5})  # NFPROTO_BRIDGE, NFPROTO_NETDEV

_TIMESTAMP = 3
_INDEV = 4
_PHYSINDEV = 6
_HWADDR = 8
_PAYLOAD = 9
_HWHEADER = 16
_INTERFACES = frozenset({_INDEV, _PHYSINDEV})
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

_message_header = struct.Struct("=IHHIIB").unpack_from
_attribute_header = struct.Struct("=HH").unpack_from
_time = struct.Struct(">QQ").unpack_from
_index = struct.Struct(">I").unpack_from
_length = struct.Struct(">H").unpack_from

Datagram = bytes | bytearray | memoryview


@dataclass(slots=True, kw_only=True)
class TapCounts:
    """What a tap delivered since it was made."""

    messages: int = 0
    octets: int = 0
    """Of packets, without the kernel's own headers."""
    lost: int = 0
    """Times the kernel said ENOBUFS."""
    malformed: int = 0
    """Messages whose lengths do not fit."""


def messages(
    datagram: Datagram, *, tap: Tap, now: float, counts: TapCounts, port_name: Callable[[int], str | None]
) -> Iterator[Frame]:
    """Frames of one netlink datagram, in the kernel's order.

    Args:
        datagram: what one recv(2) returned; must not change until the iterator is exhausted.
        tap: where it was heard.
        now: Unix seconds, for packets the kernel gave no time.
        counts: added to.
        port_name: name of an interface index, or None.
    """
    view = memoryview(datagram)
    total = len(view)
    position = 0
    while total - position >= _HEADERS:
        size, kind, _flags, _sequence, _port, family = _message_header(view, position)
        end = position + size
        if size < _HEADERS or end > total:
            counts.malformed += 1
            return
        if kind == _PACKET:
            frame = _frame(view, position + _HEADERS, end, family, tap, now, port_name)
            if frame is None:
                counts.malformed += 1
            else:
                counts.messages += 1
                counts.octets += len(frame.data)
                yield frame
        position = (end + 3) & ~3
    if position < total:  # a rest too short for a message
        counts.malformed += 1


def _frame(  # noqa: C901, PLR0911, PLR0912, PLR0917 - runs per packet: a function an attribute doubles its time
    view: memoryview, position: int, end: int, family: int, tap: Tap, now: float, port_name: Callable[[int], str | None]
) -> Frame | None:
    """The packet between two positions, or None where its attributes do not fit."""
    payload = header = mac = None
    ts = now
    indev = physindev = 0
    while end - position >= 4:
        size, kind = _attribute_header(view, position)
        value = position + 4
        stop = position + size
        if size < 4 or stop > end:
            return None
        kind &= _TYPE_MASK
        if kind == _PAYLOAD:
            payload = bytes(view[value:stop])
        elif kind == _HWADDR:
            if size < 8:
                return None
            (length,) = _length(view, value)
            if length == 6 and size >= 14:
                mac = bytes(view[value + 4 : value + 10])
        elif kind == _TIMESTAMP:
            if size < 20:
                return None
            seconds, microseconds = _time(view, value)
            if seconds:
                ts = seconds + microseconds / 1e6
        elif kind == _HWHEADER:
            if size - 4 >= _ETHERNET_HEADER:
                header = bytes(view[value : value + _ETHERNET_HEADER])
        elif kind in _INTERFACES:
            if size < 8:
                return None
            if kind == _INDEV:
                (indev,) = _index(view, value)
            else:
                (physindev,) = _index(view, value)
        position = (stop + 3) & ~3
    if payload is None:
        return None
    port = port_name(physindev or indev)
    if family in _WHOLE_FRAMES:
        if header is None:
            return None
        # The kernel cuts at the network header and gives what is before it beside.
        return Frame(ts=ts, tap=tap, link=LinkType.ETHERNET, data=header + payload, source_mac=mac, port=port)
    return Frame(ts=ts, tap=tap, link=LinkType.RAW_IP, data=payload, source_mac=mac, port=port)


class NflogTap:
    """A bound NFLOG socket that the warden handed over; it can be read and closed, nothing else."""

    def __init__(self, tap: Tap, descriptor: int) -> None:
        self.tap = tap
        self.counts = TapCounts()
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        self._buffer = bytearray(BUFFER)
        self._ports: dict[int, str | None] = {0: None}

    def fileno(self) -> int:
        """Descriptor, so that a selector can wait for this tap."""
        return self._socket.fileno()

    def read(self, now: float, *, datagrams: int) -> Iterator[Frame]:
        """Frames that wait, from at most `datagrams` datagrams. Take all before reading again."""
        view = memoryview(self._buffer)
        for _ in range(datagrams):
            try:
                size = self._socket.recv_into(self._buffer)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    return
                # The kernel dropped what did not fit; what it kept is still to be read.
                self.counts.lost += 1
                continue
            yield from messages(view[:size], tap=self.tap, now=now, counts=self.counts, port_name=self._port_name)

    def close(self) -> None:
        """Give the group back, so that the warden can open it afresh."""
        self._socket.close()

    def _port_name(self, index: int) -> str | None:
        try:
            return self._ports[index]
        except KeyError:
            pass
        if len(self._ports) >= MAX_PORTS:
            self._ports = {0: None}
        try:
            name: str | None = socket.if_indextoname(index)
        except OSError:
            name = None
        self._ports[index] = name
        return name
