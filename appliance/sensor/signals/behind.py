"""Something behind a device: hop limits, habits of several systems, addresses of another network.

Enters: beginnings of flows, SYNs, hellos, requests, DHCP messages, any frame's source address. Leaves: TTL (as
received, and the start it points to; also where both are equal, so that a drop can be told from a habit), SYSTEM,
TETHER (the network of a source address that is not the household's).
Bounded: `MAX_SAID` values said lately; `MAX_FOREIGN` foreign addresses that may go on.

Who comes from another network shows its old address for a moment: it probes for it (RFC 4436), or a phone's programs
go on where the mobile network was. A foreign address counts once it goes on. Only IPv4: the provider gives IPv6
networks that the household's file does not name, and hubs of small networks (Thread) hand out more in the LAN.
What limits hops on purpose (a trace of the route) is passed over: only drops of up to `MAX_DROP` count.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from appliance.sensor.facts import ArpHeard, Fact, FlowBegan, Heard, Kind, MessageHeard
from appliance.sensor.frame import Tap
from appliance.sensor.home import Home
from appliance.sensor.packet import dhcp4, http, syn, tls
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.table import FairTable
from appliance.signals import Signal

STARTS = (64, 128, 255)
"""Hop limits that systems begin with; 32 is of systems that are gone."""
MAX_DROP = 3
HABIT_SECONDS = 600.0
"""A habit that says nothing new is said again after this."""
MAX_SAID = 4096
MAX_FOREIGN = 512
FOREIGN_SECONDS = (20.0, 600.0)
"""A foreign address must be heard so far apart, and not farther."""

_LINUX = (2, 4, 8, 1, 3)
_WINDOWS = ((2, 1, 3, 1, 1, 4), (2, 1, 3, 1, 1, 8, 1, 1, 4))
_APPLE = (2, 1, 3, 1, 1, 8, 4, 0)
"""Kinds of options in their order: each family's network code writes one, whatever the version."""
_APPLE_CIPHERS = frozenset({0xC008, 0xC012, 0x000A})
"""Offered last by Apple's TLS, in no other with filler values (RFC 8701) among its ciphers."""
_WINDOWS_CIPHERS = (0xC02C, 0xC02B, 0xC030, 0xC02F, 0x009F, 0x009E)
"""First of Schannel for TLS 1.2: no other pairs them in that order."""
_RESERVED = 0x0F0F


class Behind(Detector):
    """Tells what does not fit one device."""

    __slots__ = ("_home", "_is_own", "_said", "_since")
    hears = (Heard, ArpHeard, FlowBegan, MessageHeard)

    def __init__(self, home: Home) -> None:
        self._home = home
        self._is_own = any(network.version == 4 for network in home.networks)
        self._said: FairTable[tuple[str, str], bool] = FairTable(bound=MAX_SAID, age=HABIT_SECONDS)
        self._since: FairTable[tuple[str, str], float] = FairTable(bound=MAX_FOREIGN, age=FOREIGN_SECONDS[1])

    @property
    def overflow(self) -> int:
        """Values said again early; foreign addresses forgotten early."""
        return self._said.overflow + self._since.overflow

    def take(self, fact: Fact) -> Iterator[Noticed]:
        """What a fact shows of the system that sent it."""
        mac = fact.mac
        if mac is None:
            return
        foreign = self._foreign(fact, mac)
        if foreign is not None:
            yield Noticed(ts=fact.ts, mac=mac, signal=Signal.TETHER, value=foreign)
        if isinstance(fact, FlowBegan):
            hops = hops_of(fact.hops)
            # Equal ones are a habit; a drop is counted.
            if hops is not None and (fact.hops not in STARTS or self._is_new(mac, hops, fact.ts)):
                yield Noticed(ts=fact.ts, mac=mac, signal=Signal.TTL, value=hops)
        elif isinstance(fact, MessageHeard):
            habit = system_of(fact)
            if habit is not None and self._is_new(mac, habit, fact.ts):
                yield Noticed(ts=fact.ts, mac=mac, signal=Signal.SYSTEM, value=habit)

    def _is_new(self, mac: str, value: str, ts: float) -> bool:
        if self._said.get((mac, value), ts) is not None:
            return False
        self._said.put((mac, value), True, ts)
        return True

    def _foreign(self, fact: Heard, mac: str) -> str | None:
        """The network of a source address that is of another; None where it is of this one, or nothing is known of it."""
        source = fact.src
        if not self._is_own or source is None or ":" in source or fact.tap is Tap.WAN or self._home.is_home(source):
            return None
        if ip_address(source).packed[0] >= 0xE0 or not self._goes_on(mac, source, fact.ts):
            return None
        network = str(ip_network(f"{source}/24", strict=False))
        return network if isinstance(fact, ArpHeard) or self._is_new(mac, network, fact.ts) else None

    def _goes_on(self, mac: str, address: str, ts: float) -> bool:
        since = self._since.get((mac, address), ts)
        if since is None:
            self._since.put((mac, address), ts, ts)
            return False
        return ts - since >= FOREIGN_SECONDS[0]


