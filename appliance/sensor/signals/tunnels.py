"""Tunnels and proxies by their first words, whatever the port.

Enters: handshakes, requests, and the first octets of flows that no parser read. Leaves: WIREGUARD, OPENVPN, IKE,
SSTP (its request in the clear), SSH, SOCKS, CONNECT. Keeps nothing.
Only a client's words count: what a device answers to somebody is not a way out that it takes. OpenVPN with
its own disguise (obfuscation, TLS around it) has another shape and is not seen here.
"""

from __future__ import annotations

from collections.abc import Iterable

from appliance.sensor.facts import Fact, FlowBegan, FlowOpened, Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.packet import http, ip, vpn
from appliance.sensor.packet.handshake import Handshake
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.signals import MAX_VALUE, Signal

_Seen = tuple[Signal, str]

_NAT_TRAVERSAL = 4500
"""RFC 3948: IKE and ESP share this port, told apart by four octets of zero."""
_LEAST_ESP = 28
"""SPI, sequence number, and the least that a sealed packet and its tag hold (RFC 4303, RFC 4106)."""
_LATER_EXCHANGES = range(35, 38)
"""IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL (RFC 7296 section 3.1): what comes first on the port of NAT traversal."""

_SSTP = b"SSTP_DUPLEX_POST "
_SOCKS_METHODS = frozenset({*range(10), 0x80, 0x86})
"""Assigned ways to say who one is (RFC 1928 section 3 and its registry), and two that programs use."""
_LEAST_SOCKS4, _MOST_SOCKS4 = 9, 300


class Tunnels(Detector):
    """Tells handshakes of tunnels and greetings of proxies beyond the household."""

    __slots__ = ("_home",)
    hears = (FlowBegan, FlowOpened, MessageHeard)

    def __init__(self, home: Home) -> None:
        self._home = home

    def take(self, fact: Fact) -> Iterable[Noticed]:
        """What a fact shows of a way out."""
        if fact.mac is None or not isinstance(fact, FlowBegan | FlowOpened | MessageHeard):
            return ()
        seen = _seen(fact)
        if seen is None or self._home.is_home(fact.dst):
            return ()
        signal, value = seen
        port = fact.dport or None
        return (Noticed(ts=fact.ts, mac=fact.mac, signal=signal, value=value[:MAX_VALUE], server=fact.dst, port=port),)


def _seen(fact: FlowBegan | FlowOpened | MessageHeard) -> _Seen | None:
    if isinstance(fact, FlowBegan):
        return (Signal.IKE, "esp") if fact.protocol == ip.ESP else None
    if isinstance(fact, FlowOpened):
        return _stream(fact.first, fact.length) if fact.protocol == ip.TCP else _datagram(fact)
    if isinstance(fact.message, Handshake):
        return _shaken(fact.message)
    if fact.kind is Kind.HTTP_REQUEST and isinstance(fact.message, http.Request) and fact.message.method == "CONNECT":
        return Signal.CONNECT, "http"
    return None


def _shaken(handshake: Handshake) -> _Seen | None:
    said = dict(handshake.detail)
    match handshake.protocol:
        case "wireguard" if said["type"] in {"initiation", "response"}:
            return Signal.WIREGUARD, said["type"]
        case "openvpn" if said["side"] == "client":
            return Signal.OPENVPN, f"{said.get('transport', 'udp')}/hard-reset"
        case "ike" if said["side"] == "initiator":
            return Signal.IKE, said["version"]
        case "ssh":
            return Signal.SSH, said["software"]
        case _:
            return None


def _datagram(fact: FlowOpened) -> _Seen | None:
    if vpn.is_transport(fact.first, fact.length):
        return Signal.WIREGUARD, "data"
    if fact.dport != _NAT_TRAVERSAL or fact.length < _LEAST_ESP:
        return None
    if fact.first[:4] != bytes(4):
        return Signal.IKE, "esp"
    # Behind the marker: two ids of eight octets, next payload, version, exchange.
    return (Signal.IKE, "2") if fact.first[21] == 0x20 and fact.first[22] in _LATER_EXCHANGES else None


def _stream(first: bytes, length: int) -> _Seen | None:
    if first.startswith(_SSTP):
        return Signal.SSTP, "request"
    if _is_socks5(first, length):
        return Signal.SOCKS, "5"
    return (Signal.SOCKS, "4") if _is_socks4(first, length) else None


def _is_socks5(first: bytes, length: int) -> bool:
    """A greeting (RFC 1928 section 3): version, how many ways to say who one is, the ways; no more in its segment."""
    if length < 3 or first[0] != 5 or not first[1] or length != 2 + first[1]:
        return False
    methods = set(first[2:])
    return len(methods) == first[1] and methods <= _SOCKS_METHODS


def _is_socks4(first: bytes, length: int) -> bool:
    """A request to connect: version, command, port, address, a name that ends with zero; with 4a a host's, too."""
    if not _LEAST_SOCKS4 <= length <= _MOST_SOCKS4 or length > len(first) or first[:2] != b"\x04\x01":
        return False
    texts = first[8:].split(b"\0")
    is_4a = first[4:7] == bytes(3) and first[7] != 0
    printable = all(0x20 < octet < 0x7F for text in texts for octet in text)
    return printable and any(first[2:4]) and len(texts) == (3 if is_4a else 2) and not texts[-1]
