"""The frames that the probe sends: this box's own addresses in, whole Ethernet frames out. Sans-IO.

Built with scapy. Each question to devices is asked once and never again: a phone that dozes is not to be
kept awake. Bounded: a sweep asks for at most `MAX_SWEEP` addresses; every other errand is one frame.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_network

from appliance.probe.own import Own

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # scapy's own, at import
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.dns import DNS, DNSQR
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
    from scapy.layers.l2 import ARP, Ether
    from scapy.packet import Packet

WIDEST = 22
"""Prefix length of the largest network that is swept as a whole; of a larger one, that part round the box."""
REPEATS = 3
"""Of the detection test's question; every other is asked once."""
MAX_SWEEP = 2 ** (32 - WIDEST) - 2

_BROADCAST = "ff:ff:ff:ff:ff:ff"
_SEARCH = (
    b"M-SEARCH * HTTP/1.1\r\n"
    b"HOST: 239.255.255.250:1900\r\n"
    b'MAN: "ssdp:discover"\r\n'
    b"MX: 3\r\n"  # devices spread their answers over so many seconds (UPnP 1.1, 1.3.2)
    b"ST: ssdp:all\r\n\r\n"
)


def sweep(own: Own) -> Iterator[bytes]:
    """One ARP request for each address of the network (RFC 826), then one echo request to all (RFC 4443 4.1)."""
    network = own.network
    if network.prefixlen < WIDEST:
        network = IPv4Network(ip_network((own.address, WIDEST), strict=False))
    for address in network.hosts():
        if address != own.address:
            yield _octets(
                Ether(src=own.mac, dst=_BROADCAST)
                / ARP(op="who-has", hwsrc=own.mac, psrc=str(own.address), pdst=str(address))
            )
    if own.link_local is not None:
        # RFC 4861 has no question to everybody; those who answer an echo to all nodes are there.
        yield _octets(
            Ether(src=own.mac, dst="33:33:00:00:00:01")
            / IPv6(src=str(own.link_local), dst="ff02::1", hlim=1)
            / ICMPv6EchoRequest(id=own.number & 0xFFFF, seq=1)
        )


def services(own: Own) -> Iterator[bytes]:
    """One question each for services by mDNS (RFC 6763 9) and SSDP (UPnP 1.1, 1.3.2)."""
    # From a port other than 5353 it is a one-shot question: answers come to us alone (RFC 6762 6.7).
    question = DNS(id=own.number & 0xFFFF, rd=0, qd=DNSQR(qname="_services._dns-sd._udp.local", qtype="PTR"))
    yield _octets(
        Ether(src=own.mac, dst="01:00:5e:00:00:fb")
        / IP(src=str(own.address), dst="224.0.0.251", ttl=255)
        / UDP(sport=own.port, dport=5353)
        / question
    )
    yield _octets(
        Ether(src=own.mac, dst="01:00:5e:7f:ff:fa")
        / IP(src=str(own.address), dst="239.255.255.250", ttl=2)
        / UDP(sport=own.port, dport=1900)
        / _SEARCH
    )


def discover(own: Own) -> Iterator[bytes]:
    """One DHCPDISCOVER (RFC 2131 4.4.1). The offers are not taken, and lapse."""
    hardware = bytes.fromhex(own.mac.replace(":", ""))
    yield _octets(
        Ether(src=own.mac, dst=_BROADCAST)
        / IP(src="0.0.0.0", dst="255.255.255.255")  # noqa: S104 (what a client without an address puts there)
        / UDP(sport=68, dport=67)
        / BOOTP(xid=own.number, flags="B", chaddr=hardware)
        / DHCP(options=[("message-type", "discover"), ("param_req_list", [1, 3, 6]), "end"])
    )


def look_up(own: Own) -> Iterator[bytes]:
    """The question of the detection test, to the box itself, `REPEATS` times: what is lost once is asked again.

    It comes from an address at the end of the home's network; the answer finds nobody there.
    """
    if own.test is None:
        return
    source = own.network.broadcast_address - 1
    if source == own.address:
        source -= 1
    for _ in range(REPEATS):
        yield _octets(
            Ether(src=own.test.mac, dst=own.mac)
            / IP(src=str(source), dst=str(own.address))
            / UDP(sport=own.port, dport=53)
            / DNS(id=own.number & 0xFFFF, rd=1, qd=DNSQR(qname=own.test.name, qtype="A"))
        )


def _octets(packet: Packet) -> bytes:
    return bytes(packet)
