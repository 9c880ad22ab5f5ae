"""A frame as a tap delivers it, before anything is read from it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Tap(StrEnum):
    """Where a frame was heard."""

    FLOW = "flow"
    """NFLOG in the forward hook, and where what leads to the notice would leave it: first packets of each connection; bytes begin at the IP header."""
    DNS = "dns"
    """NFLOG around the resolver; bytes begin at the IP header."""
    CHATTER = "chatter"
    """NFLOG in the bridge: ARP, DHCP, ND, mDNS, SSDP, LLMNR, NetBIOS names; whole Ethernet frame."""
    WAN = "wan"
    """NFLOG at the WAN port's ingress; whole Ethernet frame."""
    FILE = "file"
    """A capture file."""


class LinkType(StrEnum):
    """What the bytes of a frame begin with."""

    ETHERNET = "ethernet"
    RAW_IP = "raw-ip"
    NULL = "null"
    """BSD loopback: four octets of address family, either byte order."""
    SLL = "linux-cooked-v1"
    SLL2 = "linux-cooked-v2"


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes from the network with where and when they were heard."""

    ts: float
    """Unix seconds: the kernel's stamp, or packet time of a capture."""
    tap: Tap
    link: LinkType
    data: bytes
    """At most the tap's snap length."""
    source_mac: bytes | None = None
    """Source hardware address where the link type has no Ethernet header (NFLOG gives it beside)."""
    port: str | None = None
    """Bridge port or interface the frame came in by, if known."""
