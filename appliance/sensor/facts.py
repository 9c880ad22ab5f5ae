"""What a frame says, without opinion: the dissector's output.

A fact knows no authority, no list and no registration. Each names the frame's time, tap and
sender (`mac`: text, None where the tap has no hardware address). Addresses are canonical text.
Facts and frames are structs, not dataclasses: some are made for every packet, in a tenth of the time.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from appliance.messages import Via
from appliance.sensor.frame import Tap
from appliance.sensor.packet import dhcp4, dhcp6, dns, handshake, http, icmp6, nbns, ssdp, syn, tls

FIRST_OCTETS = 256
"""Octets kept of the beginning of a flow that no parser could read."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Common part of all facts; by itself: a device spoke, in a protocol of which no more is read."""

    ts: float
    """Time of the frame, Unix seconds."""
    tap: Tap
    mac: str | None
    via: Via
    src: str | None = None
    """The sender's IP address, None where the frame has none (0.0.0.0 and :: count as none)."""


class ArpHeard(Heard, frozen=True, kw_only=True):
    """An ARP packet; `src` is the sender's protocol address if the packet speaks of its own sender."""

    operation: int
    """1 request, 2 reply."""
    sender_mac: str
    sender_ip: str
    target_ip: str


class NeighbourHeard(Heard, frozen=True, kw_only=True):
    """An IPv6 neighbour-discovery message; `src` is the address the sender claims."""

    kind: int
    """ICMPv6 type, 133 to 136."""
    target: str | None
    message: icmp6.Message


class _Flow(Heard, frozen=True, kw_only=True):
    sport: int
    dst: str
    dport: int


class FlowBegan(_Flow, frozen=True, kw_only=True):
    """A TCP SYN, the first datagram of a UDP five-tuple, or the first ESP packet between two (ports 0)."""

    protocol: int
    """6 TCP, 17 UDP, 50 ESP."""
    hops: int
    """Time to live or hop limit as it came from the device: before this router took one off."""


class FlowOpened(_Flow, frozen=True, kw_only=True):
    """The first octets of a flow, where no parser could read them."""

    protocol: int
    first: bytes
    """At most `FIRST_OCTETS`; never passed beyond this process."""
    length: int
    """Octets of the datagram or segment they stood in."""


class Kind(StrEnum):
    """What a message is: the `kind` of its line in a replay."""

    DHCP4 = "dhcp4"
    DHCP6 = "dhcp6"
    DNS = "dns"
    MDNS = "mdns"
    LLMNR = "llmnr"
    NBNS = "nbns"
    SSDP = "ssdp"
    TLS_CLIENT_HELLO = "tls_client_hello"
    QUIC_CLIENT_HELLO = "quic_client_hello"
    DTLS_CLIENT_HELLO = "dtls_client_hello"
    HTTP_REQUEST = "http_request"
    TCP_SYN = "tcp_syn"
    HANDSHAKE = "handshake"
    """STUN, WireGuard, OpenVPN, IKE, SSH, BitTorrent, QUIC Retry: `message.protocol` says which."""


Parsed = (
    dhcp4.Message
    | dhcp6.Message
    | dns.Message
    | nbns.Message
    | ssdp.Message
    | tls.ClientHello
    | http.Request
    | syn.Syn
    | handshake.Handshake
)
"""What a parser made of a message; `Kind` says which."""


class MessageHeard(_Flow, frozen=True, kw_only=True):
    """A message that a parser could read."""

    kind: Kind
    message: Parsed


class AnswerHeard(_Flow, frozen=True, kw_only=True):
    """An answer of the DNS put beside its question: `mac`, `src` and `sport` are the asker's, `dst` and `dport` whom it asked."""

    asked: tuple[dns.Question, ...]
    """What its question asked; at least one."""
    message: dns.Message
    """The answer."""


Fact = Heard | ArpHeard | NeighbourHeard | FlowBegan | FlowOpened | MessageHeard | AnswerHeard
