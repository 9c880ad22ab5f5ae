"""The port on the loopback of the sealed place, where whoever sends also hears."""

from __future__ import annotations

import socket
import time
import warnings
from collections.abc import Iterator

import pytest

from appliance.probe.port import Port, program

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # scapy's own, at import
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import ICMPv6EchoReply, IPv6
    from scapy.layers.l2 import ARP, Ether


@pytest.fixture
def port() -> Iterator[Port]:
    with Port("lo") as opened:
        yield opened


def heard(port: Port, *, seconds: float = 5.0) -> bytes:
    """The next frame that came in."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        frame = port.receive(deadline - time.monotonic())
        if frame:
            return frame
    pytest.fail("nothing was heard")


@pytest.mark.lab
def test_only_what_may_be_an_answer_reaches_the_process(port: Port) -> None:
    head = Ether(src="02:00:5e:10:01:05", dst="02:00:5e:10:00:01")
    four, six = IP(src="192.0.2.5", dst="192.0.2.1"), IPv6(src="fe80::5", dst="fe80::1")
    noise = [
        head / ARP(op="who-has"),
        head / four / UDP(sport=53, dport=port.udp_port - 1) / b"somebody else's",
        head / four / TCP(sport=443, dport=port.udp_port),
        head / IP(src="192.0.2.5", dst="192.0.2.1", frag=4) / UDP(sport=1, dport=port.udp_port),
        head / six / TCP(sport=443, dport=port.udp_port),
        Ether(src=head.src, dst=head.dst, type=0x88CC) / b"neither",
    ]
    wanted = [
        head / ARP(op="is-at"),
        head / four / UDP(sport=5353, dport=port.udp_port) / b"an answer",
        head / IP(src="192.0.2.5", dst="192.0.2.1", options=[b"\x01" * 4]) / UDP(sport=1900, dport=port.udp_port),
        head / four / UDP(sport=67, dport=68) / b"an offer",
        head / six / ICMPv6EchoReply(),
    ]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as other:
        other.bind(("lo", 0))
        for frame in (*noise, *wanted):
            other.send(bytes(frame))
        assert [heard(port) for _ in wanted] == [bytes(frame) for frame in wanted]
        port.send(bytes(wanted[0]))
        assert heard(port) == bytes(wanted[0]), "once, as it comes in; not as it goes out"
        assert port.receive(0.0) in {None, b""}


@pytest.mark.lab
def test_what_there_is_to_know_of_an_interface(port: Port) -> None:
    assert port.mac == "00:00:00:00:00:00"
    assert port.link_local is None
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        pytest.raises(OSError, match="in use"),
    ):
        other.bind(("", port.udp_port))


@pytest.mark.lab
def test_no_such_interface() -> None:
    with pytest.raises(OSError, match="No such device"):
        Port("never0")


def test_all_jumps_of_the_filter_stay_within_it() -> None:
    lines = [program(40000)[start : start + 8] for start in range(0, len(program(40000)), 8)]
    for here, line in enumerate(lines[:-2]):
        if line[0] in {0x15, 0x45}:
            assert here + 1 + max(line[2], line[3]) < len(lines)
