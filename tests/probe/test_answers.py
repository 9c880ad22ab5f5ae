from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import ProbeKind
from appliance.probe.answers import Answer, read
from appliance.probe.own import Own

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # scapy's own, at import
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
    from scapy.layers.l2 import ARP, Ether

MAC = "02:00:5e:10:01:05"
SWEEP, SERVICES, DHCP_CHECK = ProbeKind.SWEEP, ProbeKind.SERVICES, ProbeKind.DHCP


def arp(own: Own, *, op: str = "is-at", psrc: str = "192.0.2.5", mac: str = MAC) -> bytes:
    return bytes(Ether(src=mac, dst=own.mac) / ARP(op=op, hwsrc=mac, psrc=psrc, hwdst=own.mac, pdst="192.0.2.1"))


def echo(own: Own, *, number: int = 0xC3D4, kind: Any = ICMPv6EchoReply, src: str = "fe80::5") -> bytes:
    return bytes(Ether(src=MAC, dst=own.mac) / IPv6(src=src, dst="fe80::1") / kind(id=number, seq=1))


def datagram(own: Own, *, port: int = 40000, src: str = "192.0.2.5", frag: int = 0) -> bytes:
    return bytes(
        Ether(src=MAC, dst=own.mac)
        / IP(src=src, dst="192.0.2.1", frag=frag)
        / UDP(sport=1900, dport=port)
        / b"HTTP/1.1"
    )


def offer(own: Own, *, server: str = "192.0.2.9", kind: str = "offer", number: int | None = None, op: int = 2) -> bytes:
    return bytes(
        Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff")
        / IP(src=server, dst="255.255.255.255")
        / UDP(sport=67, dport=68)
        / BOOTP(op=op, xid=own.number if number is None else number, yiaddr="192.0.2.99")
        / DHCP(options=["pad", ("message-type", kind), ("server_id", server), "end"])
    )


@pytest.mark.req("R13")
def test_answers_of_each_kind_say_who_and_where(own: Own) -> None:
    assert read(SWEEP, arp(own), own) == Answer(mac=MAC, ip="192.0.2.5")
    assert read(SWEEP, echo(own), own) == Answer(mac=MAC, ip="fe80::5")
    assert read(SERVICES, datagram(own), own) == Answer(mac=MAC, ip="192.0.2.5")
    assert read(DHCP_CHECK, offer(own), own) == Answer(mac=MAC, ip="192.0.2.9")


@pytest.mark.req("R13")
def test_what_answers_no_question_of_ours_is_nothing(own: Own) -> None:
    assert read(SWEEP, arp(own, op="who-has"), own) is None
    assert read(SWEEP, arp(own, psrc="198.51.100.5"), own) is None, "not of this network"
    assert read(SWEEP, arp(own, psrc="192.0.2.1"), own) is None, "the box's own address"
    assert read(SWEEP, arp(own, mac=own.mac), own) is None, "the box itself"
    assert read(SWEEP, arp(own, mac="03:00:5e:10:01:05"), own) is None, "a group"
    assert read(SWEEP, echo(own, number=1), own) is None
    assert read(SWEEP, echo(own, kind=ICMPv6EchoRequest), own) is None
    assert read(SWEEP, echo(own, src="ff02::5"), own) is None
    assert read(SERVICES, datagram(own, port=40001), own) is None
    assert read(SERVICES, datagram(own, src="198.51.100.5"), own) is None
    assert read(SERVICES, datagram(own, frag=3), own) is None
    assert read(DHCP_CHECK, offer(own, kind="ack"), own) is None
    assert read(DHCP_CHECK, offer(own, number=1), own) is None
    assert read(DHCP_CHECK, offer(own, op=1), own) is None
    assert read(DHCP_CHECK, datagram(own), own) is None
    assert read(SWEEP, datagram(own), own) is None
    assert read(SERVICES, arp(own), own) is None


@pytest.mark.req("R13")
def test_the_box_s_own_server_is_no_stranger(own: Own) -> None:
    assert read(DHCP_CHECK, offer(own, server="192.0.2.1"), own) is None


@given(data=st.data())
def test_no_damage_raises(own: Own, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([arp(own), echo(own), datagram(own), offer(own)]))
    frame = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 6))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(frame[: data.draw(st.integers(0, len(frame)))])
    for kind in ProbeKind:
        found = read(kind, cut, own)
        assert found is None or found.mac != own.mac


@given(octets=st.binary(max_size=300))
def test_no_octets_raise(own: Own, octets: bytes) -> None:
    for start in (b"\x0e" * 12 + b"\x08\x06", b"\x0e" * 12 + b"\x08\x00", b"\x0e" * 12 + b"\x86\xdd", b""):
        for kind in ProbeKind:
            found = read(kind, start + octets, own)
            assert found is None or len(found.mac) == 17
