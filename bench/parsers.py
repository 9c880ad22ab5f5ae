"""Packets a second through each parser, from the whole Ethernet frame, beside dpkt, dnspython and scapy.

The packets are those of the captures that lie beside the project. Each contestant reads the same frames
in the same run; the rounds are interleaved and the best of each counts. What each makes of a frame is
its usual reading: dpkt its objects, dnspython a message, scapy its layers; ours additionally the server
name, JA3 and JA4 of a hello. Ours reads what stands behind the answers of a DNS message only when it is
asked for, as the live path rarely does: `DNS` is timed so, `DNS, all sections` with all of them asked for, as the
others read them. DHCP options are taken apart, as dpkt does; what they mean is read on demand by neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import dns.message
import dpkt
from scapy.layers.dhcp import BOOTP
from scapy.layers.l2 import Ether
from scapy.layers.tls.record import TLS

from appliance.sensor.frame import Frame, LinkType
from appliance.sensor.packet import dhcp4, ethernet, ip, tcp, tls, udp
from appliance.sensor.packet import dns as own_dns
from appliance.sensor.packet.cursor import Cursor, ParseError
from bench.corpus import frames

_Read = Callable[[bytes], object]
_SECONDS = 0.6
_ROUNDS = 5
_SLOW = 20
"""Every so manieth frame for the slowest contestants, which would hold up the rest."""


def measure(*, quick: bool = False) -> dict[str, dict[str, float]]:
    """Packets a second by kind and contestant, and how many times dpkt ours is.

    Raises:
        AbsentError: there are no captures.
    """
    everything = [frame for frame in frames() if frame.link is LinkType.ETHERNET]
    contests: dict[str, tuple[Sequence[bytes], dict[str, _Read]]] = {
        "DNS": (
            _picked(everything, _is_dns, own_dns_frame, dpkt_dns),
            {"ours": own_dns_frame, "dpkt": dpkt_dns, "dnspython": dnspython, "scapy": scapy_dns},
        ),
        "DNS, all sections": (
            _picked(everything, _is_dns, own_dns_whole, dpkt_dns),
            {"ours": own_dns_whole, "dpkt": dpkt_dns, "dnspython": dnspython, "scapy": scapy_dns},
        ),
        "DHCP": (
            _picked(everything, _is_dhcp, own_dhcp, dpkt_dhcp),
            {"ours": own_dhcp, "dpkt": dpkt_dhcp, "scapy": scapy_dhcp},
        ),
        "hello": (
            _picked(everything, _is_hello, own_hello, dpkt_hello),
            {"ours": own_hello, "dpkt": dpkt_hello, "scapy": scapy_hello},
        ),
    }
    table: dict[str, dict[str, float]] = {}
    for name, (packets, contestants) in contests.items():
        speeds = _race(packets, contestants, rounds=1 if quick else _ROUNDS)
        table[name] = {"frames": len(packets)} | {
            who: speeds.get(who, float("nan")) for who in ("ours", "dpkt", "dnspython", "scapy")
        }
        table[name]["times dpkt"] = speeds["ours"] / speeds["dpkt"]
    return table


def _race(packets: Sequence[bytes], contestants: dict[str, _Read], *, rounds: int) -> dict[str, float]:
    best = dict.fromkeys(contestants, 0.0)
    for _ in range(rounds):
        for who, read in contestants.items():
            some = packets[::_SLOW] if who == "scapy" and len(packets) >= 5 * _SLOW else packets
            done, start = 0, time.thread_time()
            while (passed := time.thread_time() - start) < _SECONDS:
                for packet in some:
                    read(packet)
                done += len(some)
            best[who] = max(best[who], done / passed)
    return best


def _picked(everything: Sequence[Frame], wanted: Callable[[bytes], bool], *readers: _Read) -> list[bytes]:
    """Frames of a kind that all these readers can read: nobody is timed at refusing."""
    picked: list[bytes] = []
    for frame in everything:
        try:
            if wanted(frame.data):
                for read in readers:
                    if read(frame.data) is None:
                        break
                else:
                    picked.append(frame.data)
        except (ParseError, dpkt.Error, ValueError, IndexError, AttributeError):
            continue
    return picked


# --- ours ---------------------------------------------------------------------------------------


def _ip(data: bytes) -> ip.Packet:
    carried = ethernet.ethernet(data)
    return ip.parse(data, carried.start, carried.ethertype)


def _udp(data: bytes) -> udp.Datagram:
    packet = _ip(data)
    if packet.protocol != ip.UDP or packet.later_fragment:
        raise ParseError("not UDP")
    return udp.parse(data, packet.start, packet.end)


def own_dns_frame(data: bytes) -> object:
    """A whole frame to a DNS message, its questions and answers read."""
    datagram = _udp(data)
    return own_dns.parse(data[datagram.start : datagram.end])


def own_dns_whole(data: bytes) -> object:
    """A whole frame to a DNS message, all its sections read."""
    datagram = _udp(data)
    return own_dns.parse(data[datagram.start : datagram.end]).further


def own_dhcp(data: bytes) -> object:
    """A whole frame to a DHCP message with its options apart, as dpkt does."""
    datagram = _udp(data)
    return dhcp4.parse(Cursor(data, datagram.start, datagram.end))


def own_hello(data: bytes) -> object:
    """A whole frame to a hello with server name, JA3 and JA4; None if it does not begin here."""
    packet = _ip(data)
    segment = tcp.parse(data, packet.start, packet.end)
    found = tls.read_stream(data[segment.start : segment.end])
    return None if found is None else (found[0].sni, found[0].ja3, found[0].ja4)


def _is_dns(data: bytes) -> bool:
    datagram = _udp(data)
    return 53 in {datagram.sport, datagram.dport}


def _is_dhcp(data: bytes) -> bool:
    datagram = _udp(data)
    return {datagram.sport, datagram.dport} <= {67, 68}


def _is_hello(data: bytes) -> bool:
    packet = _ip(data)
    return packet.protocol == ip.TCP and own_hello(data) is not None


# --- peers --------------------------------------------------------------------------------------


def dpkt_dns(data: bytes) -> object:
    """Dpkt: its Ethernet, IP and UDP, then its DNS."""
    return dpkt.dns.DNS(dpkt.ethernet.Ethernet(data).data.data.data)


def dpkt_dhcp(data: bytes) -> object:
    """Dpkt: its Ethernet, IP and UDP, then its DHCP."""
    return dpkt.dhcp.DHCP(dpkt.ethernet.Ethernet(data).data.data.data)


def dpkt_hello(data: bytes) -> object:
    """Dpkt: record, handshake, hello and its extensions; no fingerprint."""
    record = dpkt.ssl.TLSRecord(dpkt.ethernet.Ethernet(data).data.data.data)
    hello = dpkt.ssl.TLSHandshake(record.data).data
    return hello if isinstance(hello, dpkt.ssl.TLSClientHello) else None


def dnspython(data: bytes) -> object:
    """Dnspython from the UDP data on (it reads no frames): finding that is ours."""
    datagram = _udp(data)
    return dns.message.from_wire(data[datagram.start : datagram.end], ignore_trailing=True, raise_on_truncation=False)


def scapy_dns(data: bytes) -> object:
    """Scapy: the whole frame; a field of the last layer is asked for, since it reads lazily."""
    return Ether(data).lastlayer()


def scapy_dhcp(data: bytes) -> object:
    """Scapy: the whole frame."""
    return Ether(data)[BOOTP].lastlayer()


def scapy_hello(data: bytes) -> object:
    """Scapy: the whole frame, then its TLS."""
    return TLS(bytes(Ether(data)["TCP"].payload)).msg  # type: ignore[no-untyped-call]  # scapy has half its types
