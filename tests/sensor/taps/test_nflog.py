"""Netlink messages as the kernel writes them, and as it never should."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.taps import nflog
from appliance.sensor.taps.nflog import NflogTap, TapCounts

MAC = bytes.fromhex("02005e00530a")
ETHERNET = bytes.fromhex("ffffffffffff") + MAC + b"\x08\x06"
PAYLOAD = b"\x45" + bytes(39)
IPV4, BRIDGE, NETDEV = 2, 7, 5
PORTS = {2: "br0", 3: "lan1"}


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


USUAL = (
    attribute(1, bytes(4))
    + attribute(10, b"\0")
    + attribute(4, struct.pack(">I", 2))
    + attribute(8, struct.pack(">HH", 6, 0) + MAC + bytes(2))
    + attribute(16, ETHERNET)
    + attribute(3, struct.pack(">QQ", 1_700_000_000, 250_000))
)


def message(attributes: bytes, *, family: int = IPV4, kind: int = 0x0400) -> bytes:
    body = struct.pack(">BBH", family, 0, 5) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def read(datagram: bytes, counts: TapCounts | None = None) -> list[Frame]:
    counts = TapCounts() if counts is None else counts
    return list(nflog.messages(datagram, tap=Tap.FLOW, now=5.0, counts=counts, port_name=PORTS.get))


def test_a_routed_packet_begins_at_its_ip_header_and_knows_its_sender() -> None:
    counts = TapCounts()
    (frame,) = read(message(USUAL + attribute(9, PAYLOAD)), counts)
    assert frame == Frame(
        ts=1_700_000_000.25, tap=Tap.FLOW, link=LinkType.RAW_IP, data=PAYLOAD, source_mac=MAC, port="br0"
    )
    assert counts == TapCounts(messages=1, octets=40)


@pytest.mark.parametrize("family", [BRIDGE, NETDEV])
def test_a_bridged_frame_is_whole_again(family: int) -> None:
    (frame,) = read(message(USUAL + attribute(6, struct.pack(">I", 3)) + attribute(9, PAYLOAD), family=family))
    assert (frame.link, frame.data, frame.port) == (LinkType.ETHERNET, ETHERNET + PAYLOAD, "lan1")


def test_a_bridged_frame_without_its_header_is_counted() -> None:
    counts = TapCounts()
    assert read(message(attribute(9, PAYLOAD), family=BRIDGE), counts) == []
    assert counts == TapCounts(malformed=1)


def test_without_the_kernels_time_now_counts() -> None:
    (frame,) = read(message(attribute(3, bytes(16)) + attribute(9, PAYLOAD)))
    assert (frame.ts, frame.source_mac, frame.port) == (5.0, None, None)


def test_many_messages_in_one_datagram_come_in_order_and_others_are_passed_over() -> None:
    end = message(b"", kind=3)
    # An odd payload is padded to the next message, except after the last.
    datagram = message(attribute(9, b"a")) + message(b"", kind=0x0401) + message(attribute(9, b"bcd")) + end
    assert [frame.data for frame in read(datagram)] == [b"a", b"bcd"]


def test_an_address_that_is_not_of_six_octets_is_none() -> None:
    (frame,) = read(message(attribute(8, struct.pack(">HH", 8, 0) + bytes(8)) + attribute(9, PAYLOAD)))
    assert frame.source_mac is None


@pytest.mark.parametrize(
    "attributes",
    [
        b"",
        attribute(3, bytes(4)) + attribute(9, PAYLOAD),
        attribute(4, b"") + attribute(9, PAYLOAD),
        attribute(6, b"\0") + attribute(9, PAYLOAD),
        attribute(8, b"\0") + attribute(9, PAYLOAD),
        struct.pack("=HH", 2, 9),
        struct.pack("=HH", 400, 9) + bytes(8),
    ],
)
def test_a_message_that_does_not_fit_is_counted_and_the_next_is_read(attributes: bytes) -> None:
    counts = TapCounts()
    frames = read(message(attributes) + message(attribute(9, PAYLOAD)), counts)
    assert [frame.data for frame in frames] == [PAYLOAD]
    assert (counts.messages, counts.malformed) == (1, 1)


@pytest.mark.parametrize(
    "datagram", [b"\0", bytes(19), bytes(20), struct.pack("=IHHII", 900, 0x400, 0, 0, 0) + bytes(8)]
)
def test_a_datagram_that_does_not_fit_is_counted(datagram: bytes) -> None:
    counts = TapCounts()
    assert read(datagram, counts) == []
    assert counts.malformed == 1


@given(st.binary(max_size=400))
def test_any_bytes_raise_nothing(datagram: bytes) -> None:
    read(datagram)


@given(st.data())
def test_a_damaged_datagram_raises_nothing_and_grows_nothing(data: Any) -> None:
    whole = bytearray(message(USUAL + attribute(9, PAYLOAD), family=data.draw(st.sampled_from([IPV4, BRIDGE]))) * 3)
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    frames = read(bytes(whole))
    assert len(frames) <= 3
    assert sum(len(frame.data) for frame in frames) <= len(whole)


class Kernel:
    """A tap over a socket pair: what a kernel would put into it, put by the test."""

    def __init__(self) -> None:
        self.far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.tap = NflogTap(Tap.DNS, near.detach())

    def close(self) -> None:
        self.tap.close()
        self.far.close()


@pytest.fixture
def kernel() -> Any:
    made = Kernel()
    yield made
    made.close()


def test_a_tap_reads_no_more_than_it_is_allowed(kernel: Kernel) -> None:
    for octet in b"abc":
        kernel.far.send(message(attribute(9, bytes([octet]))))
    assert [frame.data for frame in kernel.tap.read(1.0, datagrams=2)] == [b"a", b"b"]
    assert [frame.data for frame in kernel.tap.read(1.0, datagrams=2)] == [b"c"]
    assert list(kernel.tap.read(1.0, datagrams=2)) == []
    assert kernel.tap.counts.messages == 3


def test_lost_frames_are_counted_and_what_was_kept_is_read(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.far.send(message(attribute(9, PAYLOAD)))

    class Full:
        def __init__(self, sock: socket.socket) -> None:
            self.sock, self.full = sock, True

        def recv_into(self, buffer: bytearray) -> int:
            if self.full:
                self.full = False
                raise OSError(105, "No buffer space available")
            return self.sock.recv_into(buffer)

        def close(self) -> None:
            self.sock.close()

    monkeypatch.setattr(kernel.tap, "_socket", Full(kernel.tap._socket))
    assert [frame.data for frame in kernel.tap.read(1.0, datagrams=4)] == [PAYLOAD]
    assert kernel.tap.counts.lost == 1


def test_another_error_of_the_socket_ends_the_reading_only(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def recv_into(self, _buffer: bytearray) -> int:
            raise OSError(5, "Input/output error")

    whole = kernel.tap._socket
    monkeypatch.setattr(kernel.tap, "_socket", Broken())
    assert list(kernel.tap.read(1.0, datagrams=4)) == []
    monkeypatch.setattr(kernel.tap, "_socket", whole)


def test_port_names_are_bounded(kernel: Kernel) -> None:
    for index in range(100_000, 100_000 + 3 * nflog.MAX_PORTS):
        assert kernel.tap._port_name(index) is None
        assert len(kernel.tap._ports) <= nflog.MAX_PORTS
    assert kernel.tap._port_name(1) == "lo"
