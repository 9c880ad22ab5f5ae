"""What the probe sends, read again with scapy."""

from __future__ import annotations

import warnings
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from appliance.messages import ProbeTest
from appliance.probe import frames
from appliance.probe.own import Own

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # scapy's own, at import
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.dns import DNS
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
    from scapy.layers.l2 import ARP, Ether


@pytest.mark.req("R13")
def test_a_sweep_asks_for_each_address_once_and_not_for_its_own(own: Own) -> None:
    *requests, echo = [Ether(frame) for frame in frames.sweep(own)]
    asked = [frame[ARP].pdst for frame in requests]
    assert asked == [f"192.0.2.{number}" for number in range(2, 15)]
    assert all(frame[ARP].op == 1 and frame.dst == "ff:ff:ff:ff:ff:ff" for frame in requests)
    assert {(frame.src, frame[ARP].hwsrc, frame[ARP].psrc) for frame in requests} == {(own.mac, own.mac, "192.0.2.1")}
    assert (echo.dst, echo[IPv6].dst, echo[IPv6].src, echo[IPv6].hlim) == (
        "33:33:00:00:00:01",
        "ff02::1",
        "fe80::1",
        1,
    )
    assert echo[ICMPv6EchoRequest].id == 0xC3D4


@pytest.mark.req("R13")
def test_without_ipv6_there_is_no_echo(own: Own) -> None:
    assert all(ARP in Ether(frame) for frame in frames.sweep(replace(own, link_local=None)))


def test_of_a_wide_network_only_the_part_round_the_box_is_swept(own: Own) -> None:
    wide = replace(own, network=IPv4Network("10.0.0.0/8"), address=IPv4Address("10.9.8.7"), link_local=None)
    asked = [IPv4Address(Ether(frame)[ARP].pdst) for frame in frames.sweep(wide)]
    assert len(asked) == frames.MAX_SWEEP - 1
    assert set(asked) <= set(IPv4Network("10.9.8.0/22"))


@pytest.mark.req("R13")
def test_services_are_asked_for_once_by_each_protocol(own: Own) -> None:
    mdns, ssdp = [Ether(frame) for frame in frames.services(own)]
    assert (mdns.dst, mdns[IP].dst, mdns[IP].ttl) == ("01:00:5e:00:00:fb", "224.0.0.251", 255)
    assert (mdns[UDP].sport, mdns[UDP].dport) == (40000, 5353)
    assert mdns[DNS].qd[0].qname == b"_services._dns-sd._udp.local."
    assert (mdns[DNS].qr, mdns[DNS].qd[0].qtype, len(mdns[DNS].qd)) == (0, 12, 1)
    assert (ssdp.dst, ssdp[IP].dst, ssdp[UDP].dport) == ("01:00:5e:7f:ff:fa", "239.255.255.250", 1900)
    said = bytes(ssdp[UDP].payload)
    assert said.startswith(b"M-SEARCH * HTTP/1.1\r\n")
    assert b"\r\nST: ssdp:all\r\n" in said
    assert said.endswith(b"\r\n\r\n")


@pytest.mark.req("R13")
def test_one_discover_from_the_box_s_own_address(own: Own) -> None:
    (frame,) = [Ether(frame) for frame in frames.discover(own)]
    assert (frame.src, frame[IP].src, frame[IP].dst) == (own.mac, "0.0.0.0", "255.255.255.255")  # noqa: S104 (no address yet)
    assert (frame[UDP].sport, frame[UDP].dport) == (68, 67)
    assert frame[BOOTP].xid == own.number
    assert frame[BOOTP].chaddr[:6].hex(":") == own.mac
    assert ("message-type", 1) in frame[DHCP].options


@pytest.mark.req("R33")
def test_the_test_s_question_is_a_device_s_own_to_the_box(own: Own) -> None:
    test = ProbeTest(mac="02:00:00:00:00:99", name="detection-test.gatehouse.invalid")
    asked = [Ether(frame) for frame in frames.look_up(replace(own, test=test))]
    assert len(asked) == frames.REPEATS
    for frame in asked:
        assert (frame.src, frame.dst) == (test.mac, own.mac)
        assert (frame[IP].src, frame[IP].dst, frame[UDP].dport) == ("192.0.2.14", "192.0.2.1", 53)
        assert (frame[DNS].qd[0].qname, frame[DNS].qd[0].qtype) == (b"detection-test.gatehouse.invalid.", 1)
    assert list(frames.look_up(own)) == []


def test_the_test_never_asks_from_the_box_s_own_address(own: Own) -> None:
    test = ProbeTest(mac="02:00:00:00:00:99", name="detection-test.gatehouse.invalid")
    last = replace(own, address=IPv4Address("192.0.2.14"), test=test)
    assert {Ether(frame)[IP].src for frame in frames.look_up(last)} == {"192.0.2.13"}
