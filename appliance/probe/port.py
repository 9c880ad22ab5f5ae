"""The probe's ear and mouth on the household's network: frames out, the frames that may be answers in.

An AF_PACKET socket (packet(7)) with a classic BPF filter, so that the traffic of the household never
reaches this process: only ARP replies, ICMPv6, and UDP to our own port or to 68. A UDP socket holds
that port, else the kernel would refuse each answer aloud. Bounded by the sockets' buffers.
Needs CAP_NET_RAW.
"""

from __future__ import annotations

import ctypes
import select
import socket
import struct
from ipaddress import IPv6Address
from types import TracebackType
from typing import Self

import netifaces

from appliance.probe.answers import MAX_FRAME

_ALL = 0x0003  # ETH_P_ALL
_OUTGOING = 4  # PACKET_OUTGOING
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER
_KEEP, _DROP = "keep", "drop"

# linux/bpf_common.h: load half-word, load byte, load index with a header's length, load half-word at the
# index, jump if equal, jump if any bit is set, return.
_LDH, _LDB, _LDX_MSH, _LDH_X, _JEQ, _JSET, _RET = 0x28, 0x30, 0xB1, 0x48, 0x15, 0x45, 0x06


class Port:
    """An interface to send on and to listen at. Use as a context manager or call `close`."""

    def __init__(self, interface: str) -> None:
        """Open it.

        Raises:
            PermissionError: no CAP_NET_RAW.
            OSError: there is no such interface.
        """
        self._packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        try:
            self._reserved = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        except OSError:
            self._packets.close()
            raise
        try:
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            self._reserved.bind(("", 0))
            self.udp_port: int = self._reserved.getsockname()[1]
            # Protocol 0 hears nothing: the filter is there before the first frame.
            _attach(self._packets, program(self.udp_port))
            self._packets.bind((interface, _ALL))
            self._packets.setblocking(False)
            self.mac = self._packets.getsockname()[4].hex(":")
            self.link_local = _link_local(interface)
        except OSError:
            self.close()
            raise

    def send(self, frame: bytes) -> None:
        """Send a whole frame; one that the interface has no room for is lost, like any frame.

        Raises:
            OSError: the interface is down or gone.
        """
        try:
            self._packets.send(frame)
        except BlockingIOError:
            return

    def receive(self, seconds: float) -> bytes | None:
        """The next frame that may be an answer; None when none came within `seconds`."""
        ready, _, _ = select.select([self._packets], [], [], max(seconds, 0.0))
        if not ready:
            return None
        try:
            frame, about = self._packets.recvfrom(MAX_FRAME)
        except BlockingIOError:
            return None
        return b"" if about[2] == _OUTGOING else frame

    def close(self) -> None:
        """Close both sockets."""
        self._packets.close()
        self._reserved.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def program(udp_port: int) -> bytes:
    """The filter as instructions of linux/filter.h; offsets are those of an untagged Ethernet frame."""
    lines: list[tuple[int, str | int, str | int, int]] = [
        (_LDH, 0, 0, 12),
        (_JEQ, 0, 2, 0x0806),
        (_LDH, 0, 0, 20),
        (_JEQ, _KEEP, _DROP, 2),  # an ARP reply
        (_JEQ, 0, 2, 0x86DD),
        (_LDB, 0, 0, 20),
        (_JEQ, _KEEP, _DROP, 58),  # ICMPv6
        (_JEQ, 0, _DROP, 0x0800),
        (_LDB, 0, 0, 23),
        (_JEQ, 0, _DROP, 17),  # UDP
        (_LDH, 0, 0, 20),
        (_JSET, _DROP, 0, 0x1FFF),  # the first fragment at least
        (_LDX_MSH, 0, 0, 14),
        (_LDH_X, 0, 0, 16),
        (_JEQ, _KEEP, 0, udp_port),
        (_JEQ, _KEEP, _DROP, 68),
        (_RET, 0, 0, 0),
        (_RET, 0, 0, MAX_FRAME),
    ]
    ends = {_DROP: len(lines) - 2, _KEEP: len(lines) - 1}

    def jump(here: int, target: str | int) -> int:
        return target if isinstance(target, int) else ends[target] - here - 1

    return b"".join(
        struct.pack("@HBBI", code, jump(here, yes), jump(here, no), operand)
        for here, (code, yes, no, operand) in enumerate(lines)
    )


def _attach(sock: socket.socket, instructions: bytes) -> None:
    held = ctypes.create_string_buffer(instructions, len(instructions))
    filter_program = struct.pack("@HP", len(instructions) // 8, ctypes.addressof(held))
    sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, filter_program)


def _link_local(interface: str) -> IPv6Address | None:
    for entry in netifaces.ifaddresses(interface).get(netifaces.AF_INET6, ()):
        address = IPv6Address(entry["addr"].partition("%")[0])
        if address.is_link_local:
            return address
    return None