def hops_of(hops: int) -> str | None:
    """`received/start` for a hop limit that a usual start explains; else None."""
    start = next((start for start in STARTS if hops <= start), None)
    return f"{hops}/{start}" if start is not None and start - hops <= MAX_DROP else None


def system_of(fact: MessageHeard) -> str | None:
    """`family/habit` where a message has the habit of one family of operating systems; else None."""
    message = fact.message
    if isinstance(message, syn.Syn):
        family, habit = _by_syn(message), "syn"
    elif isinstance(message, tls.ClientHello):
        family, habit = _by_hello(message) if fact.kind is Kind.TLS_CLIENT_HELLO else None, "tls"
    elif isinstance(message, http.Request):
        family, habit = by_agent(message.user_agent or ""), "agent"
    elif isinstance(message, dhcp4.Message):
        family, habit = _by_dhcp(fact, message), "dhcp"
    else:
        return None
    return f"{family}/{habit}" if family is not None else None


def _by_syn(message: syn.Syn) -> str | None:
    start = next((start for start in STARTS if message.ttl <= start), None)
    if start == 64:
        if message.options == _LINUX:
            return "linux"
        return "apple" if message.options == _APPLE else None
    return "windows" if start == 128 and message.options in _WINDOWS else None


def _by_hello(hello: tls.ClientHello) -> str | None:
    if hello.ciphers[: len(_WINDOWS_CIPHERS)] == _WINDOWS_CIPHERS:
        return "windows"
    is_filled = bool(hello.ciphers) and hello.ciphers[0] & _RESERVED == 0x0A0A
    return "apple" if is_filled and set(hello.ciphers[-3:]) == _APPLE_CIPHERS else None


_AGENTS = (
    ("windows", ("Windows NT", "Microsoft NCSI", "Microsoft-Delivery-Optimization", "Windows-Update-Agent")),
    ("android", ("Android", "Dalvik/")),
    ("apple", ("iPhone", "iPad", "Macintosh", "CFNetwork/", "CaptiveNetworkSupport", "Mac OS X")),
    ("linux", ("X11; Linux", "X11; CrOS", "NetworkManager", "Debian APT")),
)
"""In this order: a browser of one system that looks like another's says its own first."""


def by_agent(agent: str) -> str | None:
    """The family that a User-Agent names."""
    return next((family for family, words in _AGENTS if any(word in agent for word in words)), None)


def _by_dhcp(fact: MessageHeard, message: dhcp4.Message) -> str | None:
    client = message.client_mac
    if not message.from_client or client is None or client.hex(":") != fact.mac or message.vendor_class is None:
        return None
    if message.vendor_class.startswith("MSFT "):
        return "windows"
    return "android" if message.vendor_class.startswith("android-dhcp") else None
