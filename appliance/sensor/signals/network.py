"""Who offers himself as a part of the network: routers, servers of addresses, devices upstream of the box.

Enters: router advertisements and DHCP messages heard in the LAN, frames of the side towards the provider. Leaves:
ROUTER, DHCP_SERVER, UPSTREAM. What the box itself sends passes neither tap: the bridge shows frames that come in
by a port, the provider's side those that come in from there. In a capture file the router is one of them.
Bounded: `MAX_PROVIDERS` machines upstream that are known to hand out addresses or routes.

Of the machines upstream one is the provider's router. Once it was heard to answer as one, it is not told any
more; where it only asks for addresses, it looks as any other there, and the keeper must tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterable

from appliance.messages import Via
from appliance.sensor.facts import Fact, Kind, MessageHeard, NeighbourHeard
from appliance.sensor.frame import Tap
from appliance.sensor.packet import dhcp4, dhcp6, icmp6
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.table import AgedTable
from appliance.signals import Signal

MAX_PROVIDERS = 64
PROVIDER_SECONDS = 7 * 86400.0

_DHCP4_OFFER, _DHCP4_ACK = 2, 5
_DHCP6_ADVERTISE, _DHCP6_REPLY = 2, 7
_UPSTREAM = {Via.ARP: "arp", Via.DHCP: "dhcp", Via.MDNS: "mdns"}


class Network(Detector):
    """Tells who acts as a router or server, and who is upstream."""

    __slots__ = ("_providers",)

    hears = (MessageHeard, NeighbourHeard)
    hears_all = True
    hears_wan = True

    def __init__(self) -> None:
        self._providers: AgedTable[str, bool] = AgedTable(bound=MAX_PROVIDERS, age=PROVIDER_SECONDS)

    @property
    def overflow(self) -> int:
        """Machines of the provider forgotten early: they are told as others are."""
        return self._providers.overflow

    def take(self, fact: Fact) -> Iterable[Noticed]:
        """What a fact shows of its sender's part in the network."""
        mac = fact.mac
        if mac is None:
            return ()
        if fact.tap is Tap.WAN:
            return self._upstream(fact, mac)
        if _is_router(fact):
            return (Noticed(ts=fact.ts, mac=mac, signal=Signal.ROUTER, value="advertisement"),)
        version = _server(fact)
        return (Noticed(ts=fact.ts, mac=mac, signal=Signal.DHCP_SERVER, value=version),) if version else ()

    def _upstream(self, fact: Fact, mac: str) -> Iterable[Noticed]:
        if _server(fact) or _is_router(fact):
            self._providers.put(mac, True, fact.ts)
        how = _UPSTREAM.get(fact.via)
        if how is None or self._providers.get(mac, fact.ts):
            return ()
        return (Noticed(ts=fact.ts, mac=mac, signal=Signal.UPSTREAM, value=how),)


def _is_router(fact: Fact) -> bool:
    """Whether a fact is an advertisement of somebody who would route, or have names asked of him.

    One with lifetime 0 says the opposite (RFC 4861 section 6.2.5): so do hubs that only lead to their own small network.
    """
    if not isinstance(fact, NeighbourHeard) or fact.kind != icmp6.ROUTER_ADVERTISEMENT:
        return False
    router = fact.message.router
    return (router is not None and router.lifetime > 0) or bool(fact.message.resolvers)


def _server(fact: Fact) -> str | None:
    """`4` or `6` where a fact is a server's message that gives something."""
    if not isinstance(fact, MessageHeard):
        return None
    message = fact.message
    if fact.kind is Kind.DHCP4 and isinstance(message, dhcp4.Message):
        gives = not message.from_client and message.message_type in {_DHCP4_OFFER, _DHCP4_ACK}
        return "4" if gives and any(message.your_ip) else None
    if fact.kind is Kind.DHCP6 and isinstance(message, dhcp6.Message):
        gives = not message.from_client and message.message_type in {_DHCP6_ADVERTISE, _DHCP6_REPLY}
        return "6" if gives else None
    return None
