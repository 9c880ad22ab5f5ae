"""Names and numbers that the router's rules and the processes beside them must agree on.

`render` writes them into the rule set; the warden uses them to open the taps, fill the sets and
read the counters. Nothing here depends on a household.
"""

from __future__ import annotations

from dataclasses import dataclass

TEST_PORT, TEST_PORT_INSIDE = "gh-test", "gh-test-lan"
"""Two ends of a link of the box's own: the probe asks at one, the other is a port of the household's bridge (R33)."""

TABLE = "gatehouse"
"""Name of our table in each family; no other table is ever touched."""

FAMILIES = ("inet", "bridge", "netdev")
"""Families that hold a table of that name, in the order they are loaded."""

QUARANTINED = "quarantined"
"""Set of ether_addr in the `inet` and `bridge` tables: devices that may reach the box only.

An element with a timeout leaves by itself where nobody says it again (R57); one without stays.
"""

QUARANTINE_FAMILIES = ("inet", "bridge")

UNREAD = "unread"
"""Set of ether_addr in the `inet` table: devices whose plain web questions lead to the notice page (R59).

Every element has a timeout: whatever stops, the device goes where it asked within a minute (R57).
"""

UNREAD_SIZE = 64
"""Most of them at a time; one that finds no room is not held up."""

FORWARDED_MARK = 0x1
"""Packet mark of what is forwarded to the household: so the bridge tells it from the box's own answers."""

VOLUME_UP = "volume_up"
"""Dynamic set of ether_addr in the `inet` table with a counter each: octets forwarded from a device."""

VOLUME_SIZE = 4096
"""Most devices counted at a time; what finds no room is counted by `VOLUME_OVERFLOW`."""

VOLUME_TIMEOUT_HOURS = 24
"""A device that sends nothing for so long leaves the set and starts again at 0."""

VOLUME_OVERFLOW = "volume_overflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkSet:
    """Dynamic set in the `inet` table, a counter each: who moved how much to or from which port of whom."""

    name: str
    type: str
    """Of its elements: a device's side, the far address, protocol, port of the far end."""
    match: str
    """nft expression that says which packets it counts."""
    key: str
    """nft expression that gives a packet's element."""
    up: bool
    """Counts what devices send; its elements begin with the hardware address, which nothing shows on the way back."""


TALK_SETS = (
    TalkSet(
        name="talks_up4",
        type="ether_addr . ipv4_addr . ipv4_addr . inet_proto . inet_service",
        match="meta nfproto ipv4",
        key="ether saddr . ip saddr . ip daddr . meta l4proto . th dport",
        up=True,
    ),
    TalkSet(
        name="talks_up6",
        type="ether_addr . ipv6_addr . ipv6_addr . inet_proto . inet_service",
        match="meta nfproto ipv6",
        key="ether saddr . ip6 saddr . ip6 daddr . meta l4proto . th dport",
        up=True,
    ),
    TalkSet(
        name="talks_down4",
        type="ipv4_addr . ipv4_addr . inet_proto . inet_service",
        match="meta nfproto ipv4",
        key="ip daddr . ip saddr . meta l4proto . th sport",
        up=False,
    ),
    TalkSet(
        name="talks_down6",
        type="ipv6_addr . ipv6_addr . inet_proto . inet_service",
        match="meta nfproto ipv6",
        key="ip6 daddr . ip6 saddr . meta l4proto . th sport",
        up=False,
    ),
)
"""Read each minute; only the warden and the sensor ever see them."""

TALKS_SIZE = 8192
"""Most elements of each; what finds no room is counted by `TALKS_OVERFLOW`."""

TALKS_TIMEOUT_MINUTES = 3
"""Longer than two readings are apart: nothing is lost when an element goes. Shorter than a flood is patient."""

TALKS_OVERFLOW = "talks_overflow"

KNOWN_FOLDER = "/run/gatehouse/known-devices"
"""Folder that dnsmasq watches (`dhcp-hostsdir`) and the warden writes: the devices that an officer has given a standing."""

KNOWN_TAG = "known-device"
"""Addresses are kept for them, so that nobody can take all there are."""

ASKING = "asking"
"""Dynamic set of ether_addr in the `inet` table: devices that ask names of the box, and how fast."""

ASKING_SIZE = 4096

QUESTIONS_A_SECOND, QUESTIONS_AT_ONCE = 100, 500
"""Questions that one device may ask. A browser with many pages asks some dozens; what goes over is not answered, so
that one device cannot take the resolver from the others (R57)."""

QUESTIONS_OVERFLOW = "over_questions"

CONNECTIONS = "connections"
"""Dynamic set of ether_addr in the `inet` table: how many connections each device has through the box and to it."""

CONNECTIONS_SIZE = 4096
"""Larger than `SHARES_SIZE`: a connection may stand for longer than its device has its place there."""

SHARES = "shares"
"""Dynamic set of ether_addr in the `inet` table: who has a share of their own."""

SHARES_SIZE = 1024
"""Most of them; those that find no room have one share together, and are counted by `CONNECTIONS_OVERFLOW`."""

ALL_CONNECTIONS = 65536
"""That the kernel keeps, of all devices together (`net.netfilter.nf_conntrack_max`): some 25 MiB."""

MOST_CONNECTIONS = 2000
"""Of one device at once. A browser with many pages has some hundreds. `household.toml` may say another."""

OPENING = "opening"
"""Dynamic set of ether_addr in the `inet` table: how fast each device opens connections."""

