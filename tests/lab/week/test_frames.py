"""Frames are what scapy would have made, checksums included."""

from __future__ import annotations

import warnings
from ipaddress import IPv4Address, IPv6Address

import pytest

from lab.week import frames

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # scapy's own, at import
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import ICMPv6ND_NS, IPv6
    from scapy.layers.l2 import ARP, Ether

OWN, ROUTER = "02:00:00:00:00:01", "00:00:5e:00:53:fe"
FOUR, FAR = IPv4Address("192.0.2.20"), IPv4Address("203.0.113.80")
SIX = IPv6Address("fe80::1234")


def rebuilt(data: bytes) -> bytes:
    """The frame as scapy writes it, all checksums worked out anew."""
    frame = Ether(data)
    for layer in (IP, UDP, TCP, ICMPv6ND_NS):
        if layer in frame:
            field = "cksum" if layer is ICMPv6ND_NS else "chksum"
            delattr(frame[layer], field)
    return bytes(frame)


@pytest.mark.parametrize("data", [b"", b"odd", b"even"])
def test_a_datagram_has_the_checksums_that_scapy_works_out(data: bytes) -> None:
    inner = frames.udp(FOUR, FAR, 50000, 53, data)
    whole = frames.packet(FOUR, FAR, frames.UDP, inner, source=OWN, destination=ROUTER, ttl=64, ident=7)
    assert rebuilt(whole) == whole
    assert Ether(whole)[UDP].dport == 53


def test_a_segment_too() -> None:
    syn = frames.tcp(
        FOUR, FAR, sport=50000, dport=443, sequence=2**32 - 1, flags=2, window=64240, options=b"\2\4\5\xb4"
    )
    whole = frames.packet(FOUR, FAR, frames.TCP, syn, source=OWN, destination=ROUTER, ttl=128)
    assert rebuilt(whole) == whole
    assert Ether(whole)[TCP].options == [("MSS", 1460)]


def test_a_packet_to_a_group_goes_to_the_groups_hardware_address() -> None:
    group = IPv6Address("ff02::1:ff00:1234")
    message = frames.icmp6(IPv6Address(0), group, 135, bytes(4) + SIX.packed)
    whole = frames.packet(IPv6Address(0), group, frames.ICMP6, message, source=OWN, destination=ROUTER, ttl=255)
    assert rebuilt(whole) == whole
    assert Ether(whole).dst == "33:33:ff:00:12:34"
    assert Ether(whole)[IPv6].hlim == 255
    assert frames.group_mac(IPv4Address("239.255.255.250")) == "01:00:5e:7f:ff:fa"


def test_a_probe_claims_no_address() -> None:
    probe = Ether(frames.arp(sender=OWN, sender_ip=FOUR, target_ip=FOUR, probe=True))[ARP]
    assert (probe.op, probe.psrc, probe.pdst, probe.hwsrc) == (1, "0.0.0.0", str(FOUR), OWN)  # noqa: S104 - RFC 5227
    assert Ether(frames.arp(sender=OWN, sender_ip=FOUR, target_ip=FAR))[ARP].psrc == str(FOUR)


def test_what_ethernet_does_not_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="1501 octets"):
        frames.packet(FOUR, FAR, frames.UDP, bytes(1481), source=OWN, destination=ROUTER, ttl=64)
