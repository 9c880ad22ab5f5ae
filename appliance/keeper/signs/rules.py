"""All rules that weigh signals, put together: a device's window in, signs out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from appliance.keeper.signs import (
    behind,
    dns_tunnels,
    encrypted_dns,
    hidden,
    network,
    proxies,
    relay,
    resolvers,
    tor,
    tunnels,
)
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.weigh import Weighed, sign
from appliance.keeper.signs.window import Context, Window
from wire.findings import FindingKind

Rule = Callable[[Window, Context], Iterator[Weighed]]

OF_TRAFFIC: tuple[Rule, ...] = (
    encrypted_dns.weigh,
    resolvers.weigh,
    relay.weigh,
    tunnels.weigh,
    tor.weigh,
    proxies.weigh,
    dns_tunnels.weigh,
    hidden.weigh,
)
"""Rules about how a device's traffic goes: what they find has one cause, going round what the box can read."""

OF_DEVICES: tuple[Rule, ...] = (behind.weigh,)
"""Rules about what is behind a device."""

NETWORK_KINDS = frozenset({FindingKind.SECOND_ROUTER, FindingKind.OTHER_DHCP, FindingKind.UPSTREAM_DEVICE})
"""Kinds that are about the network; they may be about no device of the household."""

KINDS = NETWORK_KINDS | {
    FindingKind.ENCRYPTED_DNS,
    FindingKind.OTHER_RESOLVER,
    FindingKind.RELAY,
    FindingKind.TUNNEL,
    FindingKind.TOR,
    FindingKind.PROXY,
    FindingKind.DNS_TUNNEL,
    FindingKind.UNKNOWN_PROTOCOL,
    FindingKind.HIDDEN_NAMES,
    FindingKind.DEVICE_BEHIND,
}
"""Kinds that these rules find."""


def weigh(window: Window, context: Context) -> Iterator[Sign]:
    """Signs of one device as they now stand."""
    for cause, found in (("way-round", OF_TRAFFIC), ("behind", OF_DEVICES)):
        for rule in found:
            for weighed in rule(window, context):
                yield sign(weighed, context, cause=f"{cause}-{context.device_id}"[:64])


def weigh_network(mac: str, window: Window, context: Context) -> Iterator[Sign]:
    """Signs about the network, of what one address sent."""
    for weighed in network.weigh(mac, window, context):
        yield sign(weighed, context, cause=f"network-{weighed.kind.value}")