OPENED_A_SECOND, OPENED_AT_ONCE = 50, 1000
"""Connections that one device may open: the kernel keeps those that are closed for another minute (TIME_WAIT), and they
are in no count."""

HELD_OFF = "held_off"
"""Dynamic set of ether_addr: who was at the limit a moment ago. Only when it has left is counted again: each counting
costs the processor more, the more there is to count, and a refused connection is counted until it is found dead."""

HELD_OFF_SECONDS = 2

AT_LIMIT = "at_limit"
"""Dynamic set of ether_addr: who was at the limit in the last minutes; the warden tells how many they are, not who."""

AT_LIMIT_MINUTES = 5

CONNECTIONS_REFUSED = "over_connections"
CONNECTIONS_OVERFLOW = "connections_overflow"

SHELL_PORT = 22
"""Of the engineer's shell, from the household's side, where a key of an engineer is enrolled."""

MARKER_PREFIX = "rules_"
"""An empty chain of this name and a digest in each table tells which rule set is loaded."""

QUARANTINE_SIZE = 1024
"""Most MACs in quarantine, and in each filter, at a time; equal to what the keeper may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSets:
    """One filtering resolver: its port, whose questions go there, and which addresses they do not reach."""

    number: int
    port: int
    """Port on the router, UDP and TCP; nobody is answered there who was not redirected."""

    @property
    def macs(self) -> str:
        """Set of ether_addr."""
        return f"filtered_{self.number}"

    @property
    def refused4(self) -> str:
        """Set of IPv4 networks."""
        return f"refused4_{self.number}"

    @property
    def refused6(self) -> str:
        """Set of IPv6 networks."""
        return f"refused6_{self.number}"


FILTERS = (FilterSets(number=1, port=5311), FilterSets(number=2, port=5312), FilterSets(number=3, port=5313))
"""One for each standing that a clause may hold back."""

REFUSED_SIZE = 2048
"""Most networks in one set of refused addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapGroup:
    """One NFLOG group: what the kernel copies, and how it hands it over."""

    name: str
    """Name of the tap as the processes call it."""
    group: int
    """NFLOG group number."""
    snaplen: int
    """Most octets copied of one packet."""
    queue_threshold: int
    """Packets that make a batch; fewer wait for the flush timeout."""
    receive_buffer: int
    """Octets the kernel may hold for a reader that is late."""


FLUSH_HUNDREDTHS = 2
"""Longest wait of a lone packet for company, in hundredths of a second; without it, a second."""

FLOW = TapGroup(name="flow", group=5, snaplen=8192, queue_threshold=32, receive_buffer=64 << 20)
"""First packets of each forwarded connection. A merged Chromium hello has 2,014 octets and headers."""

DNS = TapGroup(name="dns", group=6, snaplen=2048, queue_threshold=1, receive_buffer=16 << 20)
"""Questions to any resolver, and answers. They wait for no company: what a device asked is to be heard before what it does."""

CHATTER = TapGroup(name="chatter", group=7, snaplen=2048, queue_threshold=16, receive_buffer=4 << 20)
"""What devices tell the LAN; rate-limited in the rules."""

WAN = TapGroup(name="wan", group=8, snaplen=2048, queue_threshold=16, receive_buffer=1 << 20)
"""Broadcasts heard on the side towards the provider; rate-limited in the rules."""

TAPS = (FLOW, DNS, CHATTER, WAN)
"""All taps, in the order their descriptors are handed over."""

FIRST_PACKETS = "1-12"
"""Packets of a connection copied to the flow tap. From 1: a flow older than accounting counts 0 for ever."""


HANDSHAKE_LENGTH = 156
"""UDP length of WireGuard's handshake initiation: its 148 octets and the header's 8."""

HANDSHAKE_RATE = 10
"""Handshakes of tunnels that go on, copied a second; a device makes one in two minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chatter:
    """A kind of announcement, how to recognise it in the bridge, and how much of it is copied."""

    name: str
    match: str
    """nft expression in the `bridge` family."""
    rate: int
    """Frames a second."""
    burst: int

    @property
    def overflow(self) -> str:
        """Counter of frames that went over the rate and were not copied."""
        return f"over_{self.name}"


CHATTER_KINDS = (
    Chatter(name="arp", match="ether type arp", rate=500, burst=1000),
    Chatter(name="dhcp4", match="ip protocol udp udp dport { 67, 68 }", rate=200, burst=400),
    Chatter(name="dhcp6", match="ether type ip6 udp dport { 546, 547 }", rate=200, burst=400),
    Chatter(
        name="nd",
        match="icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect }",
        rate=500,
        burst=1000,
    ),
    Chatter(name="mdns", match="udp dport 5353", rate=300, burst=600),
    Chatter(name="ssdp", match="udp dport 1900", rate=100, burst=400),
    Chatter(name="llmnr", match="udp dport 5355", rate=100, burst=200),
    Chatter(name="nbns", match="udp dport 137", rate=100, burst=200),
)
"""Each kind has its own allowance, so that a flood of one cannot hide another."""

WAN_KINDS = (
    Chatter(name="wan_arp", match="ether type arp", rate=50, burst=100),
    Chatter(name="wan_dhcp", match="ip protocol udp udp dport { 67, 68 }", rate=20, burst=40),
    Chatter(name="wan_mdns", match="udp dport 5353", rate=20, burst=40),
)
"""Broadcasts and multicasts heard at the WAN port."""
